// SPDX-License-Identifier: MIT
// What is printed of the lists of columns: results/datapackage.json, the tables of results/README.md, a table of them
// all. Run from the top folder.
#include <math.h>
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

// Every column has a name of its own in lower_snake and a meaning, every number a unit; what names an op, a variant or
// a run is spelt so that no script can take it for anything else.
static void columns_are_sound(void **state) {
    (void)state;
    static const char *const names[] = {"op", "variant", "level", "model", "run_id", "machine_id", "git_commit"};
    static const char *const results[] = {"kernels", "samples", "layers",    "layer_samples",
                                          "steps",   "limits",  "comparison"};
    const column_table *t;
    for (size_t i = 0; (t = schema_at(i)) != NULL; i++) {
        assert_ptr_equal(schema_find(t->name), t);
        for (size_t k = 0; k < columns_count(t); k++) {
            const table_column *const c = columns_at(t, k);
            assert_ptr_equal(columns_find(t, c->name), c);
            assert_int_equal(strspn(c->name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(c->name));
            assert_true(*c->name != '\0' && *c->meaning != '\0');
            assert_true(c->type->kind != COLUMN_NUMBER || c->unit != NULL);
        }
    }
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            const table_column *const c = columns_find(schema_find(results[i]), names[k]);
            assert_true(c == NULL || (columns_fault(c, "a b") && columns_fault(c, "a`b")));
        }
}

static char *read_text(const char *path) {
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    const size_t length = fread(text, 1, (1 << 20) - 1, file);
    assert_true(length > 0 && length < (1 << 20) - 1);
    assert_int_equal(fclose(file), 0);
    return text;
}

static char *printed(const column_table *only, schema_format format) {
    char *text = NULL;
    size_t size;
    FILE *const out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_int_equal(schema_print(out, only, format), 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

// Both texts, to the end, from the first line that differs.
static void compare(const char *path, const char *got, const char *want) {
    size_t same = 0, line = 1;
    for (; got[same] != '\0' && got[same] == want[same]; same++)
        line += got[same] == '\n';
    if (got[same] != want[same])
        fail_msg("%s is not what the program prints of its columns, from line %zu of them: \"%.60s\" instead of "
                 "\"%.60s\". `make columns` writes it anew",
                 path, line, got + same, want + same);
}

static void files_are_as_printed(void **state) {
    (void)state;
    char *package = read_text("results/datapackage.json"), *json = printed(NULL, SCHEMA_JSON);
    char *readme = read_text("results/README.md"), *markdown = printed(NULL, SCHEMA_MARKDOWN);
    compare("results/datapackage.json", package, json);
    const char *const tables = strstr(readme, "## kernels.csv\n");
    assert_non_null(tables);
    compare("results/README.md", tables, markdown);
    free(package);
    free(json);
    free(readme);
    free(markdown);
}

// As another program reads it: a resource for each table, a field for each column, with what it may hold.
static void package_is_a_table_schema(void **state) {
    (void)state;
    char *text = printed(NULL, SCHEMA_JSON), *one = printed(schema_find("verify"), SCHEMA_JSON);
    json_error_t error;
    json_t *const package = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    json_t *const alone = json_loads(one, JSON_REJECT_DUPLICATES, &error);
    const json_t *const resources = json_object_get(package, "resources");
    const column_table *t;
    size_t count = 0;
    for (; (t = schema_at(count)) != NULL; count++) {
        const json_t *const resource = json_array_get(resources, count);
        const json_t *const fields = json_object_get(json_object_get(resource, "schema"), "fields");
        assert_string_equal(json_string_value(json_object_get(resource, "name")), t->name);
        assert_string_equal(json_string_value(json_object_get(resource, "path")), t->path);
        assert_int_equal(json_array_size(fields), columns_count(t));
        for (size_t k = 0; k < columns_count(t); k++) {
            const table_column *const c = columns_at(t, k);
            const json_t *const field = json_array_get(fields, k), *const limits =
                                                                       json_object_get(field, "constraints");
            assert_string_equal(json_string_value(json_object_get(field, "description")), c->meaning);
            assert_int_equal(json_is_true(json_object_get(limits, "required")), c->required);
            assert_int_equal(json_is_number(json_object_get(limits, "minimum")),
                             c->type->kind != COLUMN_STRING && isfinite(c->type->least));
            const json_t *const words = json_object_get(limits, "enum");
            assert_int_equal(words != NULL, c->type->word != NULL);
            for (size_t i = 0; i < json_array_size(words); i++)
                assert_string_equal(json_string_value(json_array_get(words, i)), c->type->word(i));
        }
    }
    assert_int_equal(json_array_size(resources), count + 1); // and meta.json
    assert_int_equal(json_array_size(json_object_get(alone, "resources")), 1);
    json_decref(package);
    json_decref(alone);
    free(text);
    free(one);
}

// As a table: a row for each column.
static void columns_are_a_table(void **state) {
    (void)state;
    char path[] = "/tmp/normbench-test-schema-XXXXXX";
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    FILE *const file = fdopen(descriptor, "w");
    assert_non_null(file);
    assert_int_equal(schema_print(file, NULL, SCHEMA_CSV), 0);
    assert_int_equal(fclose(file), 0);
    csv_table table;
    char message[400];
    assert_int_equal(csv_read(&table, path, message, sizeof message), 0);
    const int of = csv_column(&table, "table"), name = csv_column(&table, "column"),
              meaning = csv_column(&table, "meaning");
    const column_table *t;
    size_t row = 0;
    for (size_t i = 0; (t = schema_at(i)) != NULL; i++)
        for (size_t k = 0; k < columns_count(t); k++, row++) {
            assert_string_equal(table.rows[row][of], t->name);
            assert_string_equal(table.rows[row][name], columns_at(t, k)->name);
            assert_string_equal(table.rows[row][meaning], columns_at(t, k)->meaning);
        }
    assert_int_equal(table.row_count, row);
    csv_free(&table);
    assert_int_equal(unlink(path), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_sound),
        cmocka_unit_test(files_are_as_printed),
        cmocka_unit_test(package_is_a_table_schema),
        cmocka_unit_test(columns_are_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
