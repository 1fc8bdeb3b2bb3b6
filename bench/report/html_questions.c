// SPDX-License-Identifier: MIT
// html_questions.c: what the judge says of questions and of published claims, as figures; each mark is a finding.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "html.h"
#include "html_page.h"

static const chart_look looks[VERDICTS] = {CHART_WIN, CHART_LOSE, CHART_OPEN};
static const char *const words[VERDICTS] = {"faster", "slower", "not shown", "no difference"};

static void add_finding(const page *p, chart *c, chart_row *on, size_t number, const finding *f, const char *says) {
    chart_mark *const m = page_mark(p, c, on, number, f->subject, f->value);
    if (m == NULL)
        return;
    m->look = looks[f->verdict];
    html_add(m->says, sizeof m->says, "%s%s", says, f->unstable ? ", unstable" : "");
    if (isnan(f->peer.value.median))
        return;
    char version[64];
    chart_mark *const peer = page_mark(p, c, on, number, f->peer.row, f->peer.value);
    if (peer != NULL) {
        peer->look = CHART_PEER;
        html_add(peer->says, sizeof peer->says, "PyTorch %s, %s%s",
                 peer_ratio_version(&f->peer, version, sizeof version), peer_ratio_how(&f->peer),
                 peer_ratio_heap(&f->peer));
    }
}

// ---- Where DyT wins

static void add_question(const page *p, chart *c, size_t number, const finding *f) {
    const table_row about = f->asked->row, row = f->subject;
    char where[96] = "";
    chart_row *const on = chart_row_of(c, row_text(about, "id"));
    if (on == NULL)
        return;
    html_add(where, sizeof where, "%s x %s", row_text(row, "rows"), row_text(row, "cols"));
    if (on->count == 0) {
        html_add(on->label, sizeof on->label, "%s", row_text(about, "question"));
        html_add(on->note, sizeof on->note, "%s %s, %s %s, over %s, %s thread%s", row_text(row, "pass"),
                 row_text(row, "dtype"), row_text(row, "form"), row_text(row, "variant"),
                 filter_value(&f->asked->baseline, "op"), row_text(row, "threads"),
                 strcmp(row_text(row, "threads"), "1") == 0 ? "" : "s");
        if (p->count == 1)
            html_add(on->note, sizeof on->note, ", %s", where);
    }
    char bounds[ANSWER_BOUNDS], says[ANSWER_BOUNDS + 32] = "";
    answer_bounds(f, bounds);
    html_add(says, sizeof says, "%s%s%s", words[f->verdict], *bounds == '\0' ? "" : ", ", bounds);
    add_finding(p, c, on, number, f, says);
}

page_kind_of page_kind(const finding *f) {
    if (strcmp(row_text(f->subject, "form"), "fused") != 0)
        return PAGE_OP_BY_OP;
    return filter_default(f->subject) > 0 ? PAGE_FUSED : PAGE_OTHER_TANH;
}

static const struct {
    const char *id, *title, *says;
} kinds[PAGE_KINDS] = {
    [PAGE_FUSED] =
        {"figure-fused", "Where DyT wins as one fused kernel",
         "DyT's time over that of the norm which it would replace, both in one sweep over the data at the "
         "best level, by where the data lie. Of the tanhs u2 is the default; _nt marks stores past the caches."},
    [PAGE_OP_BY_OP] = {"figure-op-by-op", "Where DyT wins op by op",
                       "DyT's time over that of the norm where each op is a kernel of its own: as a framework runs it, "
                       "each output freshly "
                       "allocated, and the ideal of that."},
    [PAGE_OTHER_TANH] = {"figure-other-tanh", "Where DyT wins by another tanh",
                         "DyT's time over that of the norm, in one sweep with another tanh than the default: one exact "
                         "enough for bf16 alone (lp), and those of other "
                         "libraries. How much of the answer is a matter of that one function."},
};

bool page_questions(FILE *out, const page *p) {
    bool ok = true;
    for (page_kind_of kind = 0; kind < PAGE_KINDS; kind++) {
        chart c = page_chart(p, kinds[kind].id, kinds[kind].title);
        page_faster(&c, "DyT faster", "DyT slower");
        html_add(c.says, sizeof c.says, "%s", kinds[kind].says);
        for (size_t number = 0; number < p->count; number++) {
            const findings *const found = &p->runs[number].of[VERDICT_TABLE_QUESTIONS].found;
            for (size_t i = 0; i < found->count; i++) {
                const finding *const f = &found->items[i];
                if (f->asked->what == ASKED_TIME_RATIO && f->runs > 0 && page_kind(f) == kind)
                    add_question(p, &c, number, f);
            }
        }
        ok = page_show(out, &c) && ok;
    }
    return ok;
}

// ---- Whole layers

static void add_layer(const page *p, chart *c, size_t number, const finding *f) {
    char key[256] = "", place[160];
    const table_row row = f->subject;
    const bool changes = f->asked->what == ASKED_TOTAL_CHANGE;
    layers_answer_place(row, place, sizeof place);
    html_add(key, sizeof key, "%s %s %s %s", place, row_text(row, "form"), row_text(row, "op"),
             row_text(row, "variant"));
    chart_row *const on = chart_row_of(c, key);
    if (on == NULL)
        return;
    if (on->count == 0) {
        html_add(on->label, sizeof on->label, "%s", place);
        html_add(on->note, sizeof on->note, "%s %s %s%s", row_text(row, "form"), row_text(row, "op"),
                 row_text(row, "variant"), strcmp(row_text(row, "scaled"), "1") == 0 ? ", scaled" : "");
    }
    char says[128] = "";
    if (changes)
        html_add(says, sizeof says, "%s, %s%s", words[f->verdict], f->method,
                 strcmp(row_text(row, "rest_equivalent"), "0") == 0 ? ", interaction: the rest differs as well" : "");
    add_finding(p, c, on, number, f, says);
    if (!changes && on->count > 0)
        on->marks[on->count - 1].look = CHART_PLAIN;
}

static bool show_layers(FILE *out, const page *p, asked what, chart c) {
    for (size_t number = 0; number < p->count; number++) {
        const findings *const found = &p->runs[number].of[VERDICT_TABLE_QUESTIONS].found;
        for (size_t i = 0; i < found->count; i++)
            if (found->items[i].asked->what == what && found->items[i].runs > 0)
                add_layer(p, &c, number, &found->items[i]);
    }
    return page_show(out, &c);
}

// What the summary says of how far layers' times can be trusted, in its own words.
static void say_trust(FILE *out, const page *p) {
    for (size_t number = 0; number < p->count; number++) {
        const verdicts *const v = &p->runs[number].of[VERDICT_TABLE_QUESTIONS];
        char *text = NULL;
        size_t length = 0;
        FILE *const stream = open_memstream(&text, &length);
        if (stream == NULL)
            continue;
        const bool said = verdicts_print(v, stream);
        if (fclose(stream) == 0 && said) {
            fputs("<details><summary>The summary in words: ", out);
            html_text(out, p->runs[number].name);
            fputs("</summary><pre>", out);
            for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
                *end = '\0';
                html_text(out, line);
                fputc('\n', out);
            }
            fputs("</pre></details>\n", out);
        }
        free(text);
    }
}

bool page_layers(FILE *out, const page *p) {
    chart share = page_chart(p, "figure-share", "What a model's own norm takes of a layer");
    share.unit = "%";
    html_add(share.says, sizeof share.says,
             "Share of a layer's time that its own norms take, timed in place: more than this no other norm can save.");
    chart change = page_chart(p, "figure-layers", "What DyT in its place changes");
    change.unit = "%";
    page_faster(&change, "layer faster", "layer slower");
    change.reference = 0;
    change.logarithmic = false;
    html_add(change.says, sizeof change.says,
             "Change of a whole layer's time with DyT instead of the model's own norm: by the norms in place where the "
             "rest of the layer was shown to be the same, else by the whole layer.");
    const bool ok = show_layers(out, p, ASKED_NORM_SHARE, share);
    const bool both = show_layers(out, p, ASKED_TOTAL_CHANGE, change) && ok;
    say_trust(out, p);
    return both;
}

// ---- Published claims

static void add_claim(const page *p, chart *c, size_t number, const finding *f) {
    const table_row about = f->asked->row;
    const char *const published = row_text(about, "published");
    chart_row *const on = chart_row_of(c, row_text(about, "id"));
    if (on == NULL)
        return;
    html_add(on->label, sizeof on->label, "%s", on->count == 0 ? row_text(about, "claim") : "");
    if (on->count == 0)
        html_add(on->note, sizeof on->note, "%s%s%s%s%s", row_text(about, "source"),
                 *published == '\0' ? "" : "; published: ", published, *published == '\0' ? "" : " ",
                 strcmp(c->unit, "1") == 0 || *published == '\0' ? "" : c->unit);
    on->band_lo = f->asked->holds.lo;
    on->band_hi = f->asked->holds.hi;
    char says[64] = "";
    html_add(says, sizeof says, "%s%s", verdict_name(f->verdict), f->scaled ? ", SCALED" : "");
    add_finding(p, c, on, number, f, says);
}

static bool show_claims(FILE *out, const page *p, const char *id, const char *title, const char *unit) {
    chart c = page_chart(p, id, title);
    c.unit = unit;
    c.reference = strcmp(unit, "1") == 0 ? 1 : 0;
    c.logarithmic = strcmp(unit, "1") == 0;
    c.looks[0] = "holds";
    c.looks[1] = "does not hold";
    c.looks[2] = "cannot be told";
    html_add(c.says, sizeof c.says,
             "What others published, and what was measured here. The shaded band is what the claim allows: it holds if "
             "the whole interval lies in it. SCALED: with fewer tokens or rows than published.");
    for (size_t number = 0; number < p->count; number++) {
        const findings *const found = &p->runs[number].of[VERDICT_TABLE_CLAIMS].found;
        for (size_t i = 0; i < found->count; i++)
            if (found->items[i].runs > 0 && strcmp(row_text(found->items[i].asked->row, "unit"), unit) == 0)
                add_claim(p, &c, number, &found->items[i]);
    }
    return page_show(out, &c);
}

// Of runs that have layers: a claim about kernels alone says little of a paper about models.
bool page_claims(FILE *out, const page *p) {
    bool has_layers = false;
    for (size_t i = 0; i < p->count; i++)
        has_layers = has_layers || p->runs[i].tables.tables[RUN_TABLE_LAYERS].count > 0;
    return !has_layers || (show_claims(out, p, "figure-claims", "Published claims about changes and shares", "%") &&
                           show_claims(out, p, "figure-claims-ratios", "Published claims about ratios of times", "1"));
}
