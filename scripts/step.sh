#!/usr/bin/env bash
# Runs one check:   scripts/step.sh NAME COMMAND...
# Names it first and, if it fails, last: the end of a long log says what failed and how to run it alone.
set -uo pipefail

name="$1"
shift
echo "==> $name"
"$@"
status=$?
if ((status != 0)); then
    printf -v folder '%q' "${CARGO_TARGET_DIR:-target}"
    echo "==> FAILED: $name (exit status $status); alone: CARGO_TARGET_DIR=$folder $*" >&2
fi
exit "$status"
