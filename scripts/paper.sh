#!/bin/sh
# SPDX-License-Identifier: MIT
# `make paper`: measures what the DyT paper and its critics claim, then makes tables, figures and verdicts of it.
#     TOKENS=512 BUDGET=50m sh scripts/paper.sh PROGRAM CURVES [FOLDER]
# TOKENS is the length of LLaMA's sequence: 4096 in the paper; fewer are called SCALED wherever they appear. BUDGET is the time for all
# measuring together. FOLDER is results/MACHINE/RUN if none is given; one that holds an unfinished run is gone on with.
#
# Parts are measured one after another, each a run of its own in FOLDER/parts, since their arms are no one cross product; their rows are joined
# into FOLDER/layers.csv and steps.csv. A part that fails costs its own claims only: they are then `cannot tell`, with the reason.
set -eu

here=$(dirname "$0")
program=${1:?usage: sh scripts/paper.sh PROGRAM CURVES [FOLDER]}
curves=${2:?usage: sh scripts/paper.sh PROGRAM CURVES [FOLDER]}
name=paper
# shellcheck source=scripts/measuring.sh
. "$here/measuring.sh"
export NORMBENCH="$program"
tokens=${TOKENS:-512}
case $tokens in
'' | 0* | *[!0-9]* | ??????????*) fail "TOKENS=$tokens is not a number of tokens, as in TOKENS=512" ;;
esac
seconds=$(seconds_of "${BUDGET:-50m}" 'BUDGET=50m or BUDGET=480s')

# name, percent of the budget, what is measured. The efficiency table comes first and gets most: what it is about is a fifth of a percent of a
# layer. Models that the authors never timed follow, at the tokens they were trained with.
parts() {
    cat <<EOT
efficiency 40 layers --model llama_7b --phase prefill,train --op rmsnorm,dyt,identity --variant std,u2,lp --form fused,eager --dtype bf16,f32 --part layer,ends --batch 1 --tokens $tokens
framework  13 layers --model llama_7b --phase prefill,train --op rmsnorm,dyt --form framework --dtype bf16,f32 --part layer,ends --batch 1 --tokens $tokens
untimed    14 layers --model vit_b16,dit_xl2,wav2vec_base,wav2vec_large,convnext_b,gpt2 --phase prefill --op layernorm,dyt,identity --form fused --dtype f32 --part layer
training    8 layers --model vit_b16,dit_xl2,convnext_b --phase train --op layernorm,dyt,identity --form fused --dtype f32 --part layer
sequences  11 layers --model llama_7b,qwen3_8b --phase prefill --op rmsnorm,dyt,identity --form fused,add_fused --dtype f32 --part layer --batch 1 --tokens $tokens
rmsnorm     4 layers --model vit_b16 --phase prefill,train --op layernorm,rmsnorm --form fused --dtype f32 --part layer
decode      5 layers --model llama_7b,qwen3_8b --phase decode --op rmsnorm,dyt,identity --form fused --dtype f32 --part layer --batch 1 --context $tokens
kernels     3 kernels --op layernorm,rmsnorm,dyt --variant onepass,twopass,welford,std,u2,u2_nobeta,libm,sleef,sleef_nobeta --form fused,eager,framework --level best --dtype f32,bf16 --shape 4096x4096 --pass all --threads cores --placement cores --cache warm
small       2 kernels --op layernorm,rmsnorm,dyt,derf,isru --variant onepass,std,u2 --form fused --level scalar,avx2,best --dtype f32 --shape 64x768 --pass forward --threads cores --placement cores --cache warm
EOT
}

run=$(folder_of "$program" paper "${3:-}")
mkdir -p "$run/parts" "$run/paper" || fail "cannot make $run: check the folder's permissions" 3

minutes() { printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); }
printf 'Measuring takes about %s, to %s, with LLaMA at %d tokens%s; tables and figures a minute more.\n' "$(minutes "$seconds")" \
    "$(date -d "@$(($(date +%s) + seconds))" +%H:%M 2>/dev/null || echo 'then')" "$tokens" \
    "$([ "$tokens" -ge 4096 ] || echo ' (SCALED: the paper has 4096)')"
parts | while read -r part percent command _; do
    printf '  %-10s %s of %s\n' "$part" "$(minutes $((seconds * percent / 100)))" "$command"
done
printf 'Results: %s\n' "$run"

# ---- Measuring

# measure NAME SECONDS COMMAND ARGUMENT...
measure() {
    part=$1 time=$2 command=$3
    shift 3
    if is_measured "$run/parts/$part" "$command"; then
        printf '%s: was measured already\n' "$part" >&2
        return 0
    fi
    printf '%s: about %s\n' "$part" "$(minutes "$time")" >&2
    measure_into "$run/parts/$part" "$command" "$@" --budget "${time}s"
}

worst=0
anew "$run/parts/list" parts
while read -r part percent arguments; do
    status=0
    # shellcheck disable=SC2086 # words
    measure "$part" $((seconds * percent / 100)) $arguments </dev/null >>"$run/parts/log" || status=$?
    case $status in
    0) ;;
    130) exit 130 ;;
    *)
        printf 'paper: part %s ended with status %d; what it lacks cannot be judged\n' "$part" "$status" >&2
        [ "$worst" -eq 3 ] || worst=$status
        ;;
    esac
done <"$run/parts/list"

join_parts "$run"
[ -f "$run/layers.csv" ] || fail "nothing was measured: see $run/parts/log and what the program said" 3

# ---- Tables, figures, verdicts

sh "$here/paper_report.sh" "$run" "$curves" || worst=3
exit "$worst"
