// SPDX-License-Identifier: MIT
// A third subject of the engine, in this one file: days of the week, each of which takes as long as it says. What the
// engine does with it is what it does with kernels and layers: verify, calibrate, sample in mirrored order, keep, take
// up, report; and what a worker must not tell is refused.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/exit_code.h"
#include "measure/campaign.h"
#include "measure/wire.h"

// ---- The subject

static const char *const names[] = {"monday", "tuesday", "wednesday", "thursday"};
enum { DAYS = sizeof names / sizeof *names, WRONG = 2 };

typedef struct {
    size_t number, week;
} day;

static column_value number_of(const void *name) { return value_text(names[((const day *)name)->number]); }
static column_value week_of(const void *name) { return value_size(((const day *)name)->week); }
static const table_column columns[] = {{"day", &column_name, NULL, "Its name.", true, number_of},
                                       {"week", &column_count, NULL, "Its week.", true, week_of}};
static const column_part parts[] = {COLUMN_PART(columns)};
static bool read_day(const csv_table *t, size_t row, void *name) {
    day *const d = name;
    const int at = csv_column(t, "day"), week = csv_column(t, "week");
    d->number = 0;
    while (at >= 0 && d->number < DAYS && strcmp(t->rows[row][at], names[d->number]) != 0)
        d->number++;
    d->week = week >= 0 ? strtoul(t->rows[row][week], NULL, 10) : 0;
    return at >= 0 && week >= 0 && d->number < DAYS;
}
static int compare(const void *left, const void *right) {
    const day *const a = left, *const b = right;
    const size_t x = DAYS * a->week + a->number, y = DAYS * b->week + b->number;
    return (x > y) - (x < y);
}
static bool same_week(const void *a, const void *b) { return ((const day *)a)->week == ((const day *)b)->week; }
static void describe(const void *name, char *text, size_t size) {
    snprintf(text, size, "%s", names[((const day *)name)->number]);
}
static void describe_week(const void *name, char *text, size_t size) {
    snprintf(text, size, "week %zu", ((const day *)name)->week);
}
static double sample_seconds(const schedule *s, size_t item) {
    return 1e-9 * s->items[item].ns * (double)s->items[item].calls;
}
static double prepare_seconds(const schedule *s, size_t begin, size_t end, double round_s) {
    (void)s, (void)begin, (void)end;
    return round_s;
}
static const schedule_kind kind = {.item = "day",
                                   .items = "days",
                                   .size = sizeof(day),
                                   .names = parts,
                                   .name_count = COLUMN_COUNT(parts),
                                   .read = read_day,
                                   .compare = compare,
                                   .same_group = same_week,
                                   .describe = describe,
                                   .describe_group = describe_week,
                                   .sample_seconds = sample_seconds,
                                   .prepare_seconds = prepare_seconds};
static schedule days = {.kind = &kind};

// Two weeks, of which one day of one is asked for twice.
static bool make(preset which, const selection *s, const topology *t) {
    (void)which, (void)s, (void)t;
    for (size_t i = 0; i <= 2 * DAYS; i++)
        if (!schedule_add(&days, &(day){i % DAYS, i / DAYS % 2}))
            return false;
    return schedule_arrange(&days);
}
static void spend(schedule *s, bool of_preset, double budget_s, size_t *launches) {
    (void)of_preset, (void)budget_s, (void)launches;
    for (size_t i = 0; i < s->count; i++)
        s->items[i].rounds = 3;
}

static size_t bytes(const group_of_items *g) { return g->end - g->begin; }
static void team(const schedule *s, size_t item, size_t *threads, placement *place) {
    (void)s, (void)item;
    *threads = 1;
    *place = PLACEMENT_NONE;
}
static void *open_week(const group_of_items *g, char *why, size_t size) {
    (void)why, (void)size;
    return malloc(g->end - g->begin);
}
static bool verify(void *group, size_t item, double *max_error, char *why, size_t size) {
    (void)group;
    *max_error = 0.5;
    snprintf(why, size, "%s", item % DAYS == WRONG ? "no day" : "");
    return item % DAYS != WRONG;
}
static bool calibrate(void *group, size_t item, size_t *calls, double *ns, char *note, size_t size) {
    (void)group, (void)note, (void)size;
    *calls = 7;
    *ns = 100 * (double)(item + 1);
    return true;
}
static bool warm_up(void *group, size_t item, size_t calls) {
    (void)group, (void)item;
    return calls == 7;
}
enum { HUMOUR_BEFORE = SAMPLE_OWN - 1, HUMOUR };
static bool take(void *group, size_t item, size_t calls, sample *s) {
    (void)group, (void)calls;
    *s = (sample){.value = {[SAMPLE_TIME] = 100 * (double)(item + 1), [HUMOUR] = item == 0 ? (double)NAN : 0.25}};
    return true;
}
static const group_work work = {.bytes = bytes,
                                .team = team,
                                .open = open_week,
                                .verify = verify,
                                .calibrate = calibrate,
                                .warm_up = warm_up,
                                .sample = take,
                                .close = free};

static int write_table(const observations *all, const run *r, const char *path, size_t *missing) {
    FILE *const file = fopen(path, "w");
    (void)r;
    *missing = 0;
    if (file == NULL)
        return 1;
    for (size_t i = 0; i < all->count; i++) {
        const observation *const o = &all->items[i];
        fprintf(file, "%zu %zu %zu %zu %zu %g %g\n", o->item, o->launch, o->index, o->order, o->calls,
                o->sample.value[SAMPLE_TIME], o->sample.value[HUMOUR]);
    }
    return fclose(file);
}
static void print(const observations *all, FILE *out, const run *r) {
    (void)r;
    fprintf(out, "%zu samples\n", all->count);
}

static const cli_option options[REQUEST_OPTIONS] = {REQUEST_ROWS("days.csv", "2", "none.")};
static const cli_command command = {
    .name = "days", .about = "Times days.", .options = options, .option_count = REQUEST_OPTIONS};
static const sample_quantity humour[] = {
    {"humour", SAMPLE_AMOUNT, "%", SAMPLE_OPTIONAL, 3, 0, 1, "How it is taken; mondays are not asked."}};
static const size_t launches[PRESETS + 1] = {2, 2, 2, 2, 2};
static const double budgets[PRESETS + 1] = {0};
static const subject weeks = {.command = &command,
                              .table = "days.csv",
                              .samples = "samples.csv",
                              .quantities = humour,
                              .quantity_count = 1,
                              .schedule = &days,
                              .launches = launches,
                              .budgets = budgets,
                              .nothing = "",
                              .choose = "shorter days",
                              .make = make,
                              .spend = spend,
                              .work = &work,
                              .write = write_table,
                              .print = print};

// ---- What the engine does with it

static int run_days(char *option, char *value) {
    char name[] = "days", *const argv[] = {name, option, value, NULL};
    return campaign_main(&weeks, 3, (char **)(uintptr_t)argv);
}

typedef struct {
    size_t item, launch, index, order, calls;
    double ns, humour;
} row;
enum { ROWS = 2 * (2 * DAYS - 2) * 3 * 2 }; // launches, days that are right, rounds, samples of a round

static size_t read_rows(const char *folder, row rows[ROWS]) {
    char path[200], humour_text[16];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/days.csv", folder);
    FILE *const file = fopen(path, "r");
    assert_non_null(file);
    row *r = rows;
    while (count < ROWS && fscanf(file, "%zu %zu %zu %zu %zu %lf %15s", &r->item, &r->launch, &r->index, &r->order,
                                  &r->calls, &r->ns, humour_text) == 7) {
        r->humour = strtod(humour_text, NULL);
        r = &rows[++count];
        if (count == ROWS)
            break;
    }
    assert_int_equal(fclose(file), 0);
    return count;
}

static void remove_folder(const char *folder) {
    char line[300];
    snprintf(line, sizeof line, "rm -rf '%s'", folder);
    assert_int_equal(system(line), 0);
}

static void a_subject_in_one_file_is_measured(void **state) {
    (void)state;
    char folder[] = "/tmp/test_engine.XXXXXX", out[] = "--out";
    static row rows[ROWS + 1];
    assert_non_null(mkdtemp(folder));
    // Two days of eight are wrong, and the others are timed all the same.
    assert_int_equal(run_days(out, folder), EXIT_FAILED);
    assert_int_equal(read_rows(folder, rows), ROWS);
    size_t order[2][3][2 * DAYS] = {{{0}}}, seen[2] = {0};
    for (size_t i = 0; i < ROWS; i++) {
        const row *const r = &rows[i];
        assert_true(r->item < 2 * DAYS && r->item % DAYS != WRONG && r->launch < 2 && r->index < 6);
        assert_int_equal(r->calls, 7);
        assert_true(r->ns == 100 * (double)(r->item + 1));
        assert_true(r->item == 0 ? isnan(r->humour) : r->humour == 0.25);
        assert_int_equal(r->order, seen[r->launch]++);
        order[r->launch][r->index / 2][r->item] += r->order;
    }
    // A round in some order and then in its mirror image: the places of every day of a week add up alike.
    for (size_t launch = 0; launch < 2; launch++)
        for (size_t round = 0; round < 3; round++)
            for (size_t item = 0; item < 2 * DAYS; item++)
                if (item % DAYS != WRONG)
                    assert_int_equal(order[launch][round][item], order[launch][round][item / DAYS * DAYS]);
    remove_folder(folder);
}

static void what_no_worker_tells_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *line;
        wire_word word;
    } cases[] = {{"sample 1 4 9 7 100 0 0.25", WIRE_SAMPLE},
                 {"sample 1 4 9 7 100 0 -", WIRE_SAMPLE},      // a quantity that need not be there
                 {"sample 1 4 9 7 - 0 0.25", WIRE_BROKEN},     // one that must
                 {"sample 1 4 9 7 100 2 0.25", WIRE_BROKEN},   // no flag
                 {"sample 1 4 9 7 100 0 1.5", WIRE_BROKEN},    // beyond belief
                 {"sample 1 4 9 7 100 0", WIRE_BROKEN},        // too few
                 {"sample 1 4 9 7 100 0 0.25 1", WIRE_BROKEN}, // too many
                 {"sample 8 4 9 7 100 0 0.25", WIRE_BROKEN},   // no item
                 {"sample 1 -4 9 7 100 0 0.25", WIRE_BROKEN},  // no number
                 {"sample 1 4 9 7 1e2x 0 0.25", WIRE_BROKEN},  // nor that
                 {"sample", WIRE_BROKEN},
                 {"verified 7 1 0.5 ", WIRE_VERIFIED},
                 {"verified 7 0 inf y[0, 1]: got 2", WIRE_VERIFIED},
                 {"verified 8 1 0.5 ", WIRE_BROKEN},
                 {"verified 7 1", WIRE_BROKEN},
                 {"group 1 0 0 0 1", WIRE_GROUP},
                 {"group 2 0 0 0 1", WIRE_BROKEN},
                 {"skipped 0 0 0 no room", WIRE_SKIPPED},
                 {"onednn_verbose,info,cpu", WIRE_OTHER}, // a library's
                 {"samples 1", WIRE_OTHER},
                 {"", WIRE_OTHER}};
    assert_true(make(PRESETS, NULL, NULL));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[100];
        snprintf(line, sizeof line, "%s", cases[i].line);
        const wire_message m = wire_read(&weeks, line);
        if (m.word != cases[i].word)
            fail_msg("\"%s\": %d, expected %d", cases[i].line, (int)m.word, (int)cases[i].word);
        if (i == 0)
            assert_true(m.sample.item == 1 && m.sample.index == 4 && m.sample.order == 9 && m.sample.calls == 7 &&
                        m.sample.sample.value[SAMPLE_TIME] == 100 && m.sample.sample.value[HUMOUR] == 0.25);
    }
    schedule_free(&days);
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "days") == 0)
        return campaign_main(&weeks, argc - 1, argv + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_subject_in_one_file_is_measured),
        cmocka_unit_test(what_no_worker_tells_is_refused),
    };
    (void)alarm(60);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
