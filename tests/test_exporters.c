// SPDX-License-Identifier: MIT
// The bytes of an exported tensor against its format's description, and against elements that are easy to get wrong.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/exporters.h"

static char path[] = "/tmp/normbench-test-exporters-XXXXXX";

static int make_file(void **state) {
    (void)state;
    const int descriptor = mkstemp(path);
    return descriptor < 0 ? -1 : close(descriptor);
}

static int remove_file(void **state) {
    (void)state;
    return unlink(path);
}

enum { MOST = 20000 };
static unsigned char file_bytes[MOST];

static size_t written_as(exporter_write *write, const matrix *m, bool vector) {
    assert_int_equal(write(path, m, vector), 0);
    FILE *const file = fopen(path, "rb");
    assert_non_null(file);
    const size_t bytes = fread(file_bytes, 1, MOST, file);
    assert_true(bytes < MOST);
    fclose(file);
    return bytes;
}

static size_t written(const matrix *m, bool vector) { return written_as(exporter_npy, m, vector); }

// The dictionary, its padding and its length are as the format wants them; returns where the elements begin.
static size_t check_header_of(const char *descr, const char *shape) {
    char want[200];
    assert_memory_equal(file_bytes, "\x93NUMPY\x01\x00", 8);
    const size_t length = (size_t)file_bytes[8] + 256 * (size_t)file_bytes[9], begin = 10 + length;
    assert_int_equal(begin % 64, 0);
    snprintf(want, sizeof want, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape);
    assert_memory_equal(file_bytes + 10, want, strlen(want));
    for (size_t i = 10 + strlen(want); i + 1 < begin; i++)
        assert_int_equal(file_bytes[i], ' ');
    assert_int_equal(file_bytes[begin - 1], '\n');
    return begin;
}

static size_t check_header(const char *shape) { return check_header_of("<f4", shape); }

static void f32_matrix_with_gaps(void **state) {
    (void)state;
    // 1 is 3f800000, -2.5 is c0200000; the gap of each row must not be written.
    float data[] = {1, -2.5f, 77, 0.0f, INFINITY, 77};
    const matrix m = {NORM_F32, 2, 2, 3, data};
    const size_t bytes = written(&m, false), begin = check_header("(2, 2)");
    static const unsigned char want[] = {0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0, 0, 0, 0, 0, 0, 0, 0x80, 0x7f};
    assert_int_equal(bytes, begin + sizeof want);
    assert_memory_equal(file_bytes + begin, want, sizeof want);
}

static void bf16_is_widened(void **state) {
    (void)state;
    uint16_t data[] = {0x3f80, 0xc020, 0x7fc0};
    const matrix m = {NORM_BF16, 1, 3, 3, data};
    const size_t bytes = written(&m, true), begin = check_header("(3,)");
    static const unsigned char want[] = {0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0, 0, 0, 0xc0, 0x7f};
    assert_int_equal(bytes, begin + sizeof want);
    assert_memory_equal(file_bytes + begin, want, sizeof want);
}

// NumPy's own: largest, smallest, infinity, and a gap.
static void f16_is_as_it_is(void **state) {
    (void)state;
    uint16_t data[] = {0x7bff, 0x8001, 99, 0x7c00, 0x3c00, 99};
    const matrix m = {NORM_F16, 2, 2, 3, data};
    const size_t bytes = written(&m, false), begin = check_header_of("<f2", "(2, 2)");
    static const unsigned char want[] = {0xff, 0x7b, 0x01, 0x80, 0, 0x7c, 0, 0x3c};
    assert_int_equal(bytes, begin + sizeof want);
    assert_memory_equal(file_bytes + begin, want, sizeof want);
}

// Rows around the size of the buffer that they are gathered in.
static void wide_rows(void **state) {
    (void)state;
    static float data[2 * 1025];
    for (size_t i = 0; i < 2 * 1025; i++)
        data[i] = (float)i;
    for (size_t cols = 1023; cols <= 1025; cols++) {
        char shape[32];
        const matrix m = {NORM_F32, 2, cols, 1025, data};
        const size_t bytes = written(&m, false);
        snprintf(shape, sizeof shape, "(2, %zu)", cols);
        const size_t begin = check_header(shape);
        assert_int_equal(bytes, begin + 8 * cols);
        for (size_t i = 0; i < 2 * cols; i++) {
            const unsigned char *const b = file_bytes + begin + 4 * i;
            const uint32_t bits = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
            float value;
            memcpy(&value, &bits, sizeof value);
            if (value != data[i / cols * 1025 + i % cols])
                fail_msg("element %zu of (2, %zu) is %g", i, cols, (double)value);
        }
    }
}

// Every element and no byte more, in the tensor's own dtype.
static void raw_is_the_elements(void **state) {
    (void)state;
    static const unsigned char f32[] = {0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0x40, 0x40, 0, 0, 0, 0x80};
    static const unsigned char bf16[] = {0x80, 0x3f, 0x00, 0xc0, 0x40, 0x40, 0x00, 0x80};
    float wide[] = {1, -2, 99, 3, -0.0f, 99};
    uint16_t narrow[] = {0x3f80, 0xc000, 99, 0x4040, 0x8000, 99};
    const matrix m = {NORM_F32, 2, 2, 3, wide}, n = {NORM_BF16, 2, 2, 3, narrow};
    assert_int_equal(written_as(exporter_raw, &m, false), sizeof f32);
    assert_memory_equal(file_bytes, f32, sizeof f32);
    assert_int_equal(written_as(exporter_raw, &n, false), sizeof bf16);
    assert_memory_equal(file_bytes, bf16, sizeof bf16);
}

// In every format.
static void errors_are_told(void **state) {
    (void)state;
    float data[4096] = {0};
    const matrix m = {NORM_F32, 64, 64, 64, data};
    for (size_t i = 0; exporter_at(i) != NULL; i++) {
        assert_int_equal(exporter_at(i)->write("/nonexistent/folder/x", &m, false), ENOENT);
        if (access("/dev/full", W_OK) == 0)
            assert_int_equal(exporter_at(i)->write("/dev/full", &m, false), ENOSPC);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f32_matrix_with_gaps), cmocka_unit_test(bf16_is_widened),
        cmocka_unit_test(f16_is_as_it_is),      cmocka_unit_test(wide_rows),
        cmocka_unit_test(raw_is_the_elements),  cmocka_unit_test(errors_are_told),
    };
    return cmocka_run_group_tests_name("exporters", tests, make_file, remove_file);
}
