// SPDX-License-Identifier: MIT
// Every CSV file under results/, and the column tables of results/README.md, against results/datapackage.json. Run from
// the top folder. With arguments: those files alone, for tests that make tables.
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/csv.h"
#include "report/schema.h"

static json_t *package;    // for its descriptions
static schema *columns_of; // what the program takes from it
static char message[400];

static int load_package(void **state) {
    (void)state;
    json_error_t error;
    package = json_load_file("results/datapackage.json", JSON_REJECT_DUPLICATES, &error);
    if (!package)
        print_error("results/datapackage.json:%d: %s\n", error.line, error.text);
    columns_of = schema_open("results/datapackage.json", message, sizeof message);
    if (!columns_of)
        print_error("%s\n", message);
    return package && columns_of ? 0 : -1;
}

static int free_package(void **state) {
    (void)state;
    json_decref(package);
    schema_close(columns_of);
    return 0;
}

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

// The columns of a table, or NULL.
static const json_t *fields_of(const char *name) {
    size_t i;
    json_t *resource;
    json_array_foreach(json_object_get(package, "resources"), i,
                       resource) if (strcmp(text_of(resource, "name"), name) ==
                                     0) return json_object_get(json_object_get(resource, "schema"), "fields");
    return NULL;
}

// Whether a file fits the columns; if not, `message` says why. earlier: a file of an earlier version will do, which
// lacks the columns that were appended since, none of them required.
static bool valid(const char *path, const schema_table *columns, bool earlier) {
    csv_table table;
    const int error = csv_read(&table, path, message, sizeof message);
    if (error > 0)
        snprintf(message, sizeof message, "%s", strerror(error));
    if (error)
        return false;
    bool good = false;
    if (table.truncated) {
        snprintf(message, sizeof message, "the last line has no end");
        goto done;
    }
    const size_t count = columns->count;
    if (table.column_count > count || (table.column_count < count && !earlier)) {
        snprintf(message, sizeof message, "%zu columns instead of %zu", table.column_count, count);
        goto done;
    }
    for (size_t column = 0; column < count; column++) {
        const char *const name = schema_name(columns, column);
        if (column >= table.column_count) {
            if (schema_required(columns, column)) {
                snprintf(message, sizeof message, "lacks the column %s", name);
                goto done;
            }
            continue;
        }
        if (strcmp(table.header[column], name) != 0) {
            snprintf(message, sizeof message, "column %zu is %s instead of %s", column + 1, table.header[column], name);
            goto done;
        }
        for (size_t row = 0; row < table.row_count; row++) {
            const char *fault = schema_fault(columns, column, table.rows[row][column]);
            if (fault) {
                snprintf(message, sizeof message, "row %zu: %s \"%s\" %s", row + 1, name, table.rows[row][column],
                         fault);
                goto done;
            }
        }
    }
    // What no single column can say: a status other than ok has its reason.
    const int status = csv_column(&table, "status"), reason = csv_column(&table, "reason");
    for (size_t row = 0; status >= 0 && reason >= 0 && row < table.row_count; row++) {
        if ((strcmp(table.rows[row][status], "ok") == 0) != (*table.rows[row][reason] == '\0')) {
            snprintf(message, sizeof message, "row %zu: status %s with reason \"%s\"", row + 1, table.rows[row][status],
                     table.rows[row][reason]);
            goto done;
        }
    }
    good = true;
done:
    csv_free(&table);
    return good;
}

static size_t files_seen, files_bad;

// A file is of the table that it is named after.
static void check_table(const char *path, const char *base, bool earlier) {
    const char *dot = strrchr(base, '.');
    if (!dot)
        dot = base + strlen(base);
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)(dot - base), base);
    const schema_table *columns = schema_find(columns_of, name);
    files_seen++;
    if (!columns)
        snprintf(message, sizeof message, "results/datapackage.json has no resource \"%s\"", name);
    if (!columns || !valid(path, columns, earlier)) {
        files_bad++;
        print_error("%s: %s\n", path, message);
    }
}

static int check_file(const char *path, const struct stat *info, int kind, struct FTW *where) {
    (void)info;
    const char *base = path + where->base, *dot = strrchr(base, '.');
    if (kind == FTW_F && dot && strcmp(dot, ".csv") == 0)
        check_table(path, base, true);
    return 0;
}

static void every_file(void **state) {
    (void)state;
    assert_int_equal(nftw("results", check_file, 8, FTW_PHYS), 0);
    assert_int_equal(nftw("tests/data", check_file, 8, FTW_PHYS), 0); // what other tests take for a result
    print_message("%zu files\n", files_seen);
    assert_int_equal(files_bad, 0);
}

// The package itself: every column has a name of its own in lower_snake, a known type and a description.
static void package_is_sound(void **state) {
    (void)state;
    size_t i, j, k;
    const json_t *resource, *field, *other;
    json_array_foreach(json_object_get(package, "resources"), i, resource) {
        assert_true(*text_of(resource, "name") && *text_of(resource, "path") && *text_of(resource, "description"));
        const json_t *fields = json_object_get(json_object_get(resource, "schema"), "fields");
        json_array_foreach(fields, j, field) {
            const char *name = text_of(field, "name"), *type = text_of(field, "type");
            assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name));
            assert_true(*name && *text_of(field, "description"));
            assert_true(!strcmp(type, "string") || !strcmp(type, "integer") || !strcmp(type, "number"));
            assert_true(strcmp(type, "number") != 0 || *text_of(field, "unit"));
            json_array_foreach(fields, k, other) assert_true(k == j || strcmp(name, text_of(other, "name")) != 0);
        }
    }
    assert_true(fields_of("kernels") && fields_of("samples") && fields_of("verify"));
    // What names an op, a variant or a run is spelt so that no script can take it for anything else.
    static const char *const names[] = {"op", "variant", "level", "model", "run_id", "machine_id", "git_commit"};
    static const char *const results[] = {"kernels", "samples", "layers",    "layer_samples",
                                          "steps",   "limits",  "comparison"};
    for (i = 0; i < sizeof results / sizeof *results; i++)
        for (j = 0; j < sizeof names / sizeof *names; j++) {
            const schema_table *const t = schema_find(columns_of, results[i]);
            const size_t column = schema_column(t, names[j]);
            assert_true(column == t->count || (schema_fault(t, column, "a b") && schema_fault(t, column, "a`b")));
        }
}

static char *read_text(const char *path) {
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    const size_t length = fread(text, 1, (1 << 20) - 1, file);
    assert_true(length > 0 && length < (1 << 20) - 1);
    fclose(file);
    return text;
}

// The README has a section for each table, with one line for each column, in order and in the words of the package.
static void readme_names_every_column(void **state) {
    (void)state;
    char *readme = read_text("results/README.md");
    size_t i, j;
    const json_t *resource, *field;
    json_array_foreach(json_object_get(package, "resources"), i, resource) {
        const json_t *fields = json_object_get(json_object_get(resource, "schema"), "fields");
        if (!fields)
            continue;
        char line[800];
        snprintf(line, sizeof line, "\n## %s.csv\n", text_of(resource, "name"));
        const char *section = strstr(readme, line);
        assert_non_null(section);
        const char *rule = strstr(section, "|---|---|---|---|\n");
        assert_non_null(rule);
        const char *at = strchr(rule, '\n') + 1;
        json_array_foreach(fields, j, field) {
            snprintf(line, sizeof line, "| `%s` | %s | %s | %s |\n", text_of(field, "name"), text_of(field, "type"),
                     text_of(field, "unit"), text_of(field, "description"));
            if (strncmp(at, line, strlen(line)) != 0)
                print_error("results/README.md, %s.csv: this line should come next:\n%s", text_of(resource, "name"),
                            line);
            assert_int_equal(strncmp(at, line, strlen(line)), 0);
            at += strlen(line);
        }
        assert_true(*at == '\0' || *at == '\n'); // and no column more
    }
    free(readme);
}

// ---- Files that must be refused

typedef struct {
    const char *column, *value; // the value of that column in the one row; or, if value is NULL, the column is left out
    const char *why;            // part of the message; NULL: the file must pass
} mutation;

// A table of one row that is right but for the mutation.
static void check_mutation(const char *table, const mutation *m) {
    char path[] = "/tmp/normbench-test-schema-XXXXXX";
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(close(descriptor), 0);
    csv_writer w;
    assert_int_equal(csv_open(&w, path, false), 0);
    const json_t *fields = fields_of(table), *field;
    for (int row = 0; row < 2; row++) {
        size_t i;
        json_array_foreach(fields, i, field) {
            const char *name = text_of(field, "name");
            const json_t *allowed = json_object_get(json_object_get(field, "constraints"), "enum");
            const bool mutated = m->column && strcmp(m->column, name) == 0;
            if (mutated && !m->value)
                continue;
            if (row == 0)
                csv_text(&w, name);
            else if (mutated)
                csv_text(&w, m->value);
            else if (allowed)
                csv_text(&w, json_string_value(json_array_get(allowed, 0)));
            else if (strcmp(name, "reason") == 0)
                csv_empty(&w);
            else
                csv_text(&w, "1"); // a number, and a name
        }
        assert_int_equal(csv_end(&w), 0);
    }
    assert_int_equal(csv_close(&w), 0);
    const bool passed = valid(path, schema_find(columns_of, table), false);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(passed, !m->why);
    if (m->why)
        assert_non_null(strstr(message, m->why));
}

static void check_mutations(const char *table, const mutation *m, size_t count) {
    for (size_t i = 0; i < count; i++)
        check_mutation(table, &m[i]);
}

static void bad_values(void **state) {
    (void)state;
    const mutation kernels[] = {
        {NULL, NULL, NULL},
        {"max_error", "INF", NULL},
        {"ratio_lo95", "", NULL},
        {"time_ns_min", "1.5e-3", NULL},
        {"reason", "text, with \"quotes\"", "status ok with reason"},
        {"reason", "a line\nand another", "not one line of plain text"},
        {"reason", "\x1b[2J", "not one line of plain text"},
        {"reason", "half a character: \xc3", "not one line of plain text"},
        {"reason", "a control character: \xc2\x85", "not one line of plain text"},
        {"reason", "longer than need be: \xc0\xaf", "not one line of plain text"},
        {"reason", "\xc2\xb5s", "status ok with reason"},
        {"variant", "U2", "not spelt as such a name is"},
        {"status", "unstable", "status unstable with reason \"\""},
        {"status", "OK", "not one of the allowed values"},
        {"run_id", "", "run_id \"\" is empty but required"},
        {"dtype", "f64", "not one of the allowed values"},
        {"rows", "0", "below the minimum"},
        {"rows", "1.5", "not an integer"},
        {"rows", "-1", "not an integer"},
        {"time_ns_median", "-1", "below the minimum"},
        {"time_ns_median", "1,5", "not a number"},
        {"time_ns_median", "nan", "not a number"},
        {"time_ns_median", " 1", "not a number"},
        {"git_commit", NULL, "columns instead of"},
        {"peak_gflops", NULL, "columns instead of"},
        {"cycles_source", "guess", "not one of the allowed values"},
        {"cycles_per_element", "", NULL},
    };
    check_mutations("kernels", kernels, sizeof kernels / sizeof *kernels);
    const mutation samples[] = {{NULL, NULL, NULL}, {"bound", "", NULL}, {"preempted", "2", "above the maximum"}};
    check_mutations("samples", samples, sizeof samples / sizeof *samples);
    const mutation verify[] = {
        {NULL, NULL, NULL}, {"seed", "18446744073709551615", NULL}, {"output", "z", "not one of"}};
    check_mutations("verify", verify, sizeof verify / sizeof *verify);
    const mutation layers[] = {{NULL, NULL, NULL},
                               {"delta_to_native_pct", "-1.5", NULL},
                               {"phase", "inference", "not one of"},
                               {"part", "", "empty but required"},
                               {"norm_share", "1.5", "above the maximum"}};
    check_mutations("layers", layers, sizeof layers / sizeof *layers);
    const mutation claims[] = {{NULL, NULL, NULL},
                               {"holds_lo", "", NULL},
                               {"quantity", "speed", "not one of"},
                               {"source", "", "empty but required"}};
    check_mutations("claims", claims, sizeof claims / sizeof *claims);
    const mutation verdicts[] = {
        {"here", "", NULL}, {"verdict", "perhaps", "not one of"}, {"why", "", "empty but required"}};
    check_mutations("verdicts", verdicts, sizeof verdicts / sizeof *verdicts);
}

static void bad_headers(void **state) {
    (void)state;
    const char *const texts[][2] = {
        {"", "no complete header"},
        {"schema_version,run_id\n", "2 columns instead of"},
        {"schema_version,run_id\n1\n", "line 2: 1 field"},
    };
    char path[] = "/tmp/normbench-test-schema-XXXXXX";
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(close(descriptor), 0);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(texts[i][0], file) >= 0);
        assert_int_equal(fclose(file), 0);
        assert_false(valid(path, schema_find(columns_of, "kernels"), false));
        assert_non_null(strstr(message, texts[i][1]));
    }
    // The right columns in the wrong order.
    csv_writer w;
    assert_int_equal(csv_open(&w, path, false), 0);
    const size_t count = json_array_size(fields_of("kernels"));
    for (size_t i = 0; i < count; i++)
        csv_text(&w, text_of(json_array_get(fields_of("kernels"), i < 2 ? 1 - i : i), "name"));
    assert_int_equal(csv_end(&w), 0);
    assert_int_equal(csv_close(&w), 0);
    assert_false(valid(path, schema_find(columns_of, "kernels"), false));
    assert_non_null(strstr(message, "column 1 is run_id instead of schema_version"));
    assert_int_equal(unlink(path), 0);
    assert_false(valid(path, schema_find(columns_of, "kernels"), false));
    assert_non_null(strstr(message, strerror(ENOENT)));
}

// A run from before a column was appended goes on being valid, one that lacks what every version had does not.
static void earlier_versions(void **state) {
    (void)state;
    char path[] = "/tmp/normbench-test-schema-XXXXXX";
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(close(descriptor), 0);
    const json_t *const fields = fields_of("kernels");
    const size_t all = json_array_size(fields), counts[] = {all, all - 1, 2};
    static const bool good[][2] = {{true, true}, {false, true}, {false, false}}; // as new, as earlier
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        csv_writer w;
        assert_int_equal(csv_open(&w, path, false), 0);
        for (size_t k = 0; k < counts[i]; k++)
            csv_text(&w, text_of(json_array_get(fields, k), "name"));
        assert_int_equal(csv_end(&w), 0);
        assert_int_equal(csv_close(&w), 0);
        for (int earlier = 0; earlier < 2; earlier++)
            assert_int_equal(valid(path, schema_find(columns_of, "kernels"), earlier != 0), good[i][earlier]);
    }
    assert_non_null(strstr(message, "lacks the column"));
    assert_int_equal(unlink(path), 0);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        if (load_package(NULL) != 0)
            return 1;
        for (int i = 1; i < argc; i++) {
            const char *slash = strrchr(argv[i], '/');
            check_table(argv[i], slash ? slash + 1 : argv[i], false);
        }
        free_package(NULL);
        return files_bad > 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(package_is_sound), cmocka_unit_test(every_file),  cmocka_unit_test(readme_names_every_column),
        cmocka_unit_test(bad_values),       cmocka_unit_test(bad_headers), cmocka_unit_test(earlier_versions),
    };
    return cmocka_run_group_tests(tests, load_package, free_package);
}
