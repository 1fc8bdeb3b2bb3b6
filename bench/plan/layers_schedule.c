// SPDX-License-Identifier: MIT
// layers_schedule.c: a plan of layers as the engine sees it.
#include <stdio.h>
#include <stdlib.h>

#include "layers_plan.h"
#include "request.h"

// ---- How long it takes

double layers_plan_sample_seconds(const schedule *s, size_t arm) {
    const planned *const item = &s->items[arm];
    return 1e-9 * item->ns * (double)(item->calls > 1 ? item->calls + 1 : 1);
}

// Binding threads and measuring the peak of their FMA units.
#define BEGIN_SECONDS 0.015

// Each arm is warmed up with one sample: half a round.
double layers_plan_prepare_seconds(const schedule *s, size_t begin, size_t end, double round_s) {
    (void)end;
    return s->items[begin].prepare_s + BEGIN_SECONDS + round_s / 2;
}

void layers_plan_spend(layers_plan *p, double seconds, size_t most_rounds, size_t *launches) {
    const size_t most = *launches, least = most < REQUEST_MIN_LAUNCHES ? most : REQUEST_MIN_LAUNCHES;
    schedule *const s = &p->schedule;
    budget_group *const groups = schedule_costs(s);
    if (groups != NULL)
        budget_allot(groups, s->groups, least, most, most_rounds, seconds);
    *launches = least;
    for (size_t i = 0; i < s->count; i++) {
        planned *const item = &s->items[i];
        item->rounds = groups == NULL ? 1 : groups[item->group].rounds;
        item->launches = groups == NULL ? least : groups[item->group].launches;
        *launches = item->launches > *launches ? item->launches : *launches;
    }
    free(groups);
}

// Without a budget a launch may take this long, or what one round of everything takes.
#define LAUNCH_SECONDS 12

// A preset's small layers must not take the time of its large ones; of what was selected all time is for the asking,
// and the effect of a norm on a whole layer, a percent of it, takes hundreds of rounds.
void layers_plan_spend_run(schedule *s, bool of_preset, double budget_s, size_t *launches) {
    layers_plan_spend((layers_plan *)s, budget_s > 0 ? budget_s : LAUNCH_SECONDS * (double)*launches,
                      of_preset ? 8 : 64, launches);
}

// ---- As a schedule

static const column_part names[] = {{layers_arm_columns, LAYERS_ARM_COLUMNS, NULL}};
static bool read_name(const csv_table *t, size_t row, void *arm) { return layers_arm_read(t, row, arm); }

static bool same_group(const void *a, const void *b) {
    return layers_key_equal(&((const layers_arm *)a)->key, &((const layers_arm *)b)->key);
}

static void describe(const void *arm, char *text, size_t size) {
    const norm_slot *const slot = &((const layers_arm *)arm)->slot;
    snprintf(text, size, "%s/%s %s %s%s", norm_op_name(slot->op), slot->variant, norm_form_name(slot->form),
             slot->level, slot->repeats == 1 ? "" : ", repeated");
}

static void describe_group(const void *arm, char *text, size_t size) {
    layers_key_describe(&((const layers_arm *)arm)->key, text, size);
}

size_t layers_plan_list_length(const schedule *s, size_t arm) {
    size_t begin, end;
    layers_plan_steps((const layers_plan *)s, arm, &begin, &end);
    return end - begin;
}

void layers_plan_free_steps(schedule *s) {
    layers_plan *const p = (layers_plan *)s;
    free(p->steps);
    *p = (layers_plan){.schedule = *s};
}

const schedule_kind layers_plan_kind = {.item = "layer",
                                        .items = "arms",
                                        .deals = true,
                                        .note = "matmul",
                                        .size = sizeof(layers_arm),
                                        .names = names,
                                        .name_count = COLUMN_COUNT(names),
                                        .read = read_name,
                                        .compare = layers_arm_compare,
                                        .same_group = same_group,
                                        .describe = describe,
                                        .describe_group = describe_group,
                                        .sample_seconds = layers_plan_sample_seconds,
                                        .prepare_seconds = layers_plan_prepare_seconds,
                                        .more = LAYERS_PLAN_STEPS,
                                        .take_more = layers_plan_take_step,
                                        .write_more = layers_plan_write_steps,
                                        .read_more = layers_plan_read_steps,
                                        .list_length = layers_plan_list_length,
                                        .free_more = layers_plan_free_steps};
