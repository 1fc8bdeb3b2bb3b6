// SPDX-License-Identifier: MIT
// layers_files.c: plan.csv and plan_steps.csv of a run of layers: what --resume goes by.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layers_plan.h"
#include "parse.h"

int layers_plan_write(const layers_plan *p, const char *path) {
    static const char *const after[] = {"group",     "calls",     "rounds", "launches", "pilot_ns",
                                        "prepare_s", "max_error", "wrong",  "reason",   "matmul"};
    csv_writer w;
    const int error = csv_open(&w, path, false);
    if (error != 0)
        return error;
    layers_arm_header(&w);
    for (size_t i = 0; i < sizeof after / sizeof *after; i++)
        csv_text(&w, after[i]);
    csv_end(&w);
    for (size_t i = 0; i < p->count; i++) {
        const layers_arm *const a = &p->arms[i];
        layers_arm_write(&w, a);
        csv_size(&w, a->group);
        csv_size(&w, a->calls);
        csv_size(&w, a->rounds);
        csv_size(&w, a->launches);
        csv_real(&w, a->ns, 9);
        csv_real(&w, a->prepare_s, 9);
        csv_real(&w, a->max_error, 9);
        csv_int(&w, a->wrong);
        csv_text(&w, a->reason);
        csv_text(&w, a->matmul);
        csv_end(&w);
    }
    return csv_close(&w);
}

int layers_steps_write(const layers_plan *p, const char *path) {
    csv_writer w;
    const int error = csv_open(&w, path, false);
    if (error != 0)
        return error;
    static const char *const names[] = {"arm", "index", "step", "kind", "step_pass", "flops"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        csv_text(&w, names[i]);
    csv_end(&w);
    for (size_t i = 0; i < p->step_count; i++) {
        const layers_step *const s = &p->steps[i];
        csv_size(&w, s->arm);
        csv_size(&w, s->index);
        csv_text(&w, s->step.name);
        csv_text(&w, step_kind_name(s->step.kind));
        csv_text(&w, norm_pass_name(s->step.pass));
        csv_real(&w, s->step.flops, 17);
        csv_end(&w);
    }
    return csv_close(&w);
}

static bool read_step(char *const *row, layers_step *s) {
    *s = (layers_step){0};
    size_t pass;
    if (!parse_size(row[0], &s->arm) || !parse_size(row[1], &s->index) || !selector_index(SELECT_PASS, row[4], &pass) ||
        !parse_real(row[5], &s->step.flops))
        return false;
    snprintf(s->step.name, sizeof s->step.name, "%s", row[2]);
    s->step.pass = (norm_pass)pass;
    for (s->step.kind = 0; s->step.kind < STEP_KINDS; s->step.kind++)
        if (strcmp(row[3], step_kind_name(s->step.kind)) == 0)
            return true;
    return false;
}

static int read_steps(layers_plan *p, const char *path, char *message, size_t size) {
    csv_table t;
    int error = csv_read(&t, path, message, size);
    if (error != 0)
        return error;
    for (size_t i = 0; error == 0 && i < t.row_count; i++) {
        layers_step step;
        if (t.column_count != 6 || !read_step(t.rows[i], &step) || step.arm >= p->count) {
            snprintf(message, size, "%s: line %zu is not a step of this plan", path, i + 2);
            error = -1;
        } else if (!layers_plan_add_step(p, &step)) {
            error = ENOMEM;
        }
    }
    csv_free(&t);
    return error;
}

int layers_plan_read(layers_plan *p, const char *plan_path, const char *steps_path, char *message, size_t size) {
    csv_table t;
    *p = (layers_plan){0};
    int error = csv_read(&t, plan_path, message, size);
    if (error != 0)
        return error;
    const int group = csv_column(&t, "group"), calls = csv_column(&t, "calls"), rounds = csv_column(&t, "rounds"),
              launches = csv_column(&t, "launches"), ns = csv_column(&t, "pilot_ns"),
              prepare = csv_column(&t, "prepare_s"), max_error = csv_column(&t, "max_error"),
              wrong = csv_column(&t, "wrong"), reason = csv_column(&t, "reason"), matmul = csv_column(&t, "matmul");
    p->arms = calloc(t.row_count + 1, sizeof *p->arms);
    if (p->arms == NULL)
        error = ENOMEM;
    else if (group < 0 || calls < 0 || rounds < 0 || launches < 0 || ns < 0 || prepare < 0 || max_error < 0 ||
             wrong < 0 || reason < 0 || matmul < 0)
        error = -1;
    for (size_t i = 0; error == 0 && i < t.row_count; i++) {
        layers_arm *const a = &p->arms[i];
        char *const *const row = t.rows[i];
        if (!layers_arm_read(&t, i, a) || !parse_size(row[group], &a->group) || !parse_size(row[calls], &a->calls) ||
            !parse_size(row[rounds], &a->rounds) || !parse_size(row[launches], &a->launches) ||
            !parse_real(row[ns], &a->ns) || !parse_real(row[prepare], &a->prepare_s))
            error = -1;
        if (!parse_real(row[max_error], &a->max_error))
            a->max_error = NAN;
        a->wrong = strcmp(row[wrong], "0") != 0;
        snprintf(a->reason, sizeof a->reason, "%s", row[reason]);
        snprintf(a->matmul, sizeof a->matmul, "%s", row[matmul]);
        p->count = i + 1;
        p->groups = a->group + 1;
    }
    if (error == -1)
        snprintf(message, size, "line %zu is not a layer of this program: was the plan made by another version?",
                 p->count + 1);
    csv_free(&t);
    if (error == 0 && steps_path != NULL)
        error = read_steps(p, steps_path, message, size);
    if (error != 0)
        layers_plan_free(p);
    return error;
}
