#!/bin/sh
# SPDX-License-Identifier: MIT
# `normbench kernels` from the outside: what it refuses and how, and what a run leaves behind. No verdict depends on how
# long anything takes.
# run by one compiler and by sanitizers
set -u
. tests/kernels_runs.sh

# ---- What it refuses. Nothing is run, and nothing is made.

out="--out $work/never"
# shellcheck disable=SC2086
{
    for selector in op variant pass form level dtype placement cache; do
        expect 2 "--$selector: \"nonsense\" is no $selector; valid are" --$selector nonsense $out
        expect 2 'valid are' --$selector '' $out
    done
    expect 2 'did you mean rmsnorm?' --op rmsnrom $out
    expect 2 '--preset turbo: expected quick, default or full; of kernels also narrow' --preset turbo $out
    for value in '' 0 -1 6.5 six 1001 99999999999999999999; do
        expect 2 'expected a number from 1 to 1000' --launches "$value" $out
    done
    for value in '' -1 1.5 0x10 18446744073709551616; do
        expect 2 'expected a number below 2^64' --seed "$value" $out
    done
    for value in '' 0s -5s 40 s 40x 5mm 1e999s nans; do
        expect 2 'expected a time such as 40s or 5m' --budget "$value" $out
    done
    for value in '' 0x64 64x0 64 64x -1x64 1x2x3 1x18446744073709551616; do
        expect 2 '--shape' --shape "$value" $out
    done
    for value in '' 0 -1 x 1x 99999999999999999999; do
        expect 2 '--threads' --threads "$value" $out
    done
    expect 2 'more than the PUs that may be used; the most is' --threads 100000 $out
    expect 2 'leaves nothing to measure' --op rmsnorm --variant u2 $out
    expect 2 'leaves nothing to measure' --preset quick --shape 3x5 $out
    expect 2 'GB of memory' --op rmsnorm --shape 10000000x1000000 $out
    expect 2 '; choose a smaller --shape' --op rmsnorm --shape 4x64,1x1000000000000 $out
    expect 2 'more memory than can be addressed' --shape 18446744073709551615x18446744073709551615 $out
    expect 2 'more memory than can be addressed' --shape 1x18446744073709551615 $out
    expect 2 "cannot write $work/missing/kernels.csv: No such file" --csv "$work/missing/kernels.csv" $out
    expect 2 "cannot write $work: Is a directory" --csv "$work" $out
}
: >"$work/file"
expect 2 "cannot make the folder $work/file/run: Not a directory; give another with --out" --op dyt --out "$work/file/run"
expect 2 "cannot write to $work/file: Not a directory" --op dyt --out "$work/file"
TMPDIR=$work/missing
expect 2 'set TMPDIR to one that can be written' --op dyt --csv -
TMPDIR=$work/tmp

# A dry run says what there is to do, and leaves nothing either.
expect 0 'group 2' --dry-run --op dyt --shape 4x64,8x64
grep -q '^  dyt/u2 forward fused [a-z0-9]* f32 8x64, 1 thread cores, warm$' "$work/out" || fail "dry run: $(cat "$work/out")"
grep -q '^6 cells in 2 groups, 9 launches: about ' "$work/out" || fail "dry run: $(cat "$work/out")"
# Another library's, by variant or by level, beside our best and the partners of its ratios; what only make peers can time is refused.
for by in '--variant onednn' '--level library'; do
    # shellcheck disable=SC2086 # words
    expect 0 'dyt/onednn forward fused library f32 4x64' --dry-run --op dyt --shape 4x64 $by
    for partner in dyt/u2 rmsnorm/std identity/std; do
        grep -q "^  $partner " "$work/out" || fail "$by has no $partner beside it: $(cat "$work/out")"
    done
done
expect 2 'lacks a timer of PyTorch, which is make peers; skipped' --dry-run --op dyt --variant torch_eager --form eager
for preset in quick default full; do
    expect 0 'launches: about ' --dry-run --preset $preset
done
expect 2 '--preset map is not of this command' --dry-run --preset map
expect 0 '6 launches: about ' --dry-run --preset quick --csv "$work/never"
[ -e "$work/never" ] && fail "something was made for what was refused"
nothing_left "what was refused"

# ---- A tiny run, and what it leaves.

tiny='--op dyt --shape 4x64 --launches 6 --budget 1s --seed 1'
run=$work/run
# shellcheck disable=SC2086
expect 0 "Results: $run" $tiny --out "$run"
nothing_left "a run with --out"
for file in kernels.csv samples.csv meta.json topology.xml; do
    [ -s "$run/$file" ] || fail "a run has no $file"
done
[ "$(find "$run" -type f | wc -l)" -eq 4 ] || fail "a complete run left more: $(ls -A "$run")"
for table in kernels samples; do
    head -1 "$run/$table.csv" | tr ',' '\n' >"$work/got"
    json results/datapackage.json resources $table schema fields >"$work/want"
    cmp -s "$work/got" "$work/want" || fail "columns of $table.csv: $(diff "$work/want" "$work/got")"
done
has "$run/meta.json" true complete
has "$run/meta.json" 6 experiment launches
has "$run/meta.json" '"1"' experiment seed

[ "$(columns "$run/kernels.csv" 'op variant' | sort | tr '\n' ,)" = 'dyt u2,identity std,rmsnorm std,' ] ||
    fail "cells of a tiny run: $(columns "$run/kernels.csv" 'op variant')"
columns "$run/kernels.csv" status | grep -vqx 'ok\|unstable' && fail "status: $(columns "$run/kernels.csv" status)"
[ "$(columns "$run/kernels.csv" launches | sort -u)" = 6 ] || fail "not every row has its 6 launches"
columns "$run/kernels.csv" 'op ratio_to_rmsnorm ratio_lo95 ratio_hi95' |
    awk '$1 == "rmsnorm" ? $2 != 1 : !($3 > 0 && $3 <= $2 && $2 <= $4) { exit 1 }' ||
    fail "ratios: $(columns "$run/kernels.csv" 'op ratio_to_rmsnorm ratio_lo95 ratio_hi95')"

# What the hardware counted, or nothing and the reason; then cycles are time by the core's clock, which lies between the least and
# the largest of the samples', up to the three digits of a number without an interval; or nothing, where no core tells its clock.
for counter in cycles instructions cache_misses; do
    counted=$(columns "$run/samples.csv" $counter | sort -u)
    if [ "$(json "$run/meta.json" machine counters $counter counts)" = true ]; then
        echo "$counted" | awk '$1 == "" { exit 1 }' || fail "$counter can be counted, but not every sample has it"
    else
        [ -z "$counted" ] || fail "$counter cannot be counted, but there is $counted"
        [ -n "$(json "$run/meta.json" machine counters $counter reason)" ] || fail "no reason why $counter is empty"
    fi
done
columns "$run/samples.csv" 'op clock_ghz' >"$work/clocks"
columns "$run/kernels.csv" 'op ns_per_element cycles_per_element operations_per_element peak_gflops cycles_source clock_ghz' | awk -F '[ ]' -v clocks="$work/clocks" '
    BEGIN { while ((getline line < clocks) > 0) { split(line, f, " "); if (!(f[1] in least) || f[2] < least[f[1]]) least[f[1]] = f[2] + 0
        if (f[2] > most[f[1]]) most[f[1]] = f[2] + 0 } }
    $4 != ($1 == "identity" ? 0 : $1 == "rmsnorm" ? 4 : $4) || $4 == "" || !($5 > 0) { exit 1 }
    $6 == "clock" && !($3 > 0.99 * least[$1] * $2 && $3 < 1.01 * most[$1] * $2) { exit 1 }
    $6 == "" && ($3 != "" || $7 != "") { exit 1 }
    $6 == "counters" && !($3 > 0) { exit 1 }' ||
    fail "cycles: $(columns "$run/kernels.csv" 'op ns_per_element cycles_per_element operations_per_element peak_gflops cycles_source clock_ghz')"

check_samples "$run"
# Each round visits a family in some order and then in its mirror image, so both visits of every cell add up alike.
columns "$run/samples.csv" 'launch sample form level op order' | awk '
    { round = $1 " " int($2 / 2) " " $3 " " $4; sum[round, $5] += $6; visits[round, $5]++; op[round] = op[round] " " $5 }
    END { for (round in op) { count = split(op[round], name, " "); for (i = 1; i <= count; i++)
        if (visits[round, name[i]] != 2 || sum[round, name[i]] != sum[round, name[1]]) exit 1 } }' ||
    fail "a round is no mirror image"

# In form add_fused, both passes are measured against the rmsnorm and the identity of that form.
expect 0 add_fused --op dyt --variant u2_noaffine --form add_fused --pass all --shape 4x64 --launches 6 --budget 1s --csv -
cp "$work/out" "$work/add.csv"
[ "$(columns "$work/add.csv" 'op variant form' | sort | uniq -c | tr -s ' \n' ' ,')" = \
    ' 2 dyt u2_noaffine add_fused, 2 identity std add_fused, 2 rmsnorm std add_fused,' ] ||
    fail "cells in form add_fused: $(columns "$work/add.csv" 'op variant form')"
columns "$work/add.csv" 'op pass bytes_per_element ceiling_fraction ratio_to_rmsnorm' | awk '
    $3 != ($1 == "identity" && $2 == "backward" ? 12 : 16) || !($4 > 0 && $5 > 0) || ($1 == "identity" && $4 != 1) { exit 1 }' ||
    fail "form add_fused: $(columns "$work/add.csv" 'op pass bytes_per_element ceiling_fraction ratio_to_rmsnorm')"
nothing_left "a run in form add_fused"

# The same seed gives the same order, another seed another. How many rounds there are is a matter of time, so the first
# round of each launch is compared.
first_round() { columns "$1/samples.csv" "launch order sample $cell" | awk '$3 < 2' | sort -k1,1n -k2,2n | cut -d' ' -f1,3-; }
# shellcheck disable=SC2086
{
    expect 0 "Results: $run.again" $tiny --out "$run.again" --csv "$work/again.csv"
    cmp -s "$work/again.csv" "$run.again/kernels.csv" || fail "--csv and --out: two different kernels.csv"
    expect 0 'Results: results/' $tiny --seed 2
}
first_round "$run" >"$work/first"
first_round "$run.again" | cmp -s - "$work/first" || fail "the same seed gave another order"
other=$work/empty/$(sed -n 's/^Results: //p' "$work/out")
first_round "$other" | cmp -s - "$work/first" && fail "another seed gave the same order"
has "$other/meta.json" "\"$(echo "$other" | awk -F/ '{ print $(NF - 1) }')\"" machine_id
rm -rf "$work/empty/results"
nothing_left "a run without --out, but for its folder in results/,"

# CSV alone: nothing else on stdout, no folder.
# shellcheck disable=SC2086
{
    expect 0 'schema_version,run_id' $tiny --csv -
    [ "$(lines "$work/out")" -eq 4 ] || fail "--csv - printed more than the CSV: $(cat "$work/out")"
    [ "$(head -1 "$work/out")" = "$(head -1 "$run/kernels.csv")" ] || fail "--csv -: another header"
    nothing_left "--csv -"
    if [ -w /dev/full ]; then
        expect 3 'cannot write /dev/full: No space left' $tiny --csv /dev/full
        "$program" kernels $tiny --csv - >/dev/full 2>"$work/err"
        got=$?
        [ "$got" -eq 3 ] || fail "--csv - on a full disk: exit $got, expected 3: $(cat "$work/err")"
        grep -q 'cannot write .*No space left' "$work/err" || fail "--csv - on a full disk: $(cat "$work/err")"
        # What was measured waits for a place to go to.
        kept=$(sed -n 's/^  normbench kernels --resume \(.*\) --csv -$/\1/p' "$work/err")
        expect 0 'schema_version,run_id' --resume "$kept" --csv -
        rm -rf "$work"/tmp/normbench.*
        nothing_left "a full disk"
    fi
}

# ---- f16, and gamma and beta in f32, which are held against an rmsnorm that has them so; and the C library where its tanh is called.

expect 0 dyt --op dyt --variant u2_f32affine,libm --dtype f16 --pass all --shape 4x64 --launches 6 --budget 1s --csv -
columns "$work/out" 'op variant dtype pass affine_dtype' | grep -v identity | sort >"$work/got"
sort >"$work/want" <<END
dyt u2_f32affine f16 forward f32
dyt u2_f32affine f16 backward f32
dyt libm f16 forward f16
dyt libm f16 backward f16
rmsnorm std_f32affine f16 forward f32
rmsnorm std_f32affine f16 backward f32
rmsnorm std f16 forward f16
rmsnorm std f16 backward f16
END
cmp -s "$work/got" "$work/want" || fail "f16: $(diff "$work/want" "$work/got")"
columns "$work/out" ratio_to_rmsnorm | grep -qx '' && fail "a row without its rmsnorm: $(cat "$work/out")"
columns "$work/out" 'variant libc' | sort -u >"$work/got"
[ "$(grep -vc ' $' "$work/got")" -eq 1 ] || fail "which variant calls the C library: $(cat "$work/got")"
[ "$(sed -n 's/^libm //p' "$work/got")" = "$(getconf GNU_LIBC_VERSION 2>"$work/err" || echo musl)" ] || fail "the C library: $(cat "$work/got")"

# ---- Form framework has MKL's tanh in f32 where the machine has MKL, and elsewhere says that it has not. A library of that name will do.

if "$program" list implementations | grep -q 'dyt *mkl.*lacks'; then
    mkdir "$work/mkl"
    echo '#include <math.h>
void vmsTanh(int n, const float *x, float *y, long long mode) { for (int i = 0; i < n && mode; i++) y[i] = tanhf(x[i]); }' >"$work/mkl/mkl.c"
    $CC -shared -fPIC -o "$work/mkl/libmkl_rt.so.2" "$work/mkl/mkl.c" -lm || fail 'cannot build a stand-in for MKL'
    ours='--op dyt --form framework --dtype f32,bf16 --dry-run'
    # shellcheck disable=SC2086
    {
        expect 0 'dyt/sleef forward framework' $ours
        grep -q 'is not found; pip install mkl' "$work/err" || fail "SLEEF in MKL's place without a word: $(cat "$work/err")"
        LD_LIBRARY_PATH=$work/mkl "$program" kernels $ours >"$work/out" 2>"$work/err" || fail "with MKL: $(cat "$work/err")"
        grep -q 'pip install' "$work/err" && fail "MKL is here, and said to be missing: $(cat "$work/err")"
        grep -q 'dyt/mkl forward framework [^ ]* f32' "$work/out" || fail "not MKL's tanh: $(cat "$work/out")"
        grep -q 'dyt/sleef forward framework [^ ]* bf16' "$work/out" || fail "not SLEEF's tanh in bf16: $(cat "$work/out")"
        grep -q 'dyt/sleef .* f32' "$work/out" && fail "both tanhs by default: $(cat "$work/out")"
        LD_LIBRARY_PATH=$work/mkl "$program" layers --model dit_b4 --op dyt --form framework --dtype f32 --dry-run >"$work/out" 2>"$work/err"
        grep -q 'dyt/mkl_noaffine framework' "$work/out" || fail "layers without MKL's tanh: $(cat "$work/out" "$work/err")"
    }
fi

# ---- SVML's functions are taken one by one where a library of that name has them; what it lacks is said with the command that mends it.

if "$program" list implementations | grep -q 'dyt *svml_ha'; then
    mkdir "$work/svml"
    echo '#include <math.h>
typedef float four __attribute__((vector_size(16)));
four __svml_tanhf4_ha(four x) { return (four){tanhf(x[0]), tanhf(x[1]), tanhf(x[2]), tanhf(x[3])}; }' >"$work/svml/svml.c"
    $CC -shared -fPIC -o "$work/svml/libsvml.so" "$work/svml/svml.c" -lm || fail 'cannot build a stand-in for SVML'
    LD_LIBRARY_PATH=$work/svml "$program" list implementations >"$work/out"
    grep -q 'svml_ha  *fused  *sse2  *f32 .*runs here' "$work/out" || fail "not SVML's tanh: $(grep svml "$work/out")"
    grep -q 'svml_la  *fused  *sse2  *f32 .*lacks .*sh scripts/setup.sh --svml' "$work/out" || fail "no word of what is missing: $(grep svml "$work/out")"
    LD_LIBRARY_PATH=$work/svml "$program" verify --op dyt --variant svml_ha --level sse2 --dtype f32 --shape 3x37 >"$work/out" 2>&1 ||
        fail "the stand-in for SVML: $(cat "$work/out")"
fi

# ---- Taking up a run: what cannot be.

expect 2 "already holds a run; give another folder with --out, or go on with --resume $run" --op dyt --out "$run"
expect 2 'the run is complete, there is nothing to resume' --resume "$run"
expect 2 "cannot read $work/nowhere/meta.json" --resume "$work/nowhere"
expect 2 'give the folder of a run' --resume "$work/empty"
for more in '--op dyt' '--shape 4x64' '--seed 1' '--launches 6' '--dispatch 2us' '--preset quick' '--budget 3s' '--out x' '--dry-run'; do
    # shellcheck disable=SC2086
    expect 2 '--resume goes on with the run as it was planned: give no' --resume "$run" $more
done
for wrong in 2 2s 0us 2ms -1us us; do
    expect 2 'expected a time of 1ns to 1ms such as 500ns or 2us' --form framework --dispatch "$wrong"
done
expect 2 'is for form framework, of which nothing is selected: add --form framework' --op dyt --dispatch 2us
expect 0 '3000 ns an operation' --op dyt --form fused,framework --dispatch 3us --dry-run
grep fused "$work/out" | grep -q 'an operation' && fail 'a fused cell waits for a dispatcher'
cp -r "$run" "$work/other"
sed 's/"machine_id": "[^"]*"/"machine_id": "the-moon"/' "$run/meta.json" >"$work/other/meta.json"
expect 4 'was measured on the-moon, this is' --resume "$work/other"
echo '{}' >"$work/other/meta.json"
expect 2 'is not the meta.json of a run of normbench kernels' --resume "$work/other"
echo '{' >"$work/other/meta.json"
expect 2 "cannot read $work/other/meta.json" --resume "$work/other"
nothing_left "what could not be resumed"

finish
