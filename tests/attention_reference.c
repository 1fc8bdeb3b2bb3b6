// SPDX-License-Identifier: MIT
// attention_reference.c: see attention_reference.h.
#include "attention_reference.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "measure/inputs.h"

size_t attention_queries(const attention_spec *s) { return s->batch * s->tokens * s->heads * s->head_dim; }
size_t attention_keys(const attention_spec *s) { return s->batch * s->context * s->kv_heads * s->head_dim; }

size_t attention_biases(const attention_spec *s) { return s->heads * s->bias_groups * s->tokens * s->context; }

double *reference_doubles(size_t count) {
    double *const data = calloc(count + 1, sizeof *data);
    assert_non_null(data);
    return data;
}

reference reference_make(const attention_spec *s) {
    const size_t nq = attention_queries(s), nk = attention_keys(s), nb = attention_biases(s);
    return (reference){s,
                       reference_doubles(nq),
                       reference_doubles(nk),
                       reference_doubles(nk),
                       reference_doubles(nq),
                       reference_doubles(nq),
                       reference_doubles(nq),
                       reference_doubles(nk),
                       reference_doubles(nk),
                       reference_doubles(nq),
                       reference_doubles(nq),
                       reference_doubles(nk),
                       reference_doubles(nk),
                       reference_doubles(nb),
                       reference_doubles(nb),
                       reference_doubles(nb)};
}

void reference_free(reference *r) {
    double *const all[] = {r->q,         r->k,        r->v,        r->dout,     r->out,  r->dq,    r->dk,         r->dv,
                           r->out_error, r->dq_error, r->dk_error, r->dv_error, r->bias, r->dbias, r->dbias_error};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

// Whether tokens of a window of an image that was moved round were not side by side before: one came round an edge that
// the other did not.
static bool apart(const attention_spec *s, size_t sequence, size_t t, size_t j) {
    if (s->shift == 0)
        return false; // windows_across may be 0
    const size_t across = s->windows_across, side = across * s->window, index = sequence % (across * across);
    const size_t down = index / across * s->window, right = index % across * s->window;
#define ROUND(token)                                                                                                   \
    (2 * (down + (token) / s->window + s->shift >= side) + (right + (token) % s->window + s->shift >= side))
    return ROUND(t) != ROUND(j);
#undef ROUND
}

// Where a query's biases are.
static size_t bias_at(const attention_spec *s, size_t sequence, size_t t, size_t h) {
    return ((h * s->bias_groups + sequence / (s->batch / s->bias_groups)) * s->tokens + t) * s->context;
}

// One query: its probabilities, output and parts of all gradients, and bounds of the error of f32 arithmetic, to first
// order in u = 2^-24. With n keys and head_dim d:
// - a score, a sum of d products and a scaling, is off by (d + 3) u times the sum of magnitudes, and by the rounding of
//   its difference from the row's maximum, at most 2 u of the largest; e is the largest of a row.
// - a probability is off relatively by 2 e (its own exponent and those in the sum), n u for the sum, and 20 u for two
//   exponentials of a few units each and the division: r.
// - a sum over keys or queries of n products adds (n + 1) u to that.
// - dp, a sum of d products, is off by (d + 1) u of its magnitude a; sum(p dp), of magnitude b, by (r + (d + n + 2) u)
// b;
//   so scale p (dp - sum(p dp)) is off by at most 2 (r + (d + n + 8) u) scale p (a + b).
static void query(reference *r, size_t sequence, size_t t, size_t h, double *p, double *a) {
    const attention_spec *const s = r->s;
    const size_t d = s->head_dim, group = s->heads / s->kv_heads, kv = h / group;
    const size_t n = s->causal ? s->context - s->tokens + t + 1 : s->context;
    const size_t row = ((sequence * s->tokens + t) * s->heads + h) * d;
    const double u = 0x1p-24, scale = 1 / sqrt((double)d);
    const size_t bias = s->bias_groups > 0 ? bias_at(s, sequence, t, h) : 0;
#define KEY(j) (((sequence * s->context + (j)) * s->kv_heads + kv) * d)
    double most = -INFINITY, e = 0, largest = 0, total = 0;
    for (size_t j = 0; j < n; j++) {
        double sum = 0, magnitude = 0;
        for (size_t c = 0; c < d; c++) {
            sum += r->q[row + c] * r->k[KEY(j) + c];
            magnitude += fabs(r->q[row + c] * r->k[KEY(j) + c]);
        }
        p[j] = scale * sum + (s->bias_groups > 0 ? r->bias[bias + j] : 0) - (apart(s, sequence, t, j) ? 100 : 0);
        most = fmax(most, p[j]);
        largest = fmax(largest, fabs(p[j]));
        e = fmax(e, (double)(d + 3) * u * scale * magnitude + 2 * u * fabs(p[j]));
    }
    e += 2 * u * largest;
    for (size_t j = 0; j < n; j++)
        total += p[j] = exp(p[j] - most);
    double mean = 0, b = 0;
    for (size_t j = 0; j < n; j++) {
        double dp = 0;
        p[j] /= total;
        a[j] = 0;
        for (size_t c = 0; c < d; c++) {
            r->out[row + c] += p[j] * r->v[KEY(j) + c];
            dp += r->dout[row + c] * r->v[KEY(j) + c];
            a[j] += fabs(r->dout[row + c] * r->v[KEY(j) + c]);
        }
        mean += p[j] * dp;
        b += p[j] * a[j];
    }
    const double rel = 2 * e + (double)(n + 20) * u, sums = (double)(n + 1) * u,
                 over_queries = (double)(s->tokens * group + 1) * u;
    for (size_t j = 0; j < n; j++) {
        double dp = 0;
        for (size_t c = 0; c < d; c++)
            dp += r->dout[row + c] * r->v[KEY(j) + c];
        const double ds = scale * p[j] * (dp - mean), weight = scale * p[j] * (a[j] + b);
        const double off = 2 * (rel + (double)(d + n + 8) * u) * weight;
        if (s->bias_groups > 0) {
            r->dbias[bias + j] += ds / scale;
            r->dbias_error[bias + j] += (off + (double)(s->batch + 2) * u * weight) / scale;
        }
        for (size_t c = 0; c < d; c++) {
            r->out_error[row + c] += (rel + sums) * p[j] * fabs(r->v[KEY(j) + c]);
            r->dv[KEY(j) + c] += p[j] * r->dout[row + c];
            r->dv_error[KEY(j) + c] += (rel + over_queries) * p[j] * fabs(r->dout[row + c]);
            r->dq[row + c] += ds * r->k[KEY(j) + c];
            r->dq_error[row + c] += (off + sums * weight) * fabs(r->k[KEY(j) + c]);
            r->dk[KEY(j) + c] += ds * r->q[row + c];
            r->dk_error[KEY(j) + c] += (off + over_queries * weight) * fabs(r->q[row + c]);
        }
    }
#undef KEY
}

void reference_run(reference *r) {
    const attention_spec *const s = r->s;
    const size_t query_bytes = attention_queries(s) * sizeof(double), key_bytes = attention_keys(s) * sizeof(double);
    memset(r->out, 0, query_bytes);
    memset(r->dq, 0, query_bytes);
    memset(r->dk, 0, key_bytes);
    memset(r->dv, 0, key_bytes);
    memset(r->dbias, 0, attention_biases(s) * sizeof(double));
    double *const p = reference_doubles(s->context), *const a = reference_doubles(s->context);
    for (size_t i = 0; i < s->batch * s->tokens * s->heads; i++)
        query(r, i / (s->tokens * s->heads), i / s->heads % s->tokens, i % s->heads, p, a);
    free(p);
    free(a);
}

static void draw(double *data, size_t count, norm_dtype dtype, uint64_t seed) {
    void *const values = malloc(count * norm_dtype_bytes(dtype));
    assert_non_null(values);
    inputs_fill(INPUT_NORMAL, dtype, values, count, count, 0, 1, seed);
    for (size_t i = 0; i < count; i++)
        data[i] = dtype_get(dtype, values, i);
    free(values);
}

void reference_draw(reference *r) {
    draw(r->q, attention_queries(r->s), r->s->dtype, 1);
    draw(r->k, attention_keys(r->s), r->s->dtype, 2);
    draw(r->v, attention_keys(r->s), r->s->dtype, 3);
    draw(r->dout, attention_queries(r->s), r->s->dtype, 4);
    if (r->s->bias_groups > 0)
        draw(r->bias, attention_biases(r->s), r->s->dtype, 5);
}
