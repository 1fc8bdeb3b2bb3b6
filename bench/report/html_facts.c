// SPDX-License-Identifier: MIT
// html_facts.c: what meta.json says of machine and build, what of it makes numbers less certain, and the head of the
// page.
#include <math.h>
#include <string.h>

#include "html.h"
#include "html_page.h"
#include "results.h"

enum { FACT = 512 };

// A fact as text: "" of one that is not known. Bytes in the largest unit that is whole.
static const char *fact(const page_run *r, const char *path, char text[FACT]) {
    const json_t *const value = results_fact(r->meta, path);
    const double number = json_number_value(value);
    text[0] = '\0';
    if (json_is_string(value))
        snprintf(text, FACT, "%s", json_string_value(value));
    else if (json_is_boolean(value))
        snprintf(text, FACT, "%s", json_is_true(value) ? "yes" : "no");
    else if (json_is_number(value) && strstr(path, "bytes") != NULL)
        snprintf(text, FACT, "%.4g %s",
                 number >= 1 << 30   ? number / (1 << 30)
                 : number >= 1 << 20 ? number / (1 << 20)
                                     : number / 1024,
                 number >= 1 << 30   ? "GiB"
                 : number >= 1 << 20 ? "MiB"
                                     : "KiB");
    else if (json_is_number(value))
        snprintf(text, FACT, "%.10g", number);
    return text;
}

// ---- What makes numbers less certain

static void warn(char texts[PAGE_WARNINGS][PAGE_WARNING], size_t *count, const char *text) {
    if (*count < PAGE_WARNINGS)
        snprintf(texts[(*count)++], PAGE_WARNING, "%s", text);
}

static bool is_missing(const page_run *r, const char *path) {
    return json_is_object(results_fact(r->meta, path)); // null, with its reason
}

static void warn_of_run(const page_run *r, char texts[PAGE_WARNINGS][PAGE_WARNING], size_t *count) {
    char text[PAGE_WARNING];
    if (r->meta == NULL)
        warn(texts, count, "there is no meta.json: nothing is known of machine and build");
    if (json_is_false(results_fact(r->meta, "complete")))
        warn(texts, count, "the run is unfinished: --resume goes on with it");
    if (json_is_false(results_fact(r->meta, "machine.this_machine")))
        warn(texts, count, "the topology is synthetic, not that of the machine which measured");
    const size_t lost = page_rows(r, NULL) - page_rows(r, "ok") - page_rows(r, "unstable");
    snprintf(text, sizeof text, "%zu rows were not measured: column reason says why", lost);
    if (lost > 0)
        warn(texts, count, text);
}

size_t page_warnings(const page_run *r, char texts[PAGE_WARNINGS][PAGE_WARNING]) {
    size_t count = 0;
    char text[PAGE_WARNING], value[FACT];
    warn_of_run(r, texts, &count);
    snprintf(text, sizeof text, "the clock governor is `%.60s`, not performance",
             fact(r, "machine.clock.governor", value));
    if (*value != '\0' && strcmp(value, "performance") != 0)
        warn(texts, &count, text);
    if (is_missing(r, "machine.clock.governor"))
        warn(texts, &count, "nobody knows how the clock is governed");
    if (json_integer_value(results_fact(r->meta, "machine.clock.turbo")) == 1)
        warn(texts, &count, "turbo is on, so the clock follows load and heat");
    if (json_integer_value(results_fact(r->meta, "machine.system.smt_active")) == 1)
        warn(texts, &count, "SMT is on, so other programs may run on the siblings of timed cores");
    if (json_is_true(results_fact(r->meta, "machine.virtualization.hypervisor")))
        warn(texts, &count, "this is a virtual machine, where timings are noisier: trust ratios of one run");
    const double cores = json_number_value(results_fact(r->meta, "machine.topology.cores")),
                 load = json_number_value(json_array_get(results_fact(r->meta, "machine.load.average"), 0));
    snprintf(text, sizeof text, "the load average was %.2g on %.0f cores as the run began", load, cores);
    if (cores > 0 && load > 0.5 * cores)
        warn(texts, &count, text);
    if (json_integer_value(results_fact(r->meta, "machine.load.steal_ticks")) > 0)
        warn(texts, &count, "the hypervisor has taken CPU time for others");
    if (is_missing(r, "machine.counters.cycles"))
        warn(texts, &count, "there are no hardware counters: cycles are those of a measured clock");
    return count;
}

// ---- The head

// Rows of layers with fewer tokens than were published.
static size_t scaled_rows(const page_run *r) {
    size_t count = 0;
    for (size_t i = 0; i < r->tables.tables[RUN_TABLE_LAYERS].count; i++) {
        table_row row = {&r->tables.tables[RUN_TABLE_LAYERS].files[i], 0};
        for (; row.at < row.table->row_count; row.at++)
            count += strcmp(row_text(row, "scaled"), "1") == 0;
    }
    return count;
}

static void write_run(FILE *out, const page_run *r) {
    char texts[PAGE_WARNINGS][PAGE_WARNING], value[FACT];
    const size_t warnings = page_warnings(r, texts), scaled = scaled_rows(r);
    fputs("<p class=run><b>", out);
    html_text(out, r->machine_id);
    fputs("</b> ", out);
    html_say(out, "%.80s", fact(r, "cpu_model", value));
    static const struct {
        const char *path, *before, *after;
    } facts[] = {{"machine.topology.cores", "", " cores"},
                 {"machine.build.compiler", "", ""},
                 {"machine.build.libc_name", "", ""}};
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (*fact(r, facts[i].path, value) != '\0')
            html_say(out, " \u00b7 %s%.40s%s", facts[i].before, value, facts[i].after);
    if (*fact(r, "machine.build.libc", value) != '\0') {
        char name[FACT]; // of an older run the version alone is known
        html_say(out, "%s%.40s", *fact(r, "machine.build.libc_name", name) != '\0' ? " " : " \u00b7 libc ", value);
    }
    html_say(out, " \u00b7 %s", r->run_id);
    if (scaled > 0) {
        fputs(" <a class=chip href='#tables'>", out);
        html_say(out, "SCALED: %zu of %zu rows have fewer tokens than published", scaled, page_rows(r, NULL));
        fputs("</a>", out);
    }
    if (warnings > 0)
        fprintf(out, " <a class=chip href='#machine'>%zu warning%s</a>", warnings, warnings == 1 ? "" : "s");
    fputs("</p>\n", out);
}

void page_head(FILE *out, const page *p) {
    fputs(
        "<header><div class=line><h1>Is DyT cheaper than LayerNorm and RMSNorm here?</h1><nav><a href='#answer'>Answer"
        "</a> <a href='#figures'>Figures</a> <a href='#tables'>Tables</a> <a href='#machine'>Machine</a></nav></div>\n",
        out);
    for (size_t i = 0; i < p->count; i++)
        write_run(out, &p->runs[i]);
    fputs("<p class=units>Ratios: time over time, below 1 DyT is faster. Times in ns. [ ] 95 % interval. Inputs and "
          "weights are synthetic: drawn from named distributions.</p></header>\n",
          out);
}

// ---- All of it

static void write_fact(FILE *out, const char *path, const char *value) {
    fputs("<tr><th scope=row>", out);
    html_text(out, path);
    fputs("<td>", out);
    html_text(out, value);
    fputc('\n', out);
}

// Whatever meta.json has, a line each.
static void write_all(FILE *out, const json_t *value, const char *path) {
    const char *name;
    json_t *item;
    char text[64], below[256];
    size_t i;
    if (json_is_string(value))
        write_fact(out, path, json_string_value(value));
    else if (json_is_integer(value) || json_is_real(value)) {
        snprintf(text, sizeof text, "%.15g", json_number_value(value));
        write_fact(out, path, text);
    } else if (json_is_boolean(value) || json_is_null(value))
        write_fact(out, path, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "unknown");
    json_object_foreach((json_t *)(uintptr_t)value, name, item) {
        snprintf(below, sizeof below, "%.180s%s%.60s", path, *path == '\0' ? "" : ".", name);
        write_all(out, item, below);
    }
    json_array_foreach(value, i, item) write_all(out, item, path);
}

void page_facts(FILE *out, const page *p) {
    for (size_t i = 0; i < p->count; i++) {
        const page_run *const r = &p->runs[i];
        char texts[PAGE_WARNINGS][PAGE_WARNING];
        const size_t warnings = page_warnings(r, texts);
        fputs("<h3>", out);
        html_text(out, r->name);
        fputs("</h3><ul class=warnings>\n", out);
        for (size_t k = 0; k < warnings; k++) {
            fputs("<li>", out);
            html_text(out, texts[k]);
            fputs("</li>\n", out);
        }
        fputs("</ul><details><summary>All that meta.json says</summary><div class=scroll><table class=facts>\n", out);
        write_all(out, r->meta, "");
        fputs("</table></div></details>\n", out);
    }
}
