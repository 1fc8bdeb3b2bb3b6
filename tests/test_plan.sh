#!/bin/sh
# SPDX-License-Identifier: MIT
# `normbench plan` from the outside: columns, messages and exit codes.
# run by one compiler and by sanitizers
set -u
: "${NORMBENCH:=build/normbench}"
. tests/expect.sh

# expect CODE TEXT ARGUMENTS...: as `check_end`, of `plan ARGUMENTS`, which warns of nothing.
expect() {
    code=$1 text=$2
    shift 2
    check_end "$code" "$text" "$NORMBENCH" plan "$@"
    [ "$code" -eq 0 ] && [ -s "$work/err" ] && fail "plan $*: unexpected on stderr: $(cat "$work/err")"
}

expect 0 'usage: normbench plan' --help
expect 0 'threads placement thread' --threads 1 --placement all
expect 0 'threads placement thread'
expect 2 'unexpected argument "extra"' extra
expect 2 'usage: normbench plan' --nonsense
expect 2 'usage: normbench plan' --threads

expect 2 '"spread" is no placement; valid are compact, cores, scatter, none' --placement spread
expect 2 'valid are compact' --placement cores,
expect 2 'the most is 8' --threads 9 --topology 'core:4 pu:2'
expect 2 'the most is' --threads 1000000
for list in '' 0 -1 x '1,' 1x 99999999999999999999; do
    expect 2 '--threads' --threads "$list"
done
expect 2 'No such file' --topology missing.xml
expect 2 'not a readable hwloc XML' --topology tests/test_plan.sh
expect 2 'package:2' --topology nonsense
expect 2 'too many PUs' --topology 'core:9999 pu:9999'
touch "$work/unreadable.xml"
expect 2 'not a readable hwloc XML' --topology "$work/unreadable.xml"

# Whole plans, as a script would read them: columns apart by spaces, `-` for what does not exist.
plan() {
    "$NORMBENCH" plan "$@" | awk '{$1 = $1; print}'
}
expected='threads placement thread pu core l3 numa package
2 scatter 0 0 0 0 0 0
2 scatter 1 4 2 1 0 1
3 scatter 0 0 0 0 0 0
3 scatter 1 4 2 1 0 1
3 scatter 2 2 1 0 0 0'
got=$(plan --threads 2,3,2 --placement scatter --topology 'package:2 l3:1 core:2 pu:2')
[ "$got" = "$expected" ] || fail "scatter on two packages: $got"

expected='threads placement thread pu core l3 numa package
3 cores 0 6 6 0 0 0
3 cores 1 8 7 0 0 0
3 cores 2 2 2 0 0 0
3 none 0 - - - - -
3 none 1 - - - - -
3 none 2 - - - - -'
got=$(plan --threads 3 --placement cores,none --topology tests/data/hybrid.xml)
[ "$got" = "$expected" ] || fail "cores on a hybrid CPU: $got"

lines=$(plan --threads cores,all --placement compact --topology tests/data/uneven.xml | wc -l)
[ "$lines" -eq 16 ] || fail "7 cores and 8 PUs make $lines lines with the header, expected 16"

if [ -w /dev/full ]; then
    "$NORMBENCH" plan >/dev/full 2>"$work/err"
    got=$?
    [ "$got" -eq 3 ] || fail "a full disk: exit $got, expected 3"
    grep -q 'disk full' "$work/err" || fail "a full disk: $(cat "$work/err")"
fi

finish
