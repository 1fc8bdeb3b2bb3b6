// SPDX-License-Identifier: MIT
// What goes along sequences, causal and long convolutions and scans, against loops in double at every level that this
// CPU can run: values, and gradients by the formulas of those loops, in f32 and bf16, with gaps between rows, of odd
// sizes, over more than a chunk of tokens and a span of channels and for one thread and two.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dtype.h"
#include "math/causal.h"
#include "math/draw.h"
#include "math/long_conv.h"
#include "math/pointwise_rows.h"
#include "math/scan.h"

// ---- Matrices in double beside those of the call

enum { GAP = 3, MOST = 16 };

typedef struct {
    matrix m;
    double *value;
} both;

static both made[MOST];
static size_t made_count;

static both *draw_both(norm_dtype dtype, size_t rows, size_t cols, size_t gap, double mean, double deviation) {
    assert_true(made_count < MOST);
    both *const b = &made[made_count++];
    b->m = (matrix){dtype, rows, cols, cols + gap, calloc(rows * (cols + gap), sizeof(float))};
    b->value = calloc(rows * cols, sizeof *b->value);
    assert_non_null(b->m.data);
    assert_non_null(b->value);
    draw_matrix(1, b->m, draw_seed(7, (const char[]){(char)('a' + made_count), '\0'}), mean, deviation);
    for (size_t i = 0; i < rows * cols; i++)
        b->value[i] = (double)matrix_get(b->m, i / cols, i % cols);
    return b;
}

static both *result(norm_dtype dtype, size_t rows, size_t cols, size_t gap) {
    both *const b = draw_both(dtype, rows, cols, gap, 0, 1);
    memset(b->value, 0, rows * cols * sizeof *b->value);
    return b;
}

static void forget(void) {
    while (made_count > 0) {
        free(made[--made_count].m.data);
        free(made[made_count].value);
    }
}

// Of the largest element: sums of a few hundred terms in f32, whose errors add up as a random walk; one rounding of 16
// bits.
static void assert_close(const char *what, const both *b) {
    double largest = 0;
    for (size_t i = 0; i < b->m.rows * b->m.cols; i++)
        largest = fmax(largest, fabs(b->value[i]));
    assert_true(largest > 0);
    for (size_t i = 0; i < b->m.rows * b->m.cols; i++) {
        const double got = (double)matrix_get(b->m, i / b->m.cols, i % b->m.cols);
        if (!(fabs(got - b->value[i]) <= (b->m.dtype == NORM_F32 ? 3e-6 : dtype_epsilon(b->m.dtype) / 2) * largest))
            fail_msg("%s, %s: %zu, %zu is %.9g instead of %.9g, largest %.3g", what, norm_dtype_name(b->m.dtype),
                     i / b->m.cols, i % b->m.cols, got, b->value[i], largest);
    }
}

// ---- The formulas, with gradients of the sum of y dy

static double *at(const both *b, size_t row, size_t col) { return &b->value[row * b->m.cols + col]; }

typedef struct {
    norm_dtype dtype;
    size_t sequences, tokens, channels;
    int threads;
} size;

static void check_causal(const size *s, size_t taps) {
    const size_t n = s->sequences * s->tokens, cols = s->channels;
    both *const x = draw_both(s->dtype, n, cols, GAP, 0, 1), *const w = draw_both(s->dtype, cols, taps, 0, 0, 1);
    both *const bias = draw_both(s->dtype, 1, cols, 0, 0, 1), *const dy = draw_both(s->dtype, n, cols, 2 * GAP, 0, 1);
    both *const y = result(s->dtype, n, cols, GAP), *const dx = result(s->dtype, n, cols, 1);
    both *const dw = result(NORM_F32, cols, taps, 0), *const db = result(NORM_F32, 1, cols, 0);
    float *const scratch = malloc(causal_bytes(cols));
    assert_non_null(scratch);
    zero_matrix(1, dw->m);
    zero_matrix(1, db->m);
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < cols; c++) {
            *at(y, i, c) = *at(bias, 0, c);
            *at(db, 0, c) += *at(dy, i, c);
            for (size_t j = 0; j < taps && i % s->tokens >= j; j++) { // j tokens back
                *at(y, i, c) += *at(w, c, taps - 1 - j) * *at(x, i - j, c);
                *at(dx, i - j, c) += *at(w, c, taps - 1 - j) * *at(dy, i, c);
                *at(dw, c, taps - 1 - j) += *at(x, i - j, c) * *at(dy, i, c);
            }
        }
    causal_forward(s->threads, s->tokens, x->m, w->m, bias->m, y->m, scratch);
    causal_backward(s->threads, s->tokens, x->m, w->m, dy->m, dx->m, dw->m.data, db->m.data, scratch);
    assert_close("causal y", y);
    assert_close("causal dx", dx);
    assert_close("causal dweights", dw);
    assert_close("causal dbias", db);
    free(scratch);
    forget();
}

static void check_long(const size *s) {
    const size_t n = s->sequences * s->tokens, cols = s->channels;
    both *const x = draw_both(s->dtype, n, cols, GAP, 0, 1), *const f = draw_both(s->dtype, s->tokens, cols, 1, 0, 1);
    both *const skip = draw_both(s->dtype, 1, cols, 0, 0, 1), *const dy = draw_both(s->dtype, n, cols, 0, 0, 1);
    both *const y = result(s->dtype, n, cols, GAP), *const dx = result(s->dtype, n, cols, 1);
    both *const df = result(s->dtype, s->tokens, cols, 2), *const dskip = result(NORM_F32, 1, cols, 0);
    zero_matrix(1, dskip->m);
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < cols; c++) {
            *at(y, i, c) += *at(skip, 0, c) * *at(x, i, c);
            *at(dx, i, c) += *at(skip, 0, c) * *at(dy, i, c);
            *at(dskip, 0, c) += *at(x, i, c) * *at(dy, i, c);
            for (size_t j = 0; j <= i % s->tokens; j++) {
                *at(y, i, c) += *at(f, j, c) * *at(x, i - j, c);
                *at(dx, i - j, c) += *at(f, j, c) * *at(dy, i, c);
                *at(df, j, c) += *at(x, i - j, c) * *at(dy, i, c);
            }
        }
    char error[LONG_CONV_ERROR_SIZE];
    omp_set_num_threads(s->threads);
    long_conv *const conv = long_conv_make(&(long_conv_spec){s->sequences, s->tokens, cols}, error);
    if (conv == NULL)
        fail_msg("%s", error);
    long_conv_forward(conv, x->m, f->m, skip->m, y->m);
    long_conv_backward(conv, x->m, f->m, skip->m, dy->m, dx->m, df->m, dskip->m.data);
    long_conv_free(conv);
    assert_close("long y", y);
    assert_close("long dx", dx);
    assert_close("long dfilter", df);
    assert_close("long dskip", dskip);
    forget();
}

typedef struct {
    both *x, *step, *in, *out, *log_rates, *skip, *dy, *y, *dx, *dstep, *din, *dout, *dlog_rates, *dskip;
} scanned;

// One channel and state of one sequence: forward, then backward through what was kept.
static void scan_state(const size *s, const scanned *m, size_t first, size_t c, size_t k) {
    const double rate = -exp(*at(m->log_rates, c, k));
    double *const h = calloc(s->tokens + 1, sizeof *h), g = 0;
    assert_non_null(h);
    for (size_t t = 0; t < s->tokens; t++) {
        const size_t i = first + t;
        const double step = *at(m->step, i, c);
        h[t + 1] = exp(rate * step) * h[t] + step * *at(m->in, i, k) * *at(m->x, i, c);
        *at(m->y, i, c) += *at(m->out, i, k) * h[t + 1];
    }
    for (size_t t = s->tokens; t-- > 0;) {
        const size_t i = first + t;
        const double step = *at(m->step, i, c), x = *at(m->x, i, c), in = *at(m->in, i, k), decay = exp(rate * step);
        g += *at(m->out, i, k) * *at(m->dy, i, c);
        *at(m->dout, i, k) += h[t + 1] * *at(m->dy, i, c);
        *at(m->din, i, k) += g * step * x;
        *at(m->dx, i, c) += g * step * in;
        *at(m->dstep, i, c) += g * (in * x + rate * decay * h[t]);
        *at(m->dlog_rates, c, k) += g * rate * step * decay * h[t];
        g *= decay;
    }
    free(h);
}

static void scan_in_double(const size *s, const scanned *m) {
    for (size_t i = 0; i < s->sequences * s->tokens; i++)
        for (size_t c = 0; c < s->channels; c++) {
            *at(m->y, i, c) += *at(m->skip, 0, c) * *at(m->x, i, c);
            *at(m->dx, i, c) += *at(m->skip, 0, c) * *at(m->dy, i, c);
            *at(m->dskip, 0, c) += *at(m->x, i, c) * *at(m->dy, i, c);
        }
    for (size_t sequence = 0; sequence < s->sequences; sequence++)
        for (size_t c = 0; c < s->channels; c++)
            for (size_t k = 0; k < SCAN_STATES; k++)
                scan_state(s, m, sequence * s->tokens, c, k);
}

static void check_scan(const size *s) {
    const size_t n = s->sequences * s->tokens, cols = s->channels;
    const norm_dtype dtype = s->dtype;
    const scanned m = {.x = draw_both(dtype, n, cols, GAP, 0, 1),
                       .step = draw_both(dtype, n, cols, 0, 0.5, 0.1),
                       .in = draw_both(dtype, n, SCAN_STATES, GAP, 0, 1),
                       .out = draw_both(dtype, n, SCAN_STATES, 0, 0, 1),
                       .log_rates = draw_both(dtype, cols, SCAN_STATES, 0, 0, 1),
                       .skip = draw_both(dtype, 1, cols, 0, 1, 1),
                       .dy = draw_both(dtype, n, cols, 1, 0, 1),
                       .y = result(dtype, n, cols, 2),
                       .dx = result(dtype, n, cols, 0),
                       .dstep = result(dtype, n, cols, GAP),
                       .din = result(dtype, n, SCAN_STATES, 1),
                       .dout = result(dtype, n, SCAN_STATES, 0),
                       .dlog_rates = result(NORM_F32, cols, SCAN_STATES, 0),
                       .dskip = result(NORM_F32, 1, cols, 0)};
    const scan_shape shape = {s->sequences, s->tokens, cols};
    const scan_operands o = {m.x->m, m.step->m, m.in->m, m.out->m, m.log_rates->m, m.skip->m};
    const scan_gradients g = {m.dx->m, m.dstep->m, m.din->m, m.dout->m, m.dlog_rates->m.data, m.dskip->m.data};
    zero_matrix(1, m.dlog_rates->m);
    zero_matrix(1, m.dskip->m);
    scan_in_double(s, &m);
    float *const memory = malloc(scan_bytes(s->threads, &shape, dtype, true));
    assert_non_null(memory);
    scan_forward(s->threads, &shape, &o, m.y->m, false, memory);
    assert_close("scan y", m.y);
    scan_forward(s->threads, &shape, &o, m.y->m, true, memory);
    scan_backward(s->threads, &shape, &o, m.dy->m, &g, memory);
    const struct {
        const char *name;
        const both *result;
    } results[] = {
        {"scan y", m.y},       {"scan dx", m.dx},       {"scan dstep", m.dstep},          {"scan din", m.din},
        {"scan dout", m.dout}, {"scan dskip", m.dskip}, {"scan dlog_rates", m.dlog_rates}};
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        assert_close(results[i].name, results[i].result);
    free(memory);
    forget();
}

// ---- Every level

static const size sizes[] = {{NORM_F32, 2, 2, 1, 1},   {NORM_F32, 1, 5, 3, 2},     {NORM_F32, 2, 33, 17, 1},
                             {NORM_F32, 1, 70, 40, 2}, {NORM_F32, 1, 32, 131, 1},  {NORM_BF16, 2, 37, 19, 2},
                             {NORM_F32, 3, 64, 16, 2}, {NORM_BF16, 1, 20, 130, 1}, {NORM_BF16, 1, 4, 5, 1},
                             {NORM_F16, 2, 37, 19, 2}};

static void check_level(void **unit) {
    const norm_level level = (norm_level)(uintptr_t)*unit;
    if (!pointwise_select(level)) {
        print_message("skipped: this CPU lacks %s\n", norm_level_missing(level));
        skip();
    }
    if (long_conv_missing() != NULL)
        print_message("SKIPPED long convolutions: they need %s\n", long_conv_missing());
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check_scan(&sizes[i]);
        for (size_t taps = 1; taps <= CAUSAL_TAPS; taps++)
            check_causal(&sizes[i], taps);
        if (long_conv_missing() == NULL)
            check_long(&sizes[i]);
    }
}

int main(void) {
    static struct CMUnitTest tests[NORM_LEVELS];
    for (norm_level level = 0; level < NORM_LEVELS; level++)
        tests[level] = (struct CMUnitTest){norm_level_name(level), check_level, NULL, NULL, (void *)(uintptr_t)level};
    return _cmocka_run_group_tests("sequence", tests, NORM_LEVELS, NULL, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}
