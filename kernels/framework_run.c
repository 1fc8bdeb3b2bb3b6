// SPDX-License-Identifier: MIT
// framework_run.c: runs the operations of form framework as PyTorch's eager mode does on a CPU: the calling thread
// allocates each result with 64-byte alignment from the C library, which decides when pages come from and go back to
// the kernel; the team touches it first; and what nobody reads any more is freed at once.
#include "framework_run.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fp_state.h"
#include "team.h"

enum { ALIGNMENT = 64 };

// What PyTorch 2.15 allocates with a tensor, in bytes: its storage before the data, the tensor and a part of it behind;
// freed in the order of release(). They decide whether a large block that was freed is whole again when the next
// result asks for one: the C library cuts what a block has too much for its alignment into pieces of such sizes.
static const size_t head_bytes[MADE_HEADS] = {96, 176, 24};
enum { STORAGE, TENSOR, PART };

static void release(norm_made *made, unsigned which) {
    void **const heads = made->heads[which];
    free(heads[PART]);
    free(made->at[which]);
    free(heads[STORAGE]);
    free(heads[TENSOR]);
    made->at[which] = heads[STORAGE] = heads[TENSOR] = heads[PART] = NULL;
}

static bool make(norm_made *made, const norm_life *life, norm_args *args, const norm_args *callers) {
    const unsigned which = life->makes;
    size_t bytes, rows_bytes, cols_bytes;
    if (which == MADE_NOTHING || (which == MADE_RESULT && callers->fresh == NULL))
        return true;
    if (__builtin_mul_overflow(args->rows * life->per_element, args->cols, &bytes) ||
        __builtin_mul_overflow(args->rows, (size_t)life->per_row, &rows_bytes) ||
        __builtin_mul_overflow(args->cols, (size_t)life->per_col, &cols_bytes))
        return false;
    void **const heads = made->heads[which];
    heads[STORAGE] = malloc(head_bytes[STORAGE]);
    if (posix_memalign(&made->at[which], ALIGNMENT, bytes + rows_bytes + cols_bytes) != 0)
        made->at[which] = NULL;
    heads[TENSOR] = malloc(head_bytes[TENSOR]);
    heads[PART] = malloc(head_bytes[PART]);
    if (made->at[which] == NULL || heads[STORAGE] == NULL || heads[TENSOR] == NULL || heads[PART] == NULL)
        return false; // what there is, is freed with all others
    if (which == MADE_RESULT) {
        args->y = args->dx = made->at[which];
        args->y_stride = args->dx_stride = args->cols;
    }
    return true;
}

static void drop(norm_made *made, unsigned which) {
    for (unsigned i = MADE_NOTHING + 1; i < MADE_TENSORS; i++)
        if (which >> i & 1)
            release(made, i);
}

void norm_release(const norm_impl *impl, void *saved) {
    norm_made made;
    if (impl->form != NORM_FRAMEWORK || impl->keeps == 0 || saved == NULL)
        return;
    memcpy(&made, saved, MADE_SAVED);
    drop(&made, ~0u);
    memcpy(saved, &made, MADE_SAVED);
}

size_t norm_fresh_bytes(const norm_impl *impl, size_t rows, size_t cols) {
    size_t bytes = 0;
    for (norm_pass pass = NORM_FORWARD; impl->form == NORM_FRAMEWORK && pass < NORM_PASSES; pass++)
        for (size_t i = 0; i < impl->pass[pass].count; i++) {
            const norm_life *const life = &impl->lives[pass][i];
            size_t each;
            if (__builtin_mul_overflow(rows * life->per_element, cols, &each) ||
                __builtin_add_overflow(bytes, each + rows * life->per_row + cols * life->per_col, &bytes))
                return SIZE_MAX;
        }
    return bytes;
}

size_t norm_operations(const norm_impl *impl, norm_pass pass) {
    size_t calls = 0;
    for (size_t i = 0; impl->form == NORM_FRAMEWORK && i < impl->pass[pass].count; i++)
        calls += impl->lives[pass][i].calls;
    return calls;
}

// A thread for each `grain` elements, as at::parallel_for divides a range; small tensors are the caller's own work.
static int team_of(const norm_stage *stage, const norm_life *life, const norm_args *args, int threads) {
    const size_t elements = stage->bytes > 0 ? args->rows * args->cols : args->rows;
    const size_t grain = life->grain, parts = (elements + grain - 1) / grain;
    return parts == 0 ? 1 : parts < (size_t)threads ? (int)parts : threads;
}

// The call is by a pointer, so that no arithmetic can be moved across fp_enter and fp_leave.
static void run_slice(const norm_stage *stage, const norm_args *args, size_t index, size_t count) {
    const size_t total = stage->split == NORM_SPLIT_ROWS ? args->rows : args->cols;
    const norm_slice slice = norm_part(stage->split, total, index, count);
    const fp_state found = fp_enter();
    stage->run(args, &slice);
    fp_leave(found);
}

static double now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}

// By the caller alone, as a framework's dispatcher runs: a sleep would take far longer, and end on another clock speed.
static void wait_for(double ns) {
    const double begin = ns > 0 ? now_ns() : 0;
    while (ns > 0 && now_ns() - begin < ns)
        continue;
}

static bool run_operation(const norm_stage *stage, const norm_life *life, const norm_args *args, norm_made *made,
                          int threads) {
    const int team = team_of(stage, life, args, threads);
    bool short_team = false;
    if (team == 1) {
        run_slice(stage, args, 0, 1);
    } else {
#pragma omp parallel num_threads(team) default(none) shared(short_team) firstprivate(stage, args, team)
        {
            if (omp_get_num_threads() == team)
                run_slice(stage, args, (size_t)omp_get_thread_num(), (size_t)team);
            else
#pragma omp single
                short_team = true;
        }
    }
    if (stage->bytes > 0)
        made->slices = (size_t)team;
    return !short_team;
}

norm_error framework_run(const norm_impl *impl, norm_pass pass, const norm_args *args, int threads,
                         norm_operation *times) {
    norm_made made = {.scratch = args->workspace};
    norm_args own = *args;
    norm_error error = NORM_OK;
    void *const saved = impl->keeps != 0 ? args->saved : NULL;
    const unsigned kept = pass == NORM_FORWARD && saved != NULL ? impl->keeps : 0;
    if (threads > 1 && team_lost())
        threads = 1;
    if (threads > omp_get_thread_limit())
        return NORM_NO_TEAM;
    if (threads > 1)
        team_opens();
    own.workspace = &made;
    if (pass == NORM_FORWARD)
        norm_release(impl, saved);
    else if (saved != NULL)
        memcpy(&made, saved, MADE_SAVED);
    for (size_t i = 0; i < impl->pass[pass].count && error == NORM_OK; i++) {
        const norm_stage *const stage = &impl->pass[pass].stages[i];
        const norm_life *const life = &impl->lives[pass][i];
        const double begin = times != NULL ? now_ns() : 0;
        wait_for((double)life->calls * args->dispatch_ns);
        if (!make(&made, life, &own, args))
            error = NORM_NO_MEMORY;
        else if (!run_operation(stage, life, &own, &made, threads))
            error = NORM_NO_TEAM;
        drop(&made, life->frees & ~kept);
        if (times != NULL)
            times[i] = (norm_operation){life->calls, now_ns() - begin};
    }
    if (error == NORM_OK && args->fresh != NULL) {
        *args->fresh = made.at[MADE_RESULT];
        made.at[MADE_RESULT] = NULL;
    }
    drop(&made, error == NORM_OK ? ~kept : ~0u);
    if (saved != NULL)
        memcpy(saved, &made, MADE_SAVED);
    return error;
}
