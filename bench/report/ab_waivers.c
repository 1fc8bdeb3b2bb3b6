// SPDX-License-Identifier: MIT
// ab_waivers.c: see ab_waivers.h.
#include "ab_waivers.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/csv.h"
#include "base/files.h"
#include "base/refuse.h"

const char *ab_waivers_today(char text[16]) {
    const time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc) == NULL || strftime(text, 16, "%Y-%m-%d", &utc) == 0)
        snprintf(text, 16, "9999-12-31");
    return text;
}

static bool is_date(const char *text) {
    static const char pattern[] = "dddd-dd-dd";
    size_t i = 0;
    for (; pattern[i] != '\0'; i++)
        if (pattern[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != '-')
            return false;
    const int month = 10 * (text[5] - '0') + text[6] - '0', day = 10 * (text[8] - '0') + text[9] - '0';
    return text[i] == '\0' && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static bool take(ab_waivers *w, const csv_table *t, const char *path, const char *today, char *why, size_t size) {
    const int row = csv_column(t, "row"), until = csv_column(t, "until"), reason = csv_column(t, "reason");
    if (row < 0 || until < 0 || reason < 0 || t->row_count == 0)
        return refuse(why, size, "%s: %s; a waiver is a line below `row,until,reason`", path,
                      t->row_count == 0 ? "it waives nothing" : "it lacks a column");
    w->items = calloc(t->row_count, sizeof *w->items);
    for (size_t i = 0; w->items != NULL && i < t->row_count; i++) {
        char **const fields = t->rows[i];
        ab_waiver *const item = &w->items[w->count++];
        const char *const fault =
            fields[row][0] == '\0' || strlen(fields[row]) >= sizeof item->row
                ? "names no row: give it as op/variant/pass/form/level/dtype/ROWSxCOLS/threads/placement/cache, with * "
                  "for any"
            : !is_date(fields[until])   ? "has no last day: give it as YYYY-MM-DD"
            : fields[reason][0] == '\0' ? "gives no reason"
                                        : NULL;
        if (fault != NULL)
            return refuse(why, size, "%s: line %zu %s", path, i + 2, fault);
        snprintf(item->row, sizeof item->row, "%s", fields[row]);
        snprintf(item->until, sizeof item->until, "%s", fields[until]);
        item->over = strcmp(item->until, today) < 0;
        if (item->over)
            fprintf(stderr, "note: %s: line %zu was a waiver until %s, and waives nothing any more\n", path, i + 2,
                    item->until);
    }
    if (w->items == NULL)
        snprintf(why, size, "out of memory");
    return w->items != NULL;
}

bool ab_waivers_read(ab_waivers *w, const char *path, const char *today, char *why, size_t size) {
    char message[256] = "";
    csv_table t = {0};
    *w = (ab_waivers){0};
    const int code = csv_read(&t, path, message, sizeof message);
    if (code != 0)
        snprintf(why, size, "cannot read %s: %s", path, code == -1 ? message : files_reason(code));
    const bool ok = code == 0 && take(w, &t, path, today, why, size);
    csv_free(&t);
    if (!ok)
        ab_waivers_free(w);
    return ok;
}

void ab_waivers_free(ab_waivers *w) {
    free(w->items);
    *w = (ab_waivers){0};
}

void ab_waivers_apply(const ab_waivers *w, ab_judgement *j) {
    for (size_t i = 0; i < j->row_count; i++)
        for (size_t k = 0; k < w->count; k++)
            j->rows[i].waived |= !w->items[k].over && fnmatch(w->items[k].row, j->rows[i].name, 0) == 0;
    for (size_t i = 0; i < j->group_count; i++)
        for (size_t k = 0; k < j->row_count; k++)
            j->groups[i].waived |= j->rows[k].waived && j->rows[k].finding.verdict == AB_SLOWER &&
                                   j->rows[k].op == j->groups[i].op &&
                                   (j->groups[i].level == NORM_ALL_LEVELS || j->rows[k].level == j->groups[i].level);
}
