#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2015 # fail never fails
# scripts/compilers.sh: names that are no compilers, one compiler alone, its table of rows and what they come to.
# independent of the compiler
set -u
: "${NORMBENCH:?}" "${CC:?}" "${OBJ:?}"
. tests/expect.sh
compilers() { RUN=$work/run MAKE=false sh scripts/compilers.sh "$NORMBENCH" "$@"; }

check_end 2 'takes two to compare' compilers "$CC"
check_end 2 'takes two to compare' compilers ''
check_end 2 'there is no no-such-compiler: install it' compilers "$CC no-such-compiler"
check_end 2 '"-o" is no name of a compiler' compilers "$CC -o"
# shellcheck disable=SC2016 # no code
check_end 2 'is no name of a compiler' compilers "$CC "'`touch'
BUDGET=long check_end 2 'BUDGET=long is not a time' compilers "$CC $CC"
check_end 2 'is no op; valid are' compilers "$CC $CC" --op nothing
check_end 3 'cannot be built with true' compilers "$CC true"
[ ! -e "$work/run" ] || fail 'a folder is left where nothing was measured'
mkdir "$work/run"
check_end 2 'is there already: give RUN= a new folder' compilers "$CC $CC"
rmdir "$work/run"

# ---- The table: slowest first, compilers' own loops apart, what was not measured said

cat >"$work/ab.csv" <<'EOT'
op,variant,pass,form,level,dtype,rows,cols,role,change_pct,change_lo95,change_hi95
dyt,u2,forward,fused,avx2,f32,64,768,row,2,1,3
rmsnorm,std,forward,fused,avx2,f32,64,768,row,-9.2,-10,-8
rmsnorm,std,backward,fused,avx2,f32,64,768,row,12.5,12,13
derf,u2,forward,fused,sse2,f32,64,768,row,4,,
identity,std,forward,fused,avx2,f32,64,768,sentinel,50,40,60
layernorm,onepass,forward,fused,avx2,f32,64,768,row,,,
rmsnorm,std,forward,fused,auto_avx2,f32,64,768,row,-35,-36,-34
EOT
awk -v table="$work/ab.csv" -f scripts/figures/csv.awk -f scripts/compilers.awk >"$work/got" || fail 'no table'
cat >"$work/want" <<'EOT'
 ratio [95 % interval]  row
 1.125 [1.120, 1.130]  rmsnorm/std backward fused avx2 f32 64x768
 1.040 [    ?,     ?]  derf/u2 forward fused sse2 f32 64x768
 1.020 [1.010, 1.030]  dyt/u2 forward fused avx2 f32 64x768
 0.908 [0.900, 0.920]  rmsnorm/std forward fused avx2 f32 64x768
 0.650 [0.640, 0.660]  rmsnorm/std forward fused auto_avx2 f32 64x768
written by hand: 4 rows, median 1.030, from 0.908 to 1.125; 2 beyond 10 %.
auto_*, what a compiler makes of plain loops: 1 row, median 0.650, from 0.650 to 0.650; 1 beyond 10 %.
1 row was not measured.
EOT
diff "$work/want" "$work/got" >&2 || fail 'another table'
check_end 3 'cannot be read' awk -v table="$work/none.csv" -f scripts/figures/csv.awk -f scripts/compilers.awk
# The same kernels twice are measured like any others.
check_end 0 'written by hand: 2 rows, median' compilers "$CC $CC" --op rmsnorm --level scalar --dtype f32 --shape 4x64 --launches 6
grep -q '^ *[0-9.]* \[.*\]  rmsnorm/std backward fused scalar f32 4x64$' "$work/out" || fail "no row of rmsnorm: $(cat "$work/out")"
finish
