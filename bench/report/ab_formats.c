// SPDX-License-Identifier: MIT
// ab_formats.c: a judgement for programs: JSON and JUnit's XML.
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "ab_report.h"
#include "ab_table.h"

// ---- JSON

static json_t *number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

static json_t *finding(const ab_finding *f) {
    const stats_interval change = ab_change_pct(f);
    const bool slower = f->p[0] <= f->p[1];
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:i}", "verdict", ab_verdict_name(f->verdict),
                     "reason", f->reason, "change_pct", number(change.median), "change_lo95", number(change.lo),
                     "change_hi95", number(change.hi), "detectable_pct", number(ab_pct(f->detectable)), "p_value",
                     number(f->p[!slower]), "p_adjusted", number(f->adjusted[!slower]), "launches",
                     (int)f->differences.first_count, "confirming", (int)f->differences.again_count);
}

// A finding with its name and role.
static void append(json_t *array, const char *name, const char *role, const ab_finding *f) {
    json_t *const entry = finding(f);
    (void)json_object_set_new(entry, "name", json_string(name));
    (void)json_object_set_new(entry, "role", json_string(role));
    (void)json_array_append_new(array, entry);
}

// Of the layer as a whole: by the norms alone, as measured, and how its rest differs.
static void append_layer(json_t *entry, const ab_in_layer *l) {
    const struct {
        const char *name;
        stats_interval change;
    } parts[] = {{"layer_pct", l->effect}, {"total_pct", l->total}, {"rest_pct", l->rest}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const ab_finding of = {.change = parts[i].change};
        const stats_interval pct = ab_change_pct(&of);
        (void)json_object_set_new(entry, parts[i].name,
                                  json_pack("[o, o, o]", number(pct.lo), number(pct.median), number(pct.hi)));
    }
}

void ab_report_json(const ab_judgement *j, FILE *out) {
    char name[AB_TEXT];
    json_t *const rows = json_array(), *const groups = json_array();
    for (size_t i = 0; i < j->row_count; i++) {
        append(rows, j->rows[i].text, ab_role_name(j->rows[i].which.role), &j->rows[i].finding);
        if (j->rows[i].of_layer)
            append_layer(json_array_get(rows, json_array_size(rows) - 1), &j->rows[i].layer);
    }
    for (size_t i = 0; i < j->group_count; i++)
        append(groups, ab_group_text(&j->groups[i], name), "group", &j->groups[i].finding);
    json_t *const seen = json_array();
    for (size_t i = 0; i < j->seen_count; i++)
        (void)json_array_append_new(seen, json_string(j->seen[i]));
    json_t *const all =
        json_pack("{s:s, s:i, s:s, s:s, s:s, s:o, s:f, s:f, s:o, s:o}", "conclusion", ab_report_conclusion(j), "exit",
                  ab_report_exit(j), "base", ab_source_of(AB_BASE)->given, "candidate",
                  ab_source_of(AB_CANDIDATE)->given, "disturbed", j->disturbed, "seen", seen, "threshold_pct",
                  j->threshold.row_pct, "group_threshold_pct", j->threshold.group_pct, "rows", rows, "groups", groups);
    if (all != NULL)
        (void)json_dumpf(all, out, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    fputc('\n', out);
    json_decref(all);
}

// ---- JUnit

static void put_escaped(FILE *out, const char *text) {
    for (; *text != '\0'; text++)
        switch (*text) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(*text, out);
        }
}

// in_layer: what its change comes to in a layer, as ab_norms_text has it, which is told of a case that has passed, too.
static void put_case(FILE *out, const char *of, const char *name, const ab_finding *f, bool waived,
                     const char *in_layer) {
    char change[AB_TEXT];
    const bool failed = f->verdict == AB_SLOWER && !waived;
    const bool skipped = !failed && f->verdict != AB_SAME && f->verdict != AB_FASTER && f->verdict != AB_SAME_CODE;
    const bool empty = !failed && !skipped && in_layer[0] == '\0';
    fprintf(out, "  <testcase classname=\"normbench.ab.%s\" name=\"", of);
    put_escaped(out, name);
    fputs(empty ? "\"/>\n" : "\">\n", out);
    if (empty)
        return;
    fputs(failed ? "    <failure message=\"" : skipped ? "    <skipped message=\"" : "    <system-out>", out);
    put_escaped(out, ab_change_text(f, change));
    put_escaped(out, in_layer);
    if (failed || skipped) {
        fputs("; ", out);
        put_escaped(out, failed ? "confirmed by launches of their own" : f->reason);
    }
    fputs(failed || skipped ? "\"/>\n  </testcase>\n" : "</system-out>\n  </testcase>\n", out);
}

static void put_seen(FILE *out, const ab_judgement *j) {
    if (j->seen_count == 0)
        return;
    fputs("  <system-out>", out);
    for (size_t i = 0; i < j->seen_count; i++) {
        fputs(i > 0 ? "; " : "Something else was at work, which changes no verdict: ", out);
        put_escaped(out, j->seen[i]);
    }
    fputs("</system-out>\n", out);
}

void ab_report_junit(const ab_judgement *j, FILE *out) {
    char name[AB_TEXT], in_layer[AB_TEXT];
    size_t tests = j->group_count, failures = 0;
    for (size_t i = 0; i < j->row_count; i++) {
        const bool judged = j->rows[i].which.role == AB_ROW || j->rows[i].which.role == AB_IDENTICAL;
        tests += judged;
        failures += judged && j->rows[i].finding.verdict == AB_SLOWER && !j->rows[i].waived;
    }
    for (size_t i = 0; i < j->group_count; i++)
        failures += j->groups[i].finding.verdict == AB_SLOWER && !j->groups[i].waived;
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"normbench ab\" tests=\"%zu\" "
            "failures=\"%zu\">\n",
            tests, failures);
    for (size_t i = 0; i < j->row_count; i++) {
        const ab_row *const r = &j->rows[i];
        if (r->which.role == AB_ROW || r->which.role == AB_IDENTICAL)
            put_case(out, r->of_layer ? "norm" : "row", r->text, &r->finding, r->waived, ab_norms_text(r, in_layer));
    }
    for (size_t i = 0; i < j->group_count; i++)
        put_case(out, "group", ab_group_text(&j->groups[i], name), &j->groups[i].finding, j->groups[i].waived, "");
    put_seen(out, j);
    fputs("</testsuite>\n", out);
}
