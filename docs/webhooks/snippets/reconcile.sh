#!/usr/bin/env bash
# Prints the ids of webhooks that you do not have.
#   reconcile.sh <businessId> <file with the ids that you have, one a line> [hours to look back, 25 by default]
# It asks hour by hour, because a list has at most 1,000 entries. An hour with more ends it with exit code 1 rather than
# with a part of the answer. Needs callctl, jq and bash.
set -euo pipefail
business=$1 have=$2 hours=${3:-25}

instant() { jq -nr "$1 | todate"; }

now=$(jq -n 'now | floor')
sent=$(mktemp)
trap 'rm -f "$sent"' EXIT
for ((ago = hours; ago > 0; ago--)); do
  since=$(instant $((now - ago * 3600)))
  until=$(instant $((now - (ago - 1) * 3600)))
  list=$(callctl webhooks list --business "$business" --status all --since "$since" --until "$until" --limit 1000 --json)
  if jq -e '.total > (.deliveries | length)' <<<"$list" >/dev/null; then
    echo "more than 1000 webhooks between $since and $until: ask for a shorter time" >&2
    exit 1
  fi
  jq -r '.deliveries[].webhookId' <<<"$list" >>"$sent"
done
comm -23 <(sort -u "$sent") <(sort -u "$have")
