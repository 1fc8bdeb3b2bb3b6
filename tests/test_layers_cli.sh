#!/bin/sh
# SPDX-License-Identifier: MIT
# `normbench layers`: what it refuses and how, what a short run leaves, and that an interrupted one is taken up. Timings decide nothing
# here: they are only required to be there.
# run by one compiler and by sanitizers
set -u
program=${NORMBENCH:?}
. tests/expect.sh
needs_products "$NORMBENCH"

# expect CODE TEXT ARGUMENT...: normbench layers ARGUMENT... exits with CODE and says TEXT.
expect() {
    code=$1 text=$2
    shift 2
    (cd "$work" && "$program" layers "$@") >"$work/out" 2>"$work/err"
    got=$?
    [ "$got" -eq "$code" ] || fail "$*: exit $got, expected $code: $(cat "$work/err")"
    cat "$work/out" "$work/err" | grep -qF -- "$text" || fail "$*: no \"$text\" in: $(cat "$work/out" "$work/err")"
}

# columns FILE NAME...: these columns of a CSV without quoted fields before them.
columns() {
    file=$1
    shift
    awk -F, -v names="$*" '
        NR == 1 { n = split(names, want, " "); for (i = 1; i <= NF; i++) at[$i] = i; next }
        { for (i = 1; i <= n; i++) printf "%s%s", $at[want[i]], i < n ? " " : "\n" }' "$file"
}

# ---- What cannot be

expect 2 'valid are llama_7b' --model llama_8b
expect 2 'expected a number from 1 to' --tokens 0
expect 2 'expected a number from 1 to' --batch 99999999999999999999
expect 2 'expected a number from 1 to' --depth -1
expect 2 'expected a number from 1 to' --context x
expect 2 '--repeats takes up to 4 numbers from 0 to 16' --repeats 0,1,99
expect 2 '--stage 5: expected a number from 1 to 4' --model convnext_b --stage 5
expect 2 '--stage is for models with stages' --model gpt2 --stage 1
expect 0 'arms in 1 groups' --model convnext_b --stage 3 --dry-run
grep -q 'convnext_b stage 3 ' "$work/out" || fail "another stage was planned than was asked for"
expect 2 'prefill, decode' --phase sleep
expect 2 'layer, ends' --part middle
expect 2 'the selection leaves nothing to measure: decode is for' --model vit_b16 --phase decode
expect 2 'choose fewer --tokens' --model llama_70b --tokens 4000000
expect 2 'no option' --shape 64x768
expect 0 'gpt2 prefill f16,' --model gpt2 --dtype f16 --dry-run
expect 2 'cannot write' --model gpt2 --csv "$work/nowhere/layers.csv"
expect 2 'give the folder of a run' --resume "$work/nowhere"
expect 0 'usage: normbench layers' --help
[ ! -e "$work/results" ] || fail "what was refused left a results folder"

# A layer's parameters are of its dtype: what is left are its own norm and none at all.
expect 0 '2 arms in 1 groups' --model gpt2 --dtype bf16 --op dyt --variant u2_f32affine --dry-run
grep -q dyt "$work/out" && fail "a layer with parameters in f32: $(cat "$work/out")"
expect 0 'group 1: gpt2 prefill f32, 1 x 8 tokens' --model gpt2 --tokens 8 --dry-run
grep -q '^4 arms in 1 groups, 17 launches' "$work/out" || fail "dry run: $(cat "$work/out")"
for preset in quick default full map; do
    expect 0 'arms in' --preset $preset --dry-run
done
# The map has every kind of model, with its own norm, DyT and none.
grep -q 'in about 40m00s' "$work/out" || fail "the time of the map: $(tail -1 "$work/out")"
"$program" list models | sed 's/ *[0-9]* layers of width.*//; s/^\([^ ]*\) .* \([a-z0-9]*\)$/\1 \2/' >"$work/kinds"
awk 'FNR == NR { if (/^group/) timed[$3] = 1; next } { kinds[$2] = 1; if ($1 in timed) has[$2] = 1 } END { for (k in kinds) if (!(k in has)) print k }' \
    "$work/out" "$work/kinds" >"$work/lacking" || fail 'the kinds of models cannot be told'
[ ! -s "$work/lacking" ] || fail "preset map has no model of kind $(cat "$work/lacking"): add one to MAP_MODELS"
for arm in dyt/u2 identity/std rmsnorm/std layernorm/; do
    grep -q "^  $arm" "$work/out" || fail "preset map lacks $arm"
done
expect 2 '--preset narrow is not of this command' --preset narrow --dry-run
# The share of LLaMA 7B is measured closely: its own norm alone, without the partners of a comparison.
expect 0 '40 launches' --preset default --model llama_7b --phase prefill --dry-run
sed -n '/1 x 512 tokens/,/^group\|arms in/p' "$work/out" | grep -c '^  rmsnorm' >"$work/lone"
if [ "$(cat "$work/lone")" -ne 2 ] || grep -A 2 '1 x 512 tokens' "$work/out" | grep -q identity; then
    fail "not a lone rmsnorm in f32 and bf16: $(cat "$work/out")"
fi
[ ! -e "$work/results" ] || fail "a dry run left a results folder"

# ---- A short run

tiny='--model vit_s16 --tokens 4 --op dyt --form fused --launches 2 --budget 2s --seed 1 --threads 1'
run=$work/run
# shellcheck disable=SC2086
expect 0 "Results: $run" $tiny --out "$run"
# What it ends with is what the judge says of its tables.
sed '/^Results: /,$d' "$work/out" >"$work/said"
"$program" judge questions "$run" >"$work/judged" 2>"$work/err" || fail "judge questions: $(cat "$work/err")"
echo >>"$work/judged"
cmp -s "$work/judged" "$work/said" || fail "a run says $(cat "$work/said"), the judge $(cat "$work/judged")"
for text in 'What the own norm of a model takes' 'What DyT in its place changes' 'too few launches to tell' 'Timing each step takes'; do
    grep -q "$text" "$work/said" || fail "no \"$text\" in $(cat "$work/said")"
done
for file in meta.json topology.xml layer_samples.csv layers.csv steps.csv; do
    [ -s "$run/$file" ] || fail "no $file"
done
for file in plan.csv plan_steps.csv; do
    [ ! -e "$run/$file" ] || fail "a complete run keeps its $file"
done
[ "$(columns "$run/layers.csv" op | sort | tr '\n' ' ')" = 'dyt identity layernorm ' ] ||
    fail "arms: $(columns "$run/layers.csv" op | tr '\n' ' '), expected dyt and its partners"
[ "$(columns "$run/layers.csv" launches | sort -u)" = 2 ] || fail "not every arm has two launches"
[ -z "$(columns "$run/layers.csv" line_ns | tr -d '\n')" ] || fail "a line passed between the cores of one thread"
columns "$run/steps.csv" op kind | awk '
    $2 == "norm" { norms[$1]++ }
    END { exit norms["identity"] > 0 || norms["dyt"] != 2 || norms["layernorm"] != 2 }' ||
    fail "other norms than the slots: $(columns "$run/steps.csv" op step kind)"
# The steps of an arm fill its time. Where a neighbour took the core during totals alone they seem not to, so that is tried again: a step that
# is left out, or in twice, is so each time.
add_up() {
    columns "$1/steps.csv" op share | awk '
        { sum[$1] += $2 }
        END { for (op in sum) if (sum[op] < 0.8 || sum[op] > 1.2) { print op, sum[op]; bad = 1 } exit bad }' >"$work/sums"
}
timed=$run
for attempt in 2 3 4 5 6; do
    add_up "$timed" && break
    timed=$run.$attempt
    # shellcheck disable=SC2086
    expect 0 "Results: $timed" $tiny --out "$timed"
done
add_up "$timed" || fail "steps do not add up: $(cat "$work/sums") of $(columns "$timed/steps.csv" op step kind share)"
expect 2 'the run is complete, there is nothing to resume' --resume "$run"

mkdir "$work/other"
sed 's/"normbench layers/"normbench kernels/' "$run/meta.json" >"$work/other/meta.json"
expect 2 'is not the meta.json of a run of normbench layers' --resume "$work/other"
sed 's/"machine_id": "[^"]*"/"machine_id": "the-moon"/' "$run/meta.json" >"$work/other/meta.json"
expect 4 'was measured on the-moon, this is' --resume "$work/other"

# shellcheck disable=SC2086
expect 0 'schema_version,run_id' $tiny --csv -
[ "$(wc -l <"$work/out")" -eq 4 ] || fail "--csv - printed more than the CSV: $(cat "$work/out")"

# The pages that the results of form framework took, each step's; of other forms, whose results stay, nobody asked.
[ -z "$(columns "$run/steps.csv" page_faults | tr -d '\n')" ] || fail "pages of form fused: $(columns "$run/steps.csv" step page_faults)"
expect 0 'schema_version,run_id' --model vit_s16 --tokens 4 --op dyt --form framework --launches 1 --budget 1s --threads 1 --csv - --out "$work/fresh"
columns "$work/fresh/steps.csv" form page_faults | awk '
    $1 == "framework" { asked++; if ($2 !~ /^[0-9.e+]+$/) bad = 1 }
    END { exit asked < 20 || bad }' || fail "no pages of form framework: $(columns "$work/fresh/steps.csv" form step page_faults)"

# ---- An interrupted run: a launch that the kernel kills in the midst of its samples.

half=$work/half
in_work() { cd "$work" && exec "$@"; }
interrupt 20 "$half/layer_samples.csv" in_work "$program" layers --model vit_s16 --tokens 16 --launches 4 --budget 8s --seed 1 --threads 1 --out "$half"
[ $got -eq 130 ] || fail "interrupted: exit $got, expected 130: $(cat "$work/err")"
grep -q "normbench layers --resume $half" "$work/err" || fail "how to go on is not told: $(cat "$work/err")"
lines=$(wc -l <"$half/layer_samples.csv")
cp "$half/layer_samples.csv" "$work/before"
expect 0 "Results: $half" --resume "$half"
head -n "$lines" "$half/layer_samples.csv" | cmp -s - "$work/before" || fail "samples from before are gone"
[ "$(columns "$half/layers.csv" launches | sort -u)" = 4 ] || fail "the resumed run has not all launches: $(cat "$half/layers.csv")"
columns "$half/layer_samples.csv" op launch sample | sort | uniq -d | grep -q . && fail "a sample was taken twice"

finish
