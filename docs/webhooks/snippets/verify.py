import base64
import hashlib
import hmac
import re
import time

TOLERANCE_SECONDS = 300


class NotTrusted(Exception):
    """The request is no webhook of ours, or was changed on its way."""


def verify_webhook(headers, raw_body, secrets, now=None):
    """Verifies a webhook and returns its id, the key for deduplication. Raises NotTrusted.

    headers: a mapping with names in lower case. raw_body: the bytes of the request, before any parser.
    secrets: one "whsec_...", or two while a secret is being rotated.
    """
    webhook_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    signatures = headers.get("webhook-signature", "")
    if not webhook_id or not timestamp or not signatures:
        raise NotTrusted("a webhook header is missing")
    if not re.fullmatch(r"[0-9]{1,12}", timestamp):
        raise NotTrusted("the timestamp is no number")
    if abs((time.time() if now is None else now) - int(timestamp)) > TOLERANCE_SECONDS:
        raise NotTrusted("the timestamp is too old or in the future")

    signed = f"{webhook_id}.{timestamp}.".encode() + raw_body
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        expected = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
        for signature in signatures.split(" "):
            if hmac.compare_digest(signature.encode(), expected):
                return webhook_id
    raise NotTrusted("no signature matches")
