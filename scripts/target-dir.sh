#!/usr/bin/env bash
# Prints the folder that builds go to: a per-user cache, so that a second clone does not build RocksDB again
# (ten minutes of two cores). Where no such folder can be written, it is ./target, with a sentence on standard error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

caches="${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}"
cached="$caches/stockade/target"
if [[ "$caches" == /* ]] && mkdir -p "$cached" 2>/dev/null && [[ -w "$cached" ]]; then
    echo "$cached"
else
    echo "stockade: no cache folder can be written at ${cached}; building into ./target instead" >&2
    echo "$PWD/target"
fi
