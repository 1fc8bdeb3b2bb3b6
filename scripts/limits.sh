#!/bin/sh
# SPDX-License-Identifier: MIT
# `make limits`: measures the kernels where results/published/goals.csv sets goals, three times over, and says which are reached.
#     BUDGET=7m sh scripts/limits.sh PROGRAM [FOLDER]
# BUDGET is the time for all measuring. FOLDER is results/MACHINE/RUN if none is given; parts of an unfinished one are gone on with.
set -eu

here=$(dirname "$0")
program=${1:?usage: sh scripts/limits.sh PROGRAM [FOLDER]}
name=limits
runs=3
# shellcheck source=scripts/measuring.sh
. "$here/measuring.sh"
export NORMBENCH="$program"
seconds=$(seconds_of "${BUDGET:-7m}" 'BUDGET=7m or BUDGET=420s')

# name, percent of a run, selectors. Both kinds of stores wherever a result may exceed a cache.
# shellcheck disable=SC2317 # anew calls it
parts() {
    best="--level best,library"
    cat <<EOT
small    20 --op layernorm,rmsnorm,dyt,derf --shape 64x768,197x768 --threads 1,cores --dtype f32 --pass forward --variant std,onepass,u2,onednn $best
one      2 --op layernorm,rmsnorm --shape 1x4096 --threads 1 --dtype f32 --pass forward --variant std,onepass,onednn $best
tanh      3 --op dyt --shape 1x2048 --threads 1 --dtype f32,bf16 --pass forward --variant u2,u2_noaffine,mvec,lp_noaffine --level avx2,avx512,avx512bf16
large    35 --op layernorm,rmsnorm,dyt --shape 4096x4096,16384x4096 --threads 1 --dtype f32 --pass forward --variant std,onepass,u2,std_nt,onepass_nt,u2_nt,onednn $best
backward 15 --op layernorm,rmsnorm,dyt --shape 4096x4096 --threads cores --dtype f32 --pass backward --variant std,onepass,u2 $best
bf16     25 --op rmsnorm,dyt --shape 512x4096,4096x4096,32768x4096 --threads cores --dtype bf16 --pass forward --variant std,lp,std_nt,lp_nt $best
EOT
}

folder=$(folder_of "$program" limits "${2:-}")
mkdir -p "$folder" || fail "cannot make $folder: check its parent's permissions" 3
printf 'Measuring takes about %d min %02d s, in %d runs. Results: %s\n' $((seconds / 60)) $((seconds % 60)) "$runs" "$folder"

worst=0
run=1
while [ "$run" -le "$runs" ]; do
    anew "$folder/list" parts
    while read -r part percent selectors; do
        out=$folder/$run/$part
        [ ! -f "$out/kernels.csv" ] || [ -f "$out/plan.csv" ] || continue
        status=0
        if [ -f "$out/plan.csv" ]; then
            "$program" kernels --resume "$out" </dev/null >>"$folder/log" || status=$?
        else
            mkdir -p "$folder/$run"
            # shellcheck disable=SC2086 # words
            "$program" kernels $selectors --form fused --cache warm --placement cores --launches 6 \
                --budget "$((seconds * percent / 100 / runs))s" --out "$out" </dev/null >>"$folder/log" || status=$?
        fi
        [ "$status" -ne 130 ] || exit 130
        [ "$status" -eq 0 ] || { printf 'limits: part %s of run %d ended with status %d\n' "$part" "$run" "$status" >&2; worst=$status; }
    done <"$folder/list"
    run=$((run + 1))
done
rm -f "$folder/list"

# shellcheck disable=SC2317 # anew calls it
judge() { "$program" judge goals --csv "$folder/limits.csv.part" "$folder/1" "$folder/2" "$folder/3"; }
check_run "$folder"
rm -f "$folder/limits.csv.part"
anew "$folder/limits.txt" judge && mv -f "$folder/limits.csv.part" "$folder/limits.csv" || exit 3
cat "$folder/limits.txt"
printf 'Table: %s/limits.csv\n' "$folder"
exit "$worst"
