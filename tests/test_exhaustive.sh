#!/bin/sh
# SPDX-License-Identifier: MIT
# The program behind `make check-exhaustive`, at every 4099th float: every function at every level, judged or skipped, and counted.
# That its judge can reject is test_accuracy's concern.
set -eu
cd "$(dirname "$0")/.."
: "${OBJ:?must name the folder of the objects, e.g. OBJ=build/gcc}"
. tests/expect.sh

# status WANT ARGUMENT...
status() {
    want=$1 got=0
    shift
    # shellcheck disable=SC2086 # several words, or none
    ${NORMBENCH_EMULATOR:-} "$OBJ/exhaustive" "$@" >"$work/out" 2>"$work/err" || got=$?
    [ "$got" -eq "$want" ] || fail "exhaustive $* exits with $got instead of $want"
}

export REQUIRE=
status 0 --stride 4099
cat "$work/out"
functions=$(sed -n 's/^#define MATH_FUNCTION_LIST(X)//p' tests/math_rows.h | grep -oE ', [a-z0-9_]+' | tr -d ', ')
sh scripts/levels.sh >"$work/levels"
lines=0 passed=0 skipped=0
for function in $functions; do
    while read -r level _; do
        lines=$((lines + 1))
        line=$(grep -E "^$function +$level " "$work/out") || fail "no line of $function at $level"
        case $line in
        *' 1047810 inputs, largest error '*' ulp'*' at '*', bound '*': passed') passed=$((passed + 1)) ;;
        *' skipped: this CPU lacks '?*) skipped=$((skipped + 1)) ;;
        *) fail "not a verdict: $line" ;;
        esac
    done <"$work/levels"
    grep -qE "^$function +reference .*: passed$" "$work/out" || fail "no line of the reference of $function"
    lines=$((lines + 1)) passed=$((passed + 1))
done
grep -q ' scalar .*skipped' "$work/out" && fail 'the level that every CPU has was skipped'
[ "$(tail -n 1 "$work/out")" = "$passed passed, 0 failed, $skipped skipped" ] || fail "the last line is $(tail -n 1 "$work/out")"
[ "$(wc -l <"$work/out")" -eq $((lines + 1)) ] || fail 'there are other lines'

cp "$work/out" "$work/first"
OMP_NUM_THREADS=3 status 0 --stride 4099
cmp "$work/first" "$work/out" || fail 'another number of threads gives another output'

# A level that no CPU has stands for one that this CPU lacks.
REQUIRE='scalar sse9' status 1 --stride 4099
grep -q 'sse9' "$work/err" || fail 'no word of the level that is required'
[ "$(tail -n 1 "$work/out")" = '0 passed, 1 failed, 0 skipped' ] || fail "the last line is $(tail -n 1 "$work/out")"
missing=$(sed -n 's/^[a-z0-9_]* *\([a-z0-9_]*\) *skipped.*/\1/p' "$work/first" | head -n 1)
[ -z "$missing" ] || {
    REQUIRE=$missing status 1 --stride 4099
    grep -q "$missing is required, but this CPU lacks" "$work/err" || fail 'no word of what this CPU lacks'
}

for stride in 0 -1 x 3x 2147483648 ''; do
    status 2 --stride "$stride"
done
status 2 --stride
status 2 5

finish
