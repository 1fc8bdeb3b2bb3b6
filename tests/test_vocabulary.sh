#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2015 # fail never fails
# What the program prints of its words is all that figures know of them: an op that is added to list.h is in every figure that shows ops, and a
# name that this program lacks is drawn last and named.
set -u
: "${NORMBENCH:?must name the program, e.g. NORMBENCH=build/normbench}"
: "${OBJ:?must name the folder of objects, e.g. OBJ=build/gcc}"
. tests/expect.sh
figures=$PWD/scripts/figures
. scripts/figures/figures.sh
vocabulary=$work/vocabulary
"$NORMBENCH" list vocabulary >"$vocabulary" || fail 'no vocabulary'

# names KIND: as the table has them, in its order.
names() { awk -F, -v kind="$1" '$1 == kind { print $2 }' "$vocabulary"; }
for kind in op form dtype placement model; do
    [ "$(names $kind)" = "$("$NORMBENCH" list "${kind}s" | awk '{ print $1 }')" ] || fail "other ${kind}s than list ${kind}s has"
done
"$NORMBENCH" list levels | awk '{ print $1 }' | while read -r level; do
    names level | grep -qx "$level" || fail "no level $level"
done
# Levels of other architectures are there too, the compiler's own before those by hand with the same features.
[ "$(names level | tr '\n' ' ')" = 'scalar sse2 auto_avx2 avx2 auto_avx512 avx512 avx512bf16 library ' ] || fail "levels: $(names level)"
[ "$(awk -F, '$1 == "op" { print $5, $7 }' "$vocabulary" | sort | uniq -d | wc -l)" -eq 0 ] || fail 'two ops look alike'
# No script has a list of its own.
grep -nE '#[0-9A-F]{6}|rmsnorm.*(layernorm|derf)' "$figures"/plot*.awk "$figures/style.gp" | grep -vE '#(000000|222222|444444|555555|666666|AAAAAA|A7A7A7|DDDDDD)' >&2 &&
    fail 'colours or ops are typed in again'

# ---- A run of a newer program: a level and an op that this one lacks come last, and are named

run=$work/newer
mkdir -p "$run"
cp tests/data/plots/meta.json "$run"
sed 's/,auto_avx2,/,moon1,/' tests/data/plots/kernels.csv >"$run/kernels.csv"
NORMBENCH=$NORMBENCH sh scripts/plots.sh "$run" >"$work/out" 2>"$work/err" || fail "plots.sh: $(cat "$work/err")"
grep -q "plots: level moon1 is none of this program's, perhaps of a newer one: drawn last" "$work/err" || fail "moon1 is not named: $(cat "$work/err")"
grep -q '<text>moon1</text>' "$run/plots/levels.svg" || fail 'moon1 is not drawn'
figure_select levels "$run" >"$work/levels" 2>"$work/err"
grep "^set xtics (.*'avx2' [0-9]*, 'moon1' [0-9]*)" "$work/levels" >"$work/out" || fail "moon1 is not last: $(grep xtics "$work/levels")"
sed 's/,rmsnorm,/,wobble,/' tests/data/plots/kernels.csv >"$run/kernels.csv"
for figure in levels sizes threads forms stores roofline libraries; do
    figure_select $figure "$run" >"$work/selected" 2>"$work/err" || fail "$figure fails"
    grep -q "plots: op wobble is none of this program's" "$work/err" || fail "$figure does not name wobble"
    grep -q "'wobble'" "$work/selected" || fail "$figure lacks wobble"
done
check_end 2 '"wobble" is no op' "$NORMBENCH" check "$run"

# ---- An op that is added to list.h is in every figure that shows ops. No matter of compilers or sanitizers.

if [ -n "${SANITIZE:-}" ] || [ "${CC:-gcc}" != gcc ]; then
    finish
    exit
fi
# The program with it, of a copy of the tree, which needs no speed: half a minute of one core.
tree=$work/tree
mkdir "$tree"
cp -R Makefile kernels models bench scripts results/published "$tree"
mkdir "$tree/results"
mv "$tree/published" "$tree/results"
sed 's/^    X(IDENTITY, identity/    X(WOBBLE, wobble, NORM_GAMMA, "y = gamma * wobble(x)") \\\n&/' kernels/list.h >"$tree/kernels/list.h"
for file in kernels/levels.h bench/peers/mkl_tanh.c bench/peers/peers.c bench/peers/peers.h bench/peers/sleef.c; do # as it is built where there is but one level
    sed 's/__x86_64__/NO_SUCH_ARCHITECTURE/' "$file" >"$tree/$file"
done
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CFLAGS -u WERROR make -s -j2 -C "$tree" CC=gcc LEVELS=scalar CPPFLAGS=-O0 OBJ=build/any build/any/normbench \
    >"$work/log" 2>&1 || {
    tail -n 5 "$work/log"
    fail 'the program with another op cannot be built'
    finish
}
other=$tree/build/any/normbench
"$other" list vocabulary >"$vocabulary"
[ "$(names op | tail -n 2 | tr '\n' ' ')" = 'wobble identity ' ] || fail "ops: $(names op)"
run=$work/added
mkdir "$run"
cp tests/data/plots/meta.json "$run"
# with_wobble TABLE: its rows, and those of rmsnorm once more as the new op's.
with_wobble() { sed 'p; /,rmsnorm,/!d; s/,rmsnorm,/,wobble,/' "$1"; }
with_wobble tests/data/plots/kernels.csv >"$run/kernels.csv"
for table in layers steps; do with_wobble "tests/data/paper/$table.csv" >"$run/$table.csv"; done
NORMBENCH=$other sh scripts/plots.sh "$run" >"$work/out" 2>"$work/err" || fail "plots.sh with another op: $(cat "$work/err")"
[ ! -s "$work/err" ] || fail "on stderr: $(cat "$work/err")"
seen=0
for figure in $(figure_names); do
    # What was published is of the ops that were published.
    case $figure in paper_*) continue ;; esac
    grep -q 'print_op_series\|print_op_axis\|print_pairs' "$figures/$figure.awk" || continue
    seen=$((seen + 1))
    grep -q 'wobble' "$run/$(figure_picture "$figure").svg" || fail "$figure does not show an op that was added to list.h"
done
[ "$seen" -ge 9 ] || fail "only $seen figures show ops"

finish
