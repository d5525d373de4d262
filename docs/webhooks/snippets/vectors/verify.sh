#!/usr/bin/env bash
# Runs verify.sh over the signature vectors: one line each, what it says and the name. Needs jq.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
jq -c '.vectors[]' "$1" | while IFS= read -r vector; do
  jq -r '.headers | to_entries[] | "\(.key): \(.value)"' <<<"$vector" >"$work/headers"
  jq -r '.body_base64' <<<"$vector" | openssl base64 -d -A >"$work/body"
  WEBHOOK_SECRETS=$(jq -r '.secrets | join(" ")' <<<"$vector")
  export WEBHOOK_SECRETS
  verdict=valid
  bash snippet/verify.sh "$work/headers" "$work/body" "$(jq -r '.now' <<<"$vector")" >/dev/null 2>&1 || verdict=invalid
  printf '%s\t%s\n' "$verdict" "$(jq -r '.name' <<<"$vector")"
done
