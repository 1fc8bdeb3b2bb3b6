// SPDX-License-Identifier: MIT
// tune_compare.c: see tune_compare.h.
#include "tune_compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/refuse.h"
#include "base/stats.h"

// What a class is.
static const char *const keys[] = {"op", "variant", "dtype", "pass", "level", "size", "width"};
enum { KEYS = sizeof keys / sizeof *keys };

static bool read_table(csv_table *t, const char *path, char message[TABLES_MESSAGE]) {
    char why[200];
    const int code = csv_read(t, path, why, sizeof why);
    if (code != 0)
        return refuse(message, TABLES_MESSAGE, "%.200s: %.200s", path, code == -1 ? why : files_reason(code));
    bool ok = csv_column(t, "schedule") >= 0 && csv_column(t, "ratio") >= 0;
    for (size_t i = 0; i < KEYS; i++)
        ok = ok && csv_column(t, keys[i]) >= 0;
    return ok || refuse(message, TABLES_MESSAGE, "%.200s is no tune.csv: give what `normbench tune` wrote", path);
}

static bool same_class(table_row a, table_row b) {
    for (size_t i = 0; i < KEYS; i++)
        if (strcmp(row_text(a, keys[i]), row_text(b, keys[i])) != 0)
            return false;
    return true;
}

// The row of a table that is of a row's class; of none if there is none.
static table_row find(const csv_table *t, table_row like) {
    for (size_t i = 0; i < t->row_count; i++)
        if (same_class((table_row){t, i}, like))
            return (table_row){t, i};
    return (table_row){0};
}

static void print_difference(FILE *out, table_row a, table_row b, double ratio, bool first) {
    char name[160];
    if (first)
        fprintf(out, "%-62s %-20s %-20s %s\n", "class", "first", "second", "second's time over first's");
    snprintf(name, sizeof name, "%s/%s %s %s %s %s %s", row_text(a, "op"), row_text(a, "variant"), row_text(a, "pass"),
             row_text(a, "dtype"), row_text(a, "level"), row_text(a, "size"), row_text(a, "width"));
    fprintf(out, "%-62s %-20s %-20s %.3f\n", name, row_text(a, "schedule"), row_text(b, "schedule"), ratio);
}

static bool compare(const csv_table tables[2], FILE *out, double *ratios) {
    size_t count = 0, same = 0, agree = 0;
    for (size_t i = 0; i < tables[0].row_count; i++) {
        const table_row a = {&tables[0], i}, b = find(&tables[1], a);
        if (!row_is(b))
            continue;
        const bool equal = strcmp(row_text(a, "schedule"), row_text(b, "schedule")) == 0;
        const double ratio = equal ? 1 : row_real(b, "ratio") / row_real(a, "ratio");
        if (!equal)
            print_difference(out, a, b, ratio, same == count);
        ratios[count++] = ratio;
        same += equal;
        agree += fabs(log(ratio)) <= log(1 + TUNE_AGREES);
    }
    if (count > 0)
        fprintf(out,
                "%zu of %zu classes have the same schedule in both; in %zu the second's takes within %.0f %% of the "
                "first's time (median of all %.3f).\n",
                same, count, agree, 100 * TUNE_AGREES, stats_median(ratios, count));
    return count > 0;
}

bool tune_compare(const char *const paths[2], FILE *out, char message[TABLES_MESSAGE]) {
    csv_table tables[2] = {{0}};
    bool ok = read_table(&tables[0], paths[0], message) && read_table(&tables[1], paths[1], message);
    double *const ratios = ok ? calloc(tables[0].row_count + 1, sizeof *ratios) : NULL;
    if (ok && ratios == NULL)
        ok = refuse(message, TABLES_MESSAGE, "out of memory");
    else if (ok && !compare(tables, out, ratios))
        ok = refuse(message, TABLES_MESSAGE, "%.200s and %.200s have no class in common", paths[0], paths[1]);
    free(ratios);
    csv_free(&tables[0]);
    csv_free(&tables[1]);
    return ok;
}
