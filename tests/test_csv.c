// SPDX-License-Identifier: MIT
// What is written can be read back, whatever it holds and wherever the writer was stopped.
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/csv.h"
#include "base/files.h"

static char path[] = "/tmp/normbench-test-csv-XXXXXX";
static char message[200];

static int make_file(void **state) {
    (void)state;
    const int descriptor = mkstemp(path);
    return descriptor < 0 ? -1 : close(descriptor);
}

static int remove_file(void **state) {
    (void)state;
    return unlink(path);
}

static void write_text(const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void assert_file(const char *want) {
    char got[1000];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    got[fread(got, 1, sizeof got - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(got, want);
}

static int read_text(csv_table *table, const char *text) {
    write_text(text);
    message[0] = '\0';
    return csv_read(table, path, message, sizeof message);
}

static void assert_rejected(const char *text, const char *why) {
    csv_table table;
    assert_int_equal(read_text(&table, text), -1);
    assert_non_null(strstr(message, why));
    assert_null(table.rows);
}

static void open_writer(csv_writer *w, bool append) { assert_int_equal(csv_open(w, path, append), 0); }

static void fields(void **state) {
    (void)state;
    csv_writer w;
    open_writer(&w, false);
    csv_text(&w, "plain");
    csv_text(&w, NULL);
    csv_text(&w, "");
    csv_size(&w, SIZE_MAX);
    csv_int(&w, -42);
    csv_real(&w, 0.1, 6);
    csv_real(&w, 123456.789, 3);
    csv_real(&w, NAN, 6);
    csv_real(&w, -INFINITY, 6);
    csv_empty(&w);
    assert_int_equal(csv_end(&w), 0);
    csv_empty(&w);
    csv_real(&w, INFINITY, 6);
    assert_int_equal(csv_end(&w), 0);
    assert_int_equal(csv_close(&w), 0);
    char want[200];
    snprintf(want, sizeof want, "plain,,,%zu,-42,0.1,1.23e+05,,-INF,\n,INF\n", SIZE_MAX);
    assert_file(want);
}

static void quoting(void **state) {
    (void)state;
    const char *const texts[] = {
        "a,b", "say \"hi\"", "two\nlines", "dos\r\nlines", "\"", "\"\"", ",", "\n", " spaces ", "'", ""};
    const size_t n = sizeof texts / sizeof *texts;
    csv_writer w;
    open_writer(&w, false);
    for (int row = 0; row < 3; row++) {
        for (size_t i = 0; i < n; i++)
            csv_text(&w, texts[i]);
        assert_int_equal(csv_end(&w), 0);
    }
    assert_int_equal(csv_close(&w), 0);
    csv_table table;
    assert_int_equal(csv_read(&table, path, message, sizeof message), 0);
    assert_int_equal(table.column_count, n);
    assert_int_equal(table.row_count, 2);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(table.header[i], texts[i]);
        assert_string_equal(table.rows[0][i], texts[i]);
        assert_string_equal(table.rows[1][i], texts[i]);
    }
    assert_false(table.truncated);
    csv_free(&table);
}

static void rows_are_on_disk_at_once(void **state) {
    (void)state;
    csv_writer w;
    open_writer(&w, false);
    csv_text(&w, "a");
    assert_int_equal(csv_end(&w), 0);
    assert_file("a\n");
    assert_int_equal(csv_close(&w), 0);
}

static void full_disk(void **state) {
    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    csv_writer w;
    assert_int_equal(csv_open(&w, "/dev/full", false), 0);
    csv_text(&w, "a");
    assert_int_equal(csv_end(&w), ENOSPC);
    assert_int_equal(csv_end(&w), ENOSPC); // remembered
    assert_int_equal(csv_close(&w), ENOSPC);
    assert_int_equal(csv_open(&w, "/dev/full", true), FILES_NOT_PLAIN); // nothing there to go on with
}

static void unopenable(void **state) {
    (void)state;
    csv_writer w;
    csv_table table;
    assert_int_equal(csv_open(&w, "/nowhere/at/all.csv", false), ENOENT);
    assert_int_equal(csv_close(&w), 0);
    assert_int_equal(csv_open(&w, "/tmp", true), EISDIR);
    assert_int_equal(csv_read(&table, "/nowhere/at/all.csv", message, sizeof message), ENOENT);
    assert_int_equal(csv_read(&table, "/tmp", message, sizeof message), EISDIR);
}

static void append_row(const char *text) {
    csv_writer w;
    open_writer(&w, true);
    csv_text(&w, text);
    csv_text(&w, "end");
    assert_int_equal(csv_end(&w), 0);
    assert_int_equal(csv_close(&w), 0);
}

static void appending(void **state) {
    (void)state;
    write_text("a,b\n1,2\n");
    append_row("3");
    assert_file("a,b\n1,2\n3,end\n");
    write_text("a,b\n1,2\n3,\"half a te"); // killed within a row
    append_row("4");
    assert_file("a,b\n1,2\n4,end\n");
    write_text("a,b\n1\",2\n3,4\n"); // a stray quote costs no row
    append_row("5");
    assert_file("a,b\n1\",2\n3,4\n5,end\n");
    write_text("");
    append_row("6");
    assert_file("6,end\n");

    csv_writer w;
    write_text("");
    open_writer(&w, true);
    assert_int_equal(ftell(w.file), 0); // how a caller knows that the header is still to be written
    assert_int_equal(csv_close(&w), 0);
    write_text("a\n");
    open_writer(&w, true);
    assert_int_equal(ftell(w.file), 2);
    assert_int_equal(csv_close(&w), 0);
    assert_int_equal(unlink(path), 0);
    append_row("7");
    assert_file("7,end\n");
    open_writer(&w, false);
    assert_int_equal(csv_close(&w), 0);
    assert_file("");
}

static void truncated_last_line(void **state) {
    (void)state;
    const char *const cut[] = {"a,b\n1,2\n3,4", "a,b\n1,2\n3", "a,b\n1,2\n3,\"4", "a,b\n1,2\n3,\"4\n5\"",
                               "a,b\n1,2\n3,4,"};
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
        csv_table table;
        assert_int_equal(read_text(&table, cut[i]), 0);
        assert_true(table.truncated);
        assert_int_equal(table.row_count, 1);
        assert_string_equal(table.rows[0][1], "2");
        csv_free(&table);
    }
}

static void line_ends(void **state) {
    (void)state;
    csv_table table;
    assert_int_equal(read_text(&table, "a,b\r\n1,\"2\"\r\n3,\r\n\"4\r\n\",5\n"), 0);
    assert_int_equal(table.row_count, 3);
    assert_string_equal(table.header[1], "b");
    assert_string_equal(table.rows[0][1], "2");
    assert_string_equal(table.rows[1][1], "");
    assert_string_equal(table.rows[2][0], "4\r\n");
    csv_free(&table);
}

static void rejected(void **state) {
    (void)state;
    assert_rejected("", "no complete header");
    assert_rejected("a,b", "no complete header");
    assert_rejected("a,b\n1\n", "line 2: 1 field, header has 2");
    assert_rejected("a,b\n1,2\n1,2,3\n", "line 3: 3 fields, header has 2");
    assert_rejected("a,b\n\"1\n1\",2\n\n", "line 4: 1 field, header has 2"); // a row of two lines precedes
    assert_rejected("a,b\n1,2\"\n", "line 2: a quote inside");
    assert_rejected("a,b\n1,\"2\"x\n", "line 2: text after the closing quote");
    assert_rejected("a,b\r1,2\r\n", "line 1: a carriage return that ends no line");
    assert_rejected("a,b\n1,2\r\r\n", "line 2: a carriage return that ends no line");
    // A row that was cut off ends with its line; this takes all that follows for one field.
    assert_rejected("a,b\n1,\"2\n3,4\n5,6\n", "line 2: a quoted field that is never closed");
    assert_rejected("a,b\n1,2\n3,\"4\n5,6", "line 3: a quoted field that is never closed");

    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite("a\n1\0\n", 1, 5, file), 5);
    assert_int_equal(fclose(file), 0);
    csv_table table;
    assert_int_equal(csv_read(&table, path, message, sizeof message), -1);
    assert_non_null(strstr(message, "NUL byte after 3 bytes"));
}

static void columns(void **state) {
    (void)state;
    csv_table table;
    assert_int_equal(read_text(&table, "op,rows,cols\ndyt,64,768\n"), 0);
    assert_int_equal(csv_column(&table, "op"), 0);
    assert_int_equal(csv_column(&table, "cols"), 2);
    assert_int_equal(csv_column(&table, "col"), -1);
    assert_int_equal(csv_column(&table, ""), -1);
    csv_free(&table);
    csv_free(&table); // harmless
}

static void large_file(void **state) {
    (void)state;
    csv_writer w;
    open_writer(&w, false);
    for (size_t i = 0; i < 20000; i++) { // several times the reader's first buffer
        csv_size(&w, i);
        csv_text(&w, "some \"quoted\" text");
        assert_int_equal(csv_end(&w), 0);
    }
    assert_int_equal(csv_close(&w), 0);
    csv_table table;
    assert_int_equal(csv_read(&table, path, message, sizeof message), 0);
    assert_int_equal(table.row_count, 19999);
    assert_string_equal(table.rows[19998][0], "19999");
    assert_string_equal(table.rows[19998][1], "some \"quoted\" text");
    csv_free(&table);
}

static void comma_locale(void **state) {
    (void)state;
    const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE.utf8", "de_DE", "fr_FR"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!setlocale(LC_ALL, names[i]))
            continue;
        csv_writer w;
        open_writer(&w, false);
        csv_real(&w, 1.5, 6);
        csv_size(&w, 1234567);
        const int error = csv_end(&w);
        setlocale(LC_ALL, "C");
        assert_int_equal(error, 0);
        assert_int_equal(csv_close(&w), 0);
        assert_file("1.5,1234567\n");
        return;
    }
    print_message("no locale with decimal commas is installed; skipped\n");
    skip();
}

// For tests of other readers, that they read the same: prints how many rows a file has, -1 if it is refused.
static int tell(const char *file) {
    csv_table table;
    const int error = csv_read(&table, file, message, sizeof message);
    printf("%ld\n", error ? -1L : (long)table.row_count);
    csv_free(&table);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 2)
        return tell(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),
        cmocka_unit_test(quoting),
        cmocka_unit_test(rows_are_on_disk_at_once),
        cmocka_unit_test(full_disk),
        cmocka_unit_test(unopenable),
        cmocka_unit_test(appending),
        cmocka_unit_test(truncated_last_line),
        cmocka_unit_test(line_ends),
        cmocka_unit_test(rejected),
        cmocka_unit_test(columns),
        cmocka_unit_test(large_file),
        cmocka_unit_test(comma_locale),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
