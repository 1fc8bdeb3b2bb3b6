#!/bin/sh
# SPDX-License-Identifier: MIT
# The check of rooms holds on this tree, and finds an arrow upwards, a file of no room and a header that is nowhere.
# independent of the compiler
set -u
. tests/expect.sh

check() { find kernels models bench tests -name '*.[ch]' -exec awk -f scripts/rooms.awk scripts/rooms.txt {} + >"$work/findings"; }

check || fail "$(cat "$work/findings")"

cp -r kernels models bench tests scripts "$work" 2>"$work/err" || fail "cannot copy the tree: $(cat "$work/err")"
cd "$work" || exit 1
echo '#include "report/summary.h"' >>bench/base/csv.c
echo '#include "math/matmul.h"' >>kernels/simd/simd.h
echo '#include "told.h"' >>bench/plan/cell.c
mkdir bench/attic && echo 'int a;' >bench/attic/a.c
check && fail 'four mistakes are not found'
for text in 'bench/base/csv.c:[0-9]*: includes bench/report/summary.h, which stands above bench/base' \
    'kernels/simd/simd.h:[0-9]*: includes models/math/matmul.h, which stands above kernels/simd' \
    'bench/plan/cell.c:[0-9]*: includes "told.h", which is in no room' 'bench/attic/a.c:1: is in no room'; do
    grep -q "^$text" "$work/findings" || fail "no finding '$text' in: $(cat "$work/findings")"
done
[ "$(wc -l <"$work/findings")" -eq 4 ] || fail "more findings than mistakes: $(cat "$work/findings")"

finish
