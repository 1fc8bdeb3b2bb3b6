// SPDX-License-Identifier: MIT
// Products against double-precision sums, with every flag, in both dtypes, on one thread and two; and that the library
// computes on the program's own OpenMP team.
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <omp.h>

#include "machine/peak_loop.h"
#include "math/matmul.h"
#include "math/scratch.h"
#include "measure/guard.h"
#include "measure/inputs.h"
#include "products.h"
#include "rounding.h"

enum { TRANSPOSE_A = 1, TRANSPOSE_B = 2, BIAS = 4, ACCUMULATE = 8, F32_RESULT = 16, PACK_B = 32, FLAGS = 64 };

static matmul_spec spec_of(size_t m, size_t k, size_t n, norm_dtype dtype, unsigned flags) {
    return (matmul_spec){.m = m,
                         .k = k,
                         .n = n,
                         .dtype = dtype,
                         .transpose_a = flags & TRANSPOSE_A,
                         .transpose_b = flags & TRANSPOSE_B,
                         .bias = flags & BIAS,
                         .accumulate = flags & ACCUMULATE,
                         .f32_result = flags & F32_RESULT,
                         .pack_b = flags & PACK_B};
}

static void *drawn(guard_buffer *g, norm_dtype dtype, size_t count, uint64_t seed) {
    const size_t size = norm_dtype_bytes(dtype);
    // Off every boundary that the library might like better than an element's own.
    void *const data = guard_put(g, GUARD_END, 0, 1, count * size, count * size);
    assert_non_null(data);
    inputs_fill(INPUT_NORMAL, dtype, data, count, count, 0, 1, seed);
    return data;
}

// Element (i, j) and what an error of it may be: a sum of k products in f32, in any order, fused or not, is within
// (k + 1) u of the sum of magnitudes (Higham 2002, section 3.1, to first order); bias and C add two terms; what is
// stored is rounded once more, to its own dtype.
static void check_element(const matmul_spec *s, const void *a, const void *b, const void *bias, double before,
                          double got, size_t i, size_t j) {
    const norm_dtype result = s->f32_result ? NORM_F32 : s->dtype;
    double sum = 0, magnitude = 0;
    for (size_t p = 0; p < s->k; p++) {
        const double product = dtype_get(s->dtype, a, s->transpose_a ? p * s->m + i : i * s->k + p) *
                               dtype_get(s->dtype, b, s->transpose_b ? j * s->k + p : p * s->n + j);
        sum += product;
        magnitude += fabs(product);
    }
    const double extra = s->bias ? dtype_get(s->dtype, bias, j) : 0;
    sum += extra + before;
    magnitude += fabs(extra) + fabs(before);
    const double bound =
        1.01 * ((double)(s->k + 3) * 0x1p-24 * magnitude + rounding_of(result, sum)); // 1.01: higher order
    if (!(fabs(got - sum) <= bound))
        fail_msg("%zu x %zu x %zu %s at (%zu, %zu): %.9g, expected %.9g within %.2g", s->m, s->k, s->n,
                 norm_dtype_name(s->dtype), i, j, got, sum, bound);
}

static void check_product(const matmul_spec *s, size_t step) {
    const norm_dtype result = s->f32_result ? NORM_F32 : s->dtype;
    char error[MATMUL_ERROR_SIZE];
    guard_buffer ga = {0}, gb = {0}, gbias = {0}, gc = {0};
    const void *const a = drawn(&ga, s->dtype, s->m * s->k, 1), *const b = drawn(&gb, s->dtype, s->k * s->n, 2),
                      *const bias = drawn(&gbias, s->dtype, s->n, 3);
    void *const c = drawn(&gc, result, s->m * s->n, 4);
    const size_t bytes = s->m * s->n * norm_dtype_bytes(result);
    void *const before = malloc(bytes);
    assert_non_null(before);
    memcpy(before, c, bytes);
    guard_remember(&ga);
    guard_remember(&gb);
    guard_remember(&gbias);

    matmul *const m = matmul_make(s, error);
    if (!m)
        fail_msg("%s", error);
    if (s->pack_b) {
        assert_true(matmul_bytes(m) >= s->k * s->n * norm_dtype_bytes(s->dtype));
        assert_true(matmul_pack(m, b));
    }
    // Twice, from the same C: what a first run leaves behind must not show.
    for (int run = 0; run < 2; run++) {
        memcpy(c, before, bytes);
        assert_true(matmul_run(m, a, s->pack_b ? NULL : b, s->bias ? bias : NULL, c));
    }
    ptrdiff_t at;
    assert_true(guard_intact(&gc, &at));
    assert_true(guard_unchanged(&ga, &at));
    assert_true(guard_unchanged(&gb, &at));
    assert_true(guard_unchanged(&gbias, &at));
    for (size_t e = 0; e < s->m * s->n; e += step)
        check_element(s, a, b, bias, s->accumulate ? dtype_get(result, before, e) : 0, dtype_get(result, c, e),
                      e / s->n, e % s->n);
    matmul_free(m);
    free(before);
    guard_close(&ga);
    guard_close(&gb);
    guard_close(&gbias);
    guard_close(&gc);
}

static void every_flag_at_odd_shapes(void **state) {
    (void)state;
    static const size_t shapes[][3] = {{1, 1, 1}, {1, 37, 5}, {7, 5, 3}, {33, 17, 29}, {5, 64, 131}};
    for (int threads = 1; threads <= 2; threads++) {
        omp_set_num_threads(threads);
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
            for (unsigned flags = 0; flags < FLAGS; flags++)
                for (int dtype = 0; dtype < MODEL_DTYPES; dtype++) {
                    const matmul_spec s = spec_of(shapes[i][0], shapes[i][1], shapes[i][2], (norm_dtype)dtype, flags);
                    check_product(&s, 1);
                }
    }
}

// More rows and columns than a tile of converted copies has, so that there are several, of two sizes each way.
static void several_tiles(void **state) {
    (void)state;
    static const unsigned flags[] = {0, TRANSPOSE_B | BIAS | PACK_B, BIAS | ACCUMULATE | PACK_B,
                                     TRANSPOSE_A | ACCUMULATE | F32_RESULT, TRANSPOSE_A | TRANSPOSE_B | ACCUMULATE};
    omp_set_num_threads(2);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        const matmul_spec s = spec_of(2051, 3, 2053, NORM_BF16, flags[i]);
        check_product(&s, 31); // coprime to the columns, so that every column is among them
    }
}

static void scratch_is_shared_and_given_back(void **state) {
    (void)state;
    char error[MATMUL_ERROR_SIZE];
    const matmul_spec small = spec_of(8, 8, 8, NORM_BF16, 0), large = spec_of(64, 512, 256, NORM_BF16, 0);
    matmul *const a = matmul_make(&small, error), *const b = matmul_make(&large, error);
    assert_non_null(a);
    assert_non_null(b);
    const size_t both = scratch_bytes();
    matmul *const c = matmul_make(&large, error);
    assert_non_null(c);
    assert_int_equal(scratch_bytes(), both);
    matmul_free(b);
    matmul_free(a);
    matmul_free(c);
    matmul_free(NULL);
    assert_int_equal(scratch_bytes(), 0);
}

static void no_product_of_nothing(void **state) {
    (void)state;
    char error[MATMUL_ERROR_SIZE] = "";
    const matmul_spec s = spec_of(3, 0, 3, NORM_F32, 0);
    assert_null(matmul_make(&s, error));
    assert_non_null(strstr(error, "3 x 0 x 3"));
}

// A reference loop would be a product too, thousands of times slower.
static void the_library_has_a_real_product(void **state) {
    (void)state;
    assert_memory_equal(matmul_library(), "oneDNN ", 7);
    for (int dtype = 0; dtype < MODEL_DTYPES; dtype++) {
        char error[MATMUL_ERROR_SIZE];
        const matmul_spec s = spec_of(64, 64, 64, (norm_dtype)dtype, TRANSPOSE_B);
        matmul *const m = matmul_make(&s, error);
        assert_non_null(m);
        print_message("%s: %s by %s\n", norm_dtype_name(s.dtype), matmul_describe(m), matmul_library());
#if defined(__x86_64__)
        assert_null(strstr(matmul_describe(m), "ref"));
#endif
        if (s.dtype == NORM_F32)
            assert_null(strstr(matmul_describe(m), "via"));
        matmul_free(m);
    }
}

static size_t threads_here(void) {
    size_t threads = 0;
    DIR *const tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (const struct dirent *entry; (entry = readdir(tasks)) != NULL;)
        threads += entry->d_name[0] != '.';
    assert_int_equal(closedir(tasks), 0);
    return threads;
}

// Before the first team: one, or those of an emulator as well.
static size_t threads_at_first;

// With two OpenMP runtimes in the process, each would have a second thread of its own.
static void one_team_in_the_process(void **state) {
    (void)state;
    omp_set_num_threads(2);
    const matmul_spec s = spec_of(256, 256, 256, NORM_F32, 0); // large enough that the library uses two threads
    check_product(&s, 1);
    int team = 0;
#pragma omp parallel num_threads(2) default(none) shared(team)
#pragma omp atomic
    team++;
    assert_int_equal(team, 2);
    assert_int_equal(threads_here(), threads_at_first + 1);
}

// What the loop multiplies is what it is counted for: three times around, each sum, which begins at 1, gets three times
// the products of one instruction, of 1/2 by 1/2. It returns one sum of a tile, or those of all chains of dot products.
static void the_peak_of_bf16_is_of_products(void **state) {
    (void)state;
    const peak_loop *const loop = peak_bf16_loop();
    if (loop == NULL)
        skip(); // no such unit on this CPU
    const float sum = loop->run(3, 0.5f, 1.0f);
    const bool tiles = loop->flops == 2.0 * 4 * 16 * 16 * 32;
    assert_true(tiles || loop->flops == 2.0 * 12 * 16 * 2);
    assert_true(sum == (tiles ? 1.0f + 3 * 32 * 0.25f : 12 * (1.0f + 3 * 2 * 0.25f)));
}

int main(void) {
    threads_at_first = threads_here();
    skip_without_products();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_peak_of_bf16_is_of_products),
        cmocka_unit_test(every_flag_at_odd_shapes),
        cmocka_unit_test(several_tiles),
        cmocka_unit_test(scratch_is_shared_and_given_back),
        cmocka_unit_test(no_product_of_nothing),
        cmocka_unit_test(the_library_has_a_real_product),
        cmocka_unit_test(one_team_in_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
