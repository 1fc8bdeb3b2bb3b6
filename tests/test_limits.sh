#!/bin/sh
# SPDX-License-Identifier: MIT
# `normbench judge goals` on runs made by hand: least times, the better kind of stores, bytes, two runs of three; and what limits.sh refuses.
# run by one compiler and by sanitizers
set -eu
. tests/expect.sh

header=op,variant,pass,form,dtype,rows,cols,threads,cache,time_ns_min,bytes_per_element,level,cycles_per_element,status
# row RUN OP VARIANT PASS THREADS NS BYTES [FORM [LEVEL [CYCLES [STATUS]]]]
row() {
    folder=$work/$1/part
    mkdir -p "$folder"
    [ -f "$folder/kernels.csv" ] || echo "$header" >"$folder/kernels.csv"
    echo "$2,$3,$4,${8:-fused},f32,64,768,$5,warm,$6,$7,${9:-avx512},${10:-},${11:-ok}" >>"$folder/kernels.csv"
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
for run in 1 2 3; do row $run layernorm onednn forward 1 1 8 fused library '' reference; done # the library's reference code is no peer
row 1 layernorm onednn forward 1 180 8
row 2 layernorm onednn forward 1 1800 8
row 3 layernorm onednn forward 1 1800 8
cat >"$work/goals.csv" <<'EOT'
id,goal,unit,table,quantity,subject,baseline,where,holds_lo,holds_hi,bound
g1,speed of identity,1,kernels,least_speed,op=rmsnorm variant=std|std_nt,op=identity variant=std|std_nt,dtype=f32 pass=forward rows=64 cols=768 threads=1 form=fused cache=warm,0.8,,never said
g2,speed of identity,1,kernels,least_speed,op=rmsnorm variant=std|std_nt,op=identity variant=std|std_nt,dtype=f32 pass=forward rows=64 cols=768 threads=1 form=fused cache=warm,0.81,,"a bound, said"
g3,speed of identity,1,kernels,least_speed,op=rmsnorm variant=std|std_nt,op=identity variant=std|std_nt,dtype=f32 pass=backward rows=64 cols=768 threads=cores form=fused cache=warm,0.75,,
g4,time of rmsnorm,1,kernels,least_time,op=dyt variant=u2|u2_nt,op=rmsnorm variant=std|std_nt,dtype=f32 pass=forward rows=64 cols=768 threads=1 form=fused cache=warm,,1.9,
g5,speed of identity,1,kernels,least_speed,op=layernorm variant=onepass|onepass_nt,op=identity variant=std|std_nt,dtype=f32 pass=forward rows=64 cols=768 threads=1 form=fused cache=warm,0.8,,
g6,time of dyt,1,kernels,least_time,op=derf variant=u2|u2_nt,op=dyt variant=u2|u2_nt,dtype=f32 pass=forward rows=64 cols=768 threads=1 form=fused cache=warm,,1.25,
g7,speed of oneDNN's layernorm,1,kernels,least_speed,op=layernorm variant=onepass|onepass_nt,op=layernorm variant=onednn|onednn_nt,dtype=f32 pass=forward rows=64 cols=768 threads=1 form=fused cache=warm,2,,
g8,cycles an element,1,kernels,least_cycles,op=dyt variant=u2|u2_nt,,level=avx2 dtype=f32 pass=forward rows=64 cols=768 threads=1 form=fused cache=warm,,2.0,
g9,cycles an element,1,kernels,least_cycles,op=dyt variant=u2|u2_nt,,level=avx512 dtype=f32 pass=forward rows=64 cols=768 threads=1 form=fused cache=warm,,2.0,
g10,speed of glibc's tanh,1,kernels,least_speed,op=dyt variant=u2|u2_nt,op=dyt variant=mvec|mvec_nt,level=avx2 dtype=f32 pass=forward rows=64 cols=768 threads=1 form=fused cache=warm,2,,
EOT
judge() { "$NORMBENCH" judge goals --by "$1" --csv "$work/limits.csv" "$work/1" "$work/2" "$work/3"; }
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
"$NORMBENCH" judge goals "$work/1" >/dev/null || fail 'results/published/goals.csv is no table of goals'
"$NORMBENCH" list implementations >"$work/implementations"
awk -F, 'NR > 1 { split($6, part, /[= |]/); match($8, /dtype=[a-z0-9]+/); print part[2], part[4], substr($8, RSTART + 6, RLENGTH - 6) }' \
    results/published/goals.csv | sort -u >"$work/named"
[ "$(wc -l <"$work/named")" -ge 8 ] || fail 'the goals name too few ops'
while read -r op variant dtype; do
    grep "^$op " "$work/implementations" | grep " $variant " | grep -q " $dtype " || echo "$op $variant $dtype"
done <"$work/named" >"$work/unknown"
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
expect_exit 2 'no table of questions' "$NORMBENCH" judge goals --by /dev/null "$work/1"

finish
