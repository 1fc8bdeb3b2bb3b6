// SPDX-License-Identifier: MIT
// Tables that gzip made smaller: read as if they were not, at any cut and with any damage refused with what to do,
// never beside their plain form, and gone on with after unpacking.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/csv.h"
#include "base/files.h"
#include "base/packed.h"

static const char *const plain = "samples.csv", *const packed = "samples.csv.gz";
static char folder[] = "/tmp/normbench-test-packed-XXXXXX", message[400];

static int enter(void **state) {
    (void)state;
    return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}
static int leave(void **state) {
    (void)state;
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}
static void forget(void) {
    (void)unlink(plain);
    (void)unlink(packed);
}

static void write_bytes(const char *path, const void *bytes, size_t length) {
    FILE *const file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

// mode "w" for one member, "a" for one more.
static void pack(const char *mode, const char *text) {
    gzFile const file = gzopen(packed, mode);
    assert_non_null(file);
    assert_int_equal(gzwrite(file, text, (unsigned)strlen(text)), (int)strlen(text));
    assert_int_equal(gzclose(file), Z_OK);
}

static size_t bytes_of(const char *path, unsigned char *bytes, size_t room) {
    FILE *const file = fopen(path, "r");
    assert_non_null(file);
    const size_t length = fread(bytes, 1, room, file);
    assert_true(length < room);
    assert_int_equal(fclose(file), 0);
    return length;
}

static void expect_text(const char *text) {
    char *got = NULL;
    size_t length = 0;
    assert_int_equal(packed_read(plain, &got, &length, message, sizeof message), 0);
    assert_int_equal(length, strlen(text));
    assert_string_equal(got, text);
    free(got);
}

static void expect_refused(const char *why) {
    char *got = NULL;
    size_t length = 0;
    assert_int_equal(packed_read(plain, &got, &length, message, sizeof message), -1);
    if (strstr(message, why) == NULL)
        fail_msg("no \"%s\" in: %s", why, message);
}

static void whole_files(void **state) {
    (void)state;
    write_bytes(plain, "a,b\n", 4);
    expect_text("a,b\n");
    forget();
    pack("w", "a,b\n1,2\n");
    expect_text("a,b\n1,2\n");
    pack("a", "3,4\n"); // gzip's own files may be joined
    expect_text("a,b\n1,2\n3,4\n");
    pack("w", "");
    expect_text("");
    char *const large = malloc(3 << 20);
    assert_non_null(large);
    for (size_t i = 0; i < (3 << 20) - 1; i++)
        large[i] = (char)('a' + (i * i >> 7) % 23);
    large[(3 << 20) - 1] = '\0';
    pack("w", large);
    expect_text(large);
    free(large);
    csv_table t;
    pack("w", "a,b\n1,2\n3,4\n");
    assert_int_equal(csv_read(&t, plain, message, sizeof message), 0);
    assert_int_equal(t.row_count, 2);
    assert_string_equal(t.rows[1][1], "4");
    csv_free(&t);
    forget();
    assert_int_not_equal(csv_read(&t, plain, message, sizeof message), 0);
}

static void damaged_files(void **state) {
    (void)state;
    unsigned char bytes[1000], spoilt[1001];
    pack("w", "schema_version,op,time_ns\n1,dyt,100.5\n1,rmsnorm,99\n");
    const size_t length = bytes_of(packed, bytes, sizeof bytes);
    for (size_t cut = 0; cut < length; cut++) {
        write_bytes(packed, bytes, cut);
        expect_refused("is cut off: copy it anew");
        assert_non_null(strstr(message, "gzip -dc samples.csv.gz >samples.csv"));
    }
    // What is in it, its sum and its length are all held against it.
    for (size_t i = 10; i < length; i++) {
        memcpy(spoilt, bytes, length);
        spoilt[i] ^= 0x55;
        write_bytes(packed, spoilt, length);
        expect_refused("samples.csv.gz is ");
    }
    memcpy(spoilt, bytes, length);
    spoilt[length] = 'x';
    write_bytes(packed, spoilt, length + 1);
    expect_refused("samples.csv.gz is "); // nothing may follow
    write_bytes(packed, "a,b\n1,2\n", 8);
    expect_refused("is damaged, or no gzip file");
    forget();
}

static void both_forms(void **state) {
    (void)state;
    csv_writer w;
    FILE *file;
    pack("w", "a,b\n");
    assert_int_equal(files_create(plain, &file), FILES_PACKED);
    assert_non_null(strstr(files_reason(FILES_PACKED), "remove it"));
    write_bytes(plain, "a,b\n", 4);
    expect_refused("samples.csv.gz stands beside it: remove one of the two");
    assert_int_equal(packed_unpack(plain, message, sizeof message), -1);
    assert_int_not_equal(csv_open(&w, plain, true), 0);
    assert_int_equal(access(plain, F_OK) | access(packed, F_OK), 0);
    forget();
}

static void going_on(void **state) {
    (void)state;
    unsigned char bytes[100];
    csv_writer w;
    pack("w", "a,b\n1,2\n3,"); // with a last line that was cut off
    assert_int_equal(csv_open(&w, plain, true), 0);
    assert_int_equal(access(packed, F_OK), -1);
    csv_text(&w, "5");
    csv_text(&w, "6");
    assert_int_equal(csv_end(&w) | csv_close(&w), 0);
    assert_int_equal(bytes_of(plain, bytes, sizeof bytes), 12);
    assert_memory_equal(bytes, "a,b\n1,2\n5,6\n", 12);
    forget();
    // What cannot be unpacked stays as it is.
    write_bytes(packed, "no gzip", 7);
    assert_int_not_equal(csv_open(&w, plain, true), 0);
    assert_int_equal(access(plain, F_OK), -1);
    assert_int_equal(bytes_of(packed, bytes, sizeof bytes), 7);
    forget();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_files),
        cmocka_unit_test(damaged_files),
        cmocka_unit_test(both_forms),
        cmocka_unit_test(going_on),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
