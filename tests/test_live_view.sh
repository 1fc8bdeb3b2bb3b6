#!/bin/sh
# SPDX-License-Identifier: MIT
# --live: rows as they settle, on a terminal and on none, with TERM=dumb and NO_COLOR; what is measured and its table stay the same, and an
# interrupted one leaves a clean line. The terminal is that of `script`.
set -eu
. tests/expect.sh
# shellcheck disable=SC2154 # work is set there
few='--op dyt --variant u2 --shape 64x768 --launches 6 --budget 2s --no-tune'
escape=$(printf '\033')

# Without a terminal there are plain lines, and stdout is the table.
# shellcheck disable=SC2086 # words
check_end 0 'dyt,u2' "$NORMBENCH" kernels $few --live --csv -
grep -q 'of 2 ratios settled to within 2 %' "$work/err" || fail "no count of what has settled: $(cat "$work/err")"
! grep -q "$escape" "$work/err" || fail 'escapes where there is no terminal'
! grep -q 'settled' "$work/out" || fail 'the table holds what is for people'
check_end 2 '"live" is no option' "$NORMBENCH" tune --live

command -v script >/dev/null || {
    echo "$test_name: SKIPPED: no terminal without script, of util-linux"
    exit 77
}
# on_terminal NAME SETTING...: a run on a terminal of 80 columns; what it saw in $work/NAME.
on_terminal() {
    seen=$work/$1
    shift
    env "$@" script -qec "stty cols 80 rows 24; exec $(printf "'%s'" "$NORMBENCH") kernels $few --live --csv $work/table.csv" "$seen" </dev/null >/dev/null ||
        fail "on a terminal, with $*: $(tail -3 "$seen")"
    grep -q 'dyt,u2' "$work/table.csv" || fail "with $*: no table"
    grep -q 'of 2 ratios settled' "$seen" || fail "with $*: no count of what has settled"
}
on_terminal colored TERM=xterm NO_COLOR=
grep -q "$escape\[34m" "$work/colored" || fail 'no colour on a terminal'
grep -qE '\(?[0-9] launch|\[[0-9.]+, [0-9.]+\]  f32' "$work/colored" || fail "no ratio beside what runs: $(tail -3 "$work/colored")"
on_terminal plain TERM=xterm NO_COLOR=1
! grep -q "$escape\[[0-9]*m" "$work/plain" || fail 'colour despite NO_COLOR'
grep -q "$escape\[K" "$work/plain" || fail 'no line that is drawn again'
on_terminal dumb TERM=dumb NO_COLOR=
! grep -q "$escape" "$work/dumb" || fail 'escapes on TERM=dumb'

# The last thing that an interrupted one does to its line is to take it away.
export TERM=xterm
begin_until 20 "$work/cut/samples.csv" script -qec "stty cols 80; echo \$\$ >'$work/pid'; exec $(printf "'%s'" "$NORMBENCH") kernels $few --launches 1000 --budget 10m --live --out '$work/cut'" "$work/ended"
kill -INT "$(cat "$work/pid")"
wait "$pid" || true
grep -q 'interrupted; what is on disk is valid' "$work/ended" || fail "not interrupted: $(tail -3 "$work/ended")"
awk -v mark="${escape}[K" '{ at = 0; while (i = index(substr($0, at + 1), mark)) at += i; if (/ETA/) last = substr($0, at + length(mark)) } END { exit last ~ /ETA/ }' \
    "$work/ended" || fail 'an interrupted run leaves its line'
finish
