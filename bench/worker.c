// SPDX-License-Identifier: MIT
// worker.c: the child's side of a launch; see worker.h.
#include "worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffers.h"
#include "commands.h"
#include "memory.h"
#include "parse.h"
#include "sampler.h"
#include "stats.h"
#include "verify.h"

static volatile sig_atomic_t interrupted;
static void on_signal(int number) {
    (void)number;
    interrupted = 1;
}

typedef struct {
    worker_job job;
    plan plan;
    topology *topology;
    rounds_had *had;
    size_t order;
} worker;

// Rows of y and dx that are held against the reference before timing; parameter gradients always cover all rows.
// `normbench verify` and the tests compare everything; here it is the shape, threads and buffers that are new.
enum { VERIFIED_ROWS = 64 };

// Fills what the cell will write with NaN: nothing that another cell left may pass for its result.
static void poison(const cell *c, const norm_args *args) {
    const size_t bytes = c->rows * c->cols * norm_dtype_bytes(c->impl->dtype);
    memset(c->pass == NORM_FORWARD ? args->y : args->dx, 0xff, bytes);
    if (c->impl->form == NORM_ADD_FUSED)
        memset(args->sum, 0xff, bytes);
    memset(args->dgamma, 0xff, c->cols * sizeof(float));
    memset(args->dbeta, 0xff, c->cols * sizeof(float));
    memset(args->dalpha, 0xff, sizeof(float));
}

static void pilot_cell(const planned *item, size_t index, const buffers *b) {
    const cell *const c = &item->cell;
    const norm_args *const args = buffers_sets(b, c->impl, c->pass);
    verify_result result = {.ok = true};
    char why[200] = "";
    poison(c, args);
    norm_error error = NORM_OK;
    if (c->pass == NORM_BACKWARD)
        error = norm_run(c->impl, NORM_FORWARD, b->sets, (int)c->threads);
    if (error == NORM_OK)
        error = norm_run(c->impl, c->pass, args, (int)c->threads);
    bool ok = error == NORM_OK && verify_outputs(c->impl, c->pass, args, VERIFIED_ROWS, (int)c->threads, &result);
    if (error != NORM_OK)
        snprintf(why, sizeof why, "%s", norm_error_text(error));
    else if (!ok)
        snprintf(why, sizeof why, "no memory to verify it");
    else if (!result.ok)
        verify_explain(&result, why, sizeof why);
    ok = ok && result.ok;
    printf("verified %zu %.9g %d %s\n", index, verify_largest(&result), ok, why);
    double ns;
    const size_t calls = ok ? sampler_calibrate(c, b, &ns) : 0;
    if (calls > 0)
        printf("calibrated %zu %zu %.9g\n", index, calls, ns);
}

// ABBA: the cells of a family (same form and level, whose ratios are reported) in a random order and then in its mirror
// image, so that a drift of the machine, as long as it is linear meanwhile, weighs on every pair of them alike; the
// families in a random order. Rejected: one ABBA over the whole group, which keeps the two samples of a pair seconds
// apart where a group has slow members.
static bool visit_family(worker *w, stats_rng *rng, size_t round, size_t begin, size_t end, const buffers *b) {
    const size_t count = end - begin;
    size_t *const order = malloc(count * sizeof *order);
    if (order == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        order[i] = begin + i;
    stats_shuffle(rng, order, count);
    bool ok = true;
    for (size_t i = 0; ok && !interrupted && i < 2 * count; i++) {
        const size_t index = order[i < count ? i : 2 * count - 1 - i];
        const planned *const item = &w->plan.items[index];
        sample s;
        if (item->wrong)
            continue;
        ok = sampler_sample(&item->cell, b, item->calls, &s);
        if (ok)
            printf("sample %zu %zu %zu %zu %.9g %d\n", index, 2 * round + (i >= count), w->order++, item->calls, s.ns,
                   s.preempted);
    }
    free(order);
    return ok;
}

static bool round_of(worker *w, size_t group, size_t round, size_t begin, size_t end, const buffers *b) {
    size_t families[NORM_FORMS * NORM_LEVELS], count = 0;
    stats_rng rng;
    stats_rng_seed(&rng, w->job.seed, ((uint64_t)w->job.launch << 40) + ((uint64_t)group << 16) + round + 1);
    for (size_t i = begin; i < end; i = plan_family_end(&w->plan, i))
        families[count++] = i;
    stats_shuffle(&rng, families, count);
    bool ok = true;
    for (size_t i = 0; ok && !interrupted && i < count; i++)
        ok = visit_family(w, &rng, round, families[i], plan_family_end(&w->plan, families[i]), b);
    return ok;
}

static bool measure_group(worker *w, size_t group, size_t begin, size_t end, const buffers *b) {
    const rounds_had had = w->had[group];
    double ns;
    for (size_t i = begin; i < end && !interrupted; i++)
        if (!w->plan.items[i].wrong && !sampler_warm_up(&w->plan.items[i].cell, b, w->plan.items[i].calls, &ns))
            return false;
    for (size_t i = had.complete; i < w->plan.items[begin].rounds && !interrupted; i++)
        if (!round_of(w, group, had.next + i - had.complete, begin, end, b))
            return false;
    return true;
}

// Binds the group's team and tells where it sits. false with a reason.
static bool bind_team(const worker *w, const cell *c, size_t group, char *why, size_t size) {
    topology_seat *const seats = malloc(c->threads * sizeof *seats);
    int *const bound = malloc(c->threads * sizeof *bound);
    bool ok = seats != NULL && bound != NULL;
    if (ok && !topology_plan(w->topology, c->place, c->threads, seats)) {
        snprintf(why, size, "only %zu PUs may be used", topology_pus(w->topology));
        ok = false;
    } else if (ok && !topology_bind_team(w->topology, c->threads, seats, bound)) {
        snprintf(why, size, "could not bind %zu threads with placement %s; try --placement none", c->threads,
                 placement_name(c->place));
        ok = false;
    }
    if (ok) {
        printf("group %zu", group);
        for (size_t i = 0; i < c->threads && c->place != PLACEMENT_NONE; i++)
            printf(" %d", bound[i]);
        putchar('\n');
    }
    free(seats);
    free(bound);
    return ok;
}

static bool visit(worker *w, size_t group) {
    size_t begin, end;
    plan_group(&w->plan, group, &begin, &end);
    const cell *const c = &w->plan.items[begin].cell;
    const size_t cold = 2 * topology_llc_total_bytes(w->topology), count = end - begin;
    char why[200] = "";
    if (w->job.mode == WORKER_MEASURE &&
        (w->plan.items[begin].calls == 0 || w->had[group].complete >= w->plan.items[begin].rounds))
        return true;
    cell *const cells = malloc(count * sizeof *cells);
    if (cells == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        cells[i] = w->plan.items[begin + i].cell;
    const size_t bytes = buffers_bytes(cells, count, cold);
    buffers b = {0};
    bool ok = true;
    if (memory_fits(bytes, why, sizeof why) && bind_team(w, c, group, why, sizeof why)) {
        if (!buffers_make(&b, cells, count, cold, w->job.seed))
            snprintf(why, sizeof why, "out of memory");
        else if (w->job.mode == WORKER_MEASURE)
            ok = measure_group(w, group, begin, end, &b);
        else
            for (size_t i = begin; i < end && !interrupted; i++)
                pilot_cell(&w->plan.items[i], i, &b);
    }
    if (why[0] != '\0')
        printf("skipped %zu %s\n", group, why);
    buffers_free(&b);
    free(cells);
    return ok;
}

// Lines "had GROUP COMPLETE NEXT" on standard input, up to its end. The order goes on beyond every place that the
// rounds so far may have taken.
static void read_had(worker *w) {
    size_t group;
    rounds_had had;
    while (scanf(" had %zu %zu %zu", &group, &had.complete, &had.next) == 3)
        if (group < w->plan.groups) {
            size_t begin, end;
            plan_group(&w->plan, group, &begin, &end);
            w->had[group] = had;
            w->order += 2 * had.next * (end - begin);
        }
}

int worker_main(int argc, char **argv) {
    worker w = {0};
    char message[256];
    size_t *order = NULL;
    int status = EXIT_FAILED;
    if (argc != 5 || !parse_u64(argv[3], &w.job.seed) || !parse_size(argv[4], &w.job.launch)) {
        fputs("normbench: --worker is for normbench itself\n", stderr);
        return EXIT_USAGE;
    }
    w.job.mode = strcmp(argv[1], "pilot") == 0 ? WORKER_PILOT : WORKER_MEASURE;
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    // Line by line, so that what was told survives whatever ends this process.
    (void)setvbuf(stdout, NULL, _IOLBF, 1 << 16);
    if (plan_read(&w.plan, argv[2], message, sizeof message) != 0 ||
        (w.topology = topology_open(NULL, message)) == NULL) {
        fprintf(stderr, "normbench: %s\n", message);
        goto cleanup;
    }
    w.had = calloc(w.plan.groups + 1, sizeof *w.had);
    order = malloc((w.plan.groups + 1) * sizeof *order);
    if (w.had == NULL || order == NULL)
        goto cleanup;
    read_had(&w);
    for (size_t i = 0; i < w.plan.groups; i++)
        order[i] = i;
    stats_rng rng;
    stats_rng_seed(&rng, w.job.seed, (uint64_t)w.job.launch << 40);
    stats_shuffle(&rng, order, w.plan.groups);
    bool ok = true;
    for (size_t i = 0; ok && i < w.plan.groups && !interrupted; i++)
        ok = visit(&w, order[i]);
    status = interrupted ? EXIT_INTERRUPTED : ok ? EXIT_DONE : EXIT_FAILED;
cleanup:
    free(order);
    free(w.had);
    topology_close(w.topology);
    plan_free(&w.plan);
    return status;
}
