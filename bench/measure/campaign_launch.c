// SPDX-License-Identifier: MIT
// campaign_launch.c: one launch as its parent sees it: its orders, and what becomes of what it tells.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/patience.h"
#include "campaign.h"
#include "plan/plugins.h"
#include "samples.h"
#include "wire.h"

// A launch that is being heard.
typedef struct {
    campaign *campaign;
    bool pilot;
    size_t launch;
    size_t group;     // the last one begun; all groups' number: none
    rounds_had *done; // of a pilot: next is 1 of a group that was begun or left out
    bool broken;      // it told what no worker tells
    size_t trying;    // an item of others that is being tried; all items' number: none
    char what[16];    // it is to be: "verified"
    patience waited;  // for that
} hearing;

// ---- What is told

static void say_group(campaign *c, size_t group, const char *phase) {
    const schedule *const s = c->subject->schedule;
    size_t begin, end;
    char text[160], line[200];
    if (c->live != NULL && c->costs != NULL) {
        campaign_say(c, live_text(c->live, group, text));
        return;
    }
    schedule_group(s, group, &begin, &end);
    s->kind->describe_group(schedule_name(s, begin), text, sizeof text);
    snprintf(line, sizeof line, "%s %s", phase, text);
    campaign_say(c, line);
}

// The group before is done with, and the next is only made ready.
static void settle(const hearing *h) {
    campaign *const c = h->campaign;
    if (c->live != NULL && !h->pilot && h->group < c->subject->schedule->groups)
        live_settle(c->live, h->group, &c->progress);
}

static void begin_group(hearing *h, size_t group, const char *bound) {
    campaign *const c = h->campaign;
    settle(h);
    h->group = group;
    if (h->pilot) {
        h->done[group].next = 1;
    } else {
        snprintf(c->bound, sizeof c->bound, "%s", bound);
        campaign_group(c, c->costs[group].prepare_s);
    }
    say_group(c, group, h->pilot ? "verify" : "time");
}

static void note_prepared(schedule *s, size_t group, double seconds) {
    size_t begin, end;
    schedule_group(s, group, &begin, &end);
    for (size_t i = begin; i < end; i++)
        s->items[i].prepare_s = seconds;
}

static void note_verified(campaign *c, const wire_message *m) {
    schedule *const s = c->subject->schedule;
    planned *const item = &s->items[m->at];
    item->max_error = m->number;
    item->wrong = m->count == 0;
    snprintf(item->reason, sizeof item->reason, "%s", m->text);
    if (item->wrong) {
        char text[160];
        s->kind->describe(schedule_name(s, m->at), text, sizeof text);
        progress_line(&c->progress, "WRONG, not timed: %s: %s", text, m->text);
    }
    campaign_advance(c, 1);
}

static void note_calibrated(planned *item, const wire_message *m) {
    item->calls = m->count;
    item->ns = m->number;
    snprintf(item->note, sizeof item->note, "%s", m->text);
}

// Of what a pilot skips nothing is timed, however far it came.
static void skip_group(hearing *h, size_t group, const char *reason) {
    campaign *const c = h->campaign;
    schedule *const s = c->subject->schedule;
    size_t begin, end;
    char text[160];
    schedule_group(s, group, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        if (h->pilot)
            s->items[i].calls = 0;
        snprintf(s->items[i].reason, sizeof s->items[i].reason, "%s", reason);
    }
    if (h->pilot) {
        h->done[group].next = 1;
        h->group = s->groups;
    } else {
        campaign_skip(c, budget_had_seconds(&c->costs[group], c->costs[group].rounds));
    }
    s->kind->describe_group(schedule_name(s, begin), text, sizeof text);
    progress_line(&c->progress, "skipped %s: %s", text, reason);
}

static bool keep_sample(hearing *h, observation *o) {
    campaign *const c = h->campaign;
    const schedule *const s = c->subject->schedule;
    o->launch = h->launch;
    if (!samples_add(&c->run, o, c->bound)) {
        free(o->sample.list);
        return false;
    }
    if (c->live != NULL && !live_add(c->live, o)) {
        free(o->sample.list);
        return false;
    }
    campaign_advance(c, s->kind->sample_seconds(s, o->item));
    return observations_add(&c->all, o);
}

static void begin_trying(hearing *h, const wire_message *m) {
    h->trying = m->at;
    h->waited = patience_of(plugins_patience());
    snprintf(h->what, sizeof h->what, "%s", m->text);
}

static void end_trying(hearing *h) { h->trying = h->campaign->subject->schedule->count; }

// One line. false: stop.
static bool hear(void *context, char *line) {
    hearing *const h = context;
    schedule *const s = h->campaign->subject->schedule;
    wire_message m = wire_read(h->campaign->subject, line);
    switch (m.word) {
    case WIRE_GROUP:
        begin_group(h, m.at, m.text);
        return true;
    case WIRE_PREPARED:
        note_prepared(s, m.at, m.number);
        return true;
    case WIRE_VERIFIED:
        note_verified(h->campaign, &m);
        return true;
    case WIRE_MORE:
        h->broken = s->kind->take_more == NULL || !s->kind->take_more(s, m.at, m.text);
        return !h->broken;
    case WIRE_CALIBRATED:
        note_calibrated(&s->items[m.at], &m);
        return true;
    case WIRE_SKIPPED:
        skip_group(h, m.at, m.text);
        return true;
    case WIRE_TRYING:
        begin_trying(h, &m);
        return true;
    case WIRE_TRIED:
        end_trying(h);
        return true;
    case WIRE_MOVED:
        h->campaign->run.moved_groups += !h->pilot;
        return true;
    case WIRE_SAMPLE:
        end_trying(h);
        return keep_sample(h, &m.sample);
    case WIRE_OTHER:
        return true;
    case WIRE_BROKEN:
        h->broken = true;
        break;
    }
    return false;
}

// ---- What an item of others does to its launch

static bool hangs(void *context) {
    hearing *const h = context;
    return h->trying < h->campaign->subject->schedule->count && patience_lost(&h->waited);
}

// Whether a launch ended while an item of others was tried: it is taken for wrong, as the plan now says, and what else
// the launch had to do can be done by another.
static bool is_blamed(hearing *h, launch_end end, const char *how) {
    campaign *const c = h->campaign;
    schedule *const s = c->subject->schedule;
    char text[160], error[RUN_ERROR_SIZE];
    if (h->trying == s->count || end == LAUNCH_INTERRUPTED || end == LAUNCH_STOPPED || *c->stop)
        return false;
    planned *const item = &s->items[h->trying];
    item->wrong = true;
    observations_drop(&c->all, h->trying);
    if (c->live != NULL)
        live_drop(c->live, h->trying);
    snprintf(item->reason, sizeof item->reason, "while it was %s, %s", h->what,
             end == LAUNCH_DONE ? "it ended its process" : how);
    s->kind->describe(schedule_name(s, h->trying), text, sizeof text);
    progress_line(&c->progress, "WRONG, not timed: %s: %s", text, item->reason);
    if (h->pilot)
        campaign_advance(c, 1);
    end_trying(h);
    return samples_write_plan(&c->run, error);
}

// ---- Orders

// The plug-ins, and "had GROUP COMPLETE NEXT" for each group that has rounds already, to be freed. NULL: no memory.
static char *orders_of(const rounds_had *had, size_t groups) {
    char *text = NULL;
    size_t length = 0;
    FILE *const out = open_memstream(&text, &length);
    if (out == NULL)
        return NULL;
    child_tell_plugins(out);
    for (size_t group = 0; group < groups; group++)
        if (had[group].next > 0)
            fprintf(out, "had %zu %zu %zu\n", group, had[group].complete, had[group].next);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static launch_end launch_once(hearing *h, const rounds_had *had, char *how, size_t size) {
    const campaign *const c = h->campaign;
    char plan_path[PATH_MAX], seed[32], number[32];
    end_trying(h);
    char *const orders = orders_of(had, c->subject->schedule->groups);
    if (orders == NULL) {
        snprintf(how, size, "no memory to start a launch");
        return LAUNCH_DIED;
    }
    if (c->subject->prepare != NULL && !c->subject->prepare(&c->run, h->launch, how, size)) {
        free(orders);
        return LAUNCH_DIED;
    }
    run_path(&c->run, RUN_PLAN, plan_path);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)c->run.experiment.seed);
    snprintf(number, sizeof number, "%zu", h->launch);
    const launch_job job = {
        {c->subject->command->name, "--worker", h->pilot ? CHILD_PILOT : CHILD_MEASURE, plan_path, seed, number},
        orders,
        h,
        hear,
        hangs};
    launch_end end = launch_run(&job, c->stop, how, size);
    if (h->broken) {
        snprintf(how, size, "a launch told what none tells: is build/normbench one whole build?");
        end = LAUNCH_DIED;
    }
    free(orders);
    return end;
}

launch_end campaign_pilot(campaign *c, char *how, size_t size) {
    const size_t groups = c->subject->schedule->groups;
    hearing h = {.campaign = c, .pilot = true, .done = calloc(groups + 1, sizeof *h.done)};
    launch_end end = LAUNCH_DIED;
    snprintf(how, size, "no memory to start a launch");
    while (h.done != NULL) {
        h.group = groups;
        end = launch_once(&h, h.done, how, size);
        if (is_blamed(&h, end, how)) {
            h.done[h.group].next = 0; // once more, for the items behind it
            continue;
        }
        if (end != LAUNCH_STARVED || h.group == groups)
            break;
        skip_group(&h, h.group, how);
    }
    free(h.done);
    return end;
}

// ---- What a launch has already

// A round is complete when every item that is timed has both of its samples; room: one number for each item.
static void count_rounds(const campaign *c, size_t launch, rounds_had *had, size_t *room) {
    const schedule *const s = c->subject->schedule;
    memset(had, 0, s->groups * sizeof *had);
    memset(room, 0, s->count * sizeof *room);
    for (size_t i = 0; i < c->all.count; i++) {
        const observation *const o = &c->all.items[i];
        rounds_had *const h = &had[s->items[o->item].group];
        if (o->launch != launch)
            continue;
        room[o->item]++;
        h->next = o->index / 2 + 1 > h->next ? o->index / 2 + 1 : h->next;
    }
    for (size_t i = 0; i < s->groups; i++)
        had[i].complete = had[i].next;
    for (size_t i = 0; i < s->count; i++) {
        rounds_had *const h = &had[s->items[i].group];
        if (schedule_times_in(&s->items[i], launch) && room[i] / 2 < h->complete)
            h->complete = room[i] / 2;
    }
}

launch_end campaign_launch(campaign *c, size_t launch, char *how, size_t size) {
    const schedule *const s = c->subject->schedule;
    rounds_had *const had = calloc(s->groups + 1, sizeof *had);
    size_t *const room = calloc(s->count + 1, sizeof *room);
    hearing h = {.campaign = c, .launch = launch, .group = s->groups};
    launch_end end = LAUNCH_DIED;
    snprintf(how, size, "out of memory");
    bool again = had != NULL && room != NULL;
    for (size_t turn = 0; again; turn++) {
        count_rounds(c, launch, had, room);
        for (size_t group = 0; turn == 0 && group < s->groups; group++)
            if (launch < c->costs[group].launches)
                campaign_skip(c, budget_had_seconds(&c->costs[group], had[group].complete));
        end = launch_once(&h, had, how, size);
        settle(&h);
        again = is_blamed(&h, end, how);
    }
    free(had);
    free(room);
    return end;
}
