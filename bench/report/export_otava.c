// SPDX-License-Identifier: MIT
// export_otava.c: the CSV that Apache Otava 0.8 reads (otava/importer.py, CsvImporter): a header, then a row for each
// run with its time, what tells it apart, and a number for each metric, none of which may be empty.
#include <errno.h>
#include <stdlib.h>

#include "base/csv.h"
#include "base/interval.h"
#include "exports.h"

int export_otava(const void *what, const char *path) {
    const export_set *const set = what;
    csv_writer w;
    size_t count;
    for (size_t k = 0; k < set->count; k++)
        if (!results_have_time(&set->runs[k], set->error))
            return -1;
    const result **const common = export_common(set, &count);
    int error = common == NULL ? ENOMEM : csv_open(&w, path, false);
    if (error == 0) {
        csv_text(&w, "time");
        csv_text(&w, "run_id");
        csv_text(&w, "commit");
        for (size_t i = 0; i < count; i++)
            csv_text(&w, common[i]->name);
        (void)csv_end(&w); // told by csv_close
        for (size_t k = 0; k < set->count; k++) {
            const results *const r = &set->runs[k];
            csv_text(&w, r->time);
            csv_text(&w, r->run_id);
            csv_text(&w, r->commit);
            for (size_t i = 0; i < count; i++) {
                const stats_interval *const ns = &results_find(r, common[i]->name)->ns;
                csv_real(&w, ns->median, interval_digits(ns));
            }
            (void)csv_end(&w);
        }
        error = csv_close(&w);
    }
    free(common);
    return error;
}
