#!/bin/sh
# SPDX-License-Identifier: MIT
# `make bench`, `make layers` and `make ab`: measure, plot, make a page of it, and say what came out and where it lies. By TUNE=1 kernels
# are tuned first, in 20 seconds, and layers go by what an earlier tuning found; else both go by the default schedules.
#     sh scripts/bench.sh PROGRAM kernels|layers|ab [ARGUMENT]...
set -eu
program=$1
command=$2
untuned=''
if [ "${TUNE:-0}" != 1 ] && [ "$command" != ab ]; then # which never is
    untuned=1
elif [ "$command" = kernels ]; then
    (shift && "$program" "$@" --dry-run >/dev/null 2>&1) || { shift && exec "$program" "$@" --dry-run; } # which says what is wrong
    "$program" tune || echo "$0: not tuned: what follows goes by the schedules that there were" >&2
fi
said=$(mktemp)
trap 'rm -f "$said" "$said.status"' EXIT
trap 'exit 130' INT TERM HUP
# The program's own exit status, not tee's: 6 (rows missing) still leaves something to show, and so do the gate's verdicts, 1 and 5.
shift
status=0
{ "$program" "$@" ${untuned:+--no-tune} || echo "$?" >"$said.status"; } | tee "$said"
if [ -f "$said.status" ]; then
    status=$(cat "$said.status")
    rm -f "$said.status"
fi
run=$(sed -n 's/^Results: //p' "$said")
[ -n "$run" ] || exit "${status:-3}"
case $command$status in
kernels[06] | layers[06])
    NORMBENCH=$program sh "$(dirname "$0")/plots.sh" "$run"
    printf 'Plots:   %s/plots\nTable:   %s/%s.csv (columns: results/README.md)\n' "$run" "$run" "$command"
    "$program" report "$run"
    ;;
ab[0156]) "$program" report "$run" ;;
esac
exit "$status"
