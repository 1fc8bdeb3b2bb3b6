// SPDX-License-Identifier: MIT
// validation_read.c: the gates in a folder: their tables, samples and reports.
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ab_table.h"
#include "base/fields.h"
#include "base/files.h"
#include "base/names.h"
#include "base/packed.h"
#include "base/parse.h"
#include "base/refuse.h"
#include "base/series.h"
#include "validation.h"

#define NAME(ID, name, ...) #name,
static const char *const kind_names[] = {VALIDATION_KIND_LIST(NAME)};
#undef NAME
#define NAME(ID, name) #name,
static const char *const verdict_names[] = {AB_VERDICT_LIST(NAME)};
#undef NAME
const char *validation_kind_name(validation_kind k) { return kind_names[k]; }

// A list with room for one more item, which is zero; NULL: no memory, and the list is as it was.
static void *one_more(void *list, size_t count, size_t size) {
    char *const more = realloc(list, (count + 1) * size);
    if (more != NULL)
        memset(more + count * size, 0, size);
    return more;
}

static ab_verdict take_verdict(const char *text) { return (ab_verdict)names_find(text, verdict_names, AB_VERDICTS); }

// ---- ab.csv

static void take_layer(fields *f, validation_row *r) {
    const bool of_layer = csv_column(f->table, "layer_pct") >= 0, clocked = csv_column(f->table, "added_pct") >= 0;
    r->norm_share = of_layer ? fields_real_or_nan(f, "norm_share", 0, 1) : (double)NAN;
    r->layer_pct = of_layer ? fields_real_or_nan(f, "layer_pct", -100, 1e9) : (double)NAN;
    r->added_pct = clocked ? fields_real_or_nan(f, "added_pct", -100, 1e9) : (double)NAN;
    r->added_layer_pct = clocked ? fields_real_or_nan(f, "added_layer_pct", -100, 1e9) : (double)NAN;
}

static bool take_row(fields *f, validation *v) {
    validation_row *const rows = one_more(v->rows, v->row_count, sizeof *rows);
    if (rows == NULL)
        return false;
    v->rows = rows;
    validation_row *const r = &rows[v->row_count++];
    r->gate = v->gate_count - 1;
    results_name((table_row){f->table, f->row}, false, r->name);
    snprintf(r->op, sizeof r->op, "%s", fields_text(f, "op"));
    r->inject_pct = fields_real(f, "inject_pct", 0, 100);
    take_layer(f, r);
    r->launches = fields_size(f, "launches", 0, PAIRED_MOST);
    r->confirming = fields_size(f, "confirming", 0, PAIRED_MOST);
    r->change.median = fields_real_or_nan(f, "change_pct", -100, 1e9);
    r->change.lo = fields_real_or_nan(f, "change_lo95", -100, 1e9);
    r->change.hi = fields_real_or_nan(f, "change_hi95", -100, 1e9);
    r->p_value = fields_real_or_nan(f, "p_value", 0, 1);
    r->p_adjusted = fields_real_or_nan(f, "p_adjusted", 0, 1);
    r->verdict = take_verdict(fields_text(f, "verdict"));
    if (r->verdict == AB_VERDICTS)
        fields_refuse(f, "verdict", "one of normbench ab");
    if (r->verdict == AB_MISSING)
        v->row_count--;
    return true;
}

// Opens a table of a gate. false with a message.
static bool open_table(csv_table *t, const char *folder, const char *name, char message[TABLES_MESSAGE]) {
    char path[PATH_MAX + 32], why[400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    const int error = csv_read(t, path, why, sizeof why);
    if (error == 0 && !t->truncated)
        return true;
    snprintf(message, TABLES_MESSAGE, "%.500s: %s: remove this gate, or go on with it by `normbench ab --resume`", path,
             error == 0    ? "the last line has no end: it was cut off"
             : error == -1 ? why
                           : files_reason(error));
    if (error == 0)
        csv_free(t);
    return false;
}

static bool is_of_layers(validation_kind k) { return k == VALIDATION_LAYERS_SLOWER || k == VALIDATION_LAYERS_SAME; }

static bool take_table(validation *v, const char *folder, char message[TABLES_MESSAGE]) {
    validation_gate *const gate = &v->gates[v->gate_count - 1];
    const char *const name = is_of_layers(gate->kind) ? "ab_layers.csv" : "ab.csv";
    csv_table t;
    char why[400];
    if (!open_table(&t, folder, name, message))
        return false;
    fields f = fields_of(&t, why, sizeof why);
    bool memory = true;
    for (; memory && f.ok && f.row < t.row_count; f.row++) {
        snprintf(gate->machine_id, sizeof gate->machine_id, "%s", fields_text(&f, "machine_id"));
        if (strcmp(fields_text(&f, "role"), ab_role_name(AB_ROW)) == 0)
            memory = take_row(&f, v);
    }
    if (!memory || !f.ok)
        snprintf(message, TABLES_MESSAGE, "%.500s/%s: %s", folder, name, memory ? why : "out of memory");
    csv_free(&t);
    return memory && f.ok;
}

// ---- ab_samples.csv

typedef struct {
    size_t row, launch, index;
    bool candidate;
    double value;
} reading;

static int in_order(const void *left, const void *right) {
    const reading *const a = left, *const b = right;
    if (a->row != b->row)
        return a->row < b->row ? -1 : 1;
    if (a->candidate != b->candidate)
        return a->candidate ? 1 : -1;
    if (a->launch != b->launch)
        return a->launch < b->launch ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

// The row of this name of the last gate, looked for from where the last one was; SIZE_MAX: there is none.
static size_t row_called(const validation *v, size_t first, const char *name, size_t *at) {
    const size_t count = v->row_count - first;
    for (size_t i = 0; i < count; i++, *at = (*at + 1) % count)
        if (strcmp(v->rows[first + *at].name, name) == 0)
            return first + *at;
    return SIZE_MAX;
}

static size_t take_readings(fields *f, const validation *v, size_t first, reading *readings) {
    char name[RESULT_NAME];
    size_t count = 0, at = 0;
    for (; f->ok && f->row < f->table->row_count; f->row++) {
        if (strcmp(fields_text(f, "role"), ab_role_name(AB_ROW)) != 0)
            continue;
        results_name((table_row){f->table, f->row}, false, name);
        const size_t row = row_called(v, first, name, &at);
        if (row != SIZE_MAX)
            readings[count++] =
                (reading){row, fields_size(f, "launch", 0, PAIRED_MOST), fields_size(f, "sample", 0, 1u << 30),
                          strcmp(fields_text(f, "side"), ab_side_name(AB_CANDIDATE)) == 0,
                          log(fields_real(f, "slot_ns", 1e-3, 1e15))};
    }
    return count;
}

// The readings of one row: those of the base, then those of the candidate.
static bool pair_up(validation_row *r, const reading *readings, size_t count) {
    series_point *const points = malloc((count + 1) * sizeof *points);
    size_t base = 0;
    r->differences = malloc((count + 1) * sizeof *r->differences);
    for (size_t i = 0; points != NULL && i < count; i++) {
        points[i] = (series_point){readings[i].launch, readings[i].index, readings[i].value};
        base += !readings[i].candidate;
    }
    if (points != NULL && r->differences != NULL)
        r->difference_count = series_launch_differences((series){points + base, count - base}, (series){points, base},
                                                        r->differences, NULL);
    // Those that confirm come last, and were taken because the first look said something.
    r->difference_count = r->difference_count < r->launches ? r->difference_count : r->launches;
    free(points);
    return points != NULL && r->differences != NULL;
}

// Of a gate whose samples were not kept nothing is said that needs them.
static bool take_samples(validation *v, size_t first, const char *folder, char message[TABLES_MESSAGE]) {
    csv_table t;
    char why[400], path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/ab_samples.csv", folder);
    if (access(path, F_OK) != 0) {
        snprintf(path, sizeof path, "%s/ab_samples.csv.gz", folder);
        if (access(path, F_OK) != 0)
            return true;
    }
    if (!open_table(&t, folder, "ab_samples.csv", message))
        return false;
    fields f = fields_of(&t, why, sizeof why);
    reading *const readings = malloc((t.row_count + 1) * sizeof *readings);
    bool memory = readings != NULL;
    const size_t count = memory ? take_readings(&f, v, first, readings) : 0;
    if (count > 0)
        qsort(readings, count, sizeof *readings, in_order);
    for (size_t i = 0, end; memory && f.ok && i < count; i = end) {
        for (end = i + 1; end < count && readings[end].row == readings[i].row;)
            end++;
        memory = pair_up(&v->rows[readings[i].row], readings + i, end - i);
    }
    if (!memory || !f.ok)
        snprintf(message, TABLES_MESSAGE, "%.500s/ab_samples.csv: %s", folder, memory ? why : "out of memory");
    free(readings);
    csv_free(&t);
    return memory && f.ok;
}

// ---- The report

static bool take_groups(validation *v, validation_kind kind, const json_t *groups) {
    size_t i;
    const json_t *g;
    json_array_foreach(groups, i, g) {
        const json_t *const p = json_object_get(g, "p_value");
        const char *const word = json_string_value(json_object_get(g, "verdict"));
        validation_group *const own = one_more(v->groups, v->group_count, sizeof *own);
        if (own == NULL)
            return false;
        v->groups = own;
        own[v->group_count] = (validation_group){kind, json_is_number(p) ? json_number_value(p) : 1,
                                                 word == NULL ? AB_VERDICTS : take_verdict(word)};
        if (own[v->group_count++].verdict == AB_VERDICTS)
            return false;
    }
    return true;
}

static bool take_report(validation *v, validation_gate *gate, const char *folder, char message[TABLES_MESSAGE]) {
    char path[PATH_MAX + 8], why[400], *text = NULL;
    size_t length = 0;
    snprintf(path, sizeof path, "%s.json", folder);
    const int error = packed_read(path, &text, &length, why, sizeof why);
    json_error_t where;
    json_t *const report =
        error == 0 ? json_loadb(text, length, JSON_DISABLE_EOF_CHECK, &where) : NULL; // a line follows
    const json_t *const code = json_object_get(report, "exit");
    free(text);
    const bool ok = json_is_integer(code) && json_integer_value(code) >= 0 &&
                    take_groups(v, gate->kind, json_object_get(report, "groups"));
    if (ok) {
        gate->exit = (size_t)json_integer_value(code);
        gate->disturbed = json_string_length(json_object_get(report, "disturbed")) > 0;
        gate->tells = json_is_array(json_object_get(report, "seen"));
        gate->told = json_array_size(json_object_get(report, "seen")) > 0;
    } else {
        snprintf(message, TABLES_MESSAGE, "%.500s: %s: it is what `normbench ab --format json` prints at the end", path,
                 error == -1      ? why
                 : error != 0     ? files_reason(error)
                 : report == NULL ? "no JSON, or cut off"
                                  : "no report");
    }
    json_decref(report);
    return ok;
}

// ---- A folder

// The kind in KIND-NUMBER; VALIDATION_KINDS: the name is no gate's.
static validation_kind kind_of(const char *name) {
    char kind[32];
    const size_t length = strcspn(name, "-"),
                 digits = name[length] == '\0' ? 0 : strspn(name + length + 1, "0123456789");
    if (length >= sizeof kind || digits == 0 || name[length + 1 + digits] != '\0')
        return VALIDATION_KINDS;
    snprintf(kind, sizeof kind, "%.*s", (int)length, name);
    return (validation_kind)names_find(kind, kind_names, VALIDATION_KINDS);
}

static int is_gate(const struct dirent *entry) { return kind_of(entry->d_name) != VALIDATION_KINDS; }

// What scripts/validate.sh has noted beside a gate; NaN: nothing.
static double seconds_of(const char *gate) {
    char path[PATH_MAX + 16], text[32] = "";
    double seconds = NAN;
    FILE *file = NULL;
    snprintf(path, sizeof path, "%s.seconds", gate);
    if (files_open(path, &file) != 0)
        return NAN;
    if (fgets(text, sizeof text, file) != NULL)
        text[strcspn(text, "\n")] = '\0';
    (void)fclose(file);
    return parse_real(text, &seconds) && seconds >= 0 ? seconds : (double)NAN;
}

static bool take_gate(validation *v, const char *folder, const char *name, char message[TABLES_MESSAGE]) {
    char path[PATH_MAX], plan[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(plan, sizeof plan, "%s/plan.csv", path);
    if (access(plan, F_OK) == 0) {
        v->unfinished++;
        return true;
    }
    validation_gate *const gates = one_more(v->gates, v->gate_count, sizeof *gates);
    const size_t first = v->row_count;
    if (gates == NULL)
        return refuse(message, TABLES_MESSAGE, "out of memory");
    v->gates = gates;
    validation_gate *const gate = &gates[v->gate_count++];
    gate->kind = kind_of(name);
    gate->seconds = seconds_of(path);
    snprintf(gate->name, sizeof gate->name, "%s", name);
    return take_table(v, path, message) && take_report(v, gate, path, message) &&
           (v->row_count == first || is_of_layers(gate->kind) || take_samples(v, first, path, message));
}

bool validation_read(validation *v, const char *folder, char message[TABLES_MESSAGE]) {
    struct dirent **entries = NULL;
    const size_t before = v->gate_count;
    const int count = scandir(folder, &entries, is_gate, alphasort);
    bool ok = count >= 0;
    if (!ok)
        snprintf(message, TABLES_MESSAGE, "%.500s: %s", folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        ok = ok && take_gate(v, folder, entries[i]->d_name, message);
        free(entries[i]);
    }
    free(entries);
    if (ok && v->gate_count == before) {
        snprintf(
            message, TABLES_MESSAGE,
            "%.500s holds no finished gate: give a folder that `make validate-aa` or one of its relatives has made",
            folder);
        ok = false;
    }
    return ok;
}

void validation_free(validation *v) {
    for (size_t i = 0; i < v->row_count; i++)
        free(v->rows[i].differences);
    free(v->gates);
    free(v->rows);
    free(v->groups);
    free(v->findings);
    *v = (validation){0};
}
