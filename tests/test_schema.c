// SPDX-License-Identifier: MIT
// Every CSV file under results/ against the program's list of columns. Run from the top folder. With arguments: those
// files alone, for tests that make tables.
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/csv.h"
#include "base/packed.h"
#include "report/schema.h"

static char message[400];

// Whether a file fits the columns; if not, `message` says why. earlier: a file of an earlier version will do, which
// lacks the columns that were appended since, none of them required.
static bool valid(const char *path, const column_table *columns, bool earlier) {
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
    const size_t count = columns_count(columns);
    if (table.column_count > count || (table.column_count < count && !earlier)) {
        snprintf(message, sizeof message, "%zu columns instead of %zu", table.column_count, count);
        goto done;
    }
    for (size_t column = 0; column < count; column++) {
        const table_column *const c = columns_at(columns, column);
        const char *const name = c->name;
        if (column >= table.column_count) {
            if (c->required) {
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
            const char *fault = columns_fault(c, table.rows[row][column]);
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

static size_t files_seen, files_bad, files_packed;

// A file is of the table that it is named after.
static void check_table(const char *path, const char *base, bool earlier) {
    const char *dot = strrchr(base, '.');
    if (!dot)
        dot = base + strlen(base);
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)(dot - base), base);
    const column_table *columns = schema_find(name);
    files_seen++;
    if (!columns)
        snprintf(message, sizeof message, "no table is called \"%s\": see `normbench list columns`", name);
    if (!columns || !valid(path, columns, earlier)) {
        files_bad++;
        print_error("%s: %s\n", path, message);
    }
}

static int check_file(const char *path, const struct stat *info, int kind, struct FTW *where) {
    (void)info;
    char plain[PATH_MAX];
    const size_t length = strlen(path), suffix = strlen(PACKED_SUFFIX);
    const bool packed = length > suffix && strcmp(path + length - suffix, PACKED_SUFFIX) == 0;
    snprintf(plain, sizeof plain, "%.*s", (int)(length - (packed ? suffix : 0)), path);
    const char *base = plain + where->base, *dot = strrchr(base, '.');
    if (kind == FTW_F && dot && strcmp(dot, ".csv") == 0)
        check_table(plain, base, true);
    files_packed += packed;
    return 0;
}

static void every_file(void **state) {
    (void)state;
    assert_int_equal(nftw("results", check_file, 8, FTW_PHYS), 0);
    assert_int_equal(nftw("tests/data", check_file, 8, FTW_PHYS), 0); // what other tests take for a result
    print_message("%zu files\n", files_seen);
    assert_int_equal(files_bad, 0);
    assert_true(files_packed > 10); // the samples of published runs are among them
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
    const column_table *const t = schema_find(table);
    for (int row = 0; row < 2; row++) {
        for (size_t i = 0; i < columns_count(t); i++) {
            const table_column *const c = columns_at(t, i);
            const bool mutated = m->column && strcmp(m->column, c->name) == 0;
            if (mutated && !m->value)
                continue;
            if (row == 0)
                csv_text(&w, c->name);
            else if (mutated)
                csv_text(&w, m->value);
            else if (c->type->word != NULL)
                csv_text(&w, c->type->word(0));
            else if (strcmp(c->name, "reason") == 0)
                csv_empty(&w);
            else
                csv_text(&w, "1"); // a number, and a name
        }
        assert_int_equal(csv_end(&w), 0);
    }
    assert_int_equal(csv_close(&w), 0);
    const bool passed = valid(path, t, false);
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
        assert_false(valid(path, schema_find("kernels"), false));
        assert_non_null(strstr(message, texts[i][1]));
    }
    // The right columns in the wrong order.
    csv_writer w;
    assert_int_equal(csv_open(&w, path, false), 0);
    const column_table *const kernels = schema_find("kernels");
    for (size_t i = 0; i < columns_count(kernels); i++)
        csv_text(&w, columns_at(kernels, i < 2 ? 1 - i : i)->name);
    assert_int_equal(csv_end(&w), 0);
    assert_int_equal(csv_close(&w), 0);
    assert_false(valid(path, schema_find("kernels"), false));
    assert_non_null(strstr(message, "column 1 is run_id instead of schema_version"));
    assert_int_equal(unlink(path), 0);
    assert_false(valid(path, schema_find("kernels"), false));
    assert_non_null(strstr(message, strerror(ENOENT)));
}

// A run from before a column was appended goes on being valid, one that lacks what every version had does not.
static void earlier_versions(void **state) {
    (void)state;
    char path[] = "/tmp/normbench-test-schema-XXXXXX";
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(close(descriptor), 0);
    const column_table *const kernels = schema_find("kernels");
    const size_t all = columns_count(kernels), counts[] = {all, all - 1, 2};
    static const bool good[][2] = {{true, true}, {false, true}, {false, false}}; // as new, as earlier
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        csv_writer w;
        assert_int_equal(csv_open(&w, path, false), 0);
        for (size_t k = 0; k < counts[i]; k++)
            csv_text(&w, columns_at(kernels, k)->name);
        assert_int_equal(csv_end(&w), 0);
        assert_int_equal(csv_close(&w), 0);
        for (int earlier = 0; earlier < 2; earlier++)
            assert_int_equal(valid(path, schema_find("kernels"), earlier != 0), good[i][earlier]);
    }
    assert_non_null(strstr(message, "lacks the column"));
    assert_int_equal(unlink(path), 0);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        for (int i = 1; i < argc; i++) {
            const char *slash = strrchr(argv[i], '/');
            check_table(argv[i], slash ? slash + 1 : argv[i], false);
        }
        return files_bad > 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file),
        cmocka_unit_test(bad_values),
        cmocka_unit_test(bad_headers),
        cmocka_unit_test(earlier_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
