// SPDX-License-Identifier: MIT
// Every implementation that this CPU can run against the reference, one test each, over awkward shapes, places,
// strides, inputs and teams. Trial by trial, those side by side that are held against the same reference.
//   REQUIRE="sse2 avx2"   levels whose absence is a failure, not a skip
//   TRIAL="..."           runs this trial alone, as a failure prints it; IMPL="..." one implementation alone, likewise
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure/trial.h"
#include "peers/peers.h"
#include "require.h"
#include "thin.h"

static trial_buffers buffers;
static char current[2 * TRIAL_TEXT]; // the reproducer of the trial that is running

// What a test is of. The first of a group, those of one trial_subject, tries all of them.
enum { NAME_SIZE = 96 };
typedef struct {
    const norm_impl *impl;
    bool tried;
    char name[NAME_SIZE], failure[4 * TRIAL_TEXT];
} tested;
typedef struct {
    tested *begin, *end;
} group;
static tested all[4096];
static size_t all_count;

// The errors seen, and in which implementation and shape the worst of them.
typedef struct {
    verify_worst worst;
    const norm_impl *impl;
    input_kind kind;
    size_t rows, cols;
} observation;
static observation observed[NORM_OPS][NORM_FORMS][NORM_DTYPES][NORM_OUTPUTS];

static double share(const verify_worst *w) { return w->bound > 0 ? w->max_error / w->bound : 0; }

static void observe(const norm_impl *impl, const trial *t, const verify_result *result) {
    for (norm_output output = 0; output < NORM_OUTPUTS; output++) {
        const verify_worst *const w = &result->worst[output];
        observation *const o = &observed[impl->op][impl->form][impl->dtype][output];
        if (w->cases == 0 || (o->impl && share(w) <= share(&o->worst)))
            continue;
        *o = (observation){*w, impl, t->kind, t->rows, t->cols};
    }
}

static void impl_print(const norm_impl *impl, char *text, size_t size) {
    snprintf(text, size, "%s/%s/%s/%s/%s", norm_op_name(impl->op), impl->variant, norm_form_name(impl->form),
             norm_level_name(impl->level), norm_dtype_name(impl->dtype));
}

// The trial as one word, which read_trial reads back: the reproducer.
static void print_trial(const trial *t, char text[TRIAL_TEXT]) {
    snprintf(text, TRIAL_TEXT,
             "%s:%zux%zu:gap%zu:place%d:misalign%zu:threads%d:overlap%d:specials%d:forward%d:seed%" PRIu64,
             input_name(t->kind), t->rows, t->cols, t->gap, (int)t->place, t->misalign, t->threads, (int)t->overlap,
             t->specials, t->forward_only, t->seed);
}

static bool read_trial(const char *text, trial *t) {
    char kind[32];
    int place, overlap, specials, forward_only;
    *t = (trial){0};
    if (sscanf(text, "%31[^:]:%zux%zu:gap%zu:place%d:misalign%zu:threads%d:overlap%d:specials%d:forward%d:seed%" SCNu64,
               kind, &t->rows, &t->cols, &t->gap, &place, &t->misalign, &t->threads, &overlap, &specials, &forward_only,
               &t->seed) != 11)
        return false;
    while (t->kind < INPUTS && strcmp(input_name(t->kind), kind) != 0)
        t->kind++;
    t->place = (guard_place)place;
    t->overlap = (trial_overlap)overlap;
    t->specials = specials;
    t->forward_only = forward_only;
    return t->kind < INPUTS && place >= 0 && place < GUARD_PLACES && overlap >= 0 && overlap < TRIAL_OVERLAPS &&
           t->rows && t->cols;
}

// A fault ends the program; first it says in which trial.
static void on_fault(int number) {
    static const char text[] = "\nfault, reading or writing outside a buffer, in: ";
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0 || write(STDERR_FILENO, current, strlen(current)) < 0 ||
        write(STDERR_FILENO, "\n", 1) < 0)
        _exit(EXIT_FAILURE);
    signal(number, SIG_DFL);
    raise(number);
}

static bool is_op_by_op(const norm_impl *impl) { return impl->form == NORM_EAGER || impl->form == NORM_FRAMEWORK; }

static void attempt_one(tested *one, const trial *asked) {
    trial t = *asked;
    if (!inputs_suit(t.kind, one->impl))
        t.kind = INPUT_NORMAL;
    if (t.overlap == TRIAL_IN_PLACE && is_op_by_op(one->impl))
        t.overlap = TRIAL_APART;
    char word[TRIAL_TEXT], why[TRIAL_TEXT];
    print_trial(&t, word);
    snprintf(current, sizeof current, "IMPL=%s TRIAL=%s make check ONLY=kernels", one->name, word);
    verify_result result;
    const bool ok = trial_run(one->impl, &t, &buffers, &result, why);
    observe(one->impl, &t, &result);
    if (!ok)
        snprintf(one->failure, sizeof one->failure, "%s\n    reproduce: %s", why, current);
}

// One failure each is enough.
static void attempt(const group *g, const trial *asked) {
    for (tested *one = g->begin; one < g->end; one++)
        if (norm_missing(one->impl) == NULL && one->failure[0] == '\0')
            attempt_one(one, asked);
}

// A different, reproducible variation of whatever a loop does not enumerate.
static trial varied(size_t index, size_t rows, size_t cols) {
    static const size_t misalign[] = {0, 4, 12, 60, 2, 34}, gaps[] = {0, 1, 7, 16, 3};
    return (trial){
        .kind = (input_kind)(index % INPUTS),
        .rows = rows,
        .cols = cols,
        .gap = gaps[index % 5],
        .place = (guard_place)(index % GUARD_PLACES),
        .misalign = misalign[index % 6],
        .threads = 1,
        .seed = 1000 + index,
    };
}

static const size_t row_counts[] = {1, 2, 3, 5, 7};

// Every tail of a step of up to 128 elements (8 accumulators of 16), at every place.
static void every_tail(const group *g) {
    size_t index = 0;
    for (size_t cols = 1; cols <= 2 * 128 + 3; cols++)
        for (guard_place place = 0; place < GUARD_PLACES; place++, index++) {
            if (thinned_out(cols + place))
                continue;
            trial t = varied(index, row_counts[index / 3 % 5], cols);
            t.kind = (input_kind)(index * 7 / 3 % INPUTS); // not in step with the places
            t.place = place;
            attempt(g, &t);
        }
}

static void every_input(const group *g) {
    static const size_t cols[] = {1, 2, 64, 255, 768, 1000, 1023, 1024, 1025, 4096};
    for (input_kind kind = 0; kind < INPUTS; kind++)
        for (size_t i = 0; i < sizeof cols / sizeof *cols; i++) {
            if (thinned_out(kind + i))
                continue;
            trial t = varied(31 * kind + i, 1 + (kind + i) % 3, cols[i]);
            t.kind = kind;
            attempt(g, &t);
        }
}

// Threads as few as one and more than there are rows; 64 rows hold several blocks of any partial sum over rows.
static void every_team(const group *g) {
    static const size_t rows[] = {1, 2, 3, 7, 64};
    static const int threads[] = {1, 2, 3, 9};
    size_t index = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t j = 0; j < sizeof threads / sizeof *threads; j++, index++) {
            trial t = varied(index, rows[i], index % 2 ? 37 : 130);
            t.kind = index % 3 ? INPUT_NORMAL : INPUT_ACTIVATIONS;
            t.threads = threads[j];
            attempt(g, &t);
        }
    trial crowd = varied(5, 64, 768);
    crowd.threads = 65;
    attempt(g, &crowd);
}

// More rows than a gradient sums in f32, alike and not, and rows longer than what is summed in f32, in every team.
static void every_run(const group *g) {
    static const struct {
        input_kind kind;
        size_t rows, cols;
    } cases[] = {{INPUT_EQUAL, 65, 5},  {INPUT_EQUAL, 259, 20},  {INPUT_EQUAL, 2050, 2},
                 {INPUT_NORMAL, 65, 5}, {INPUT_NORMAL, 2050, 1}, {INPUT_MASSIVE, 1, 8230}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trial t = varied(i, cases[i].rows, cases[i].cols);
        t.kind = cases[i].kind;
        t.threads = 1 + (int)(i % 3);
        attempt(g, &t);
    }
}

// Rows so short that no rounding is averaged out, and such that one element dwarfs the others, in many seeds: both come
// as near to the bounds as anything. Of the default variants, for others have the same sums.
static void many_seeds(const group *g) {
    static const input_kind kinds[] = {INPUT_NORMAL, INPUT_MASSIVE};
    static const size_t longer[] = {31, 64, 104, 127};
    enum { SHORTEST = 8, SEEDS = 2 };
    const norm_op op = g->begin->impl->op;
    if ((op != NORM_LAYERNORM && op != NORM_RMSNORM) || !norm_is_default(g->begin->impl))
        return;
    for (size_t i = 0; i < SHORTEST + sizeof longer / sizeof *longer; i++)
        for (size_t k = 0; k < 2 * SEEDS; k++) {
            trial t = varied(SEEDS * i + k / 2, 96, i < SHORTEST ? 1 + i : longer[i - SHORTEST]);
            t.kind = kinds[k % 2];
            if (!thinned_out(i + k))
                attempt(g, &t);
        }
}

// More rows than forward takes together, and not a multiple of them, at widths where it takes them in pairs, alone and
// together (rows_summed and writes_pairs in schedule.h); rows that begin at a cache line, so that streams are streams.
static void every_block(const group *g) {
    static const size_t cols[] = {768, 1024, 1536, 2048, 4096};
    for (size_t i = 0; i < sizeof cols / sizeof *cols; i++) {
        trial t = varied(i, 9, cols[i]);
        t.kind = INPUT_ACTIVATIONS;
        t.gap = t.misalign = 0;
        attempt(g, &t);
    }
}

// And with a saved buffer or without, in every form.
static void in_place(const group *g) {
    static const size_t cols[] = {1, 15, 17, 63, 64, 130, 257, 1000};
    for (size_t i = 0; i < sizeof cols / sizeof *cols; i++) {
        trial t = varied(3 * i, 5, cols[i]);
        t.threads = 1 + (int)i % 2;
        for (int forward_only = 0; forward_only < 2; forward_only++) {
            t.forward_only = forward_only;
            t.overlap = TRIAL_IN_PLACE;
            attempt(g, &t);
            t.overlap = TRIAL_SWAPPED;
            if (g->begin->impl->form == NORM_ADD_FUSED)
                attempt(g, &t);
        }
        t.overlap = TRIAL_APART;
        attempt(g, &t);
    }
}

static void not_numbers(const group *g) {
    static const size_t cols[] = {1, 5, 16, 33, 100, 129, 768};
    for (size_t i = 0; i < sizeof cols / sizeof *cols; i++) {
        trial t = varied(i, 6, cols[i]);
        t.kind = i % 2 ? INPUT_NORMAL : INPUT_SWEEP;
        t.specials = true;
        attempt(g, &t);
    }
}

static void try_all(const group *g) {
    const char *const word = getenv("TRIAL");
    if (word) {
        trial t;
        if (!read_trial(word, &t))
            fail_msg("TRIAL=%s is not a trial; copy one from a failure", word);
        attempt(g, &t);
        return;
    }
    every_tail(g);
    every_input(g);
    every_team(g);
    every_run(g);
    many_seeds(g);
    every_block(g);
    in_place(g);
    not_numbers(g);
}

static int compare_subjects(const tested *a, const tested *b) {
    return trial_subject_compare(trial_subject_of(a->impl), trial_subject_of(b->impl));
}

static void check_implementation(void **state) {
    tested *const one = *state;
    const char *const missing = norm_missing(one->impl);
    if (missing) {
        print_message("skipped: this CPU lacks %s\n", missing);
        skip();
    }
    signal(SIGSEGV, on_fault); // here, because cmocka installs its own before each test
    signal(SIGBUS, on_fault);
    if (!one->tried) {
        group g = {one, one};
        while (g.end < all + all_count && compare_subjects(one, g.end) == 0)
            (g.end++)->tried = true;
        try_all(&g);
    }
    if (one->failure[0] != '\0')
        fail_msg("%s", one->failure);
}

static void required_levels_are_here(void **state) {
    (void)state;
    assert_non_null(norm_at(0));
    assert_true(required_levels_here());
}

// Printed whatever the outcome, so that a bound that has become loose is seen.
static void print_observed(void) {
    printf("\nlargest scaled error by output, beside the bound at that shape\n");
    printf("%-10s %-9s %-5s %-7s %10s %10s %6s  %s\n", "op", "form", "dtype", "output", "error", "bound", "share",
           "where");
    for (size_t op = 0; op < NORM_OPS; op++)
        for (size_t form = 0; form < NORM_FORMS; form++)
            for (size_t dtype = 0; dtype < NORM_DTYPES; dtype++)
                for (size_t output = 0; output < NORM_OUTPUTS; output++) {
                    const observation *const o = &observed[op][form][dtype][output];
                    if (!o->impl)
                        continue;
                    printf("%-10s %-9s %-5s %-7s %10.4g %10.4g %5.0f%%  %s %s %s %zux%zu\n", norm_op_name(o->impl->op),
                           norm_form_name(o->impl->form), norm_dtype_name(o->impl->dtype),
                           norm_output_name((norm_output)output), o->worst.max_error, o->worst.bound,
                           100 * share(&o->worst), o->impl->variant, norm_level_name(o->impl->level),
                           input_name(o->kind), o->rows, o->cols);
                }
}

// By group. Of these, those together that get the same inputs (inputs_suit), and then as levels are ordered.
static int compare_tested(const void *a, const void *b) {
    const tested *const one = a, *const other = b;
    const int signs[] = {compare_subjects(one, other), (int)one->impl->form - (int)other->impl->form,
                         (int)one->impl->level - (int)other->impl->level, strcmp(one->name, other->name)};
    size_t i = 0;
    while (i + 1 < sizeof signs / sizeof *signs && signs[i] == 0)
        i++;
    return signs[i];
}

int main(void) {
    enum { MOST = sizeof all / sizeof *all };
    static struct CMUnitTest tests[MOST + 1] = {cmocka_unit_test(required_levels_are_here)};
    const char *const only = getenv("IMPL");
    peers_register();
    for (size_t i = 0; norm_at(i); i++) {
        if (all_count == MOST) {
            fprintf(stderr, "test_kernels: more than %d implementations; raise the size of `all`\n", MOST);
            return EXIT_FAILURE;
        }
        tested *const one = &all[all_count];
        one->impl = norm_at(i);
        impl_print(one->impl, one->name, sizeof one->name);
        all_count += only == NULL || strcmp(only, one->name) == 0;
    }
    if (all_count == 0) {
        fprintf(stderr, "test_kernels: IMPL=%s is not an implementation; write op/variant/form/level/dtype\n", only);
        return EXIT_FAILURE;
    }
    qsort(all, all_count, sizeof *all, compare_tested);
    for (size_t i = 0; i < all_count; i++)
        tests[1 + i] = (struct CMUnitTest){all[i].name, check_implementation, NULL, NULL, &all[i]};
    // The function behind cmocka_run_group_tests, which can only take an array that is full.
    const int failures = _cmocka_run_group_tests("kernels", tests, 1 + all_count, NULL, NULL);
    print_observed();
    trial_close(&buffers);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
