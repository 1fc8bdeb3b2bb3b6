#!/bin/sh
# SPDX-License-Identifier: MIT
# `make bench` and `make layers`: verify, time, plot, and say what came out and where it lies.
#     sh scripts/bench.sh PROGRAM kernels|layers [PRESET]
set -eu
program=$1
command=$2
preset=${3:-default}
said=$(mktemp)
trap 'rm -f "$said" "$said.status"' EXIT
trap 'exit 130' INT TERM HUP
# The program's own exit status, not tee's: 6 (rows missing) still leaves something to plot.
status=0
{ "$program" "$command" --preset "$preset" || echo "$?" >"$said.status"; } | tee "$said"
if [ -f "$said.status" ]; then
    status=$(cat "$said.status")
    rm -f "$said.status"
fi
run=$(sed -n 's/^Results: //p' "$said")
[ -n "$run" ] || exit "${status:-3}"
if [ "$status" -eq 0 ] || [ "$status" -eq 6 ]; then
    NORMBENCH=$program sh "$(dirname "$0")/plots.sh" "$run"
    printf 'Plots:   %s/plots\nTable:   %s/%s.csv (columns: results/README.md)\n' "$run" "$run" "$command"
fi
exit "$status"
