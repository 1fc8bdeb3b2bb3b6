#!/bin/sh
# SPDX-License-Identifier: MIT
# The Makefile's own manners, in a small copy of the tree: the user's flags reach every command, warnings are no errors unless asked for,
# the program can be replaced while it runs, and a commit is recorded only if it is of this very tree.
# independent of the compiler
set -u
. tests/expect.sh
# quiet_make ARGUMENTS...: without what an outer make has told.
quiet_make() {
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CPPFLAGS -u CFLAGS -u LDFLAGS -u WERROR make CC=gcc "$@"
}

# ---- Flags, by what make would do

dry() { quiet_make -n V=1 OBJ="$work/none" "$@" >"$work/commands" 2>&1 || fail "make -n $*: $(tail -n 3 "$work/commands")"; }

# Each command of a dry run that holds PATTERN holds all the words.
hold() {
    pattern=$1
    shift
    grep -e "$pattern" "$work/commands" >"$work/some" || fail "no command holds $pattern"
    for word in "$@"; do
        ! grep -vF -e " $word " "$work/some" >"$work/without" || fail "$pattern: no $word in: $(head -n 1 "$work/without")"
    done
}
dry CPPFLAGS=-Iown/headers CFLAGS=-funwind-tables LDFLAGS=-Lown/libraries "$work/none/normbench" "$work/none/test_csv"
hold '^gcc .* -c ' -Iown/headers
hold '^gcc .* -c .*/\(cpu\|plan\|csv\)\.c' -funwind-tables
! grep -q -e '-funwind-tables.*dyt\.c' "$work/commands" || fail 'CFLAGS reach a levelled unit, whose flags are its meaning'
! grep -q -e ' -Werror ' "$work/commands" || fail 'warnings are errors without being asked for'
hold '^gcc .* -o [^ ]*/\(normbench\|test_csv\) ' -funwind-tables -Lown/libraries
hold 'scripts/setup.sh --check' 'CPPFLAGS="-Iown/headers"'
dry WERROR=1 "$work/none/bench/base/csv.o"
hold '^gcc .* -c .*csv\.c' -Werror

# ---- The program and the commit, in a small copy of the tree

tree=$work/tree
mkdir -p "$tree/scripts" "$tree/build/any"
cp -R Makefile kernels "$tree"
cp scripts/setup.sh "$tree/scripts"
inside() { quiet_make -s -C "$tree" OBJ=build/any "$@" 2>&1; }

# Text file busy: the old program runs on, the new one is there.
cp "$(command -v sleep)" "$tree/build/normbench"
cp "$(command -v cat)" "$tree/build/any/normbench"
"$tree/build/normbench" 60 &
running=$!
inside -o build/any/normbench build/normbench >"$work/log" || fail "the program cannot be replaced while it runs: $(cat "$work/log")"
cmp -s "$tree/build/any/normbench" "$tree/build/normbench" || fail 'the program was not replaced'
kill "$running" || fail 'the program that ran did not go on'
wait "$running" 2>/dev/null
[ "$(find "$tree/build" -maxdepth 1 -type f | wc -l)" -eq 1 ] || fail "left beside the program: $(ls "$tree/build")"

# ---- What runs the tests: counts, times, and what is left to another compiler

mkdir "$work/tests"
printf '# independent of the compiler\nexit 0\n' >"$work/tests/test_same.sh"
echo 'echo "test_without: SKIPPED: no such thing"; exit 77' >"$work/tests/test_without.sh"
echo '# not independent of the compiler' >"$work/tests/test_other.sh"
# checked COUNTS VARIABLE=VALUE: the last line.
checked() {
    env "$2" sh scripts/check.sh "$work"/tests/*.sh >"$work/log" 2>&1 || fail "check.sh: $(cat "$work/log")"
    [ "$(tail -n 1 "$work/log")" = "$1" ] || fail "check.sh ends with: $(tail -n 1 "$work/log"), expected $1"
}
checked '1 passed, 0 failed, 1 skipped' INDEPENDENT=no
grep -q 'left to the run with another: test_same$' "$work/log" || fail "check.sh leaves out in silence: $(cat "$work/log")"
checked '2 passed, 0 failed, 1 skipped' INDEPENDENT=yes
[ "$(grep -c '^ *[0-9.]*  *[0-9]*  test_' "$work/log")" -eq 3 ] ||
    fail "check.sh does not say what took how long: $(cat "$work/log")"
grep -qx 'skipped: test_without: SKIPPED: no such thing' "$work/log" || fail "check.sh does not say at its end what was skipped: $(cat "$work/log")"
echo 'exit 3' >"$work/tests/test_wrong.sh"
sh scripts/check.sh "$work"/tests/*.sh >"$work/log" 2>&1 && fail 'check.sh passes a test that fails'
grep -q '^failed: test_wrong: .*alone: make check ONLY=wrong$' "$work/log" || fail "check.sh does not say what failed: $(cat "$work/log")"
# CI finds by its name what it is to run elsewhere, whatever the test has said.
echo 'echo "SKIPPED: no name"; exit 77' >"$work/tests/test_nameless.sh"
sh scripts/check.sh "$work/tests/test_nameless.sh" >"$work/log" 2>&1 || fail "check.sh: $(cat "$work/log")"
grep -qx 'skipped: test_nameless: SKIPPED: no name' "$work/log" || fail "check.sh does not name what was skipped: $(cat "$work/log")"

# commit: what a build in the tree would record.
commit() { inside build/any/commit >"$work/log" && cat "$tree/build/any/commit"; }
[ "$(commit)" = unknown ] || fail "no commit, and recorded is: $(cat "$work/log") $(commit)"
if command -v git >/dev/null; then
    repository() {
        git -C "$1" init -q && git -C "$1" -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m any
    }
    repository "$work"
    [ "$(commit)" = unknown ] || fail "recorded is the commit of the tree around it: $(commit)"
    repository "$tree"
    own=$(git -C "$tree" describe --always --dirty --abbrev=12)
    [ "$(commit)" = "$own" ] || fail "recorded is $(commit), expected $own"
fi
finish
