#!/bin/sh
# SPDX-License-Identifier: MIT
# `normbench kernels` from the outside: what it refuses and how, what a run leaves behind, and that whatever ends a run
# loses no finished sample. No verdict depends on how long anything takes.
set -u
: "${NORMBENCH:=build/normbench}" "${OBJ:=build/gcc}" "${CC:=cc}"
case $NORMBENCH in /*) ;; *) NORMBENCH=$PWD/$NORMBENCH ;; esac
. tests/expect.sh
mkdir "$work/empty" "$work/tmp"
export TMPDIR="$work/tmp"
program=$NORMBENCH

# In an empty folder, so that a stray results folder shows.
kernels() { (cd "$work/empty" && "$program" kernels "$@"); }

# expect CODE TEXT ARGUMENTS...: as `check_end`, of `kernels ARGUMENTS`.
expect() {
    code=$1 text=$2
    shift 2
    check_end "$code" "$text" kernels "$@"
}

nothing_left() {
    [ -z "$(ls -A "$work/empty")$(ls -A "$work/tmp")" ] ||
        fail "$*: left behind: $(find "$work/empty" "$work/tmp")"
    rm -rf "$work/empty" "$work/tmp"
    mkdir "$work/empty" "$work/tmp"
}

# columns FILE 'NAME NAME': these columns of a CSV, without its header. No column asked for here ever holds a comma, nor
# does one to the left of it.
columns() {
    awk -F, -v names="$2" 'NR == 1 { count = split(names, name, " "); for (i = 1; i <= NF; i++) at[$i] = i; next }
        { for (i = 1; i <= count; i++) printf "%s%s", $at[name[i]], i < count ? " " : "\n" }' "$1"
}

lines() { awk 'END { print NR }' "$1"; }

# json FILE KEY...: the value there, or the names of an array's items; an item is called by its name.
cat >"$work/json.c" <<'EOC'
#include <jansson.h>
#include <string.h>
static const char *name(const json_t *item) {
    const char *const text = json_string_value(json_object_get(item, "name"));
    return text != NULL ? text : "";
}
int main(int argc, char **argv) {
    json_error_t error;
    const json_t *at = json_load_file(argv[1], 0, &error);
    for (int i = 2; at != NULL && i < argc; i++) {
        const json_t *const from = at;
        at = json_object_get(from, argv[i]);
        for (size_t k = 0; at == NULL && k < json_array_size(from); k++)
            if (strcmp(name(json_array_get(from, k)), argv[i]) == 0)
                at = json_array_get(from, k);
    }
    for (size_t k = 0; k < json_array_size(at); k++)
        puts(name(json_array_get(at, k)));
    return json_is_array(at) ? 0 : at == NULL || json_dumpf(at, stdout, JSON_ENCODE_ANY) != 0;
}
EOC
$CC -o "$work/json" "$work/json.c" -ljansson || fail "cannot build the JSON reader"
json() { "$work/json" "$@"; }

# has FILE VALUE KEY...
has() {
    file=$1 value=$2
    shift 2
    [ "$(json "$file" "$@")" = "$value" ] || fail "$file: $* is $(json "$file" "$@"), expected $value"
}

# ---- What it refuses. Nothing is run, and nothing is made.

out="--out $work/never"
# shellcheck disable=SC2086
{
    for selector in op variant pass form level dtype placement cache; do
        expect 2 "--$selector: \"nonsense\" is no $selector; valid are" --$selector nonsense $out
        expect 2 'valid are' --$selector '' $out
    done
    expect 2 'did you mean rmsnorm?' --op rmsnrom $out
    expect 2 '--preset turbo: expected quick, default or full' --preset turbo $out
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
# the largest of the samples', up to the three digits of a number without an interval.
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
columns "$run/kernels.csv" 'op ns_per_element cycles_per_element operations_per_element peak_gflops cycles_source clock_ghz' | awk -v clocks="$work/clocks" '
    BEGIN { while ((getline line < clocks) > 0) { split(line, f, " "); if (!(f[1] in least) || f[2] < least[f[1]]) least[f[1]] = f[2] + 0
        if (f[2] > most[f[1]]) most[f[1]] = f[2] + 0 } }
    $4 != ($1 == "identity" ? 0 : $1 == "rmsnorm" ? 4 : $4) || $4 == "" || !($5 > 0) { exit 1 }
    $6 == "clock" && !($3 > 0.99 * least[$1] * $2 && $3 < 1.01 * most[$1] * $2) { exit 1 }
    $6 == "counters" && !($3 > 0) { exit 1 }' ||
    fail "cycles: $(columns "$run/kernels.csv" 'op ns_per_element cycles_per_element operations_per_element peak_gflops cycles_source clock_ghz')"

cell='op variant pass form level dtype rows cols threads placement cache'
check_samples() {
    for key in "$cell launch sample" 'launch order'; do
        twice=$(columns "$1/samples.csv" "$key" | sort | uniq -d)
        [ -z "$twice" ] || fail "$1: not unique by $key: $twice"
    done
    columns "$1/samples.csv" 'time_ns calls bound' | awk '!($1 > 0 && $2 >= 1 && $3 != "") { exit 1 }' ||
        fail "$1: a sample without time, calls or PU"
}
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

# ---- Taking up a run: what cannot be.

expect 2 "already holds a run; give another folder with --out, or go on with --resume $run" --op dyt --out "$run"
expect 2 'the run is complete, there is nothing to resume' --resume "$run"
expect 2 "cannot read $work/nowhere/meta.json" --resume "$work/nowhere"
expect 2 'give the folder of a run' --resume "$work/empty"
for more in '--op dyt' '--shape 4x64' '--seed 1' '--launches 6' '--preset quick' '--budget 3s' '--out x' '--dry-run'; do
    # shellcheck disable=SC2086
    expect 2 '--resume goes on with the run as it was planned: give no' --resume "$run" $more
done
cp -r "$run" "$work/other"
sed 's/"machine_id": "[^"]*"/"machine_id": "the-moon"/' "$run/meta.json" >"$work/other/meta.json"
expect 4 'was measured on the-moon, this is' --resume "$work/other"
echo '{}' >"$work/other/meta.json"
expect 2 'is not the meta.json of a run of normbench kernels' --resume "$work/other"
echo '{' >"$work/other/meta.json"
expect 2 "cannot read $work/other/meta.json" --resume "$work/other"
nothing_left "what could not be resumed"

# ---- Whatever ends a run. The same program, linked anew with faults that $FAULT switches on; those that end a run strike at
# the 21st sample of the third launch, in the middle of a round.

cat >"$work/faults.c" <<'EOC'
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "measure/buffers.h"
#include "machine/memory.h"
#include "norm.h"
#include "measure/sampler.h"
#include "measure/kernels_worker.h"
static int faulty(const char *what) {
    const char *const fault = getenv("FAULT");
    return fault != NULL && strstr(fault, what) != NULL;
}
const char *__real_norm_level_missing(norm_level level);
const char *__wrap_norm_level_missing(norm_level level);
const char *__wrap_norm_level_missing(norm_level level) {
    return level != NORM_LEVEL_SCALAR && faulty("levels") ? "moon1" : __real_norm_level_missing(level);
}
norm_error __real_norm_run(const norm_impl *impl, norm_pass pass, const norm_args *args, int threads);
norm_error __wrap_norm_run(const norm_impl *impl, norm_pass pass, const norm_args *args, int threads);
norm_error __wrap_norm_run(const norm_impl *impl, norm_pass pass, const norm_args *args, int threads) {
    const norm_error error = __real_norm_run(impl, pass, args, threads);
    if ((impl->op == NORM_DYT && faulty("wrong")) ||
        (impl->op != NORM_IDENTITY && impl->level == NORM_LEVEL_SCALAR && faulty("scalar")))
        ((float *)args->y)[args->cols - 1] += 0.5f;
    return error;
}
bool __real_memory_fits(size_t bytes, char *text, size_t size);
bool __wrap_memory_fits(size_t bytes, char *text, size_t size);
bool __wrap_memory_fits(size_t bytes, char *text, size_t size) {
    return __real_memory_fits(bytes > 100000 && faulty("memory") ? SIZE_MAX : bytes, text, size);
}
uint64_t __wrap_memory_kills(void);
uint64_t __wrap_memory_kills(void) {
    static uint64_t kills = 0;
    return kills += (uint64_t)faulty("starve");
}
bool __real_buffers_make(buffers *b, const cell *cells, size_t count, size_t cold_bytes, uint64_t seed);
bool __wrap_buffers_make(buffers *b, const cell *cells, size_t count, size_t cold_bytes, uint64_t seed);
bool __wrap_buffers_make(buffers *b, const cell *cells, size_t count, size_t cold_bytes, uint64_t seed) {
    const char *const strike = getenv("STRIKE");
    if (cells->rows == 64 && faulty("starve") && strike != NULL && strcmp(strike, faulty("late") ? "now" : "pilot") == 0)
        (void)raise(SIGKILL);
    return __real_buffers_make(b, cells, count, cold_bytes, seed);
}
launch_end __real_worker_launch(const worker_job *job, const plan *p, const worker_listener *listener,
                                const volatile sig_atomic_t *stop, char *how, size_t size);
launch_end __wrap_worker_launch(const worker_job *job, const plan *p, const worker_listener *listener,
                                const volatile sig_atomic_t *stop, char *how, size_t size);
launch_end __wrap_worker_launch(const worker_job *job, const plan *p, const worker_listener *listener,
                                const volatile sig_atomic_t *stop, char *how, size_t size) {
    (void)setenv("STRIKE", job->mode == WORKER_PILOT ? "pilot" : job->launch == 2 ? "now" : "", 1);
    return __real_worker_launch(job, p, listener, stop, how, size);
}
bool __real_sampler_sample(const cell *c, const buffers *b, size_t calls, const counters *team, sample *out);
bool __wrap_sampler_sample(const cell *c, const buffers *b, size_t calls, const counters *team, sample *out);
bool __wrap_sampler_sample(const cell *c, const buffers *b, size_t calls, const counters *team, sample *out) {
    static int count = 0;
    const char *const strike = getenv("STRIKE");
    if (strike != NULL && strcmp(strike, "now") == 0 && ++count == 21) {
        if (faulty("kill")) {
            fputs("sample 0 10 20 1", stdout); // a line that was cut off is no sample
            (void)fflush(stdout);
            (void)raise(SIGKILL);
        }
        if (faulty("interrupt"))
            (void)kill(getppid(), SIGINT);
        if (faulty("terminal"))
            (void)raise(SIGINT);
    }
    return __real_sampler_sample(c, b, calls, team, out);
}
EOC
wrap=
for function in norm_level_missing norm_run memory_fits memory_kills buffers_make worker_launch sampler_sample; do
    wrap="$wrap -Wl,--wrap=$function"
done
# shellcheck disable=SC2086
$CC ${SANITIZE:+-fsanitize=$SANITIZE} -std=c17 -D_GNU_SOURCE -Ikernels -Imodels -Ibench $wrap -o "$work/normbench" "$work/faults.c" \
    $LINKED "$OBJ/libnorm.a" $LIBS || fail "cannot link the program anew"
program=$work/normbench
export FAULT=

# check_resumed DIR BEFORE: the run of DIR, resumed, is complete and begins with the samples that it had before.
check_resumed() {
    head -c "$(wc -c <"$2")" "$1/samples.csv" | cmp -s - "$2" || fail "$1: samples from before are gone"
    check_samples "$1"
    has "$1/meta.json" true complete
    [ -e "$1/plan.csv" ] && fail "$1: plan.csv is still there"
    [ "$(columns "$1/kernels.csv" launches | sort -u)" = 6 ] || fail "$1: not every row has its 6 launches"
    [ "$(columns "$1/samples.csv" launch | sort -u | tr '\n' ' ')" = '0 1 2 3 4 5 ' ] || fail "$1: not every launch is there"
}

# ended DIR CODE TEXT: what a run that was ended early left is valid, and can be taken up.
ended() {
    check_samples "$1"
    has "$1/meta.json" false complete
    [ "$(lines "$1/kernels.csv")" -eq 4 ] || fail "$1: kernels.csv: $(cat "$1/kernels.csv")"
    [ "$(columns "$1/samples.csv" launch | sort -u | tr '\n' ' ')" = '0 1 2 ' ] || fail "$1: not ended in the third launch"
    grep -qF "normbench kernels --resume $1" "$work/err" || fail "$1: how to go on is not told: $(cat "$work/err")"
    cp "$1/samples.csv" "$work/before"
    FAULT=
    expect 0 "Results: $1" --resume "$1"
    check_resumed "$1" "$work/before"
}

# shellcheck disable=SC2086
{
    # Long enough a launch for the 21st sample, whatever the machine: without a budget a launch has 16 rounds of so little.
    little='--op dyt --shape 4x64 --launches 6 --seed 1'
    FAULT=interrupt
    expect 130 'interrupted; what is on disk is valid' $little --out "$work/interrupted"
    cp -r "$work/interrupted" "$work/older"
    ended "$work/interrupted"
    # A run that a version with fewer columns began.
    cut -d, -f-20 "$work/before" >"$work/older/samples.csv"
    expect 2 'there is no column' --resume "$work/older"
    grep -q 'go on with the version that began the run' "$work/err" || fail "fewer columns: $(cat "$work/err")"
    FAULT=interrupt,terminal
    expect 130 'interrupted; what is on disk is valid' $little --out "$work/terminal"
    ended "$work/terminal"
    FAULT='kill'
    expect 3 'a launch was killed by signal 9' $little --out "$work/killed"
    ended "$work/killed"
    # Without a folder of its own a run that was interrupted has one all the same, so that its samples are not gone.
    FAULT=interrupt
    expect 130 "normbench kernels --resume $work/tmp/normbench." $little --csv -
    [ "$(lines "$work/out")" -eq 4 ] || fail "an interrupted --csv -: $(cat "$work/out")"
    kept=$(sed -n 's/^  normbench kernels --resume \(.*\) --csv -$/\1/p' "$work/err")
    cp "$kept/samples.csv" "$work/before"
    FAULT=
    expect 0 'schema_version,run_id' --resume "$kept" --csv -
    [ "$(lines "$work/out")" -eq 4 ] || fail "--csv - taken up: $(cat "$work/out")"
    check_resumed "$kept" "$work/before"
    rm -rf "$kept"
    nothing_left "an interrupted --csv -"

    # A wrong kernel is told, not timed, and not forgotten when the run is taken up.
    FAULT=wrong,interrupt
    expect 130 'WRONG, not timed: dyt/u2 forward fused' $little --op dyt,layernorm --out "$work/wrong"
    FAULT=
    expect 3 '1 of 4 rows are wrong and were not timed' --resume "$work/wrong"
    columns "$work/wrong/kernels.csv" 'op samples time_ns_median status' | grep -q '^dyt 0  wrong$' ||
        fail "no wrong row: $(cat "$work/wrong/kernels.csv")"
    grep -q ',wrong,"*y\[0, 63\]: got ' "$work/wrong/kernels.csv" || fail "no reason: $(cat "$work/wrong/kernels.csv")"
    columns "$work/wrong/kernels.csv" 'op status' | grep -q '^layernorm [ou]' || fail "layernorm was not timed"
    columns "$work/wrong/samples.csv" op | grep -q dyt && fail "a wrong kernel was timed"

    # Where the first family of a group is wrong altogether, the others are timed all the same.
    FAULT=scalar
    expect 3 '2 of 5 rows are wrong and were not timed' --op layernorm,rmsnorm --level scalar,best --shape 4x64 --launches 1 \
        --budget 1s --csv "$work/family.csv"
    columns "$work/family.csv" 'op level samples status' | awk '
        $2 == "scalar" ? $3 != 0 || $4 != "wrong" : !($3 > 0 && $4 == "unstable") { exit 1 }' ||
        fail "a wrong first family: $(columns "$work/family.csv" 'op level samples status')"
    FAULT=

    # A preset leaves out what memory does not hold, and says so.
    FAULT=memory
    expect 6 '3 of 6 rows were not measured' --preset quick --op dyt --variant u2 --level best --threads 1 \
        --shape 4x768,64x768 --budget 1s --csv "$work/memory.csv"
    grep -q 'skipped 64x768 on 1 threads: needs more memory' "$work/err" || fail "memory: $(cat "$work/err")"
    [ "$(columns "$work/memory.csv" 'rows status' | grep -c '^64 skipped')" -eq 3 ] || fail "memory: $(cat "$work/memory.csv")"
    FAULT=memory
    expect 2 '; choose a smaller --shape' --op dyt --shape 64x768

    # What the kernel kills for want of memory all the same: the pilot leaves that out and goes on with the others, and what launches before
    # have measured stays.
    FAULT=starve
    expect 6 '2 of 6 rows were not measured' --op rmsnorm --shape 4x768,64x768,128x768 --launches 2 --budget 0.1s --out "$work/starved"
    grep -q 'skipped 64x768 on 1 threads: the kernel killed a launch for want of memory' "$work/err" || fail "starve: $(cat "$work/err")"
    [ "$(columns "$work/starved/kernels.csv" 'rows launches' | sort -u | tr '\n' ' ')" = '128 2 4 2 64 0 ' ] ||
        fail "starve: $(cat "$work/starved/kernels.csv")"
    FAULT=starve,late
    expect 3 'the kernel killed a launch for want of memory' --op rmsnorm --shape 64x768 --launches 6 --budget 0.1s --out "$work/late"
    [ "$(columns "$work/late/samples.csv" launch | sort -u | tr '\n' ' ')" = '0 1 ' ] || fail "late: $(cat "$work/late/samples.csv")"

    # A level that the CPU lacks.
    FAULT=levels
    other=$("$program" list levels | awk '$2 == "lacks" { print $1; exit }')
    if [ -n "$other" ]; then
        expect 2 "level $other: this CPU or its operating system lacks moon1" --op dyt --level "$other"
        expect 0 ' scalar ' --op dyt --level "scalar,$other" --dry-run
        grep -qF "level $other: this CPU or its operating system lacks moon1; skipped" "$work/err" ||
            fail "no word about $other: $(cat "$work/err")"
        grep -q " $other " "$work/out" && fail "$other is planned without the CPU for it"
        expect 0 ' scalar ' --op dyt --level best --dry-run
    fi
    FAULT=
    nothing_left "a run with faults"
}

# ---- From outside: the program itself, ended by its pid; and a disk that fills up, here a file that may not grow.

program=$NORMBENCH
long='--op dyt --shape 4x64 --launches 1000 --seed 1'
# shellcheck disable=SC2086
"$program" kernels $long --out "$work/outside" >"$work/out" 2>"$work/err" &
pid=$!
patience=600
while [ "$(lines "$work/outside/samples.csv" 2>/dev/null || echo 0)" -lt 50 ] && [ "$patience" -gt 0 ]; do
    sleep 0.1
    patience=$((patience - 1))
done
kill -INT "$pid"
wait "$pid"
got=$?
[ "$got" -eq 130 ] || fail "SIGINT from outside: exit $got, expected 130: $(cat "$work/err")"
check_samples "$work/outside"
has "$work/outside/meta.json" false complete
[ "$(lines "$work/outside/kernels.csv")" -eq 4 ] || fail "SIGINT from outside: $(cat "$work/outside/kernels.csv")"

# Room for what is written first, and for as much of samples.csv; in blocks of 512 bytes.
blocks=$(($(cat "$run/topology.xml" "$run/meta.json" | wc -c) / 512 + 8))
# shellcheck disable=SC2086
(
    ulimit -f "$blocks" && exec "$program" kernels $long --out "$work/full"
) >"$work/out" 2>"$work/err"
got=$?
[ "$got" -eq 3 ] || fail "a full disk: exit $got, expected 3: $(cat "$work/err")"
grep -q 'cannot write samples.csv: the file may not grow further' "$work/err" || fail "a full disk: $(cat "$work/err")"
grep -qF "normbench kernels --resume $work/full" "$work/err" || fail "a full disk: $(cat "$work/err")"
# The last line was cut off where the disk was full. To see the end of it, the rest of the thousand launches is waived.
sed '$d' "$work/full/samples.csv" >"$work/before"
last=$(columns "$work/before" launch | tail -1)
sed "s/\"launches\": 1000/\"launches\": $((last + 1))/" "$work/full/meta.json" >"$work/meta" && mv "$work/meta" "$work/full/meta.json"
expect 0 "Results: $work/full" --resume "$work/full"
head -c "$(wc -c <"$work/before")" "$work/full/samples.csv" | cmp -s - "$work/before" || fail "a full disk lost samples"
check_samples "$work/full"
has "$work/full/meta.json" true complete

finish
