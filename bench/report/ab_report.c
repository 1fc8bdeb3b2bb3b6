// SPDX-License-Identifier: MIT
// ab_report.c: see ab_report.h. Text and Markdown.
#include "ab_report.h"

#include <math.h>
#include <stdlib.h>

#include "ab_judge.h"
#include "ab_table.h"
#include "base/exit_code.h"

#define NAME(ID, name, help) #name,
const char *const ab_format_names[AB_FORMATS] = {AB_FORMAT_LIST(NAME)};

// ---- The conclusion

static size_t judged(const ab_judgement *j) {
    size_t count = 0;
    for (ab_verdict v = 0; v < AB_VERDICTS; v++)
        count += v == AB_SAME_CODE ? 0 : j->counts[v];
    return count;
}

static size_t slower_rows(const ab_judgement *j) {
    size_t count = 0;
    for (size_t i = 0; i < j->row_count; i++)
        count += j->rows[i].which.role == AB_ROW && j->rows[i].finding.verdict == AB_SLOWER && !j->rows[i].waived;
    return count;
}

static size_t slower_groups(const ab_judgement *j) {
    size_t count = 0;
    for (size_t i = 0; i < j->group_count; i++)
        count += j->groups[i].finding.verdict == AB_SLOWER && !j->groups[i].waived;
    return count;
}

static bool too_vague(const ab_judgement *j) {
    return (double)j->counts[AB_INCONCLUSIVE] > AB_INCONCLUSIVE_SHARE * (double)judged(j);
}

int ab_report_exit(const ab_judgement *j) {
    if (slower_rows(j) > 0 || slower_groups(j) > 0)
        return EXIT_REGRESSION;
    return j->disturbed[0] != '\0' || too_vague(j) ? EXIT_INCONCLUSIVE : EXIT_DONE;
}

const char *ab_report_conclusion(const ab_judgement *j) {
    if (slower_rows(j) > 0)
        return "The candidate is slower.";
    if (slower_groups(j) > 0)
        return "The candidate is slower by a little in many rows.";
    if (j->disturbed[0] != '\0')
        return "Nothing can be said: the measurement was disturbed.";
    if (too_vague(j))
        return "Too much is inconclusive: measure on a quieter machine, or with more --launches.";
    return judged(j) == 0 ? "Nothing was timed, for the code is the same." : "No slowdown was found.";
}

// ---- What the formats share

const char *ab_group_text(const ab_group *g, char text[AB_TEXT]) {
    if (g->level == NORM_ALL_LEVELS)
        snprintf(text, AB_TEXT, "%s (%zu rows)", norm_op_name(g->op), g->rows);
    else
        snprintf(text, AB_TEXT, "%s at %s (%zu rows)", norm_op_name(g->op), norm_level_name(g->level), g->rows);
    return text;
}

const char *ab_change_text(const ab_finding *f, char text[AB_TEXT]) {
    const stats_interval i = ab_change_pct(f);
    const bool faster = i.median < 0;
    const stats_interval size = faster ? interval_of(-i.median, -i.hi, -i.lo) : i;
    char number[INTERVAL_TEXT];
    if (isnan(i.median))
        snprintf(text, AB_TEXT, "not measured");
    else
        snprintf(text, AB_TEXT, "%s %s", interval_text(number, &size, "%", interval_decimals(&size)),
                 faster ? "faster" : "slower");
    return text;
}

static int interest(ab_verdict v) {
    static const int order[AB_VERDICTS] = {
        [AB_SLOWER] = 0, [AB_MISSING] = 1, [AB_INCONCLUSIVE] = 2, [AB_FASTER] = 3, [AB_SAME] = 4, [AB_SAME_CODE] = 5};
    return order[v];
}

static int by_interest(const void *left, const void *right) {
    const ab_row *const a = *(const ab_row *const *)left, *const b = *(const ab_row *const *)right;
    const int x = interest(a->finding.verdict), y = interest(b->finding.verdict);
    const double c = a->finding.change.median, d = b->finding.change.median;
    return x != y ? x - y : (c < d) - (c > d);
}

const ab_row **ab_rows_by_interest(const ab_judgement *j, size_t *count) {
    const ab_row **const rows = malloc((j->row_count + 1) * sizeof *rows);
    *count = 0;
    for (size_t i = 0; rows != NULL && i < j->row_count; i++)
        if (j->rows[i].which.role == AB_ROW)
            rows[(*count)++] = &j->rows[i];
    if (rows != NULL)
        qsort(rows, *count, sizeof *rows, by_interest);
    return rows;
}

// What would have been found, in percent: of the middle row, and of the worst. NaN of none.
static void detectable_pct(const ab_judgement *j, double *middle, double *worst) {
    double *const values = malloc((j->row_count + 1) * sizeof *values);
    size_t count = 0;
    *middle = *worst = NAN;
    for (size_t i = 0; values != NULL && i < j->row_count; i++)
        if (j->rows[i].which.role == AB_ROW && j->rows[i].finding.differences.first_count > 0) {
            values[count++] = ab_pct(j->rows[i].finding.detectable);
            *worst = fmax(*worst, values[count - 1]);
        }
    if (count > 0)
        *middle = stats_median(values, count);
    free(values);
}

// ---- Text and Markdown

// Two formats of the same sentences: how a line begins, a code word, a heading and what stands as it is.
typedef struct {
    const char *item, *mark, *head, *fence;
} style;

static void print_counts(const ab_judgement *j, FILE *out) {
    const char *between = "";
    for (ab_verdict v = 0; v < AB_VERDICTS; v++)
        if (j->counts[v] > 0) {
            fprintf(out, "%s%zu %s", between, j->counts[v], ab_verdict_name(v));
            between = ", ";
        }
    fputs(".\n", out);
}

static void print_sides(const style *s, FILE *out) {
    for (ab_side side = 0; side < AB_SIDES; side++) {
        const ab_source *const source = ab_source_of(side);
        fprintf(out, "%s%s: %s%s%s%s%.12s%s\n", s->item, ab_side_name(side), s->mark, source->given, s->mark,
                source->commit[0] != '\0' ? ", commit " : "", source->commit,
                source->archive[0] != '\0' ? ", linked anew for each launch"
                                           : ", one layout of its code in every launch");
    }
}

static void print_row(const style *s, const ab_row *r, FILE *out) {
    char change[AB_TEXT], in_layer[AB_TEXT];
    fprintf(out, "%s%s%s%s: %s%s; %s%s%s%s\n", s->item, s->mark, r->text, s->mark, ab_change_text(&r->finding, change),
            ab_norms_text(r, in_layer), ab_verdict_name(r->finding.verdict), r->waived ? ", waived" : "",
            r->finding.reason[0] != '\0' ? ": " : "", r->finding.reason);
}

static void print_groups(const ab_judgement *j, const style *s, FILE *out) {
    char name[AB_TEXT], change[AB_TEXT];
    bool any = false;
    for (size_t i = 0; i < j->group_count; i++) {
        const ab_finding *const f = &j->groups[i].finding;
        if (f->verdict != AB_SLOWER && f->verdict != AB_FASTER && j->groups[i].level != NORM_ALL_LEVELS)
            continue;
        if (!any)
            fprintf(out, "\n%sMeans of rows (threshold %g %%)\n", s->head, j->threshold.group_pct);
        any = true;
        fprintf(out, "%s%s: %s; %s%s%s\n", s->item, ab_group_text(&j->groups[i], name), ab_change_text(f, change),
                ab_verdict_name(f->verdict), f->reason[0] != '\0' ? ": " : "", f->reason);
    }
}

static void print_precision(const ab_judgement *j, const style *s, FILE *out) {
    double middle, worst;
    ab_finding controls = {.change = j->controls};
    char change[AB_TEXT];
    detectable_pct(j, &middle, &worst);
    if (isfinite(middle))
        fprintf(out, "%sA slowdown of %.2g %% would have been found in the middle row", s->item, middle);
    if (isfinite(middle) && isfinite(worst))
        fprintf(out, ", of %.2g %% in the worst.\n", worst);
    else if (isfinite(middle))
        fputs(".\n", out);
    if (j->control_count > 0)
        fprintf(out, "%s%zu kernels whose code is the same on both sides: %s.\n", s->item, j->control_count,
                ab_change_text(&controls, change));
    if (j->disturbed[0] != '\0')
        fprintf(out, "%sDisturbed: %s.\n", s->item, j->disturbed);
    for (size_t i = 0; i < j->seen_count; i++)
        fprintf(out, "%sSomething else was at work, which changes no verdict: %s.\n", s->item, j->seen[i]);
}

static void print_words(const ab_judgement *j, const style *s, FILE *out) {
    enum { MOST = 12 };
    size_t count, shown = 0;
    const ab_row **const rows = ab_rows_by_interest(j, &count);
    fprintf(out, "%s%s\n", s->head, ab_report_conclusion(j));
    fprintf(out, "%zu rows: ", judged(j) + j->counts[AB_SAME_CODE]);
    print_counts(j, out);
    fputc('\n', out);
    print_sides(s, out);
    print_precision(j, s, out);
    for (; rows != NULL && shown < count && shown < MOST && rows[shown]->finding.verdict != AB_SAME; shown++) {
        if (shown == 0)
            fprintf(out, "\n%sRows to look at (threshold %g %%)\n", s->head, j->threshold.row_pct);
        print_row(s, rows[shown], out);
    }
    if (rows != NULL && shown == MOST)
        fprintf(out, "%sand more, in %s\n", s->item, j->compared->table);
    print_groups(j, s, out);
    if (count > 0) {
        fprintf(out, "\n%s", s->fence);
        ab_plot(j, out);
        fprintf(out, "%s", s->fence[0] != '\0' ? "```\n" : "");
    }
    free(rows);
}

void ab_report_print(const ab_judgement *j, ab_format format, FILE *out) {
    static const style text = {"  ", "", "", ""}, markdown = {"- ", "`", "### ", "```text\n"};
    switch (format) {
    case AB_AS_TEXT:
        print_words(j, &text, out);
        return;
    case AB_AS_MARKDOWN:
        print_words(j, &markdown, out);
        return;
    case AB_AS_JSON:
        ab_report_json(j, out);
        return;
    case AB_AS_JUNIT:
        ab_report_junit(j, out);
        return;
    case AB_FORMATS:
        return;
    }
}
