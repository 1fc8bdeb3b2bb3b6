#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs tests one by one (`make check` calls this): programs by name, *.sh with sh. A test that exits 77 was skipped and says why. Ends with
# one line of counts; exit 1 if any failed.
set -u
passed=0 failed=0 skipped=0 names=
for test in "$@"; do
    name=$(basename "$test" .sh)
    printf '== %s\n' "$name"
    case $test in
    *.sh) sh "$test" ;;
    *) "$test" ;;
    esac
    case $? in
    0) passed=$((passed + 1)) ;;
    77) skipped=$((skipped + 1)) ;;
    *)
        failed=$((failed + 1))
        names="$names $name"
        ;;
    esac
done
[ -z "$names" ] || printf 'failed:%s\n' "$names" >&2
if [ "$skipped" -gt 0 ]; then
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
else
    printf '%d passed, %d failed\n' "$passed" "$failed"
fi
[ "$failed" -eq 0 ]
