#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2015 # fail never fails
# What the program prints of its words is all that figures know of them, and a name that this program lacks is drawn last and named. That an op
# which is added to list.h is in every figure, test_adding.sh shows.
# independent of the compiler
set -u
: "${NORMBENCH:?must name the program, e.g. NORMBENCH=build/normbench}"
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
[ "$(names level | tr '\n' ' ')" = 'scalar auto_neon sse2 neon auto_sve neon_bf16 auto_avx2 avx2 sve128 sve256 sve512 sve1024 sve2048 auto_avx512 avx512 avx512bf16 library ' ] || fail "levels: $(names level)"
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

finish
