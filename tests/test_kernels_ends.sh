#!/bin/sh
# SPDX-License-Identifier: MIT
# Whatever ends a run of `normbench kernels` loses no finished sample. No verdict depends on how long anything takes.
set -u
. tests/kernels_runs.sh

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
#include "measure/launch.h"
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
launch_end __real_launch_run(const launch_job *job, const volatile sig_atomic_t *stop, char *how, size_t size);
launch_end __wrap_launch_run(const launch_job *job, const volatile sig_atomic_t *stop, char *how, size_t size);
launch_end __wrap_launch_run(const launch_job *job, const volatile sig_atomic_t *stop, char *how, size_t size) {
    const bool pilot = strcmp(job->arguments[2], "pilot") == 0, third = strcmp(job->arguments[5], "2") == 0;
    (void)setenv("STRIKE", pilot ? "pilot" : third ? "now" : "", 1);
    return __real_launch_run(job, stop, how, size);
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
for function in norm_level_missing norm_run memory_fits memory_kills buffers_make launch_run sampler_sample; do
    wrap="$wrap -Wl,--wrap=$function"
done
# shellcheck disable=SC2086
$CC ${SANITIZE:+-fsanitize=$SANITIZE -no-pie} -std=c17 -D_GNU_SOURCE -Ikernels -Imodels -Ibench $wrap -o "$work/normbench" "$work/faults.c" \
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
    # The time of dispatch is the plan's: it is recorded, and those rows alone have it.
    FAULT=interrupt
    expect 130 'interrupted; what is on disk is valid' --form framework --dispatch 3us $little --out "$work/dispatched"
    has "$work/dispatched/meta.json" 3000 experiment dispatch_ns
    ended "$work/dispatched"
    for table in kernels samples; do
        [ "$(columns "$work/dispatched/$table.csv" dispatch_ns | sort -u)" = 3000 ] || fail "$table.csv: another time of dispatch than 3 us"
    done
    [ "$(columns "$work/interrupted/kernels.csv" dispatch_ns | sort -u)" = '' ] || fail 'a fused row has a time of dispatch'
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
    grep -q 'skipped f32 forward 64x768, 1 thread, warm: needs more memory' "$work/err" || fail "memory: $(cat "$work/err")"
    [ "$(columns "$work/memory.csv" 'rows status' | grep -c '^64 skipped')" -eq 3 ] || fail "memory: $(cat "$work/memory.csv")"
    FAULT=memory
    expect 2 '; choose a smaller --shape' --op dyt --shape 64x768

    # What the kernel kills for want of memory all the same: the pilot leaves that out and goes on with the others, and what launches before
    # have measured stays.
    FAULT=starve
    expect 6 '2 of 6 rows were not measured' --op rmsnorm --shape 4x768,64x768,128x768 --launches 2 --budget 0.1s --out "$work/starved"
    grep -q 'skipped f32 forward 64x768, 1 thread, warm: the kernel killed a launch for want of memory' "$work/err" || fail "starve: $(cat "$work/err")"
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
interrupt 50 "$work/outside/samples.csv" "$program" kernels $long --out "$work/outside"
[ "$got" -eq 130 ] || fail "SIGINT from outside: exit $got, expected 130: $(cat "$work/err")"
check_samples "$work/outside"
has "$work/outside/meta.json" false complete
[ "$(lines "$work/outside/kernels.csv")" -eq 4 ] || fail "SIGINT from outside: $(cat "$work/outside/kernels.csv")"

# Room for what is written first, and for as much of samples.csv; in blocks of 512 bytes.
blocks=$(($(cat "$work/outside/topology.xml" "$work/outside/meta.json" | wc -c) / 512 + 8))
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
