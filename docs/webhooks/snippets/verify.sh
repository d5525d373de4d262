#!/usr/bin/env bash
# Verifies a saved webhook with openssl and prints its id. For a look at one request, not for a server: the key is an argument of openssl, and the
# comparison is not in constant time.
#
#   WEBHOOK_SECRETS='whsec_... whsec_...' ./verify.sh <headers file: "name: value" lines> <body file, its bytes as they came> [now in Unix seconds]
set -euo pipefail

headers=$1
body=$2
now=${3:-$(date +%s)}

header() { sed -n "s/^$1: *//Ip" "$headers" | tr -d '\r' | head -n 1; }
refuse() { echo "not trusted: $1" >&2; exit 1; }

id=$(header webhook-id)
timestamp=$(header webhook-timestamp)
signatures=$(header webhook-signature)
[[ -n $id && -n $timestamp && -n $signatures ]] || refuse 'a webhook header is missing'
[[ $timestamp =~ ^[0-9]{1,12}$ ]] || refuse 'the timestamp is no number'
age=$((now - 10#$timestamp))
((age <= 300 && age >= -300)) || refuse 'the timestamp is too old or in the future'

for secret in $WEBHOOK_SECRETS; do
  key=$(printf '%s' "${secret#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
  mac=$( (printf '%s.%s.' "$id" "$timestamp"; cat -- "$body") | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)
  for signature in $signatures; do
    if [[ $signature == "v1,$mac" ]]; then
      echo "$id"
      exit 0
    fi
  done
done
refuse 'no signature matches'
