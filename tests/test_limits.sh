#!/bin/sh
# SPDX-License-Identifier: MIT
# limits.awk on runs made by hand: least times, the better kind of stores, bytes, two runs of three; and what limits.sh refuses.
set -eu
. tests/expect.sh

header=op,variant,pass,form,dtype,rows,cols,threads,cache,time_ns_min,bytes_per_element,level,cycles_per_element
# row RUN OP VARIANT PASS THREADS NS BYTES [FORM [LEVEL CYCLES]]
row() {
    folder=$work/$1/part
    mkdir -p "$folder"
    [ -f "$folder/kernels.csv" ] || echo "$header" >"$folder/kernels.csv"
    echo "$2,$3,$4,${8:-fused},f32,64,768,$5,warm,$6,$7,${9:-avx512},${10:-}" >>"$folder/kernels.csv"
}
for run in 1 2 3; do
    row $run identity std forward 1 100 8
    row $run identity std_nt forward 1 80 8 # the better stores make the ceiling
    row $run identity std backward 2 100 8
    row $run rmsnorm std forward 1 100 8
    row $run rmsnorm std_nt forward 1 500 8
    row $run rmsnorm std forward 1 1 8 eager # another form is no data
    row $run rmsnorm std backward 2 200 12   # three tensors where identity moves two
done
row 1 dyt u2 forward 1 190 8
row 1 dyt u2 forward 1 950 8 fused avx2 1.9 # one level, whatever the others do
row 2 dyt u2 forward 1 950 8 fused avx2 2.1
row 3 dyt u2 forward 1 950 8 fused avx2 1.8
for run in 1 2 3; do row $run dyt mvec forward 1 1900 8 fused avx2 4; done
row 2 dyt u2 forward 1 190 8
row 3 dyt u2 forward 1 900 8
row 1 layernorm onepass forward 1 90 8
row 2 layernorm onepass forward 1 900 8
row 3 layernorm onepass forward 1 900 8
row 1 layernorm onednn forward 1 180 8
row 2 layernorm onednn forward 1 1800 8
row 3 layernorm onednn forward 1 1800 8
cat >"$work/goals.csv" <<'EOT'
op,variant,dtype,level,pass,shape,threads,measure,against,sense,goal,bound
rmsnorm,,f32,,forward,64x768,1,speed of identity,identity,at least,0.8,never said
rmsnorm,,f32,,forward,64x768,1,speed of identity,identity,at least,0.81,"a bound, said"
rmsnorm,,f32,,backward,64x768,cores,speed of identity,identity,at least,0.75,
dyt,u2,f32,,forward,64x768,1,time of rmsnorm,rmsnorm,at most,1.9,
layernorm,,f32,,forward,64x768,1,speed of identity,identity,at least,0.8,
derf,,f32,,forward,64x768,1,time of dyt,dyt,at most,1.25,
layernorm,,f32,,forward,64x768,1,speed of oneDNN's layernorm,layernorm/onednn,at least,2,
dyt,u2,f32,avx2,forward,64x768,1,cycles an element,,at most,2.0,
dyt,u2,f32,avx512,forward,64x768,1,cycles an element,,at most,2.0,
dyt,u2,f32,avx2,forward,64x768,1,speed of glibc's tanh,dyt/mvec,at least,2,
EOT
judge() { LC_ALL=C awk -f scripts/csv.awk -f scripts/limits.awk "$1" "$work/limits.csv" "$work/1" "$work/2" "$work/3"; }
judge "$work/goals.csv" >"$work/said"
cut -d, -f2,5,8,9,11- "$work/limits.csv" >"$work/got"
cat >"$work/want" <<'EOT'
op,pass,threads,measure,goal,reached,reached_lo,reached_hi,runs,verdict,level
rmsnorm,forward,1,speed of identity,0.8,0.8,0.8,0.8,3,reached,
rmsnorm,forward,1,speed of identity,0.81,0.8,0.8,0.8,3,not reached,
rmsnorm,backward,2,speed of identity,0.75,0.75,0.75,0.75,3,reached,
dyt,forward,1,time of rmsnorm,1.9,1.9,1.9,9,3,reached,
layernorm,forward,1,speed of identity,0.8,0.0889,0.0889,0.889,3,not reached,
derf,forward,1,time of dyt,1.25,,,,0,no data,
layernorm,forward,1,speed of oneDNN's layernorm,2,2,2,2,3,reached,
dyt,forward,1,cycles an element,2.0,1.9,1.8,2.1,3,reached,avx2
dyt,forward,1,cycles an element,2.0,,,,0,no data,avx512
dyt,forward,1,speed of glibc's tanh,2,2,2,2,3,reached,avx2
EOT
grep -q '^    a bound, said$' "$work/said" || fail 'no bound of a goal that is not reached'
! grep -q 'never said' "$work/said" || fail 'the bound of a goal that is reached'
diff "$work/want" "$work/got" >&2 || fail 'other verdicts than worked out by hand'
grep -q '^6 reached, 2 not, 2 without data' "$work/said" || fail "says: $(tail -n 1 "$work/said")"

# The goals of the project are such a table, and every op, variant and dtype in them can be run.
judge scripts/limits.csv >/dev/null || fail 'scripts/limits.csv is no table of goals'
awk -F, 'NR > 1 { print $1, $2, $3 }' scripts/limits.csv | sort -u | while read -r op variant dtype; do
    case $dtype in f32 | bf16) set -- "$op" "$variant" ;; *) set -- "$op" '' && dtype=$variant ;; esac
    "$NORMBENCH" list implementations | grep "$1" | grep "$2" | grep -q "$dtype" || echo "$op $variant $dtype"
done >"$work/unknown"
[ ! -s "$work/unknown" ] || fail "no implementation of: $(cat "$work/unknown")"

expect_exit() {
    want=$1 pattern=$2 got=0
    shift 2
    "$@" >"$work/stdout" 2>"$work/stderr" || got=$?
    [ "$got" -eq "$want" ] || fail "exit $got instead of $want for: $*"
    grep -q "$pattern" "$work/stderr" || fail "no \"$pattern\" for: $*; but $(cat "$work/stderr")"
}
expect_exit 2 'usage' sh scripts/limits.sh
expect_exit 2 'is not a time' env BUDGET=soon sh scripts/limits.sh "$NORMBENCH"
expect_exit 3 'no table of goals' awk -f scripts/csv.awk -f scripts/limits.awk /dev/null "$work/limits.csv" "$work/1"

finish
