// SPDX-License-Identifier: MIT
// results.c: see results.h.
#include "results.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/files.h"
#include "base/json_file.h"
#include "base/list.h"
#include "base/order.h"
#include "base/refuse.h"
#include "filter.h"
#include "norm.h"

#define NAME(ID, name, column) #name,
#define COLUMN(ID, name, column) column,
static const char *const quantity_names[] = {RESULT_QUANTITY_LIST(NAME)}, *const stems[] = {
                                                                              RESULT_QUANTITY_LIST(COLUMN)};
#undef NAME
#undef COLUMN
const char *result_quantity_name(result_quantity q) { return quantity_names[q]; }

bool result_is_sentinel(const result *i) { return strcmp(row_text(i->row, "op"), norm_op_name(NORM_IDENTITY)) == 0; }

// ---- Names

// Adds "/", what stands before the value, and the value, cut to what there is room for.
static void add(char *text, size_t size, const char *before, const char *value) {
    const size_t used = strlen(text);
    if (*value != '\0')
        snprintf(text + used, size - used, "%s%s%s", used > 0 ? "/" : "", before, value);
}

void results_name(table_row row, bool keyed, char name[RESULT_NAME]) {
    // Counts of layers say what they count.
    static const struct {
        const char *column;
        bool says;
    } parts[] = {{"op", false},        {"variant", false}, {"pass", false},  {"form", false},    {"level", false},
                 {"dtype", false},     {"rows", false},    {"cols", false},  {"threads", false}, {"placement", false},
                 {"cache", false},     {"model", false},   {"phase", false}, {"batch", true},    {"tokens", true},
                 {"context", true},    {"part", false},    {"depth", true},  {"stage", true},    {"repeats", true},
                 {"dispatch_ns", true}};
    name[0] = '\0';
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *const column = parts[i].column, *value = row_text(row, column);
        char before[24] = "", shape[64];
        if (strcmp(column, "cols") == 0 || (strcmp(column, "dispatch_ns") == 0 && strcmp(value, "0") == 0))
            continue;
        const bool is_shape = strcmp(column, "rows") == 0;
        if (is_shape) {
            snprintf(shape, sizeof shape, "%.24sx%.24s", value, row_text(row, "cols"));
            value = shape;
        }
        if (keyed || parts[i].says)
            snprintf(before, sizeof before, "%s%s", is_shape ? "shape" : column, keyed ? "=" : "");
        add(name, RESULT_NAME, before, value);
    }
}

static void key_of(table_row row, const char *const *columns, size_t count, char key[RESULT_KEY]) {
    key[0] = '\0';
    for (size_t i = 0; i < count; i++)
        add(key, RESULT_KEY, columns[i], row_text(row, columns[i]));
}

// A layer's sentinel is the same layer without a norm.
static void set_keys(result *i, const run_tables *tables) {
    static const char *const of_shape[] = {"dtype", "pass",  "threads", "placement", "cache", "rows",  "cols", "model",
                                           "phase", "batch", "tokens",  "context",   "part",  "depth", "stage"};
    enum { SHAPES = sizeof of_shape / sizeof *of_shape, PLACES = 5 };
    key_of(i->row, of_shape, SHAPES, i->shape_key);
    i->place_key[0] = '\0';
    if (i->table != RUN_TABLE_KERNELS || *filter_place(tables, i->row) == '\0')
        return;
    key_of(i->row, of_shape, PLACES, i->place_key);
    add(i->place_key, RESULT_KEY, "", filter_place(tables, i->row));
}

// ---- Items

// false: no memory.
static bool add_item(results *r, run_table table, table_row row, result_quantity quantity) {
    result i = {.table = table, .row = row, .quantity = quantity};
    i.ns = row_interval(row, stems[quantity], "_median");
    if (!(i.ns.median > 0))
        return true;
    results_name(row, false, i.name);
    if (quantity != RESULT_TIME)
        add(i.name, RESULT_NAME, "", quantity_names[quantity]);
    set_keys(&i, &r->tables);
    result *const items = list_more(r->items, r->count, sizeof *items);
    if (items == NULL)
        return false;
    r->items = items;
    items[r->count++] = i;
    return true;
}

// As read first, where names are equal.
static int by_name(const void *a, const void *b) {
    const result *const x = a, *const y = b;
    return ORDER_BY(strcmp(x->name, y->name), (x->row.table > y->row.table) - (x->row.table < y->row.table),
                    order_size(x->row.at, y->row.at));
}

// The parts of a run may have measured the same thing: those after the first are numbered.
static void tell_apart(results *r) {
    if (r->count > 0)
        qsort(r->items, r->count, sizeof *r->items, by_name);
    for (size_t i = 0, same; i < r->count; i = same) {
        char number[24], name[RESULT_NAME];
        snprintf(name, sizeof name, "%s", r->items[i].name);
        for (same = i + 1; same < r->count && strcmp(r->items[same].name, name) == 0; same++) {
            snprintf(number, sizeof number, "%zu", same - i + 1);
            add(r->items[same].name, RESULT_NAME, "again", number);
        }
    }
    if (r->count > 0)
        qsort(r->items, r->count, sizeof *r->items, by_name);
}

static bool take_items(results *r) {
    for (run_table table = 0; table < RUN_TABLES; table++)
        for (size_t f = 0; f < r->tables.tables[table].count; f++) {
            table_row row = {&r->tables.tables[table].files[f], 0};
            for (; row.at < row.table->row_count; row.at++) {
                r->missing += strcmp(row_text(row, "status"), "missing") == 0;
                for (result_quantity q = 0; row_is_measured(row) && q < RESULT_QUANTITIES; q++)
                    if ((q == RESULT_TIME || table == RUN_TABLE_LAYERS) && !add_item(r, table, row, q))
                        return false;
            }
        }
    tell_apart(r);
    return true;
}

static int by_own_name(const void *name, const void *item) { return strcmp(name, ((const result *)item)->name); }

const result *results_find(const results *r, const char *name) {
    return r->count > 0 ? bsearch(name, r->items, r->count, sizeof *r->items, by_own_name) : NULL;
}

// ---- The run

const json_t *results_fact(const json_t *meta, const char *path) {
    char key[64];
    while (meta != NULL && *path != '\0') {
        const size_t length = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)length, path);
        meta = json_object_get(meta, key);
        path += length + (path[length] == '.');
    }
    return meta;
}

// The time that a run's name begins with: 2026-11-30T030050Z.
static void take_time(results *r) {
    struct tm t = {0};
    const char *const end = strptime(r->run_id, "%Y-%m-%dT%H%M%SZ", &t);
    const time_t seconds = end == NULL ? (time_t)-1 : timegm(&t);
    r->seconds = (double)NAN;
    if (seconds == (time_t)-1)
        return;
    r->seconds = (double)seconds;
    strftime(r->time, sizeof r->time, "%Y-%m-%dT%H:%M:%SZ", &t);
}

// What a run is called, by meta.json, or without it by its tables.
static void take_text(const results *r, const char *column, char *text, size_t size) {
    const char *const told = json_string_value(results_fact(r->meta, column));
    snprintf(text, size, "%s", told != NULL ? told : r->count > 0 ? row_text(r->items[0].row, column) : "");
}

static bool take_meta(results *r, char message[TABLES_MESSAGE]) {
    char path[PATH_MAX];
    json_error_t why;
    if (snprintf(path, sizeof path, "%s/meta.json", r->folder) >= (int)sizeof path)
        return true;
    const int code = json_file_read(path, &r->meta, &why);
    if (code == -1)
        snprintf(message, TABLES_MESSAGE, "%.300s: line %d: %.100s: it was cut off or changed; copy it anew", path,
                 why.line, why.text);
    else if (code != 0 && code != ENOENT)
        snprintf(message, TABLES_MESSAGE, "%.300s: %s", path, files_reason(code));
    return code == 0 || code == ENOENT;
}

static void free_run(results *r) {
    run_tables_free(&r->tables);
    json_decref(r->meta);
    free(r->items);
    *r = (results){0};
}

// false with a message that says which file is wrong and how to mend it. A folder without a table is none.
static bool read_run(results *r, const char *folder, char message[TABLES_MESSAGE]) {
    *r = (results){.folder = folder, .seconds = (double)NAN};
    if (!run_tables_read(&r->tables, folder, message))
        return false;
    bool ok = take_meta(r, message);
    if (ok && r->tables.tables[RUN_TABLE_KERNELS].count + r->tables.tables[RUN_TABLE_LAYERS].count == 0) {
        snprintf(message, TABLES_MESSAGE,
                 "%.300s holds no kernels.csv and no layers.csv: give a run's folder, such as results/MACHINE/RUN; one "
                 "that was cut off goes on with `normbench kernels --resume DIR`, or layers",
                 folder);
        ok = false;
    }
    if (ok && !take_items(r)) {
        snprintf(message, TABLES_MESSAGE, "out of memory");
        ok = false;
    }
    if (!ok) {
        free_run(r);
        return false;
    }
    take_text(r, "run_id", r->run_id, sizeof r->run_id);
    take_text(r, "machine_id", r->machine_id, sizeof r->machine_id);
    take_text(r, "git_commit", r->commit, sizeof r->commit);
    take_time(r);
    r->complete = !json_is_false(results_fact(r->meta, "complete"));
    return true;
}

// ---- Several

static int by_time(const void *a, const void *b) {
    const results *const x = a, *const y = b;
    return ORDER_BY(order_real(x->seconds, y->seconds), strcmp(x->run_id, y->run_id));
}

bool results_have_time(const results *r, char message[TABLES_MESSAGE]) {
    if (!isnan(r->seconds))
        return true;
    return refuse(message, TABLES_MESSAGE,
                  "%.300s: no time is told by the run's name \"%.60s\": it has to begin as 2026-10-31T030050Z does",
                  r->folder, r->run_id);
}

results *results_read_all(char *const *folders, size_t count, char message[TABLES_MESSAGE]) {
    results *const all = calloc(count + 1, sizeof *all);
    size_t read = 0;
    snprintf(message, TABLES_MESSAGE, "out of memory");
    bool ok = all != NULL;
    for (; ok && read < count; read += ok) {
        ok = read_run(&all[read], folders[read], message);
        if (ok && count > 1 && !results_have_time(&all[read], message)) {
            free_run(&all[read]);
            ok = false;
        }
    }
    if (ok)
        qsort(all, count, sizeof *all, by_time);
    for (size_t i = 1; ok && i < count; i++)
        if (strcmp(all[i].run_id, all[i - 1].run_id) == 0) {
            snprintf(message, TABLES_MESSAGE, "%.300s and %.300s are the same run, %.100s: give it once",
                     all[i - 1].folder, all[i].folder, all[i].run_id);
            ok = false;
        }
    if (ok)
        return all;
    results_free_all(all, read);
    return NULL;
}

void results_free_all(results *all, size_t count) {
    for (size_t i = 0; i < count; i++)
        free_run(&all[i]);
    free(all);
}
