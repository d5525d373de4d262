#!/usr/bin/env bash
# The five checks of a clean pipeline, on the import graph and on a running system. Exit 1 when one fails.
set -euo pipefail
cd "$(dirname "$0")"
exec node run.mjs laws "$@"
