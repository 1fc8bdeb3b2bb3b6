// SPDX-License-Identifier: MIT
// layers_steps.c: the steps of a plan's arms: told by the pilot, and kept in plan_steps.csv for --resume.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fields.h"
#include "base/files.h"
#include "base/list.h"
#include "layers_plan.h"

void layers_plan_steps(const layers_plan *p, size_t arm, size_t *begin, size_t *end) {
    size_t i = 0;
    while (i < p->step_count && p->steps[i].arm != arm)
        i++;
    *begin = i;
    while (i < p->step_count && p->steps[i].arm == arm)
        i++;
    *end = i;
}

bool layers_plan_add_step(layers_plan *p, const layers_step *step) {
    layers_step *const steps = list_more(p->steps, p->step_count, sizeof *steps);
    if (steps == NULL)
        return false;
    p->steps = steps;
    steps[p->step_count++] = *step;
    return true;
}

void layers_step_text(const layers_step *s, char text[LAYERS_STEP_TEXT]) {
    snprintf(text, LAYERS_STEP_TEXT, "%zu %d %d %.17g %.9g %s", s->index, (int)s->step.kind, (int)s->step.pass,
             s->step.flops, s->pages, s->step.name);
}

bool layers_plan_take_step(schedule *s, size_t arm, const char *text) {
    layers_step step = {.arm = arm};
    unsigned kind, pass;
    int rest = 0;
    if (sscanf(text, "%zu %u %u %lf %lf %n", &step.index, &kind, &pass, &step.step.flops, &step.pages, &rest) != 5 ||
        rest == 0 || kind >= STEP_KINDS || pass >= NORM_PASSES)
        return false;
    step.step.kind = (step_kind)kind;
    step.step.pass = (norm_pass)pass;
    snprintf(step.step.name, sizeof step.step.name, "%s", text + rest);
    return layers_plan_add_step((layers_plan *)s, &step);
}

// ---- plan_steps.csv

int layers_plan_write_steps(const void *what, const char *path) {
    const layers_plan *const p = what;
    csv_writer w;
    const int error = csv_open(&w, path, false);
    if (error != 0)
        return error;
    static const char *const names[] = {"arm", "index", "step", "kind", "step_pass", "flops", "page_faults"};
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
        csv_real(&w, s->pages, 9);
        csv_end(&w);
    }
    return csv_close(&w);
}

// The steps of an arm stand together and in their order.
static void read_step(fields *f, const layers_plan *p, layers_step *s) {
    const layers_step *const last = p->step_count == 0 ? NULL : &p->steps[p->step_count - 1];
    size_t pass = 0, begin = 0, end = 0;
    *s = (layers_step){.arm = fields_size(f, "arm", 0, p->schedule.count - 1)};
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
    s->pages = fields_real_or_nan(f, "page_faults", 0, 1e12);
    s->step.pass = (norm_pass)pass;
    snprintf(s->step.name, sizeof s->step.name, "%s", fields_text(f, "step"));
    while (s->step.kind < STEP_KINDS && strcmp(fields_text(f, "kind"), step_kind_name(s->step.kind)) != 0)
        s->step.kind++;
    if (s->step.kind == STEP_KINDS)
        fields_refuse(f, "kind", "a kind of step");
}

int layers_plan_read_steps(schedule *s, const char *path, char *message, size_t size) {
    layers_plan *const p = (layers_plan *)s;
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
        error = schedule_cut_off(&t, why, sizeof why);
    if (error != 0) {
        snprintf(message, size, "%s: %s", strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path,
                 error == -1 ? why : files_reason(error));
        error = -1;
    }
    csv_free(&t);
    return error;
}
