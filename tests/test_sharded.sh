#!/bin/sh
# SPDX-License-Identifier: MIT
# normbench sharded: what it refuses, how the ranks' lines become rows, by ranks that are played here; and, where there are MPI and SimGrid, two
# ranks that come to the result of whole rows, and hosts whose simulation is the same each time.
# independent of the compiler
set -u
program=${NORMBENCH:?}
. tests/expect.sh
sharded() { "$program" sharded "$@"; }

check_end 2 'give a whole number from 1' sharded --ranks 0
check_end 2 'give a whole number from 1' sharded --launches 65
check_end 2 'give rows x columns' sharded --shape 64
check_end 2 '3 ranks do not divide 1024x4096' sharded --ranks 3
check_end 2 '2048 ranks do not divide' sharded --hosts 4,2048
check_end 2 'with commas and no blanks' sharded --hosts ''
check_end 2 'give a whole number from 1' sharded --hosts 4,x
check_end 2 '"1" is none; give them as in 500ns' sharded --hosts 4 --latency 1us,1
check_end 2 '"0" is none; give them as in 12.5' sharded --hosts 4 --bandwidth 0
check_end 2 'the name of an algorithm' sharded --hosts 4 --allreduce 'rdb --cfg=x'
check_end 2 'give --hosts as well' sharded --rates "$work/none.csv"
check_end 2 'none.csv' sharded --hosts 4 --rates "$work/none.csv"

check_end 0 '6 launches of 2 ranks: 64x256' sharded --shape 64x256 --launches 6 --dry-run
check_end 0 '4 hosts, SIMULATED on 2 networks' sharded --hosts 4 --latency 1us,2us --dry-run

# ---- Ranks that are played

stage=$work/stage
mkdir -p "$stage"
NORMBENCH_SHARDED=$stage
export NORMBENCH_SHARDED
check_end 3 'make MPI=1' sharded --csv "$work/never.csv"
[ ! -e "$work/never.csv" ] || fail 'a table was written though nothing was measured'
lines() { printf '%s\n' "hidden rmsnorm $1 1 0.1" "hidden layernorm 3000 1.5 $2" 'hidden dyt 1000 0.5 0.1' 'tokens rmsnorm 2000 1 0.1' \
    'tokens layernorm 2400 1.2 0.1' 'tokens dyt 1600 0.8 0.1' 'whole rmsnorm 4000 1 0.1' 'whole layernorm 4400 1.1 0.1' \
    'whole dyt 3600 0.9 0.1' 'reduce rmsnorm 700' 'reduce layernorm 900'; }
# play WHAT: as mpirun.
play() {
    { echo '#!/bin/sh'; echo "echo \"\$*\" >>'$work/called'"; cat; } >"$stage/mpirun"
    cp "$stage/mpirun" "$stage/sharded_ranks"
    chmod +x "$stage"/*
}
lines 2000 0.5 >"$work/lines"
echo "cat '$work/lines'" | play
check_end 0 '512x64 on 4 ranks' env PATH="$stage:$PATH" "$program" sharded --ranks 4 --shape 512x64 --launches 6 --csv "$work/s.csv"
[ "$(wc -l <"$work/called")" -eq 6 ] || fail "ranks were not started six times: $(cat "$work/called")"
grep -qF -e "-n 4 $stage/sharded_ranks 512 64 15 1" "$work/called" || fail "not so: $(cat "$work/called")"
mkdir "$work/run" && cp "$work/s.csv" "$work/run/sharded.csv"
check_end 0 "1 table as normbench writes" "$program" check "$work/run"
grep -q '^1,[^,]*,0,hidden,layernorm,512,64,4,6,,,,3000,3000,3000,1.5,1.5,1.5,900,900,900,,,0.5$' "$work/s.csv" || fail "other rows: $(cat "$work/s.csv")"
lines 2000 1.5 >"$work/lines"
check_end 3 'layernorm, divided by hidden, is wrong by 1.5 times' env PATH="$stage:$PATH" "$program" sharded --ranks 4 --launches 1
head -n 5 "$work/lines" >"$work/few" && echo "cat '$work/few'" | play
check_end 3 'ended without its 11 lines' env PATH="$stage:$PATH" "$program" sharded --launches 1
echo 'echo no such host >&2; exit 7' | play
check_end 3 'no such host' env PATH="$stage:$PATH" "$program" sharded --launches 1

# ---- MPI and SimGrid

unset NORMBENCH_SHARDED
if ! command -v mpicc >/dev/null || ! command -v smpicc >/dev/null; then
    [ "$failures" -eq 0 ] || exit 1
    echo 'test_sharded: SKIPPED: MPI, of which this machine lacks mpicc or smpicc (sh scripts/setup.sh --mpi); all else passed'
    exit 77
fi
make --no-print-directory MPI=1 CC="${CC:-gcc}" OBJ="${OBJ:-build/gcc}" ranks >"$work/made" 2>&1 || fail "not built: $(cat "$work/made")"
check_end 0 '64x256 on 2 ranks' sharded --shape 64x256 --launches 1
check_end 0 'SIMULATED: 64x256 on 4 ranks' sharded --shape 64x256 --hosts 4,16 --latency 1us,10us --csv "$work/first.csv"
check_end 0 'SIMULATED' sharded --shape 64x256 --hosts 4,16 --latency 1us,10us --csv "$work/second.csv" --rates "$work/first.csv"
cmp -s "$work/first.csv" "$work/second.csv" || fail 'two simulations differ'
check_end 2 'no local_ns of every op' sharded --shape 64x256 --hosts 8 --rates "$work/first.csv"
mkdir "$work/hosts" && cp "$work/first.csv" "$work/hosts/sharded.csv"
check_end 0 "1 table as normbench writes" "$program" check "$work/hosts"
# Ten times the latency: an all-reduce among four takes two steps, so 18 us more; DyT waits for nobody.
awk -F, 'NR > 1 && $8 == 4 && $4 == "hidden" { time[$5, $11] = $13 }
    END {
        more = time["rmsnorm", 10000] - time["rmsnorm", 1000]
        exit !(more > 17900 && more < 18100 && time["dyt", 10000] == time["dyt", 1000])
    }' "$work/first.csv" || fail "latency does not tell: $(cat "$work/first.csv")"
NORMBENCH=$program sh scripts/plots.sh "$work/hosts" >/dev/null 2>&1 || fail 'no figure was drawn'
grep -q 'SIMULATED' "$work/hosts/plots/sharded.svg" || fail 'the figure does not say that it is simulated'
finish
