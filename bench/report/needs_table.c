// SPDX-License-Identifier: MIT
// needs_table.c: what claims need, as a table and in words; beside it what committed runs say of them, by machine.
#include <math.h>
#include <string.h>

#include "base/interval.h"
#include "needs.h"
#include "schema.h"
#include "verdicts.h"

static const char *text_of(const claim_need *n, const char *column) { return row_text(n->asked->row, column); }

// ---- Table

#define ROW claim_need
#define COLUMNS(X)                                                                                                     \
    X(REQUIRED, id, name, NULL, value_text(text_of(r, "id")), "Name of the claim, as in claims.csv.")                  \
    X(REQUIRED, claim, text, NULL, value_text(text_of(r, "claim")), "What is claimed, in our words.")                  \
    X(REQUIRED, source, text, NULL, value_text(text_of(r, "source")), "Where.")                                        \
    X(REQUIRED, command, text, NULL, value_text(r->command),                                                           \
      "What has to be run, and no more: what follows `normbench`. Every run adds the norms and the copy that its "     \
      "ratios are taken over.")                                                                                        \
    X(REQUIRED, minutes, ordinal, "min", value_size(r->seconds / 60),                                                  \
      "The time that measuring is given: of kernels one; of layers ten launches of two samples of each arm, by the "   \
      "operations of their products at 150 GFLOP/s and 12 ns for each weight to be drawn.")                            \
    X(REQUIRED, here, flag, NULL, value_size(r->lacks[0] == '\0'), "1 if it can be judged on this machine.")           \
    X(OPTIONAL, lacks, text, NULL, value_text(r->lacks), "What this machine lacks for it.")
COLUMN_OWN_LIST(own_columns, COLUMNS)
COLUMN_TABLE(needs, "needs.csv", "What each published claim needs to be judged, as `normbench list claims` says.",
             COLUMN_PART(own_columns))

// ---- What runs say

// Of the runs of a machine the first that can tell, or else that has a value. false: none has.
static bool find_said(const claim_needs *n, const claim_need *need, const char *machine, finding *said) {
    bool any = false;
    for (size_t i = 0; i < n->run_count; i++) {
        findings all = {0};
        if (strcmp(n->runs[i].machine_id, machine) != 0 || !judge(need->asked, &n->runs[i].tables, 1, &all))
            continue;
        const finding *const f = &all.items[0];
        if (f->runs > 0 && (!any || (said->verdict == VERDICT_CANNOT_TELL && f->verdict != VERDICT_CANNOT_TELL))) {
            *said = *f;
            any = true;
        }
        findings_free(&all);
    }
    return any;
}

static bool is_first_of_machine(const claim_needs *n, size_t run) {
    for (size_t i = 0; i < run; i++)
        if (strcmp(n->runs[i].machine_id, n->runs[run].machine_id) == 0)
            return false;
    return true;
}

static const char *unit_of(const claim_need *n) {
    const char *const unit = text_of(n, "unit");
    return strcmp(unit, "1") == 0 ? "" : unit;
}

static void print_said(FILE *out, const claim_needs *n, const claim_need *need, const char *machine, bool markdown) {
    finding said;
    char value[INTERVAL_TEXT];
    if (!find_said(n, need, machine, &said)) {
        fputs(markdown ? " |" : "", out);
        return;
    }
    interval_text(value, &said.value, unit_of(need), judge_decimals(&said.value, &need->asked->holds));
    fprintf(out, markdown ? " %s: %s |" : "  %s, %s: %s\n", markdown ? verdict_name(said.verdict) : machine,
            markdown ? value : verdict_name(said.verdict), value);
}

// ---- For people

static void print_text(FILE *out, const claim_needs *n) {
    for (size_t i = 0; i < n->count; i++) {
        const claim_need *const need = &n->items[i];
        fprintf(out, "%s\n  %s\n  %zu minute%s: normbench %s\n", text_of(need, "id"), text_of(need, "claim"),
                need->seconds / 60, need->seconds == 60 ? "" : "s", need->command);
        if (need->lacks[0] != '\0')
            fprintf(out, "  cannot be judged here: lacks %s\n", need->lacks);
        for (size_t k = 0; k < n->run_count; k++)
            if (is_first_of_machine(n, k))
                print_said(out, n, need, n->runs[k].machine_id, false);
    }
}

// Of a machine, for the list of those that the table has.
static void print_machine(FILE *out, const claim_needs *n, size_t run) {
    const results *const r = &n->runs[run];
    const char *const cpu = json_string_value(results_fact(r->meta, "cpu_model"));
    fprintf(out, "- `%s`: %s, %zu cores; by", r->machine_id, cpu != NULL ? cpu : "CPU not recorded", r->tables.cores);
    const char *before = "";
    for (size_t i = run; i < n->run_count; i++)
        if (strcmp(n->runs[i].machine_id, r->machine_id) == 0) {
            fprintf(out, "%s `%s`", before, n->runs[i].folder);
            before = ",";
        }
    fputc('\n', out);
}

static void print_cell(FILE *out, const char *text) {
    for (; *text != '\0'; text++)
        fprintf(out, "%s%c", *text == '|' ? "\\" : "", *text);
}

static void print_markdown(FILE *out, const claim_needs *n) {
    fputs("| claim | what it says | source | minutes |\n|---|---|---|---:|\n", out);
    for (size_t i = 0; i < n->count; i++) {
        const claim_need *const need = &n->items[i];
        fprintf(out, "| `%s` | ", text_of(need, "id"));
        print_cell(out, text_of(need, "claim"));
        fputs(" | ", out);
        print_cell(out, text_of(need, "source"));
        fprintf(out, " | %zu |\n", need->seconds / 60);
    }
    if (n->run_count == 0)
        return;
    fputs("\n### Expected values\n\n", out);
    for (size_t k = 0; k < n->run_count; k++)
        if (is_first_of_machine(n, k))
            print_machine(out, n, k);
    fputs("\n| claim |", out);
    for (size_t k = 0; k < n->run_count; k++)
        if (is_first_of_machine(n, k))
            fprintf(out, " %s |", n->runs[k].machine_id);
    fputs("\n|---|", out);
    for (size_t k = 0; k < n->run_count; k++)
        fputs(is_first_of_machine(n, k) ? "---|" : "", out);
    fputc('\n', out);
    for (size_t i = 0; i < n->count; i++) {
        fprintf(out, "| `%s` |", text_of(&n->items[i], "id"));
        for (size_t k = 0; k < n->run_count; k++)
            if (is_first_of_machine(n, k))
                print_said(out, n, &n->items[i], n->runs[k].machine_id, true);
        fputc('\n', out);
    }
    fputs("\n### Commands\n\n```sh\n", out);
    for (size_t i = 0; i < n->count; i++)
        fprintf(out, "# %s\nbuild/normbench %s\n", text_of(&n->items[i], "id"), n->items[i].command);
    fputs("```\n", out);
}

void claim_needs_print(FILE *out, const void *what, bool markdown) {
    (markdown ? print_markdown : print_text)(out, what);
}

bool claim_verdict_print(FILE *out, const claim_need *n, const run_tables *run, verdict *said) {
    findings all = {0};
    if (!judge(n->asked, run, 1, &all))
        return false;
    verdict_row r = {.q = n->asked, .f = &all.items[0], .cores = run->cores};
    verdict_claims.prepare(&r);
    verdict_claims.print(out, &r);
    *said = r.f->verdict;
    findings_free(&all);
    return true;
}
