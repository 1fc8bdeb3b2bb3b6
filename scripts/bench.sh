#!/bin/sh
# SPDX-License-Identifier: MIT
# `make bench`: verify, time, plot, and say what came out and where it lies.
#     sh scripts/bench.sh PROGRAM [PRESET]
set -eu
program=$1
preset=${2:-default}
said=$(mktemp)
trap 'rm -f "$said"' EXIT
# The program's own exit status, not tee's: 6 (rows missing) still leaves something to plot.
status=0
{ "$program" kernels --preset "$preset" || echo "$?" >"$said.status"; } | tee "$said"
if [ -f "$said.status" ]; then
    status=$(cat "$said.status")
    rm -f "$said.status"
fi
run=$(sed -n 's/^Results: //p' "$said")
[ -n "$run" ] || exit "${status:-3}"
if [ "$status" -eq 0 ] || [ "$status" -eq 6 ]; then
    sh "$(dirname "$0")/plots.sh" "$run"
    printf 'Plots:   %s/plots\nTable:   %s/kernels.csv (columns: results/README.md)\n' "$run" "$run"
fi
exit "$status"
