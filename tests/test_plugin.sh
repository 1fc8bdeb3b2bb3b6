#!/bin/sh
# SPDX-License-Identifier: MIT
# Kernels of others from the outside: the example is built by its one command, listed, verified, timed and drawn; what is no plug-in is refused;
# kernels that are wrong, crash, hang or write where they should not cost their own rows alone, in verify, kernels and layers.
set -u
. tests/kernels_runs.sh

cp -r examples/plugin "$work/plugin"
rm -f "$work/plugin"/*.so
env -u MAKEFLAGS -u MAKELEVEL make -s -C "$work/plugin" CC="$CC" NORM="$PWD/kernels" >"$work/out" 2>&1 || fail "the example is not built: $(cat "$work/out")"
[ -s "$work/out" ] && fail "the example is not built without a word: $(cat "$work/out")"
plain=$work/plugin/rmsnorm.so theirs=$work/plugin/layernorm.so bad=$work/bad.so
# shellcheck disable=SC2086
$CC -std=c17 -D_GNU_SOURCE -O1 -fPIC -shared -Ikernels -o "$bad" tests/plugin/bad.c -lm || fail 'bad.c is not built'

# ---- Listed, verified

check_end 0 'rmsnorm    plain             fused     library      f32   forward,backward  gamma             runs here' \
    "$program" list implementations --plugin "$plain"
check_end 0 'theirs           layernorm' "$program" list variants --plugin "$plain,$theirs"
check_end 0 'plain            rmsnorm' "$program" list variants --plugin "$plain" --plugin "$theirs"
"$program" list variants | grep -q plain && fail 'a plug-in is listed that was not named'
# Another option may take its names, wherever it stands.
check_end 0 'rmsnorm,plain,backward,fused,library,f32,dgamma,' "$program" verify --variant plain,theirs --plugin "$plain" --plugin="$theirs" \
    --shape 3x37,64x768 --csv -
[ "$(columns "$work/out" 'op variant output status' | grep -c ok)" -eq 4 ] || fail "not four rows are ok: $(cat "$work/out")"

# ---- Timed, recorded, drawn

run=$work/run
expect 0 'Results' --plugin "$plain,$theirs" --op rmsnorm,layernorm --launches 6 --budget 1s --seed 1 --out "$run"
columns "$run/kernels.csv" 'op variant level base time_ns_median ratio_to_rmsnorm' >"$work/rows"
for row in 'rmsnorm plain library plain [0-9]' 'layernorm theirs library theirs [0-9]' 'rmsnorm std '; do
    grep -q "^$row" "$work/rows" || fail "kernels.csv has no row '$row': $(cat "$work/rows")"
done
awk '$6 == "" || $5 == "" { exit 1 }' "$work/rows" || fail "a row has no time or no ratio: $(cat "$work/rows")"
has "$run/meta.json" '"plain"' plugins plain name
has "$run/meta.json" "\"$theirs\"" plugins theirs path
grep -q "\"command\": \"normbench kernels --plugin $plain,$theirs --op rmsnorm,layernorm " "$run/meta.json" || fail 'the command is not recorded as typed'
check_end 0 'as normbench writes them' "$program" check "$run"
. scripts/figures/figures.sh
vocabulary=$work/vocabulary figures=scripts/figures
"$program" list vocabulary >"$vocabulary"
figure_select libraries "$run" >"$work/libraries" || fail 'figure libraries cannot be drawn'
grep -q "^who\[[56]\] = 'plain'" "$work/libraries" || fail "figure libraries has no plain: $(cat "$work/libraries")"
# What a preset measures of other libraries, it measures of plug-ins.
expect 0 'rmsnorm/plain forward fused library f32 64x768, 1 thread' --plugin "$plain" --preset quick --dry-run

# ---- Taken up by the same files alone

cut_short() { (cd "$work/empty" && timeout -s INT "$@"); }
cut_short 1 "$program" kernels --plugin "$plain" --op rmsnorm --shape 4x64 --launches 100 --budget 100s --out "$work/part" >"$work/out" 2>"$work/err"
[ -f "$work/part/plan.csv" ] || fail "there is no run to take up: $(cat "$work/err")"
cp "$plain" "$work/kept.so"
cp "$theirs" "$plain"
expect 4 'is another file now than the one that the run was begun with' --resume "$work/part"
rm "$plain"
expect 2 "the plug-in plain cannot be taken up: $plain cannot be read: No such file" --resume "$work/part"
cp "$work/kept.so" "$plain"
cut_short 1 "$program" kernels --resume "$work/part" >"$work/out" 2>"$work/err"
grep -q 'interrupted; what is on disk is valid' "$work/err" || fail "a run is not taken up by the same plug-in: $(cat "$work/err")"

# ---- Refused

# refused TEXT COMMAND...: each way to say it ends with 2, at once.
refused() {
    text=$1
    shift
    check_end 2 "$text" "$program" "$@"
}
for command in 'verify --op rmsnorm' 'kernels --op rmsnorm' 'layers --model vit_s16' 'list variants' \
    'dump --model vit_s16 --op rmsnorm --phase prefill --tokens 1 --out x'; do
    # shellcheck disable=SC2086
    refused "--plugin: $work/nothing.so cannot be read: No such file" $command --plugin "$work/nothing.so"
done
refused 'a comma list of shared libraries is expected, 16 at most' verify --plugin ''
refused '--plugin needs a value' verify --plugin
refused 'is no shared library: build one with cc -shared -fPIC' verify --plugin README.md
cp "$plain" "$work/copy.so"
refused "copy.so is called plain, which is $plain already: give it another name" verify --plugin "$plain,$work/copy.so"
check_end 0 plain "$program" list variants --plugin "$plain,$plain" # the same file once more
sed 's/"plain"/"u2"/' "$work/plugin/rmsnorm.c" >"$work/taken.c"
$CC -std=c17 -fPIC -shared -Ikernels -o "$work/taken.so" "$work/taken.c" -lm
refused 'is called u2, which is a variant of this program already' verify --plugin "$work/taken.so"
[ ! -f "$OBJ/libnorm.so" ] || refused 'is a libnorm, which is no plug-in: this program has its kernels' verify --plugin "$OBJ/libnorm.so"
refused '--patience soon: expected a time such as 40s or 5m' verify --plugin "$plain" --patience soon

# ---- What bad kernels do is their own rows' affair

# wrong_rows FILE TEXT: the CSV has every bad variant wrong, and the others not; TEXT: a variant and a reason each.
bad_ones='crash gaps hang input over quit under wrong'
check_end 3 '' "$program" verify --plugin "$bad" --op rmsnorm --level scalar,library --form fused --dtype f32 --shape 4x48 --threads 1 --patience 2s --csv "$work/verify.csv"
for name in $bad_ones; do
    grep -q "wrong: rmsnorm bad_$name fused" "$work/err" || fail "verify does not say what is wrong with $name: $(cat "$work/err")"
    columns "$work/verify.csv" 'variant status' | grep -qx "bad_$name wrong" || fail "verify.csv does not have $name as wrong"
done
for name in bad_right bad_late bad_talk std; do
    columns "$work/verify.csv" 'variant output status' | grep -qx "$name y ok" || fail "verify.csv does not have $name as ok: $(cat "$work/verify.csv")"
done
for text in 'over fused.*byte 192 of y was written, outside its rows of 48 elements\|over fused.*byte [0-9]* of y was written' 'input fused.*input x changed' \
    'hang fused.*did not come back within 2 s: --patience TIME'; do
    grep -q "bad_$text" "$work/err" || fail "verify does not say '$text': $(cat "$work/err")"
done

expect 3 'rows are wrong and were not timed' --plugin "$bad" --op rmsnorm --shape 4x48 --launches 2 --budget 1s --patience 2s --out "$work/badly"
rows=$work/badly/kernels.csv
for name in $bad_ones late late_hang late_quit; do
    grep -q "^[^,]*,[^,]*,[^,]*,[^,]*,rmsnorm,bad_$name,.*,wrong," "$rows" || fail "kernels.csv does not have $name as wrong: $(cat "$rows")"
    [ -z "$(columns "$rows" 'variant time_ns_median' | sed -n "s/^bad_$name //p")" ] || fail "$name was timed"
done
for text in 'crash,.*while it was verified, ' 'hang,.*while it was verified, a launch did not come back' 'quit,.*while it was verified, it ended its process' \
    'over,.*byte 768 of y was written' 'late,.*while it was timed, ' 'late_hang,.*while it was timed, a launch did not come back' \
    'late_quit,.*while it was timed, it ended its process'; do
    grep -q ",bad_$text" "$rows" || fail "no reason '$text': $(cat "$rows")"
done
for name in bad_right bad_talk std; do
    columns "$rows" 'variant samples time_ns_median' | grep -q "^$name [0-9][0-9]* [0-9]" || fail "$name was not timed beside them: $(cat "$rows")"
done
check_samples "$work/badly"
check_end 0 'as normbench writes them' "$program" check "$work/badly"

# ---- In layers

refusal=$("$program" list implementations | sed -n '/ onednn .*DNNL_CPU_RUNTIME/{s/.*lacks //p;q;}')
if [ -z "$refusal" ]; then
    check_end 3 'rows are wrong and were not timed' env OMP_WAIT_POLICY=passive "$program" layers --plugin "$bad" --model gpt2 --phase decode --context 4 --op rmsnorm \
        --variant bad_right,bad_late,bad_crash,bad_over,bad_hang --launches 2 --budget 1s --patience 2s --out "$work/layers"
    rows=$work/layers/layers.csv
    for name in late crash over hang; do
        grep -q "^[^,]*,[^,]*,[^,]*,[^,]*,rmsnorm,bad_$name,.*,wrong," "$rows" || fail "layers.csv does not have $name as wrong: $(cat "$rows")"
    done
    for name in bad_right onepass std; do
        columns "$rows" 'variant time_ns_median' | grep -q "^$name [0-9]" || fail "$name was not timed in a layer beside them: $(cat "$rows")"
    done
    check_end 0 '"variant": "plain"' sh -c "'$program' dump --model gpt2 --op rmsnorm --variant plain --plugin '$plain' --phase decode --context 4 \
        --out '$work/dump' && cat '$work/dump/manifest.json'"
    check_end 2 'there is no fused dyt, variant plain, for gpt2 in f32' "$program" dump --model gpt2 --op dyt --variant plain --plugin "$plain" \
        --phase decode --out "$work/dump"
fi

nothing_left 'kernels of others'
finish
