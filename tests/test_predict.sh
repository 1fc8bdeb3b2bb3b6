#!/bin/sh
# SPDX-License-Identifier: MIT
# `normbench predict` on a made-up run in which a normed element costs 40 operations of products everywhere, and norms take nine tenths of what
# they could: the law's numbers by another arithmetic, the figure, and what is refused.
# independent of the compiler
set -u
: "${NORMBENCH:?must name the program, e.g. NORMBENCH=build/normbench}" "${OBJ:?must name the folder of test_schema, e.g. OBJ=build/gcc}"
. tests/expect.sh
program=$NORMBENCH

# A model, its own norm, tokens, hidden size, normed elements for a token, and I by hand: 2 x weights and attention's 4 x tokens x width, or half of
# that behind a mask, over those elements.
cat >"$work/models" <<'E2'
vit_b16 layernorm 197 768 1536 9609.33
gpt2 layernorm 1024 768 1536 10241
dit_xl2 layernorm 256 1152 2304 14362.5
llama_7b rmsnorm 512 4096 8192 49921
E2
# made_layers COST: layers.csv of a run with these models, with DyT taking 1.5 times the time of their own norms; vit_b16's cost COST.
made_layers() {
    awk -v cost="$1" -v columns="$("$program" list columns --format csv | awk -F, '$1 == "layers" { printf "%s%s", (n++ ? "," : ""), $2 }')" '
    function put(name, value) { field[name] = value }
    function row(op, variant, times,    i, c, ns, share) {
        c = $1 == "vit_b16" ? cost : 40
        ns = times * c * $5 * $3 / 100
        share = times * 0.9 / (1 + $6 / c)
        split("", field)
        put("schema_version", 1); put("run_id", "made"); put("machine_id", "made-machine"); put("op", op); put("variant", variant)
        put("pass", "forward"); put("form", "fused"); put("level", "avx2"); put("dtype", "f32"); put("rows", $3); put("cols", $4)
        put("threads", 2); put("placement", "cores"); put("launches", 6); put("samples", 24); put("calls_per_sample", 1); put("model", $1)
        put("phase", "prefill"); put("batch", 1); put("tokens", $3); put("part", "layer"); put("depth", 1); put("scaled", 0); put("repeats", 1)
        put("time_ns_median", ns / share); put("norm_time_ns_median", ns); put("norm_time_ns_lo95", ns * 0.99)
        put("norm_time_ns_hi95", ns * 1.01); put("norm_share", share); put("norm_share_lo95", share * 0.99); put("norm_share_hi95", share * 1.01)
        put("matmul_gflops", 100); put("status", "ok")
        if (op == "dyt") {
            put("norm_change_pct", 50); put("norm_change_lo95", 49); put("norm_change_hi95", 51); put("rest_equivalent", 1)
            put("norm_delta_pct", share * 100 / 3); put("norm_delta_lo95", share * 33); put("norm_delta_hi95", share * 34)
        }
        for (i = 1; i <= fields; i++)
            printf "%s%s", (i > 1 ? "," : ""), field[names[i]]
        print ""
    }
    BEGIN { fields = split(columns, names, ","); print columns }
    { row($2, $2 == "rmsnorm" ? "std" : "onepass", 1); row("dyt", $2 == "rmsnorm" ? "u2_nobeta" : $1 == "dit_xl2" ? "u2_noaffine" : "u2", 1.5) }' "$work/models"
}
mkdir "$work/run"
made_layers 40 >"$work/run/layers.csv"
cp tests/data/paper/meta.json "$work/run"
"$OBJ/test_schema" "$work/run/layers.csv" || fail 'the made-up run is none'

# ---- Layers that were timed

check_end 0 'a normed element costs 40.0 operations of products (40.0 to 40.0)' "$program" predict --csv "$work/law.csv" "$work/run"
grep -q 'llama_7b, 1 x 512 .* 49900 .* 1[.]11 ' "$work/out" || fail "no prediction of llama_7b: $(cat "$work/out")"
"$OBJ/test_schema" "$work/law.csv" || fail 'law.csv is not what its columns say'
# column NAME: of law.csv, with the model.
column() { awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } { print $at["model"], $at[name] }' "$work/law.csv"; }
column flop_per_normed >"$work/i"
awk 'FNR == NR { hand[$1] = $6; next } { r = $2 / hand[$1]; if (r < 0.9995 || r > 1.0005) { print; exit 1 } n++ } END { exit n != 4 }' "$work/models" "$work/i" ||
    fail "I is not what it is by hand: $(cat "$work/i")"
column predicted_ratio | awk '$2 < 1.1110 || $2 > 1.1112 { bad = 1 } END { exit bad || NR != 4 }' || fail "predictions are not 1 / 0.9 of the measured: $(column predicted_ratio)"
check_end 0 '| vit_b16, 1 x 197 | 9610 | 0.415 |' "$program" predict --format markdown "$work/run"
check_end 0 '"flop_per_normed": 9610' "$program" predict --format json "$work/run"

# A layer is foretold by the others alone, the nearest in size: ViT's own cost moves none but its neighbours'.
made_layers 80 >"$work/run/layers.csv"
check_end 0 'a normed element costs 40.0 operations of products (40.0 to 80.0)' "$program" predict --csv "$work/law.csv" "$work/run"
[ "$(column others_flop | awk '{ print $2 }' | sort -u)" = 40 ] || fail "a layer foretells itself, or one outlier moves the median: $(column others_flop)"
column predicted_ratio | grep -q '^vit_b16 0[.]5578' || fail "ViT is not foretold by the others: $(column predicted_ratio)"

# ---- A layer that nobody timed

made_layers 40 >"$work/run/layers.csv"
check_end 0 'the norms take at most 1.00 % [1.00, 1.00]; DyT changes the layer by 0.500 to 0.500 %' "$program" predict --flop-per-token 3960e3 \
    --normed-per-token 1000 --csv "$work/predictions.csv" "$work/run"
grep -q 'by 4 models; each layer as others foretell it is at worst 1.11 times' "$work/out" || fail "not how sure that is: $(cat "$work/out")"
"$OBJ/test_schema" "$work/predictions.csv" || fail 'predictions.csv is not what its columns say'
sed -n '1p;/llama_7b/p' "$work/run/layers.csv" >"$work/alone" && mkdir "$work/one" && cp "$work/run/meta.json" "$work/one" && mv "$work/alone" "$work/one/layers.csv"
check_end 0 'by 1 model, which no other foretells' "$program" predict --flop-per-token 3960e3 --normed-per-token 1000 "$work/one"

# ---- The figure

mkdir "$work/folder"
check_end 0 'normed element' "$program" predict --csv "$work/folder/law.csv" "$work/run"
check_end 0 'table as normbench writes them' "$program" check "$work/folder"
sh scripts/plots.sh "$work/folder" >"$work/out" 2>"$work/err" || fail "plots.sh: $(cat "$work/err")"
[ ! -s "$work/err" ] || fail "plots.sh says: $(cat "$work/err")"
for text in 'prefill: what the norms take of a layer' 'how DyT changes the layer' 'operations of products for each normed element' 'fixture-machine, f32, 2 threads'; do
    grep -q -- "$text" "$work/folder/plots/law.svg" || fail "law.svg does not say $text"
done
sed -i '2,$d' "$work/folder/law.csv"
sh scripts/plots.sh "$work/folder" >"$work/out" 2>"$work/err" || fail "plots.sh without rows: $(cat "$work/err")"
grep -q 'figure law skipped' "$work/err" || fail 'a figure without data is not skipped'

# ---- What is refused, and what is none

check_end 2 'by which runs' "$program" predict
check_end 2 'go together' "$program" predict --flop-per-token 1e6 "$work/run"
check_end 2 'give a number of at least 1' "$program" predict --flop-per-token 1e6 --normed-per-token none "$work/run"
check_end 2 'give a number of at least 1' "$program" predict --flop-per-token -1 --normed-per-token 10 "$work/run"
check_end 2 'did you mean' "$program" predict --format jso "$work/run"
mkdir "$work/kernels" && cp tests/data/paper/kernels.csv tests/data/paper/meta.json "$work/kernels"
check_end 0 'run make layers' "$program" predict "$work/kernels"
head -c 2500 "$work/run/layers.csv" >"$work/one/layers.csv"
check_end 2 'was cut off' "$program" predict "$work/one"

finish
