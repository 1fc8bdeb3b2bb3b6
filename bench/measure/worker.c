// SPDX-License-Identifier: MIT
// worker.c: see child.h.

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit_code.h"
#include "base/stats.h"
#include "child.h"
#include "machine/memory.h"
#include "sampler.h"
#include "tuned.h"
#include "wire.h"

typedef struct {
    const subject *subject;
    child_orders orders;
    topology *topology;
    rounds_had *had;
    size_t order;
} worker;

// A group that is being measured.
typedef struct {
    size_t number, begin, end;
    void *opened; // by the subject
} visited;

// ---- Kernels of others

static void tell_trying(const subject *s, size_t item, const char *what) {
    if (s->work->is_foreign != NULL && s->work->is_foreign(s->schedule, item))
        wire_tell(WIRE_TRYING, item, 0, 0, what);
}
static void tell_tried(const subject *s, size_t item) {
    if (s->work->is_foreign != NULL && s->work->is_foreign(s->schedule, item))
        wire_tell(WIRE_TRIED, item, 0, 0, "");
}

// ---- Pilot

static bool pilot_item(const worker *w, const visited *g, size_t item) {
    const subject *const s = w->subject;
    const planned *const known = &s->schedule->items[item]; // an earlier pilot, which another item ended
    char why[200] = "", note[sizeof s->schedule->items->note] = "";
    double max_error, ns;
    size_t calls;
    if (known->wrong || known->calls > 0)
        return true;
    tell_trying(s, item, "verified");
    const bool right = s->work->verify(g->opened, item, &max_error, why, sizeof why);
    wire_tell(WIRE_VERIFIED, item, right, max_error, why);
    tell_tried(s, item);
    if (!right)
        return true;
    tell_trying(s, item, "calibrated");
    if (!s->work->calibrate(g->opened, item, &calls, &ns, note, sizeof note))
        return false;
    tell_tried(s, item);
    if (calls > 0)
        wire_tell(WIRE_CALIBRATED, item, calls, ns, note);
    return true;
}

// ---- Rounds

// ABBA: the items of a family (whose ratios are reported) in a random order and then in its mirror image, so that a
// drift of the machine, as long as it is linear meanwhile, weighs on every pair of them alike; the families in a random
// order. Rejected: one ABBA over the whole group, which keeps the two samples of a pair seconds apart where a group has
// slow members.
static bool visit_family(worker *w, const visited *g, stats_rng *rng, size_t round, size_t begin) {
    const subject *const s = w->subject;
    const size_t count = schedule_family_end(s->schedule, begin) - begin;
    size_t *const order = malloc(count * sizeof *order);
    if (order == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        order[i] = begin + i;
    stats_shuffle(rng, order, count);
    bool ok = true;
    for (size_t i = 0; ok && !child_interrupted() && i < 2 * count; i++) {
        observation o = {.item = order[i < count ? i : 2 * count - 1 - i], .index = 2 * round + (i >= count)};
        const planned *const item = &s->schedule->items[o.item];
        if (!schedule_times_in(item, w->orders.launch))
            continue;
        o.calls = item->calls;
        tell_trying(s, o.item, "timed");
        ok = s->work->sample(g->opened, o.item, o.calls, &o.sample);
        if (ok) {
            o.order = w->order++;
            wire_tell_sample(s, &o);
        }
    }
    free(order);
    return ok;
}

static bool visit_round(worker *w, const visited *g, size_t round) {
    const subject *const s = w->subject;
    size_t *const families = malloc((g->end - g->begin) * sizeof *families), count = 0;
    stats_rng rng;
    if (families == NULL)
        return false;
    if (s->work->begin_round != NULL)
        s->work->begin_round(g->opened);
    stats_rng_seed(&rng, w->orders.seed, ((uint64_t)w->orders.launch << 40) + ((uint64_t)g->number << 16) + round + 1);
    for (size_t i = g->begin; i < g->end; i = schedule_family_end(s->schedule, i))
        families[count++] = i;
    stats_shuffle(&rng, families, count);
    bool ok = true;
    for (size_t i = 0; ok && !child_interrupted() && i < count; i++)
        ok = visit_family(w, g, &rng, round, families[i]);
    free(families);
    return ok;
}

static bool measure_group(worker *w, const visited *g) {
    const subject *const s = w->subject;
    const planned *const items = s->schedule->items;
    const rounds_had had = w->had[g->number];
    if (s->work->begin != NULL)
        s->work->begin(g->opened);
    for (size_t i = g->begin; i < g->end && !child_interrupted(); i++) {
        if (!schedule_times_in(&items[i], w->orders.launch))
            continue;
        tell_trying(s, i, "timed");
        if (!s->work->warm_up(g->opened, i, items[i].calls))
            return false;
        tell_tried(s, i);
    }
    for (size_t i = had.complete; i < items[g->begin].rounds && !child_interrupted(); i++)
        if (!visit_round(w, g, had.next + i - had.complete))
            return false;
    return true;
}

static bool pilot_group(const worker *w, const visited *g) {
    bool ok = true;
    for (size_t i = g->begin; ok && i < g->end && !child_interrupted(); i++)
        ok = pilot_item(w, g, i);
    return ok;
}

// ---- Groups

// Whether there is anything left to do, and in this launch: whichever of its items were found wrong.
static bool is_wanted(const worker *w, const visited *g) {
    const planned *const items = w->subject->schedule->items;
    const rounds_had *const had = &w->had[g->number];
    bool any = false;
    if (w->orders.pilot)
        return had->next == 0;
    for (size_t i = g->begin; i < g->end; i++)
        any |= schedule_times_in(&items[i], w->orders.launch);
    return any && had->complete < items[g->begin].rounds;
}

static bool visit(void *context, size_t number) {
    worker *const w = context;
    const subject *const s = w->subject;
    visited g = {.number = number};
    schedule_group(s->schedule, number, &g.begin, &g.end);
    const group_of_items from = {s->schedule, g.begin, g.end, w->topology, w->orders.seed};
    char why[512] = "";
    size_t threads;
    placement place;
    bool ok = true;
    if (!is_wanted(w, &g))
        return true;
    s->work->team(s->schedule, g.begin, &threads, &place);
    if (memory_fits(s->work->bytes(&from), why, sizeof why) &&
        child_bind(w->topology, place, threads, number, why, sizeof why)) {
        const double start = sampler_now_ns();
        g.opened = s->work->open(&from, why, sizeof why);
        if (g.opened != NULL && w->orders.pilot)
            wire_tell(WIRE_PREPARED, number, 0, 1e-9 * (sampler_now_ns() - start), "");
        if (g.opened != NULL)
            ok = w->orders.pilot ? pilot_group(w, &g) : measure_group(w, &g);
        child_look_at_team(w->topology, place, threads, number);
    }
    if (why[0] != '\0')
        wire_tell(WIRE_SKIPPED, number, 0, 0, why);
    if (g.opened != NULL)
        s->work->close(g.opened);
    return ok;
}

int worker_main(const subject *s, int argc, char **argv) {
    worker w = {.subject = s};
    char message[1024], folder[PATH_MAX];
    int status = EXIT_FAILED;
    if (!child_begin(argc, argv, &w.orders))
        return EXIT_USAGE;
    wire_begin();
    if (!child_open_plugins())
        return EXIT_FAILED;
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(w.orders.plan_path, '/') - w.orders.plan_path),
             w.orders.plan_path);
    if ((s->tunes && !tuned_join(folder, message, sizeof message)) ||
        (s->join != NULL && !s->join(folder, &w.orders.launch, message, sizeof message)) ||
        schedule_read(s->schedule, w.orders.plan_path, message, sizeof message) != 0 ||
        (w.topology = topology_open(NULL, message)) == NULL) {
        fprintf(stderr, "normbench: %s\n", message);
        goto cleanup;
    }
    w.had = calloc(s->schedule->groups + 1, sizeof *w.had);
    if (w.had == NULL)
        goto cleanup;
    child_read_had(w.had, s->schedule->groups);
    // The order goes on beyond every place that the rounds so far may have taken.
    for (size_t i = 0; i < s->schedule->count; i++)
        w.order += 2 * w.had[s->schedule->items[i].group].next;
    status = child_visit(&w.orders, s->schedule->groups, visit, &w);
cleanup:
    free(w.had);
    topology_close(w.topology);
    schedule_free(s->schedule);
    return status;
}
