#!/bin/sh
# SPDX-License-Identifier: MIT
# `normbench ab` from its arguments to its files: what is no side, what is built from a revision, what is known to be the same code, a whole
# run, one that is taken up. No timing decides anything.
set -u
program=${NORMBENCH:?} objects=${OBJ:?}
. tests/expect.sh
export XDG_CACHE_HOME="$work/cache" TMPDIR="$work/tmp"
mkdir "$work/tmp" "$work/cache"
archive=$PWD/$objects/libnorm.a library=$PWD/$objects/libnorm.so

# An archive of one kernel, for its link is made anew for each launch, and takes seconds where a whole libnorm.a has sanitizers.
small=$work/small.a
"${CC:-cc}" -std=c17 -O1 -fPIC -fopenmp-simd -Ikernels -c -o "$work/plain.o" examples/plugin/rmsnorm.c || fail 'the small archive has no object'
ar rcs "$small" "$work/plain.o" || fail 'no small archive'

# One row of each side, a tenth of a second.
few="--op rmsnorm --pass forward --form fused --dtype f32 --shape 4x64 --budget 1s --seed 1"
tiny="$few --level scalar"
# No launches more than these for a row that is not known to a percent.
once="--launches 6 --threshold 99"

# ends CODES COMMAND...: the exit code is one of them.
ends() {
    codes=$1 got=0
    shift
    "$@" >"$work/out" 2>"$work/err" || got=$?
    case " $codes " in
    *" $got "*) ;;
    *) fail "$*: exit $got, expected one of $codes: $(cat "$work/err")" ;;
    esac
}

# ---- What is no side

check_end 2 'expected two sides, BASE and CANDIDATE, got 0' "$program" ab
check_end 2 'got 1' "$program" ab "$library"
check_end 2 'got 3' "$program" ab "$library" "$library" "$library"
check_end 2 'nowhere.a: No such file or directory; give a shared library' "$program" ab "$work/nowhere.a" "$library"
check_end 2 'is no plain file' "$program" ab "$library" "$work"
echo text >"$work/text.so"
check_end 2 'base: ' "$program" ab "$work/text.so" "$library"
echo text >"$work/text.a"
check_end 2 'candidate: '"$work"'/text.a cannot be unpacked: ar failed' "$program" ab "$library" "$work/text.a"
ar rcs "$work/empty.a"
check_end 2 'has no objects' "$program" ab "$work/empty.a" "$library"
echo 'int unfinished(void); int norm_at(void); int norm_at(void) { return unfinished(); }' >"$work/unfinished.c"
"${CC:-cc}" -c -fPIC -o "$work/unfinished.o" "$work/unfinished.c"
ar rcs "$work/unfinished.a" "$work/unfinished.o"
check_end 2 'candidate: ' "$program" ab "$library" "$work/unfinished.a"

# ---- What is asked for

# shellcheck disable=SC2086 # several words
{
    check_end 2 '--threshold 0: expected percent above 0' "$program" ab "$library" "$library" --threshold 0
    check_end 2 '"pdf" is no format; valid are text, markdown, json, junit' "$program" ab "$library" "$library" --format pdf
    check_end 2 'expected ROW=PCT' "$program" ab "$library" "$library" --inject dyt
    check_end 2 'no row that is judged has this in its name' "$program" ab "$library" "$library" --every $tiny --inject moon=5
    check_end 2 'cannot read nowhere.csv' "$program" ab "$library" "$library" --waivers nowhere.csv
    printf 'row,until,reason\ndyt,soon,known\n' >"$work/waivers.csv"
    check_end 2 'line 2 has no last day' "$program" ab "$library" "$library" $tiny --waivers "$work/waivers.csv"
    check_end 2 '"preset" is no option' "$program" ab "$library" "$library" --preset quick
}

# ---- Revisions

# A repository in which `make` takes as long as a copy.
repository=$work/repository
git init -q "$repository"
printf 'build/ab/libnorm.a:\n\tmkdir -p build/ab && cp %s $@\n' "$small" >"$repository/Makefile"
git -C "$repository" add Makefile
git -C "$repository" -c user.name=x -c user.email=x@y commit -qm good
printf 'build/ab/libnorm.a:\n\t@echo no such compiler >&2; false\n' >"$repository/Makefile"
git -C "$repository" -c user.name=x -c user.email=x@y commit -qam bad
(
    cd "$repository" || exit 1
    check_end 2 'git:moon is no commit of the repository in this folder' "$program" ab git:moon "$small"
    check_end 2 'git:HEAD does not build: make failed: no such compiler' "$program" ab git:HEAD "$small"
    check_end 0 'Nothing was timed, for the code is the same.' "$program" ab git:HEAD~1 "$small" --csv "$work/git.csv"
    grep -q 'building commit' "$work/err" || fail "git:HEAD~1 was not built: $(cat "$work/err")"
    check_end 0 'Nothing was timed' "$program" ab git:HEAD~1 git:HEAD~1 --csv "$work/git.csv"
    if grep -q 'building commit' "$work/err"; then fail "git:HEAD~1 was built again"; fi
    [ "$(git worktree list | wc -l)" -eq 1 ] || fail "a working tree was left: $(git worktree list)"
    [ "$failures" -eq 0 ]
) || failures=$((failures + 1))
(cd "$work" && check_end 2 'is no commit of the repository in this folder' "$program" ab git:HEAD "$small" && [ "$failures" -eq 0 ]) ||
    failures=$((failures + 1))

# ---- The same code

# The archive with one object that is another one, if only by a section that nothing reads.
mkdir "$work/other"
(cd "$work/other" && ar x "$archive" && echo changed >changed && objcopy --add-section .changed=changed rmsnorm.scalar.o && rm changed &&
    ar rcs ../other.a ./*.o)
"$program" ab "$archive" "$work/other.a" --level scalar --pass forward --dry-run >"$work/out" 2>"$work/err" || fail "dry-run: $(cat "$work/err")"
grep -q 'rmsnorm/std forward .*, row, candidate' "$work/out" || fail "a kernel of an object that changed is not judged"
if grep 'rmsnorm/' "$work/out" | grep -qv ', row, '; then fail "a kernel of an object that changed is taken for the same"; fi
if grep -E 'dyt/u2|layernorm/' "$work/out" | grep -q ', row, '; then fail "a kernel whose object is the same is judged"; fi
grep -q ', control, candidate' "$work/out" || fail "no control"
"$program" ab "$archive" "$work/other.a" --every --level scalar --pass forward --dry-run >"$work/out" 2>"$work/err" || fail "dry-run: $(cat "$work/err")"
grep -q 'layernorm/.*, row, ' "$work/out" || fail "--every leaves rows out"

# ---- A run, and one that is taken up

# Six launches of the whole archive are enough to link it anew; as many as a verdict takes are of the small one.
# shellcheck disable=SC2086
{
    ends '0 1 5' "$program" ab "$archive" "$archive" --every $tiny $once --csv "$work/whole.csv"
    ends '0 1 5' "$program" ab "$small" "$small" --every $few --out "$work/run"
}
[ "$(grep -c ',rmsnorm,' "$work/whole.csv")" -eq 1 ] || fail "not one row: $(cat "$work/whole.csv")"
[ "$(grep -c ',rmsnorm,' "$work/run/ab.csv")" -eq 1 ] || fail "not one row: $(cat "$work/run/ab.csv")"
check_end 0 '' "$program" check "$work/run"
[ ! -e "$work/run/plan.csv" ] || fail "a plan was left"
for format in markdown json junit; do
    # shellcheck disable=SC2086
    ends '0 1 5' "$program" ab "$library" "$library" --every $tiny $once --format "$format" --csv "$work/row.csv"
    grep -q 'rmsnorm/std forward\|too few\|nconclusive' "$work/out" || fail "$format says nothing of the row: $(cat "$work/out")"
done
cp "$small" "$work/less.a"
# shellcheck disable=SC2086
interrupt 20 "$work/stopped/ab_samples.csv" "$program" ab "$small" "$work/less.a" --every $few --budget 60s --launches 500 --format json \
    --threshold 99 --out "$work/stopped"
cp "$archive" "$work/less.a"
check_end 2 'is another file than the run was begun with' "$program" ab --resume "$work/stopped"
cp "$small" "$work/less.a"
last=$(awk -F, 'NR == 1 { while ($at != "launch") at++ } END { print $at }' "$work/stopped/ab_samples.csv")
sed -i "s/\"launches\": 500/\"launches\": $((last + 7))/" "$work/stopped/meta.json"
ends '0 1 5' "$program" ab --resume "$work/stopped"
mv "$work/stopped/sides.csv" "$work/sides.csv"
check_end 2 'cannot read' "$program" ab --resume "$work/stopped"

leftover=$(find "$work/tmp" -mindepth 1 -maxdepth 1)
[ -z "$leftover" ] || fail "left behind: $leftover"
finish
