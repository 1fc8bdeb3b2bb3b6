// SPDX-License-Identifier: MIT
// The depthwise convolution, forward and backward, against plain double-precision sums, in every dtype, on one thread
// and two.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <omp.h>

#include "math/conv.h"
#include "math/scratch.h"
#include "measure/guard.h"
#include "measure/inputs.h"
#include "products.h"
#include "rounding.h"

enum { X, WEIGHTS, BIAS, DY, Y, DX, DWEIGHTS, DBIAS, TENSORS };

typedef struct {
    const conv_spec *s;
    guard_buffer guard[TENSORS];
    void *data[TENSORS];
    size_t count[TENSORS];
    double *expected[TENSORS], *magnitude[TENSORS]; // of the results; magnitude: of all that is summed
} fixture;

static norm_dtype dtype_of(const fixture *f, size_t tensor) { return tensor < DWEIGHTS ? f->s->dtype : NORM_F32; }
static double value(const fixture *f, size_t tensor, size_t i) {
    return dtype_get(dtype_of(f, tensor), f->data[tensor], i);
}

static void add(fixture *f, size_t tensor, size_t i, double term) {
    f->expected[tensor][i] += term;
    f->magnitude[tensor][i] += fabs(term);
}

// y[p] = bias + sum over taps of weight * x[p + tap], zero beyond the edges; and what its gradients are by definition:
// each term weight * x of y is one of dweights (times x), and one of dx (times weight).
static void expect(fixture *f) {
    const conv_spec *const s = f->s;
    const size_t half = s->kernel / 2, lines = s->line ? 1 : s->side, taps = s->line ? 1 : s->kernel, above = taps / 2;
    for (size_t i = DWEIGHTS; i < TENSORS; i++) // accumulated: what is there counts
        for (size_t e = 0; e < f->count[i]; e++)
            add(f, i, e, value(f, i, e));
    for (size_t e = 0; e < f->count[Y]; e++) {
        const size_t c = e % s->channels, col = e / s->channels % s->side, row = e / s->channels / s->side % lines;
        const size_t image = e / s->channels / s->side / lines;
        add(f, Y, e, value(f, BIAS, c));
        add(f, DBIAS, c, value(f, DY, e));
        for (size_t i = 0; i < taps; i++)
            for (size_t j = 0; j < s->kernel; j++) {
                if (row + i < above || row + i - above >= lines || col + j < half || col + j - half >= s->side)
                    continue;
                const size_t from = ((image * lines + row + i - above) * s->side + col + j - half) * s->channels + c;
                const size_t tap = (c * taps + i) * s->kernel + j;
                add(f, Y, e, value(f, WEIGHTS, tap) * value(f, X, from));
                add(f, DX, from, value(f, WEIGHTS, tap) * value(f, DY, e));
                add(f, DWEIGHTS, tap, value(f, X, from) * value(f, DY, e));
            }
    }
}

// A sum of n terms in f32, in any order, is within n u of its magnitude, u = 2^-24 (Higham 2002, section 3.1); a term
// is a product, which rounds once; the result is rounded to its own dtype. 1.01: higher orders.
static void check(const fixture *f, size_t tensor, const char *what) {
    const conv_spec *const s = f->s;
    ptrdiff_t at;
    assert_true(guard_intact(&f->guard[tensor], &at));
    const size_t n = tensor >= DWEIGHTS ? s->batch * conv_positions(s) : conv_taps(s);
    for (size_t i = 0; i < f->count[tensor]; i++) {
        const double expected = f->expected[tensor][i], got = value(f, tensor, i);
        const double bound =
            1.01 * ((double)(n + 2) * 0x1p-24 * f->magnitude[tensor][i] + rounding_of(dtype_of(f, tensor), expected));
        if (!(fabs(got - expected) <= bound))
            fail_msg("%s[%zu] of %zu x %zu x %zu, %zu, %s: %.9g, expected %.9g within %.2g", what, i, s->batch, s->side,
                     s->channels, s->kernel, norm_dtype_name(s->dtype), got, expected, bound);
    }
}

static void check_conv(const conv_spec *s) {
    fixture f = {.s = s};
    const size_t pixels = s->batch * conv_positions(s) * s->channels, taps = s->channels * conv_taps(s);
    const size_t counts[TENSORS] = {pixels, taps, s->channels, pixels, pixels, pixels, taps, s->channels};
    for (size_t i = 0; i < TENSORS; i++) {
        const norm_dtype dtype = dtype_of(&f, i);
        const size_t bytes = counts[i] * norm_dtype_bytes(dtype);
        f.count[i] = counts[i];
        f.data[i] = guard_put(&f.guard[i], GUARD_END, 0, 1, bytes, bytes);
        f.expected[i] = calloc(counts[i], sizeof(double));
        f.magnitude[i] = calloc(counts[i], sizeof(double));
        assert_true(f.data[i] && f.expected[i] && f.magnitude[i]);
        inputs_fill(INPUT_NORMAL, dtype, f.data[i], counts[i], counts[i], 0, 1, i + 1);
        guard_remember(&f.guard[i]);
    }
    expect(&f);
    char error[CONV_ERROR_SIZE];
    conv *const c = conv_make(s, error);
    if (!c)
        fail_msg("%s", error);
    memset(scratch_data(), 0xff, conv_bytes(c)); // NaN
    assert_true(conv_forward(c, f.data[X], f.data[WEIGHTS], f.data[BIAS], f.data[Y]));
    assert_int_equal(
        conv_backward(c, f.data[X], f.data[WEIGHTS], f.data[DY], f.data[DX], f.data[DWEIGHTS], f.data[DBIAS]),
        s->train);
    check(&f, Y, "y");
    if (s->train) {
        check(&f, DX, "dx");
        check(&f, DWEIGHTS, "dweights");
        check(&f, DBIAS, "dbias");
    }
    conv_free(c);
    for (size_t i = 0; i < TENSORS; i++) {
        ptrdiff_t at;
        assert_true(i >= Y || guard_unchanged(&f.guard[i], &at));
        guard_close(&f.guard[i]);
        free(f.expected[i]);
        free(f.magnitude[i]);
    }
}

static void forward_and_backward_at_odd_shapes(void **state) {
    (void)state;
    static const conv_spec shapes[] = {{.batch = 2, .side = 9, .channels = 11, .kernel = 7},
                                       {.batch = 1, .side = 7, .channels = 16, .kernel = 7},
                                       {.batch = 3, .side = 5, .channels = 8, .kernel = 3},
                                       {.batch = 1, .side = 1, .channels = 3, .kernel = 7},
                                       {.batch = 1, .side = 14, .channels = 40, .kernel = 7},
                                       {.batch = 2, .side = 45, .channels = 11, .kernel = 31, .line = true},
                                       {.batch = 3, .side = 4, .channels = 40, .kernel = 7, .line = true}};
    for (int threads = 1; threads <= 2; threads++)
        for (int dtype = 0; dtype < MODEL_DTYPES; dtype++)
            for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
                for (int train = 0; train < 2; train++) {
                    conv_spec s = shapes[i];
                    s.dtype = (norm_dtype)dtype;
                    s.train = train;
                    omp_set_num_threads(threads);
                    check_conv(&s);
                }
}

static void nonsense_is_refused(void **state) {
    (void)state;
    static const conv_spec bad[] = {{.batch = 1, .side = 4, .channels = 4, .kernel = 6},
                                    {.batch = 1, .side = 0, .channels = 4, .kernel = 7}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char error[CONV_ERROR_SIZE] = "";
        assert_null(conv_make(&bad[i], error));
        assert_non_null(strstr(error, "no convolution has 1 images"));
    }
    conv_free(NULL);
    assert_int_equal(scratch_bytes(), 0);
}

int main(void) {
    skip_without_products();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_and_backward_at_odd_shapes),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
