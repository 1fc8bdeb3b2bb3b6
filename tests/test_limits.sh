#!/bin/sh
# SPDX-License-Identifier: MIT
# `normbench judge goals` on runs made by hand: least times, the better kind of stores, bytes, two runs of three, parts of bounds, the worst of
# all shapes; and what limits.sh refuses.
# run by one compiler and by sanitizers
set -eu
. tests/expect.sh

header=op,variant,pass,form,dtype,rows,cols,threads,cache,time_ns_min,bytes_per_element,level,cycles_per_element,status,bound,bound_fraction
# row RUN OP VARIANT PASS THREADS NS BYTES [FORM [LEVEL [CYCLES [STATUS]]]]
row() {
    folder=$work/$1/part
    mkdir -p "$folder"
    [ -f "$folder/kernels.csv" ] || echo "$header" >"$folder/kernels.csv"
    echo "$2,$3,$4,${8:-fused},f32,64,768,$5,warm,$6,$7,${9:-avx512},${10:-},${11:-ok},," >>"$folder/kernels.csv"
}
# of_bf16 RUN OP VARIANT ROWS COLS NS [LEVEL [STATUS [BOUND FRACTION]]]
of_bf16() {
    echo "$2,$3,forward,fused,bf16,$4,$5,1,warm,$6,4,${7:-avx512},,${8:-ok},${9:-},${10:-}" >>"$work/$1/part/kernels.csv"
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
for run in 1 2 3; do
    of_bf16 $run layernorm onepass 8 512 40 avx512 ok l2 0.90
    of_bf16 $run layernorm onepass 8 512 80 avx2 ok ports 0.20 # a slower level of the same shape does not count
    of_bf16 $run layernorm onepass 8 513 41 avx512             # nor what has no bound
    of_bf16 $run layernorm onepass 8 511 '' avx512 missing ports 0.1
    of_bf16 $run layernorm onepass 16 512 100 avx512 ok memory 0.8$run
    of_bf16 $run layernorm onednn 8 512 60 library
    of_bf16 $run layernorm onednn 16 512 90 library
    of_bf16 $run rmsnorm std 64 4096 1064 # 1.04 times the time of an element at 4160, 1.02 at 4032
    of_bf16 $run rmsnorm std 64 4032 1030
    of_bf16 $run rmsnorm std 64 4160 1040
done
# Parts of a run say where tensors lie, if they agree on the machine.
meta() { printf '{"machine": {"topology": {"cores": 2, "l1d_bytes": 16384, "l2_bytes": %s, "llc_bytes": 4194304}}}\n' "$2" >"$work/$1/meta.json"; }
for run in 1 2 3; do
    meta $run/part 32768
    mkdir "$work/$run/other"
    meta $run/other 32768
done
cat >"$work/goals.csv" <<'EOT'
id,goal,unit,table,quantity,subject,baseline,where,holds_lo,holds_hi,bound,which
g1,speed of identity,1,kernels,least_speed,op=rmsnorm variant=std|std_nt,op=identity variant=std|std_nt,dtype=f32 pass=forward rows=64 cols=768 threads=1 form=fused cache=warm,0.8,,never said,
g2,speed of identity,1,kernels,least_speed,op=rmsnorm variant=std|std_nt,op=identity variant=std|std_nt,dtype=f32 pass=forward rows=64 cols=768 threads=1 form=fused cache=warm,0.81,,"a bound, said",
g3,speed of identity,1,kernels,least_speed,op=rmsnorm variant=std|std_nt,op=identity variant=std|std_nt,dtype=f32 pass=backward rows=64 cols=768 threads=cores form=fused cache=warm,0.75,,,
g4,time of rmsnorm,1,kernels,least_time,op=dyt variant=u2|u2_nt,op=rmsnorm variant=std|std_nt,dtype=f32 pass=forward rows=64 cols=768 threads=1 form=fused cache=warm,,1.9,,
g5,speed of identity,1,kernels,least_speed,op=layernorm variant=onepass|onepass_nt,op=identity variant=std|std_nt,dtype=f32 pass=forward rows=64 cols=768 threads=1 form=fused cache=warm,0.8,,,
g6,time of dyt,1,kernels,least_time,op=derf variant=u2|u2_nt,op=dyt variant=u2|u2_nt,dtype=f32 pass=forward rows=64 cols=768 threads=1 form=fused cache=warm,,1.25,,
g7,speed of oneDNN's layernorm,1,kernels,least_speed,op=layernorm variant=onepass|onepass_nt,op=layernorm variant=onednn|onednn_nt,dtype=f32 pass=forward rows=64 cols=768 threads=1 form=fused cache=warm,2,,,
g8,cycles an element,1,kernels,least_cycles,op=dyt variant=u2|u2_nt,,level=avx2 dtype=f32 pass=forward rows=64 cols=768 threads=1 form=fused cache=warm,,2.0,,
g9,cycles an element,1,kernels,least_cycles,op=dyt variant=u2|u2_nt,,level=avx512 dtype=f32 pass=forward rows=64 cols=768 threads=1 form=fused cache=warm,,2.0,,
g10,speed of glibc's tanh,1,kernels,least_speed,op=dyt variant=u2|u2_nt,op=dyt variant=mvec|mvec_nt,level=avx2 dtype=f32 pass=forward rows=64 cols=768 threads=1 form=fused cache=warm,2,,,
g11,part of the bound,1,kernels,bound_fraction,op=layernorm variant=onepass,,dtype=bf16 pass=forward form=fused,0.82,,,least
g12,part of the bound,1,kernels,bound_fraction,op=layernorm variant=onepass,,dtype=bf16 pass=forward form=fused,0.83,,known,least
g13,part of the bound,1,kernels,bound_fraction,op=layernorm variant=onepass,,dtype=bf16 pass=forward form=fused rows=8 cols=512,0.9,,,
g14,part of the bound,1,kernels,bound_fraction,op=layernorm variant=onepass,,dtype=bf16 pass=forward form=fused rows=17..,0.9,,,least
g15,speed of oneDNN's,1,kernels,least_speed,op=layernorm variant=onepass,op=layernorm variant=onednn,dtype=bf16 pass=forward form=fused,1,,,least
g16,time of oneDNN's,1,kernels,least_time,op=layernorm variant=onepass,op=layernorm variant=onednn,dtype=bf16 pass=forward form=fused,,1.2,,most
g17,time an element,1,kernels,least_time,op=rmsnorm variant=std cols=4096,op=rmsnorm variant=std cols=4032|4160,dtype=bf16 pass=forward form=fused rows=64,,1.05,,
g18,part of the bound,1,kernels,bound_fraction,op=layernorm variant=onepass,,dtype=bf16 pass=forward form=fused data=L1,0.9,,,least
g19,part of the bound,1,kernels,bound_fraction,op=layernorm variant=onepass,,dtype=bf16 pass=forward form=fused rows=16 cols=512,0.8,,,
EOT
judge() { "$NORMBENCH" judge goals --by "$1" --csv "$work/limits.csv" "$work/1" "$work/2" "$work/3"; }
judge "$work/goals.csv" >"$work/said"
cut -d, -f2,5-9,11- "$work/limits.csv" >"$work/got"
cat >"$work/want" <<'EOT'
op,pass,rows,cols,threads,measure,goal,reached,reached_lo,reached_hi,runs,verdict,level,bound,bound_fraction,shapes
rmsnorm,forward,64,768,1,speed of identity,0.8,0.8,0.8,0.8,3,reached,,,,
rmsnorm,forward,64,768,1,speed of identity,0.81,0.8,0.8,0.8,3,not reached,,,,
rmsnorm,backward,64,768,2,speed of identity,0.75,0.75,0.75,0.75,3,reached,,,,
dyt,forward,64,768,1,time of rmsnorm,1.9,1.9,1.9,9,3,reached,,,,
layernorm,forward,64,768,1,speed of identity,0.8,0.0889,0.0889,0.889,3,not reached,,,,
derf,forward,64,768,1,time of dyt,1.25,,,,0,no data,,,,
layernorm,forward,64,768,1,speed of oneDNN's layernorm,2,2,2,2,3,reached,,,,
dyt,forward,64,768,1,cycles an element,2.0,1.9,1.8,2.1,3,reached,avx2,,,
dyt,forward,64,768,1,cycles an element,2.0,,,,0,no data,avx512,,,
dyt,forward,64,768,1,speed of glibc's tanh,2,2,2,2,3,reached,avx2,,,
layernorm,forward,16,512,1,part of the bound,0.82,0.82,0.81,0.83,3,reached,,memory,0.81,2
layernorm,forward,16,512,1,part of the bound,0.83,0.82,0.81,0.83,3,not reached,,memory,0.81,2
layernorm,forward,8,512,,part of the bound,0.9,0.9,0.9,0.9,3,reached,,l2,0.90,
layernorm,forward,,,,part of the bound,0.9,,,,0,no data,,,,0
layernorm,forward,16,512,1,speed of oneDNN's,1,0.9,0.9,0.9,3,not reached,,memory,0.81,2
layernorm,forward,16,512,1,time of oneDNN's,1.2,1.11,1.11,1.11,3,reached,,memory,0.81,2
rmsnorm,forward,64,4096,,time an element,1.05,1.04,1.04,1.04,3,reached,,,,
layernorm,forward,8,512,1,part of the bound,0.9,0.9,0.9,0.9,3,reached,,l2,0.90,1
layernorm,forward,16,512,,part of the bound,0.8,0.82,0.81,0.83,3,reached,,memory,0.81,
EOT
grep -q '^    a bound, said$' "$work/said" || fail 'no bound of a goal that is not reached'
grep -q '^    known$' "$work/said" || fail 'no bound of a class that is not reached'
grep -q '^    what bounds that row: memory, of which it reaches 0.81$' "$work/said" || fail 'what bounds a row is not said'
grep -q '^layernorm onepass bf16 forward every shape .* no data$' "$work/said" || fail 'a class without rows is not named'
! grep -q 'never said' "$work/said" || fail 'the bound of a goal that is reached'
diff "$work/want" "$work/got" >&2 || fail 'other verdicts than worked out by hand'
grep -q '^12 reached, 4 not, 3 without data' "$work/said" || fail "says: $(tail -n 1 "$work/said")"

meta 1/other 65536
judge "$work/goals.csv" >/dev/null
[ "$(sed -n 19p "$work/limits.csv" | cut -d, -f15)" -eq 2 ] || fail 'where tensors lie is told of parts from two machines'

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
