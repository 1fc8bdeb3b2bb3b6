// SPDX-License-Identifier: MIT
// html_gate.c: what the gate found, as its table of rows has it: `normbench ab`, of kernels or in layers, and how often
// it is right.
#include <math.h>
#include <string.h>

#include "html.h"
#include "html_page.h"

// The name of a row: what stands in these columns, but for those that are empty.
static void add_words(char *text, size_t size, table_row row, const char *const *columns, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (*row_text(row, columns[i]) != '\0')
            html_add(text, size, "%s%s", *text == '\0' ? "" : " ", row_text(row, columns[i]));
}

static chart_look look_of(const char *word) {
    return strcmp(word, "faster") == 0   ? CHART_WIN
           : strcmp(word, "slower") == 0 ? CHART_LOSE
           : strcmp(word, "same") == 0   ? CHART_PLAIN
                                         : CHART_OPEN;
}

static void add_compared(const page *p, chart *c, size_t run, table_row row) {
    static const char *const names[] = {"op", "variant", "form", "pass", "level", "dtype"};
    static const char *const places[] = {"model", "phase", "rows", "cols", "tokens", "threads", "placement", "cache"};
    const stats_interval change = row_interval(row, "change", "_pct");
    char key[64];
    if (isnan(change.median))
        return;
    snprintf(key, sizeof key, "%zu %zu", run, row.at);
    chart_row *const on = chart_row_of(c, key);
    if (on == NULL)
        return;
    add_words(on->label, sizeof on->label, row, names, sizeof names / sizeof *names);
    add_words(on->note, sizeof on->note, row, places, sizeof places / sizeof *places);
    chart_mark *const m = page_mark(p, c, on, run, row, change);
    if (m == NULL)
        return;
    m->look = look_of(row_text(row, "verdict"));
    html_add(m->says, sizeof m->says, "%s%s", row_text(row, "verdict"),
             strcmp(row_text(row, "role"), "sentinel") == 0 ? ", equal code on both sides" : "");
}

static void count_verdicts(chart *c, const csv_table *t) {
    static const char *const words[] = {"slower", "faster", "same", "inconclusive", "identical", "missing"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t count = 0;
        for (size_t at = 0; at < t->row_count; at++)
            count += strcmp(row_text((table_row){t, at}, "verdict"), words[i]) == 0;
        if (count > 0)
            html_add(c->says, sizeof c->says, " %s: %zu.", words[i], count);
    }
}

static bool show_compared(FILE *out, const page *p, page_extra which, const char *id, const char *title) {
    chart c = page_chart(p, id, title);
    c.unit = "%";
    c.reference = 0;
    c.below = "candidate faster";
    c.above = "candidate slower";
    c.looks[0] = "faster";
    c.looks[1] = "slower";
    c.looks[2] = "inconclusive";
    html_add(c.says, sizeof c.says, "How much longer the candidate takes than the base, and the verdict of the gate.");
    for (size_t run = 0; run < p->count; run++) {
        const csv_table *const t = &p->runs[run].extra[which];
        count_verdicts(&c, t);
        for (size_t at = 0; at < t->row_count; at++)
            add_compared(p, &c, run, (table_row){t, at});
    }
    return page_show(out, &c);
}

static void add_property(const page *p, chart *c, size_t run, table_row row) {
    const char *const injected = row_text(row, "inject_pct");
    const stats_interval share = row_interval(row, "share", "_pct");
    char key[64];
    if (isnan(share.median))
        return;
    snprintf(key, sizeof key, "%zu %zu", run, row.at);
    chart_row *const on = chart_row_of(c, key);
    if (on == NULL)
        return;
    html_add(on->label, sizeof on->label, "%s", row_text(row, "property"));
    html_add(on->note, sizeof on->note, "%s%s%s%s, %s of %s", row_text(row, "gates"),
             *injected == '\0' ? "" : ", slower by ", injected, *injected == '\0' ? "" : " %", row_text(row, "hits"),
             row_text(row, "trials"));
    on->band_lo = row_real(row, "goal_least_pct");
    on->band_hi = row_real(row, "goal_most_pct");
    chart_mark *const m = page_mark(p, c, on, run, row, share);
    if (m == NULL)
        return;
    const char *const reached = row_text(row, "reached");
    m->look = strcmp(reached, "holds") == 0           ? CHART_WIN
              : strcmp(reached, "does not hold") == 0 ? CHART_LOSE
                                                      : CHART_OPEN;
    html_add(m->says, sizeof m->says, "%s", reached);
}

static bool show_validation(FILE *out, const page *p) {
    chart c = page_chart(p, "figure-validation", "How often the gate is right where the truth is known");
    c.unit = "%";
    c.looks[0] = "goal reached";
    c.looks[1] = "goal missed";
    c.looks[2] = "cannot be told, or no goal";
    html_add(c.says, sizeof c.says, "Share of the trials that had what the row names; the shaded band is the goal.");
    for (size_t run = 0; run < p->count; run++) {
        const csv_table *const t = &p->runs[run].extra[PAGE_VALIDATION];
        for (size_t at = 0; at < t->row_count; at++)
            add_property(p, &c, run, (table_row){t, at});
    }
    return page_show(out, &c);
}

bool page_gate(FILE *out, const page *p) {
    const bool ok = show_compared(out, p, PAGE_AB, "figure-gate", "The gate: kernels on its two sides");
    return show_compared(out, p, PAGE_AB_LAYERS, "figure-gate-layers", "The gate: norms in layers on its two sides") &&
           show_validation(out, p) && ok;
}
