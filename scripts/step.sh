#!/usr/bin/env bash
# Runs one check:   scripts/step.sh NAME COMMAND...
# Names it first and, if it fails, last: the end of a long log says what failed and how to run it alone.
set -uo pipefail

name="$1"
shift
echo "==> $name"
scripts/in-target.sh "$@"
status=$?
if ((status != 0)); then
    echo "==> FAILED: $name (exit status $status); alone: scripts/in-target.sh ${*@Q}" >&2
fi
exit "$status"
