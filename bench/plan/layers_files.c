// SPDX-License-Identifier: MIT
// layers_files.c: plan.csv and plan_steps.csv of a run of layers: what --resume goes by.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fields.h"
#include "base/files.h"
#include "layers_plan.h"

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

// The steps of an arm stand together and in their order.
static void read_step(fields *f, const layers_plan *p, layers_step *s) {
    const layers_step *const last = p->step_count == 0 ? NULL : &p->steps[p->step_count - 1];
    size_t pass = 0, begin = 0, end = 0;
    *s = (layers_step){.arm = fields_size(f, "arm", 0, p->count - 1)};
    const bool goes_on = last != NULL && last->arm == s->arm;
    const size_t next = goes_on ? last->index + 1 : 0;
    s->index = fields_size(f, "index", next, next);
    if (!goes_on)
        layers_plan_steps(p, s->arm, &begin, &end);
    if (begin < end)
        fields_refuse(f, "arm", "another: this one's steps stand above");
    if (!selector_index(SELECT_PASS, fields_text(f, "step_pass"), &pass))
        fields_refuse(f, "step_pass", "a pass");
    s->step.flops = fields_real(f, "flops", 0, 1e24);
    s->step.pass = (norm_pass)pass;
    snprintf(s->step.name, sizeof s->step.name, "%s", fields_text(f, "step"));
    while (s->step.kind < STEP_KINDS && strcmp(fields_text(f, "kind"), step_kind_name(s->step.kind)) != 0)
        s->step.kind++;
    if (s->step.kind == STEP_KINDS)
        fields_refuse(f, "kind", "a kind of step");
}

static int not_whole(const csv_table *t, char *message, size_t size) {
    snprintf(message, size, "line %zu has no end, so that the file is not whole", t->row_count + 2);
    return -1;
}

static int read_steps(layers_plan *p, const char *path, char *message, size_t size) {
    csv_table t;
    char why[200] = "";
    int error = csv_read(&t, path, why, sizeof why);
    fields f = fields_of(&t, why, sizeof why);
    for (; error == 0 && f.row < t.row_count; f.row++) {
        layers_step step;
        read_step(&f, p, &step);
        error = !f.ok ? -1 : layers_plan_add_step(p, &step) ? 0 : ENOMEM;
    }
    if (error == 0 && t.truncated)
        error = not_whole(&t, why, sizeof why);
    if (error != 0) {
        snprintf(message, size, "%s: %s", strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path,
                 error == -1 ? why : files_reason(error));
        error = -1;
    }
    csv_free(&t);
    return error;
}

// Bounds, for a plan that was damaged would otherwise be measured for ever.
static void read_arm(fields *f, const layers_plan *p, layers_arm *a) {
    const size_t group = p->count == 0 ? 0 : p->arms[p->count - 1].group;
    if (!layers_arm_read(f->table, f->row, a))
        fields_refuse_row(f, "is not a layer of this program: was the plan made by another version?");
    a->group = fields_size(f, "group", group, group + (p->count > 0));
    a->calls = fields_size(f, "calls", 0, PLAN_MOST_CALLS);
    a->rounds = fields_size(f, "rounds", 0, PLAN_MOST_ROUNDS);
    a->launches = fields_size(f, "launches", 0, PLAN_MOST_LAUNCHES);
    a->ns = fields_real(f, "pilot_ns", 0, PLAN_MOST_NS);
    a->prepare_s = fields_real(f, "prepare_s", 0, 1e-9 * PLAN_MOST_NS);
    a->max_error = fields_real_or_nan(f, "max_error", 0, INFINITY);
    a->wrong = fields_flag(f, "wrong");
    snprintf(a->reason, sizeof a->reason, "%s", fields_text(f, "reason"));
    snprintf(a->matmul, sizeof a->matmul, "%s", fields_text(f, "matmul"));
    if (a->calls > 1 && (double)a->calls * a->ns > PLAN_MOST_SAMPLE_NS)
        fields_refuse(f, "calls", "fewer: one sample would take hours");
}

int layers_plan_read(layers_plan *p, const char *plan_path, const char *steps_path, char *message, size_t size) {
    csv_table t;
    *p = (layers_plan){0};
    int error = csv_read(&t, plan_path, message, size);
    if (error != 0)
        return error;
    fields f = fields_of(&t, message, size);
    p->arms = calloc(t.row_count + 1, sizeof *p->arms);
    if (p->arms == NULL)
        error = ENOMEM;
    for (; error == 0 && f.row < t.row_count; f.row++) {
        read_arm(&f, p, &p->arms[f.row]);
        p->count = f.row + 1;
        p->groups = p->arms[f.row].group + 1;
        error = f.ok ? 0 : -1;
    }
    if (error == 0 && (t.truncated || t.row_count == 0))
        error = not_whole(&t, message, size);
    csv_free(&t);
    if (error == 0 && steps_path != NULL)
        error = read_steps(p, steps_path, message, size);
    if (error != 0)
        layers_plan_free(p);
    return error;
}
