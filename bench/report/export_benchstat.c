// SPDX-License-Identifier: MIT
// export_benchstat.c: Go's benchmark format (golang.org/design/14313-benchmark-format, and x/perf/benchfmt for the
// key=value parts of names), for benchstat. It takes lines of one name for independent, so each launch is one line.
#include <errno.h>
#include <stdlib.h>

#include "base/files.h"
#include "base/interval.h"
#include "exports.h"
#include "launches.h"

typedef struct {
    const export_set *set;
    const launches *of; // each run's
} sheet;

// A trailing -N is the number of processors.
static void print_line(FILE *out, const result *i, const char *name, size_t calls, double ns, int digits) {
    const char *const threads = row_text(i->row, "threads");
    // No exponent: github-action-benchmark reads this format as well, and takes digits and a point alone.
    fprintf(out, "BenchmarkNorm/%s%s-%s %zu %.*f ns/op\n", name, i->quantity == RESULT_TIME ? "" : "/what=norms",
            *threads == '\0' ? "1" : threads, calls, interval_value_decimals(ns, digits), ns);
}

static void print_run(FILE *out, const results *r, const launches *l) {
    enum { DIGITS = 6 };
    const char *const cpu = json_string_value(results_fact(r->meta, "cpu_model"));
    fprintf(out, "pkg: normbench\ncpu: %s\ncommit: %s\nrun: %s\n", cpu != NULL ? cpu : r->machine_id, r->commit,
            r->run_id);
    for (size_t i = 0; i < r->count; i++) {
        const result *const item = &r->items[i];
        char name[RESULT_NAME];
        size_t count;
        const launch_value *const values = launches_of(l, item, &count);
        results_name(item->row, true, name);
        for (size_t k = 0; k < count; k++)
            print_line(out, item, name, values[k].calls, values[k].ns, DIGITS);
        if (count == 0)
            print_line(out, item, name, 1, item->ns.median, interval_digits(&item->ns));
    }
    fputc('\n', out);
}

static void print(FILE *out, const void *what) {
    const sheet *const s = what;
    for (size_t k = 0; k < s->set->count; k++)
        print_run(out, &s->set->runs[k], &s->of[k]);
}

int export_benchstat(const void *what, const char *path) {
    const export_set *const set = what;
    launches *const of = calloc(set->count, sizeof *of);
    size_t read = 0;
    if (of == NULL)
        return ENOMEM;
    while (read < set->count && launches_read(&of[read], &set->runs[read], set->error))
        read++;
    const sheet s = {set, of};
    const int error = read < set->count ? -1 : text_file_write(&(text_file){print, &s}, path);
    for (size_t k = 0; k < read; k++)
        launches_free(&of[k]);
    free(of);
    return error;
}
