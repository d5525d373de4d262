# Runs verify.py over the signature vectors: one line each, what it says and the name.
import base64
import json
import sys

sys.path.insert(0, "snippet")
from verify import NotTrusted, verify_webhook

for vector in json.load(open(sys.argv[1], encoding="utf-8"))["vectors"]:
    verdict = "valid"
    try:
        verify_webhook(vector["headers"], base64.b64decode(vector["body_base64"]), vector["secrets"], vector["now"])
    except NotTrusted:
        verdict = "invalid"
    print(f"{verdict}\t{vector['name']}")
