#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs tests (`make check` calls this): programs by name, *.sh with sh, JOBS of them at a time, each one's output in one piece when it has
# ended. A test that exits 77 was skipped and says why. Ends with one line of counts; exit 1 if any failed.
set -u
jobs=${JOBS:-2}
# Teams of tests share the cores with one another. A thread that waits by spinning, as OpenMP's do at first, holds the core that those it
# waits for want: test_graph then took 30 times its work. Which way they wait changes no result.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# one TEST NAME: runs it and leaves its output and, last, its status.
one() {
    case $1 in
    *.sh) sh "$1" ;;
    *) "$1" ;;
    esac >"$work/$2.out" 2>&1 </dev/null
    echo $? >"$work/$2.status.part"
    mv "$work/$2.status.part" "$work/$2.status"
}

passed=0 failed=0 skipped=0 names='' running=''

# collect: takes note of every test that has ended since.
collect() {
    still=''
    for name in $running; do
        if [ ! -f "$work/$name.status" ]; then
            still="$still $name"
            continue
        fi
        printf '== %s\n' "$name"
        cat "$work/$name.out"
        case $(cat "$work/$name.status") in
        0) passed=$((passed + 1)) ;;
        77) skipped=$((skipped + 1)) ;;
        *)
            failed=$((failed + 1))
            names="$names $name"
            ;;
        esac
    done
    running=$still
}

# wait_below COUNT: until fewer than that many run.
wait_below() {
    collect
    # shellcheck disable=SC2086 # words
    while set -- "$1" $running && [ $(($# - 1)) -ge "$1" ]; do
        sleep 0.2
        collect
    done
}

for test in "$@"; do
    wait_below "$jobs"
    name=$(basename "$test" .sh)
    one "$test" "$name" &
    running="$running $name"
done
wait_below 1
[ -z "$names" ] || printf 'failed:%s\n' "$names" >&2
if [ "$skipped" -gt 0 ]; then
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
else
    printf '%d passed, %d failed\n' "$passed" "$failed"
fi
[ "$failed" -eq 0 ]
