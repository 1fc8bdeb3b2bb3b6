#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2015 # fail never fails, so A && B || fail is what it seems
# What follows the measuring in `make paper`: verdicts, tables and figures of a small run whose verdicts are known, the curves of the real
# kernels, and the driver with a program that measures nothing.
# run by one compiler and by sanitizers
set -eu
: "${CURVES:?must name the program, e.g. CURVES=build/gcc/curves}"
: "${OBJ:?must name the folder of test_schema, e.g. OBJ=build/gcc}"
: "${NORMBENCH:?must name the program, e.g. NORMBENCH=build/normbench}"

. tests/expect.sh
figures=scripts/figures
. scripts/figures/figures.sh
vocabulary=$work/vocabulary
"$NORMBENCH" list vocabulary >"$vocabulary"
fixture=tests/data/paper
claims=results/published/claims.csv

# judge CLAIMS LAYERS KERNELS: leaves verdicts.csv and verdicts.txt in $work. A table that is not there is none of the run.
judge() {
    rm -rf "$work/judged"
    mkdir "$work/judged"
    [ ! -f "$2" ] || cp "$2" "$work/judged/layers.csv"
    [ ! -f "$3" ] || cp "$3" "$work/judged/kernels.csv"
    "$NORMBENCH" judge claims --by "$1" --csv "$work/verdicts.csv" "$work/judged" >"$work/verdicts.txt"
}

# column FILE COLUMN ID: one value of the row with this id.
column() {
    cat >"$work/column.awk" <<'AWK'
BEGIN {
    rows = csv_read(ARGV[1], cell, names)
    for (i = 1; i <= rows; i++)
        if (cell[i, "id"] == ARGV[3])
            print cell[i, ARGV[2]]
    exit
}
AWK
    LC_ALL=C awk -f scripts/figures/csv.awk -f "$work/column.awk" "$1" "$2" "$3"
}

# expect ID VERDICT HERE PATTERN: what the last judging said of a claim. HERE is compared to four digits.
expect() {
    verdict=$(column "$work/verdicts.csv" verdict "$1")
    here=$(column "$work/verdicts.csv" here "$1")
    why=$(column "$work/verdicts.csv" why "$1")
    [ "$verdict" = "$2" ] || fail "$1: \"$verdict\" instead of \"$2\": $why"
    awk -v a="$here" -v b="$3" 'BEGIN { exit !(a == "" ? b == "" : b != "" && (a - b) ^ 2 <= (1e-4 * b) ^ 2 + 1e-18) }' ||
        fail "$1: value \"$here\" instead of \"$3\""
    printf '%s\n' "$why" | grep -q -- "$4" || fail "$1: no \"$4\" in: $why"
}

# ---- Verdicts

judge $claims $fixture/layers.csv $fixture/kernels.csv
# Norms of one layer: 14.3 over 30 ms, 6 over 3 ms, 52 over 90 ms.
expect eager_norms_prefill_faster holds -52.3333 'lies wholly at or below 0 %'
expect eager_norms_prefill_size holds -52.3333 'lies wholly in -55.8 to -48.8 %'
expect fused_norms_prefill_equal 'does not hold' 100 'lies wholly outside what the claim allows, -28.57 to 40.00 %'
expect eager_norms_train_size 'cannot tell' -42.2222 'reaches across the edge'
# A model of 32 layers and ends: (32 x (14.3 - 30) + 7.1 - 15) over (32 x 2630 + 1715) ms.
expect eager_model_prefill_size 'does not hold' -0.594235 'lies wholly outside'
expect eager_model_prefill_faster holds -0.594235 'time of the model changes by -0.59 %'
# Its share: (32 x 30 + 15) over the same.
expect share_eager_rmsnorm_prefill 'does not hold' 1.13537 'take 1.14 % '
# Rows that are not there, that were not measured, and that are noisy.
expect faster_qwen3_8b_prefill 'cannot tell' '' 'no row of layers.csv has op=dyt form=fused model=qwen3_8b'
expect faster_wav2vec_base_prefill 'cannot tell' '' 'is missing, interrupted before it was measured'
expect faster_dit_xl2_prefill 'cannot tell' -0.151803 'marked unstable.*From the totals'
# Kernels: from the paired ratio where there is one, else by times, at their worst ends.
expect traffic_explains_eager holds 0.355 'lies wholly in 0.267 to 0.4'
expect eager_baseline_slow holds 11 'is 11.0 \[10.6, 11.4\]'
expect fused_dyt_backward_slower 'cannot tell' 1.004 'reaches across'
expect vector_tanh_turns_it 'does not hold' 1.1 'outside what the claim allows, at most 1'
expect libm_dyt_slower_on_cpu 'cannot tell' '' 'no row of kernels.csv has op=dyt variant=libm'
[ "$(column "$work/verdicts.csv" method traffic_explains_eager)" = paired ] || fail 'a paired ratio was not used'
[ "$(column "$work/verdicts.csv" here_lo eager_baseline_slow)" = 10.5686 ] || fail 'the interval of a ratio is not that of its worst ends'

# Every claim has one verdict, in the table and in the list, and the last line counts them.
ids=$(wc -l <$claims)
[ "$(wc -l <"$work/verdicts.csv")" -eq "$ids" ] || fail 'not one verdict for each claim'
[ "$(grep -c '^[A-Z][A-Z ]* [A-Z].*' "$work/verdicts.txt")" -ge $((ids - 1)) ] || fail 'not every claim is in the list'
[ "$(grep -c '^  because ' "$work/verdicts.txt")" -eq $((ids - 1)) ] || fail 'not every verdict has a reason'
tail -n 1 "$work/verdicts.txt" | grep -qE "^[0-9]+ of $((ids - 1)) claims hold here, [0-9]+ do not, [0-9]+ are of a difference that does not matter, [0-9]+ cannot be told\.$" ||
    fail "the last line is $(tail -n 1 "$work/verdicts.txt")"
[ "$(cut -d, -f1 $claims | sort | uniq -d | wc -l)" -eq 0 ] || fail 'two claims of the same name'
# (Of LLaMA; where a source names no tokens, nothing can be said.)
[ "$(awk '/^[A-Z]/ { named = !/LLaMA 7B trains/ } named && /^  here .*, 512 tokens/' "$work/verdicts.txt" | wc -l)" -eq "$(grep -c '^  here .*512 tokens.*; SCALED: 512 of 4096$' "$work/verdicts.txt")" ] ||
    fail 'a value at fewer tokens than published does not say SCALED'
[ "$(column "$work/verdicts.csv" scaled eager_dyt_slower_than_layernorm)" = 1 ] || fail 'fewer rows than published are not called scaled'
grep -q '^  here .*197 tokens.*SCALED' "$work/verdicts.txt" && fail 'a run as published is called scaled'
"$OBJ/test_schema" "$work/verdicts.csv" || fail 'verdicts.csv is not what results/datapackage.json says'

# Nothing measured at all: every claim is still there.
judge $claims "$work/none.csv" "$work/none.csv"
[ "$(grep -c '^CANNOT TELL' "$work/verdicts.txt")" -eq $((ids - 1)) ] || fail 'without a run something can be told'
expect eager_norms_prefill_size 'cannot tell' '' 'there is no layers.csv'
expect traffic_explains_eager 'cannot tell' '' 'there is no kernels.csv'

# edit COLUMN=VALUE...: the fixture with columns of dyt's rows changed, as $work/layers.csv.
edit() {
    awk -F, -v OFS=, -v edits="$*" '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; n = split(edits, edit, " ") }
        NR > 1 && $at["op"] == "dyt" { for (k = 1; k <= n; k++) { split(edit[k], part, "="); $at[part[1]] = part[2] } }
        { print }' $fixture/layers.csv >"$work/layers.csv"
}
edit norm_time_ns_lo95= norm_time_ns_hi95=
judge $claims "$work/layers.csv" $fixture/kernels.csv
expect eager_norms_prefill_size 'cannot tell' -52.3333 'without an interval'
edit rest_equivalent=0
judge $claims "$work/layers.csv" $fixture/kernels.csv
expect eager_model_prefill_size 'does not hold' -0.594235 'From the totals: the rest of the layer was not shown to be the same'
[ "$(column "$work/verdicts.csv" method eager_model_prefill_size)" = 'totals, paired' ] || fail 'an interaction was judged in place'
# More digits where rounding would move an end across a bound: -53.3 would seem to lie below -53.28.
sed 's/^eager_norms_prefill_size,.*/x,"c",s,high,,,,%,layers,norm_change,op=dyt form=eager,op=rmsnorm form=eager,model=llama_7b dtype=bf16 phase=prefill,layer,,,-53.28,,/' \
    $claims >"$work/claims.csv"
judge "$work/claims.csv" $fixture/layers.csv $fixture/kernels.csv
expect x holds -52.3333 '\[-53.277, '
# Across the only bound, but so near to it that nothing of it matters; and just not so near.
for margin in 1.5 0.5; do
    sed "s/^eager_norms_prefill_size,.*/x$margin,c,s,high,,,,%,layers,norm_change,op=dyt form=eager,op=rmsnorm form=eager,model=llama_7b dtype=bf16 phase=prefill,layer,,,,-52.4,$margin/" \
        $claims >"$work/claims.csv"
    judge "$work/claims.csv" $fixture/layers.csv $fixture/kernels.csv
    expect x$margin "$([ $margin = 1.5 ] && echo 'no difference that matters' || echo 'cannot tell')" -52.3333 \
        "edge of what the claim allows, at most -52.4 %$([ $margin = 0.5 ] || echo ', by less than the 1.5 % that matter')"
    grep -q "^NO DIFFERENCE THAT MATTERS c$" "$work/verdicts.txt" || [ $margin = 0.5 ] || fail 'no difference is not in the list'
done
printf 'id,claim\n1,2\n' >"$work/claims.csv"
got=0
judge "$work/claims.csv" $fixture/layers.csv $fixture/kernels.csv 2>"$work/stderr" || got=$?
[ "$got" -eq 2 ] && grep -q 'is no table of questions' "$work/stderr" || fail "a table that is not of claims: exit $got"

# ---- The published numbers: what claims.csv says of tables 7 and 15 follows from efficiency.csv.

cat >"$work/published.awk" <<'AWK'
BEGIN {
    times = csv_read("results/published/efficiency.csv", time, names)
    claims = csv_read("results/published/claims.csv", claim, names)
    for (c = 1; c <= claims; c++) {
        id = claim[c, "id"]
        if (claim[c, "published_lo"] == "" || id == "share_small_on_cpu" || claim[c, "source"] !~ /2503\.10622/)
            continue
        match(id, /(eager|framework|fused)/)
        form = substr(id, RSTART, RLENGTH)
        sub(/framework/, "eager", form)
        phase = id ~ /train/ ? "train" : "prefill"
        quantity = id ~ /norms/ ? "norms" : "model"
        share = id ~ /^share/
        above = share ? row(form, id ~ /dyt/ ? "dyt" : "rmsnorm", "norms") : row(form, "dyt", quantity)
        below = share ? row(form, id ~ /dyt/ ? "dyt" : "rmsnorm", "model") : row(form, "rmsnorm", quantity)
        same("published", "time_s", "time_s")
        same("published_lo", "time_s_lo", "time_s_hi")
        same("published_hi", "time_s_hi", "time_s_lo")
        checked++
    }
    print checked + 0
}
function row(form, op, quantity,    i) {
    for (i = times; i > 0; i--)
        if (time[i, "form"] == form && time[i, "op"] == op && time[i, "phase"] == phase && time[i, "quantity"] == quantity)
            return i
}
function same(name, upper, lower,    value, error) {
    value = 100 * (time[above, upper] / time[below, lower] - !share)
    error = claim[c, name] - value
    if (error < -0.0501 || error > 0.0501)
        print id, name, claim[c, name], value
}
AWK
LC_ALL=C awk -f scripts/figures/csv.awk -f "$work/published.awk" >"$work/published"
[ "$(cat "$work/published")" = 30 ] || fail "claims.csv does not follow from efficiency.csv: $(cat "$work/published")"

# ---- The run as a whole, in a folder whose name needs quoting

run="$work/a run's \"folder\""
mkdir "$run"
cp $fixture/layers.csv $fixture/steps.csv $fixture/kernels.csv $fixture/meta.json "$run"
sh scripts/paper_report.sh "$run" "$CURVES" >"$work/stdout" 2>"$work/stderr" || fail "paper_report.sh failed: $(cat "$work/stderr")"
grep -v '^plots: figure .* skipped: ' "$work/stderr" >&2 && fail 'something on stderr'
for figure in $(figure_names); do
    case $(figure_table "$figure") in
    kernels | history | law | parity | sharded | validation*) continue ;; # tables that this run has not
    esac
    name=$(figure_picture "$figure")
    for format in svg png pdf; do
        [ -f "$run/$name.$format" ] && [ "$(wc -c <"$run/$name.$format")" -gt 4000 ] || fail "$name.$format is missing or too small"
    done
done
for table in verdicts comparison squash tokens; do
    "$OBJ/test_schema" "$run/paper/$table.csv" || fail "$table.csv is not what results/datapackage.json says"
done
for text in '### LLaMA 7B, inference, bf16: SCALED, 512 tokens instead of 4096' \
    '| eager | dyt | 0.465 s \[0.460, 0.469\] (-52.3 % \[' '0.01 s (-52.4 %) | 0.13 s (-7.8 %) |' '| any | none | 0 | 0 |' \
    '| fused | dyt, tanh for bf16 (lp) | ' \
    'Not measured: no row of layers.csv has op=rmsnorm form=eager model=llama_7b phase=train dtype=f32 part=ends' \
    '| dit_xl2 | inference, 1 x 256 | f32 | fused | layernorm .*(interaction) |' '| llama_7b | decode, 1 x 1 after 512 ' \
    '### Published claims' '^DOES NOT HOLD ' 'SCALED: lines so marked'; do
    grep -q -- "$text" "$work/stdout" || fail "the report does not say \"$text\""
done

# expect_text FIGURE TEXT...: the SVG must hold each text.
expect_text() {
    figure=$1
    shift
    for text; do
        grep -q -- "$text" "$run/$figure.svg" || fail "$figure.svg does not say \"$text\""
    done
}
grep -q '^| convnext_b, width 128 | inference, 1 x 3136 | f32 | fused | layernorm | 8.26 % \[8.17, 8.34\] | -22 % \[-24, -20\] |' "$run/paper/efficiency.md" ||
    fail "the paired change of the norms is not in the table: $(grep convnext_b "$run/paper/efficiency.md")"
expect_text plots/layers_steps 'norm: rmsnorm' 'norm: layernorm' matmul '0.24 %' 'llama_7b prefill 1x512 (s)' SCALED '2 threads'
expect_text plots/layers_share 'convnext_b/128' 'llama_7b decode 1x1+512' '0.02' 'fewer tokens than published' 'placement cores'
expect_text plots/layers_native '-1.8 \[-2.0, -1.7\]' eager add_fused 'below 0 DyT is faster' 'by the totals, paired'
expect_text plots/layers_add 'add_fused / fused' 'vit_b16 prefill 8x197' 'below 1'
expect_text paper/efficiency 'SCALED: 512 tokens of 4096' '-52.3' '>-52<' 'version 2, compiled' 'not measured' "Imaginary CPU"
expect_text paper/others 'H100: Hugging Face, op by op, no beta / rmsnorm' 'here: fused, no beta / fused layernorm' 'filled: here' 'above 1 DyT is slower'
expect_text paper/squash 'alpha = 0.5' hardtanh 'figure 3' 'figure 7'
expect_text paper/tokens SYNTHETIC 'figure 2'
expect_text paper/channels SYNTHETIC 'figure 4' 'by token' 'by channel'

# As many tokens as published: nothing is called scaled.
sed 's/,1,512,/,1,4096,/; s/,1,1,,,,,,,,,\(,*\)$/,0,1,,,,,,,,,\1/' $fixture/layers.csv >"$run/layers.csv"
sed 's/,1,512,/,1,4096,/' $fixture/steps.csv | sed 's/^\(1,.*,layer,1,[0-9]*,\)1,/\10,/' >"$run/steps.csv"
sh scripts/paper_report.sh "$run" >"$work/stdout" 2>/dev/null || fail 'paper_report.sh failed at 4096 tokens'
grep -q '^### LLaMA 7B, inference, bf16, 4096 tokens$' "$work/stdout" || fail 'no table at 4096 tokens'
grep -v 'rows' "$work/stdout" | grep SCALED >&2 && fail 'a run at 4096 tokens is called scaled'
grep -l SCALED "$run"/paper/*.svg "$run"/plots/*.svg >&2 && fail 'a figure at 4096 tokens is called scaled'

# ---- The curves of the real kernels

cat >"$work/curves.awk" <<'AWK'
BEGIN {
    rows = csv_read(ARGV[1] "/squash.csv", cell, names)
    for (i = 1; i <= rows; i++) {
        x = cell[i, "alpha"] * cell[i, "x"]
        want = cell[i, "function"] == "tanh" ? (exp(2 * x) - 1) / (exp(2 * x) + 1) : cell[i, "function"] == "sigmoid" ? 1 / (1 + exp(-x)) : \
            x < -1 ? -1 : x > 1 ? 1 : x
        if ((cell[i, "y"] - want) ^ 2 > 4e-12)
            print cell[i, "function"], x, cell[i, "y"], want
        seen[cell[i, "function"] " " cell[i, "alpha"]] = 1
    }
    for (key in seen)
        curves++
    # A token's points lie on one line, with the slope 1 / (its deviation from its mean).
    rows = csv_read(ARGV[1] "/tokens.csv", point, names)
    for (i = 1; i <= rows; i++) {
        key = point[i, "panel"] SUBSEP point[i, "token"]
        if (!(key in first)) {
            first[key] = i
            tokens++
        } else if (!(key in second) && (point[i, "x"] - point[first[key], "x"]) ^ 2 > 0.25)
            second[key] = i
        outliers[point[i, "panel"]] += point[i, "outlier"]
    }
    for (i = 1; i <= rows; i++) {
        a = first[point[i, "panel"] SUBSEP point[i, "token"]]
        b = second[point[i, "panel"] SUBSEP point[i, "token"]]
        if (!b)
            continue
        slope = (point[b, "y"] - point[a, "y"]) / (point[b, "x"] - point[a, "x"])
        if ((point[a, "y"] + slope * (point[i, "x"] - point[a, "x"]) - point[i, "y"]) ^ 2 > 1e-5 + 1e-5 * point[i, "y"] ^ 2 || \
            slope * point[a, "deviation"] < 0.99 || slope * point[a, "deviation"] > 1.02)
            print "token", point[i, "token"], "of panel", point[i, "panel"], "is no line of slope 1 / deviation"
        on_line++
    }
    print curves, tokens, (on_line > rows / 2), (outliers[1] + outliers[2] == 0), (outliers[4] > 0)
}
AWK
LC_ALL=C awk -f scripts/figures/csv.awk -f "$work/curves.awk" "$run/paper" >"$work/curves"
[ "$(cat "$work/curves")" = '5 192 1 1 1' ] || fail "curves: $(head -n 5 "$work/curves")"
got=0
"$CURVES" "$work/nowhere" 2>"$work/stderr" || got=$?
[ "$got" -eq 3 ] && grep -q 'nowhere/squash.csv: No such file' "$work/stderr" || fail "curves into no folder: exit $got"
got=0
"$CURVES" 2>"$work/stderr" || got=$?
[ "$got" -eq 2 ] && grep -q '^usage: ' "$work/stderr" || fail "curves without a folder: exit $got"

# ---- The driver, with a program that copies the rows of the fixture

cat >"$work/normbench" <<'PROGRAM'
#!/bin/sh
# normbench LAYERS-OR-KERNELS ... --out DIR, or --resume DIR; fails where $work/fail names the part. Folders are checked by the true one.
case $1 in check | judge | list | report) exec "$real" "$@" ;; esac
echo "$*" >>"$work/calls"
[ "$1" != machine ] || { echo '{'; echo '  "machine_id": "imaginary-2c",'; echo '}'; exit 0; }
command=$1
for word; do out=$word; done
part=$(basename "$out")
mkdir -p "$out"
[ "$(cat "$work/fail" 2>/dev/null)" != "$part" ] || { : >"$out/plan.csv"; exit 3; }
rm -f "$out/plan.csv"
cp "$fixture/meta.json" "$out"
[ "$command" != kernels ] || { cp "$fixture/kernels.csv" "$out"; exit 0; }
case $part in
efficiency) rows='^1,.*,llama_7b,(prefill|train),' ;;
decode) rows=',decode,' ;;
training) rows=',vit_b16,train,' ;;
sequences) rows=',llama3_8b,' ;;
*) rows=',(vit_b16|dit_xl2|wav2vec_large|convnext_b|gpt2),prefill,' ;;
esac
for table in layers steps; do
    { head -n 1 "$fixture/$table.csv"; grep -E "$rows" "$fixture/$table.csv"; } | sed "s/^1,fixture,/1,fixture-$part,/" >"$out/$table.csv"
done
PROGRAM
chmod +x "$work/normbench"
real=$NORMBENCH
export work fixture real

# drive: the driver's exit status in $got, what it said in $work/stdout and $work/stderr.
drive() {
    got=0
    rm -f "$work/calls"
    sh scripts/paper.sh "$work/normbench" "$CURVES" "$@" >"$work/stdout" 2>"$work/stderr" || got=$?
}
echo decode >"$work/fail"
TOKENS=512 BUDGET=10m drive "$work/driven"
[ "$got" -eq 3 ] || fail "exit $got instead of 3 where a part fails"
head -n 1 "$work/stdout" | grep -q '^Measuring takes about 10 min 00 s.*LLaMA at 512 tokens (SCALED: the paper has 4096)' ||
    fail "the driver does not begin with how long it takes: $(head -n 1 "$work/stdout")"
grep -q 'part decode ended with status 3' "$work/stderr" || fail 'a part that failed is not named'
grep -q '^CANNOT TELL .*when one token is generated' "$work/stdout" || fail 'a claim whose part failed has a verdict'
grep -q 'layers --model llama_7b .* --tokens 512 --budget 240s --out' "$work/calls" || fail "the efficiency part was not asked for: $(cat "$work/calls")"
grep -q 'layers --model llama_7b .* --form framework .* --budget 78s --out' "$work/calls" || fail 'norms as a framework runs them were not asked for'
awk '$2 !~ /^[0-9]+$/ { exit 1 } { sum += $2 } END { exit sum != 100 }' "$work/driven/parts/list" || fail 'the parts do not share out the budget'
grep -qxF "Report:  $work/driven/report.html" "$work/stdout" || fail 'the driver does not say where its page is'
# Going on with it measures what is missing, and only that.
rm "$work/fail"
TOKENS=512 BUDGET=10m drive "$work/driven"
[ "$got" -eq 0 ] || fail "exit $got instead of 0 after going on: $(cat "$work/stderr")"
[ "$(cat "$work/calls")" = "layers --resume $work/driven/parts/decode" ] || fail "going on asked for: $(cat "$work/calls")"
grep -q '^DOES NOT HOLD .*when one token is generated' "$work/stdout" || fail 'no verdict after going on'
"$OBJ/test_schema" "$work/driven/layers.csv" "$work/driven/steps.csv" || fail 'the joined tables are not what results/datapackage.json says'
[ "$(wc -l <"$work/driven/layers.csv")" -eq "$(cat "$work"/driven/parts/*/layers.csv | grep -vc '^schema_version')" ] &&
    fail 'the joined table has no header'
for figure in plots/layers_steps paper/efficiency; do
    [ -f "$work/driven/$figure.png" ] || fail "the driver drew no $figure"
done
for bad in TOKENS=many TOKENS=0 TOKENS=99999999999999999999 BUDGET=10 BUDGET=m BUDGET=1h BUDGET=99999999999999999999m; do
    got=0
    env "$bad" sh scripts/paper.sh "$work/normbench" "$CURVES" "$work/bad" >/dev/null 2>"$work/stderr" || got=$?
    [ "$got" -eq 2 ] && grep -q "$bad is not a" "$work/stderr" || fail "$bad: exit $got, $(cat "$work/stderr")"
done

finish
