// SPDX-License-Identifier: MIT
// html_answer.c: the page's first section: does DyT pay on this machine, where most, how sure is that. All of it is
// counted from the verdicts of the judge, the same that a run's own summary is made of.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "html.h"
#include "html_page.h"

// What is told apart.
typedef enum { FUSED = PAGE_FUSED, OP_BY_OP, OTHER_TANH, LAYERS, GROUPS } group;
static const char *const group_names[GROUPS] = {"As one fused kernel", "Op by op, as a framework runs it",
                                                "As one kernel, by another tanh than the default",
                                                "In a whole layer, in place of the model's own norm"};
static const char *const asked_of[GROUPS] = {"comparison", "comparison", "comparison", "layer"};

// GROUPS: the finding compares no DyT with a norm.
static group group_of(const finding *f) {
    if (f->asked->what == ASKED_TOTAL_CHANGE) // not of a model's ends
        return strcmp(row_text(f->subject, "part"), "ends") != 0 ? LAYERS : GROUPS;
    return f->asked->what == ASKED_TIME_RATIO ? (group)page_kind(f) : GROUPS;
}

typedef struct {
    size_t count[VERDICTS], all;
    const finding *best, *worst; // of those that hold, that do not; NULL: none
} tally;

typedef struct {
    tally of[GROUPS];
    findings told; // all that were counted
    size_t least_launches, most_launches;
} answer;

static void count_finding(answer *a, const finding *f) {
    const group g = group_of(f);
    if (g == GROUPS || f->runs == 0)
        return;
    tally *const t = &a->of[g];
    t->all++;
    t->count[f->verdict]++;
    if (f->verdict == VERDICT_HOLDS && (t->best == NULL || f->value.median < t->best->value.median))
        t->best = f;
    if (f->verdict == VERDICT_DOES_NOT_HOLD && (t->worst == NULL || f->value.median > t->worst->value.median))
        t->worst = f;
    const double launches = row_real(f->subject, "launches");
    if (launches > 0) {
        const size_t n = (size_t)launches;
        a->least_launches = a->least_launches == 0 || n < a->least_launches ? n : a->least_launches;
        a->most_launches = n > a->most_launches ? n : a->most_launches;
    }
    a->told.items[a->told.count++] = *f;
}

// What all runs of a machine say. false: no memory.
static bool make_answer(answer *a, const page *p, size_t machine) {
    size_t most = 0;
    *a = (answer){0};
    for (size_t i = 0; i < p->count; i++)
        most += p->runs[i].of[VERDICT_TABLE_QUESTIONS].found.count;
    a->told.items = calloc(most + 1, sizeof *a->told.items);
    for (size_t i = 0; a->told.items != NULL && i < p->count; i++) {
        const findings *const found = &p->runs[i].of[VERDICT_TABLE_QUESTIONS].found;
        for (size_t k = 0; p->runs[i].machine == machine && k < found->count; k++)
            count_finding(a, &found->items[k]);
    }
    return a->told.items != NULL;
}

// ---- In words

// "Yes", "No", ...: by what was shown alone.
static const char *word_of(const tally *t) {
    const size_t wins = t->count[VERDICT_HOLDS], loses = t->count[VERDICT_DOES_NOT_HOLD];
    if (t->all == 0)
        return "Not measured";
    if (wins + loses == 0)
        return "No difference is shown";
    if (loses == 0)
        return 2 * wins >= t->all ? "Yes" : "In places";
    if (wins == 0)
        return "No";
    return wins > 2 * loses ? "Mostly" : loses > 2 * wins ? "Mostly not" : "It depends";
}

// In one line for the head of the section.
static void say_headline(FILE *out, const answer *a) {
    const tally *const kernel = &a->of[FUSED], *const layers = &a->of[LAYERS];
    char text[512] = "";
    if (kernel->all > 0)
        html_add(text, sizeof text,
                 "Is DyT the cheaper kernel here? %s (faster in %zu of %zu comparisons, slower in %zu). ",
                 word_of(kernel), kernel->count[VERDICT_HOLDS], kernel->all, kernel->count[VERDICT_DOES_NOT_HOLD]);
    if (layers->all > 0)
        html_add(text, sizeof text,
                 "Does a whole layer get faster by it? %s (faster in %zu of %zu layers, slower in %zu).",
                 word_of(layers), layers->count[VERDICT_HOLDS], layers->all, layers->count[VERDICT_DOES_NOT_HOLD]);
    if (*text == '\0')
        html_add(text, sizeof text, "These runs compare DyT with no norm: see the figures and tables below.");
    fputs("<p class=headline>", out);
    html_text(out, text);
    fputs("</p>\n", out);
}

static void say_counts(FILE *out, const answer *a) {
    fputs("<h4>Does DyT pay on this machine?</h4><ul>\n", out);
    for (group g = 0; g < GROUPS; g++) {
        const tally *const t = &a->of[g];
        if (t->all == 0)
            continue;
        fputs("<li><b>", out);
        html_say(out, "%s: %s.", group_names[g], word_of(t));
        fputs("</b> ", out);
        html_say(out, "Of %zu %s%s, DyT is faster in %zu, slower in %zu; in %zu no difference is shown.", t->all,
                 asked_of[g], t->all == 1 ? "" : "s", t->count[VERDICT_HOLDS], t->count[VERDICT_DOES_NOT_HOLD],
                 t->count[VERDICT_CANNOT_TELL]);
        fputs("</li>\n", out);
    }
    fputs("</ul>\n", out);
}

static void say_place(FILE *out, const page *p, const finding *f, const char *what) {
    char place[160], id[24], value[HTML_VALUE], bounds[ANSWER_BOUNDS];
    const bool of_layer = f->asked->what == ASKED_TOTAL_CHANGE;
    const table_row row = f->subject;
    page_row_id(p, row, id);
    fprintf(out, "<li>%s: <a href='#%s'>", what, id);
    if (of_layer)
        layers_answer_place(row, place, sizeof place);
    else
        snprintf(place, sizeof place, "%s, %s %s, %s x %s, %s thread%s", row_text(f->asked->row, "question"),
                 row_text(row, "pass"), row_text(row, "dtype"), row_text(row, "rows"), row_text(row, "cols"),
                 row_text(row, "threads"), strcmp(row_text(row, "threads"), "1") == 0 ? "" : "s");
    html_say(out, "%s, %s", place, row_text(row, "form"));
    fputs("</a>: ", out);
    if (of_layer)
        html_say(out, "the layer's time changes by %s", html_value(value, &f->value, "%", 0));
    else
        html_say(out, "%s times the time of %s%s%s", html_value(value, &f->value, "1", 1),
                 filter_value(&f->asked->baseline, "op"), *answer_bounds(f, bounds) == '\0' ? "" : "; ", bounds);
    fputs("</li>\n", out);
}

static void say_where(FILE *out, const page *p, const answer *a) {
    static const char *const best[GROUPS] = {"gains most as a fused kernel", "gains most op by op", NULL,
                                             "gains most in a layer"},
                             *const worst[GROUPS] = {"loses most as a fused kernel", "loses most op by op",
                                                     "loses most by another tanh", "loses most in a layer"};
    fputs("<h4>Where most?</h4><ul>\n", out);
    size_t said = 0;
    for (group g = 0; g < GROUPS; g++) {
        if (best[g] != NULL && a->of[g].best != NULL && ++said > 0)
            say_place(out, p, a->of[g].best, best[g]);
        if (a->of[g].worst != NULL && ++said > 0)
            say_place(out, p, a->of[g].worst, worst[g]);
    }
    fputs(said > 0 ? "</ul>\n" : "<li>No difference is shown anywhere.</li></ul>\n", out);
}

static void say_launches(FILE *out, const answer *a) {
    char from[32] = "";
    if (a->least_launches < a->most_launches)
        snprintf(from, sizeof from, "%zu to ", a->least_launches);
    html_say(out,
             "Each number is a median over %s%zu launches (fresh processes) with an exact 95 %% interval; DyT and the "
             "norm were timed in turns. It counts as faster or slower only if the whole interval says so.",
             from, a->most_launches);
}

static void say_trust(FILE *out, const page *p, answer *a, size_t machine) {
    char texts[PAGE_WARNINGS][PAGE_WARNING];
    size_t told = 0, stay = 0, unstable = 0, missing = 0, rows = 0, warnings = 0;
    char bounds[ANSWER_BOUNDS];
    bool bounded = false;
    judge_together(&a->told);
    for (size_t i = 0; i < a->told.count; i++) {
        told += a->told.items[i].verdict != VERDICT_CANNOT_TELL;
        stay += a->told.items[i].verdict_together != VERDICT_CANNOT_TELL;
        bounded |= *answer_bounds(&a->told.items[i], bounds) != '\0';
    }
    for (size_t i = 0; i < p->count; i++)
        if (p->runs[i].machine == machine) {
            const page_run *const r = &p->runs[i];
            unstable += page_rows(r, "unstable");
            rows += page_rows(r, NULL);
            missing += page_rows(r, NULL) - page_rows(r, "ok") - page_rows(r, "unstable");
            warnings += page_warnings(r, texts);
        }
    fputs("<h4>How sure?</h4><ul>\n<li>", out);
    say_launches(out, a);
    fputs("</li>\n<li>", out);
    if (bounded) {
        html_say(out, "Behind a ratio stands how much each kernel reaches of what bounds it: the ports of a core, a "
                      "cache (l1 to l3) or memory. A kernel that is not at its limit could be made faster, so that "
                      "such a ratio is about this kernel, not the op.");
        fputs("</li>\n<li>", out);
    }
    html_say(out,
             "Alone, each such verdict is wrong once in forty. Taken together, so that a single wrong one among all is "
             "as rare (Holm), %zu of %zu still stand.",
             stay, told);
    fputs("</li>\n<li>", out);
    html_say(out, "%zu of %zu rows are marked unstable, %zu were not measured. ", unstable, rows, missing);
    fputs("<a href='#machine'>", out);
    html_say(out, "%zu warning%s", warnings, warnings == 1 ? "" : "s");
    fputs("</a> about the machine.</li></ul>\n", out);
}

static bool write_answer(FILE *out, const page *p, size_t machine) {
    answer a;
    const page_run *r = p->runs;
    while (r->machine != machine)
        r++;
    if (!make_answer(&a, p, machine))
        return false;
    fputs("<article class=answer><h3>", out);
    html_text(out, r->machine_id);
    fputs("</h3>\n", out);
    say_headline(out, &a);
    if (a.told.count > 0) {
        say_counts(out, &a);
        say_where(out, p, &a);
        say_trust(out, p, &a, machine);
    }
    fputs("</article>\n", out);
    findings_free(&a.told);
    return true;
}

bool page_answer(FILE *out, const page *p) {
    bool ok = true;
    for (size_t machine = 0; ok && machine < p->machines; machine++)
        ok = write_answer(out, p, machine);
    return ok;
}
