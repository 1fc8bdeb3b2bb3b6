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

# name, percent of a run, selectors: the shapes of the default preset; a row of x and y in L1; rows of whole pages, which share the sets of
# caches, beside such as do not; and 16 bits with gamma and beta as oneDNN has them, in f32.
# shellcheck disable=SC2317 # anew calls it
parts() {
    cat <<EOT
preset  62 --preset default --op layernorm,rmsnorm,dyt,derf --level best,library
tanh     4 --op dyt --shape 1x2048 --threads 1 --dtype f32,bf16 --pass forward --variant u2,mvec,lp --level avx2,avx512,avx512bf16
widths  29 --op layernorm,rmsnorm,dyt --shape 256x4032,256x4096,256x4160,64x16320,64x16384 --threads 1 --dtype f32,bf16 --pass all --variant std,onepass,u2 --level best
library  5 --op layernorm,rmsnorm --shape 1x4096,64x768,512x4096 --threads 1 --dtype bf16 --pass forward --variant std_f32affine,onepass_f32affine,onednn --level best,library
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
