#!/usr/bin/env bash
# Runs a command with the build folder that all clones of this user share:   scripts/in-target.sh cargo test --release
#
# Sharing saves a second clone RocksDB's ten minutes. But cargo names the project's own crates the same in every clone
# and trusts the times of files: after a build in one clone, an older file of another counts as built. So a clone that
# finds another's results removes what cargo noted about them, and a lock keeps two clones apart. (All packages of the
# workspace are called stockade or stockade-something; tests/dependencies.rs checks it.)
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
if [[ -z "${CARGO_TARGET_DIR:-}" ]]; then
    CARGO_TARGET_DIR="$("$root/scripts/target-dir.sh")"
fi
export CARGO_TARGET_DIR
mkdir -p "$CARGO_TARGET_DIR"

# They would replace .cargo/config.toml's flags: RocksDB would be built again, with a checksum in software.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS

# Started from within: the lock is held.
if [[ "${STOCKADE_TARGET_HELD:-}" == "$CARGO_TARGET_DIR" ]]; then
    exec "$@"
fi

exec {lock}>"$CARGO_TARGET_DIR/.stockade-lock"
if command -v flock >/dev/null 2>&1 && ! flock -n "$lock"; then
    echo "waiting: another make of this user builds in $CARGO_TARGET_DIR" >&2
    flock "$lock"
fi

owner="$CARGO_TARGET_DIR/.stockade-clone"
if [[ "$(cat "$owner" 2>/dev/null)" != "$root" ]]; then
    rm -rf "$CARGO_TARGET_DIR"/release/.fingerprint/stockade*
    echo "$root" >"$owner"
fi

# The command does not inherit the lock: a process that outlives it would keep it.
(
    exec {lock}>&-
    STOCKADE_TARGET_HELD="$CARGO_TARGET_DIR" exec "$@"
)
