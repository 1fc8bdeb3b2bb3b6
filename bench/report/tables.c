// SPDX-License-Identifier: MIT
// tables.c: see tables.h.
#include "tables.h"

#include <glob.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fields.h"
#include "base/files.h"
#include "base/json_file.h"
#include "base/names.h"
#include "base/parse.h"
#include "base/refuse.h"
#include "plan/select.h"
#include "schema.h"

#define TABLE_NAME(ID, name) #name,
static const char *const table_names[] = {RUN_TABLE_LIST(TABLE_NAME)};
#undef TABLE_NAME
const char *run_table_name(run_table table) { return table_names[table]; }

// ---- Values

bool row_is(table_row r) { return r.table != NULL; }

const char *row_text(table_row r, const char *column) {
    const int at = r.table == NULL ? -1 : csv_column(r.table, column);
    return at < 0 ? "" : r.table->rows[r.at][at];
}

double row_real(table_row r, const char *column) {
    double value;
    return parse_real(row_text(r, column), &value) ? value : (double)NAN;
}

stats_interval row_interval(table_row r, const char *stem, const char *suffix) {
    char column[64];
    stats_interval i = {0};
    snprintf(column, sizeof column, "%s%s", stem, suffix);
    i.median = row_real(r, column);
    snprintf(column, sizeof column, "%s_lo95", stem);
    i.lo = isnan(i.median) ? (double)NAN : row_real(r, column);
    snprintf(column, sizeof column, "%s_hi95", stem);
    i.hi = isnan(i.lo) ? (double)NAN : row_real(r, column);
    i.lo = isnan(i.hi) ? (double)NAN : i.lo;
    return i;
}

bool row_is_measured(table_row r) {
    const char *const status = row_text(r, "status");
    return strcmp(status, "ok") == 0 || strcmp(status, "unstable") == 0;
}

// Takes a suffix off a name that ends in it.
static bool cut(char *name, const char *suffix) {
    const size_t length = strlen(name), tail = strlen(suffix);
    const bool has = length > tail && strcmp(name + length - tail, suffix) == 0;
    if (has)
        name[length - tail] = '\0';
    return has;
}

const char *row_base(table_row r, char base[ROW_BASE]) {
    const bool has_column = *row_text(r, "base") != '\0';
    snprintf(base, ROW_BASE, "%s", row_text(r, has_column ? "base" : "variant"));
    if (!has_column) {
        (void)cut(base, "_nt");
        (void)(cut(base, "_nobeta") || cut(base, "_noaffine"));
    }
    return base;
}

bool row_streams(table_row r) {
    char variant[ROW_BASE];
    snprintf(variant, sizeof variant, "%s", row_text(r, "variant"));
    return *row_text(r, "base") != '\0' ? strcmp(row_text(r, "streams"), "1") == 0 : cut(variant, "_nt");
}

// ---- What a table may hold

// An op or a model that this program does not have is said with those that it has: the run is of another version.
static bool known_name(const char *column, const char *value, char message[TABLES_MESSAGE]) {
    const bool is_op = strcmp(column, "op") == 0 || strcmp(column, "against") == 0;
    const selector s = is_op ? SELECT_OP : strcmp(column, "model") == 0 ? SELECT_MODEL : SELECTORS;
    const char *names[SELECT_MAX_NAMES];
    size_t index;
    if (s == SELECTORS || selector_index(s, value, &index))
        return true;
    names_explain(message, TABLES_MESSAGE, value, column, names, selector_names(s, names));
    return false;
}

// A field against what its column may hold; one of a later version is none of ours.
static void check_field(fields *f, const column_table *t, const char *column) {
    const table_column *const known = columns_find(t, column);
    const char *const value = fields_text(f, column);
    static const char *const expected[] = {
        [COLUMN_STRING] = "what results/README.md says of it",
        [COLUMN_INTEGER] = "a whole number, as results/README.md has it",
        [COLUMN_NUMBER] = "a number, as results/README.md has it",
    };
    char message[TABLES_MESSAGE], text[TABLES_MESSAGE + 64];
    if (*value == '\0' || known == NULL)
        return;
    if (columns_fault(known, value) != NULL) {
        fields_refuse(f, column, expected[known->type->kind]);
    } else if (!known_name(column, value, message)) {
        snprintf(text, sizeof text, "is of no run that this program can judge: %.900s", message);
        fields_refuse_row(f, text);
    }
}

// The ends of an interval stand in their order.
static void check_ends(fields *f, const char *column) {
    const char *const lower = strstr(column, "_lo95");
    char upper[64], expected[128];
    if (lower == NULL)
        return;
    snprintf(upper, sizeof upper, "%.*s_hi95%s", (int)(lower - column), column, lower + strlen("_lo95"));
    const table_row row = {f->table, f->row};
    snprintf(expected, sizeof expected, "no more than %s, %.40s", upper, row_text(row, upper));
    if (row_real(row, column) > row_real(row, upper))
        fields_refuse(f, column, expected);
}

// Columns without which a file is no such table.
enum { MOST_NEEDED = 13 };
static const char *const needed[RUN_TABLES][MOST_NEEDED] = {
    [RUN_TABLE_KERNELS] = {"op", "form", "dtype", "status"},
    [RUN_TABLE_LAYERS] = {"op", "form", "dtype", "status"},
    [RUN_TABLE_PEERS] = {"machine_id", "pytorch", "heap", "op", "beta", "against", "pass", "dtype", "rows", "cols",
                         "threads", "system", "ratio"},
};

// Whether every row is one that can be judged.
static bool check_table(const csv_table *t, run_table table, char *message, size_t size) {
    fields f = fields_of(t, message, size);
    for (size_t i = 0; i < MOST_NEEDED && needed[table][i] != NULL; i++)
        if (csv_column(t, needed[table][i]) < 0)
            return refuse(message, size, "has no column %s: it is no %s.csv, see results/README.md", needed[table][i],
                          run_table_name(table));
    for (f.row = 0; f.ok && f.row < t->row_count; f.row++)
        for (size_t k = 0; f.ok && k < t->column_count; k++) {
            check_field(&f, schema_find(run_table_name(table)), t->header[k]);
            check_ends(&f, t->header[k]);
        }
    return f.ok;
}

// ---- Reading

static bool take_file(run_tables *r, run_table table, const char *path, char message[TABLES_MESSAGE]) {
    char why[TABLES_MESSAGE / 2];
    csv_table *const files = realloc(r->tables[table].files, (r->tables[table].count + 1) * sizeof *files);
    if (files == NULL)
        return refuse(message, TABLES_MESSAGE, "out of memory");
    r->tables[table].files = files;
    csv_table *const t = &files[r->tables[table].count];
    const int error = csv_read(t, path, why, sizeof why);
    if (error == 0)
        r->tables[table].count++;
    if (error == 0 && !t->truncated && check_table(t, table, why, sizeof why))
        return true;
    return refuse(message, TABLES_MESSAGE, "%.300s: %s", path,
                  error == -1  ? why
                  : error != 0 ? files_reason(error)
                  : error == 0 && t->truncated
                      ? table == RUN_TABLE_PEERS
                            ? "the last line has no end: it was cut off; delete it and have make peers write it anew"
                            : "the last line has no end: it was cut off; have the run written anew with --resume"
                      : why);
}

static bool has_file(const char *folder, const char *name) {
    char path[PATH_MAX];
    struct stat info;
    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path && stat(path, &info) == 0;
}

// The files NAME in a folder's place, which has slashes and stars; to be freed by globfree() if there are any.
static bool find_files(const char *folder, const char *place, const char *name, glob_t *found) {
    char pattern[2 * PATH_MAX + 64];
    size_t used = 0;
    for (const char *p = folder; *p != '\0' && used < 2 * PATH_MAX; p++) {
        if (strchr("*?[\\", *p) != NULL)
            pattern[used++] = '\\';
        pattern[used++] = *p;
    }
    snprintf(pattern + used, sizeof pattern - used, "%s%s", place, name);
    return glob(pattern, 0, NULL, found) == 0;
}

// The files of a table: those of parts, else the run's own, else, where it is a folder of runs and none itself, those
// of the folders in it: in a run, they are what `make peers` measured.
static bool take_table(run_tables *r, run_table table, const char *folder, char message[TABLES_MESSAGE]) {
    static const char *const places[] = {"/parts/*/", "/", "/*/"};
    bool ok = true;
    for (size_t i = 0; ok && r->tables[table].count == 0 && i < sizeof places / sizeof *places; i++) {
        char name[32];
        glob_t found;
        snprintf(name, sizeof name, "%s.csv", run_table_name(table));
        if (table == RUN_TABLE_LAYERS && i != 1) // those of parts are joined in the run's own
            continue;
        if (i == 2 && has_file(folder, "meta.json"))
            continue;
        if (!find_files(folder, places[i], name, &found))
            continue;
        for (size_t k = 0; ok && k < found.gl_pathc; k++)
            ok = take_file(r, table, found.gl_pathv[k], message);
        globfree(&found);
    }
    return ok;
}

// A number below an object, zero if it is none.
static double number_in(const json_t *object, const char *key) {
    const json_t *const value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : 0;
}

static void take_meta(run_tables *r, const char *path) {
    json_error_t why;
    json_t *meta;
    if (json_file_read(path, &meta, &why) != 0)
        return;
    const json_t *const machine = json_object_get(json_object_get(meta, "machine"), "topology");
    r->cores = (size_t)number_in(machine, "cores");
    r->l1_bytes = number_in(machine, "l1d_bytes");
    r->l2_bytes = number_in(machine, "l2_bytes");
    r->llc_bytes = number_in(machine, "llc_bytes");
    json_decref(meta);
}

static bool same_machine(const run_tables *a, const run_tables *b) {
    return a->cores == b->cores && a->l1_bytes == b->l1_bytes && a->l2_bytes == b->l2_bytes &&
           a->llc_bytes == b->llc_bytes;
}

// The run's own, or what all runs of a folder say; without meta.json, or where they differ, nothing is known.
static void take_machine(run_tables *r, const char *folder) {
    glob_t found;
    run_tables first = {0};
    bool same = true;
    if (!find_files(folder, "/", "meta.json", &found) && !find_files(folder, "/*/", "meta.json", &found))
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        run_tables other = {0};
        take_meta(i == 0 ? &first : &other, found.gl_pathv[i]);
        same = same && (i == 0 || same_machine(&first, &other));
    }
    globfree(&found);
    if (!same)
        return;
    r->cores = first.cores;
    r->l1_bytes = first.l1_bytes;
    r->l2_bytes = first.l2_bytes;
    r->llc_bytes = first.llc_bytes;
}

// Without a machine's own word: the most threads that anything was measured with.
static size_t most_threads(const run_tables *r) {
    double most = 0;
    for (run_table table = 0; table < RUN_TABLES; table++)
        for (size_t i = 0; i < r->tables[table].count; i++) {
            table_row row = {&r->tables[table].files[i], 0};
            for (; row.at < row.table->row_count; row.at++)
                most = fmax(most, row_real(row, "threads"));
        }
    return (size_t)most;
}

bool run_tables_read(run_tables *r, const char *folder, char message[TABLES_MESSAGE]) {
    *r = (run_tables){0};
    for (run_table table = 0; table < RUN_TABLES; table++)
        if (!take_table(r, table, folder, message)) {
            run_tables_free(r);
            return false;
        }
    take_machine(r, folder);
    r->cores = r->cores > 0 ? r->cores : most_threads(r);
    return true;
}

void run_tables_free(run_tables *r) {
    for (run_table table = 0; table < RUN_TABLES; table++) {
        for (size_t i = 0; i < r->tables[table].count; i++)
            csv_free(&r->tables[table].files[i]);
        free(r->tables[table].files);
    }
    *r = (run_tables){0};
}
