#!/bin/sh
# SPDX-License-Identifier: MIT
# `normbench ab --layers` from its arguments to its files: what is refused, what a short run leaves, and one that is taken up. No timing
# decides anything.
# run by one compiler and by sanitizers
set -u
program=${NORMBENCH:?} objects=${OBJ:?}
. tests/expect.sh
needs_products "$program"
export TMPDIR="$work/tmp"
mkdir "$work/tmp"
library=$PWD/$objects/libnorm.so

# A layer of half a millisecond.
tiny="--layers vit_s16 --tokens 4 --level scalar --threads 1 --seed 1"
# No launches more than these for a row that is not known to a percent.
once="--launches 6 --threshold 99 --group-threshold 99"

# ---- What cannot be

# shellcheck disable=SC2086 # several words
{
    check_end 2 'did you mean gpt2?' "$program" ab "$library" "$library" --layers gpt3
    check_end 2 '--layers takes default or models' "$program" ab "$library" "$library" --layers ''
    check_end 2 '--shape is of single kernels' "$program" ab "$library" "$library" --every $tiny --shape 4x64
    check_end 2 '--phase is of layers: give --layers, too' "$program" ab "$library" "$library" --phase decode
    check_end 2 '--depth are of layers: give --layers, too' "$program" ab "$library" "$library" --tokens 4
    check_end 2 'expected a number from 1 to' "$program" ab "$library" "$library" --layers gpt2 --tokens 0
    check_end 2 'choose fewer --tokens' "$program" ab "$library" "$library" --every --layers llama_70b --tokens 4000000
    check_end 2 'leaves nothing to measure: both sides need the norms' "$program" ab "$library" "$library" --layers vit_s16 --phase decode
    check_end 2 'no row that is judged has this in its name, as in dyt/u2/fused/avx2/f32/gpt2' "$program" ab "$library" "$library" --every $tiny --inject moon=5
}

# Plug-ins, as a side and beside the sides.
cat >"$work/plugin.c" <<'EOF'
#include "norm_plugin.h"
static void run(const norm_args *args, const norm_slice *slice) { (void)args, (void)slice; }
static const norm_stage stages[] = {{.run = run}};
static const norm_impl impls[] = {{.op = NORM_RMSNORM, .dtype = NORM_F32, .params = NORM_GAMMA, .pass[NORM_FORWARD] = {stages, 1}}};
const norm_plugin norm_plugin_table = {NORM_ABI, "mine", impls, 1};
EOF
"${CC:-cc}" -std=c17 -shared -fPIC -Ikernels -o "$work/mine.so" "$work/plugin.c" || fail 'no plug-in'
# shellcheck disable=SC2086
{
    check_end 2 'and the candidate is a plug-in: compare it without --layers' "$program" ab "$library" "$work/mine.so" $tiny
    check_end 2 'and the base is a plug-in' "$program" ab "$work/mine.so" "$library" $tiny
    check_end 2 '--plugin is no side, and --layers compares two' "$program" ab "$library" "$library" --every $tiny --plugin "$work/mine.so"
}
# A side that lacks a norm: a libnorm whose DyT is empty. An op that both have is compared all the same.
mkdir "$work/less"
(
    cd "$work/less" && ar x "$OLDPWD/$objects/libnorm.a" || exit
    for object in dyt.*.o; do
        level=${object#dyt.}
        echo "const long norm_dyt_${level%.o}[4] = {0};" | "${CC:-cc}" -x c -c -fPIC -o "$object" - || exit
    done
    ar rcs ../less.a ./*.o
) || fail 'no libnorm without DyT'
# shellcheck disable=SC2086
check_end 0 'layernorm/onepass' "$program" ab "$library" "$work/less.a" --every $tiny --dry-run
grep -q 'note: 1 norm is in layers only in the base: not compared' "$work/err" || fail "a side without a norm: $(cat "$work/err")"

# The model's own norm and DyT where no op is named; of every layer a sentinel.
check_end 0 ' rows, each side' "$program" ab "$library" "$library" --every --layers default --level scalar --dry-run
for group in 'vit_s16 prefill f32, 1 x 197' 'dit_b4 prefill f32, 1 x 64' 'gpt2 prefill f32, 1 x 128'; do
    grep -q "group .: $group" "$work/out" || fail "no group of $group: $(cat "$work/out")"
done
[ "$(grep -c ' row, candidate' "$work/out")" -eq 6 ] || fail "not two rows of three models: $(cat "$work/out")"
[ "$(grep -c ' sentinel, candidate' "$work/out")" -eq 3 ] || fail "not one sentinel of each layer: $(cat "$work/out")"

# ---- A run, and one that is taken up

# ends COMMAND...: with a verdict, whichever.
ends() {
    got=0
    "$@" >"$work/out" 2>"$work/err" || got=$?
    case $got in 0 | 1 | 5) ;; *) fail "$*: exit $got: $(cat "$work/err")" ;; esac
}
# shellcheck disable=SC2086
ends "$program" ab "$library" "$library" --every $tiny --op dyt $once --budget 1s --inject dyt=50 --out "$work/run"
check_end 0 '' "$program" check "$work/run"
[ "$(wc -l <"$work/run/ab_layers.csv")" -eq 3 ] || fail "not a row and a sentinel: $(cat "$work/run/ab_layers.csv")"
# Half as much again was injected: that it is seen at all is no matter of timing.
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["role"] == "row" { rows++; if ($at["inject_pct"] != 50 || $at["model"] != "vit_s16" || $at["op"] != "dyt") exit 1
        if (!($at["norm_share"] > 0 && $at["norm_share"] < 1) || $at["layer_pct"] == "" || $at["total_pct"] == "" || $at["rest"] == "") exit 1 }
    END { exit rows != 1 }' "$work/run/ab_layers.csv" || fail "the row is not whole: $(cat "$work/run/ab_layers.csv")"
# shellcheck disable=SC2086
ends "$program" ab "$library" "$library" --every $tiny --op dyt $once --budget 1s --phase train --form add_fused --format json --csv "$work/row.csv"
# What was injected has a clock of its own.
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["role"] == "row" && !($at["added_pct"] > 0 && $at["added_layer_pct"] > 0 && $at["added_layer_pct"] < $at["added_pct"]) { exit 1 }
    $at["role"] == "sentinel" && $at["added_pct"] != "" { exit 1 }' "$work/run/ab_layers.csv" || fail "what was added is not told: $(cat "$work/run/ab_layers.csv")"
grep -q '"layer_pct"' "$work/out" || fail "JSON says nothing of the layer: $(cat "$work/out")"

# shellcheck disable=SC2086
interrupt 20 "$work/stopped/ab_layer_samples.csv" "$program" ab "$library" "$library" --every $tiny --op dyt --budget 20s --launches 500 \
    --threshold 99 --group-threshold 99 --out "$work/stopped"
last=$(awk -F, 'NR == 1 { while ($at != "launch") at++ } END { print $at }' "$work/stopped/ab_layer_samples.csv")
sed -i "s/\"launches\": [0-9]*/\"launches\": $((last + 6))/" "$work/stopped/meta.json"
ends "$program" ab --resume "$work/stopped"
[ "$(wc -l <"$work/stopped/ab_layers.csv")" -eq 3 ] || fail "what was taken up has other rows: $(cat "$work/stopped/ab_layers.csv")"

leftover=$(find "$work/tmp" -mindepth 1 -maxdepth 1)
[ -z "$leftover" ] || fail "left behind: $leftover"
finish
