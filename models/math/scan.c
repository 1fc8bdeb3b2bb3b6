// SPDX-License-Identifier: MIT
// scan.c: see scan.h. A task is a span of the channels of one sequence, which one thread takes chunk by chunk; what
// tasks add to the same numbers they leave side by side, to be added in order, so that results are the same whatever
// the team.
#include "scan.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "pointwise_rows.h"
#include "scan_rows.h"

#define DECLARE(ID, name, features) extern const scan_rows scan_rows_##name[MODEL_DTYPES];
#define POINTER(ID, name, features) scan_rows_##name,
NORM_LEVEL_LIST(DECLARE)
static const scan_rows *const tables[NORM_LEVELS] = {NORM_LEVEL_LIST(POINTER)};

enum { BOTH = 2 * SCAN_STATES, SPAN_STATES = SCAN_STATES * SCAN_SPAN };

// ---- Where what is in memory

typedef struct {
    float *rates, *skip; // (SCAN_STATES, channels), negative; (channels)
    float *inout;        // (rows, BOTH): in and out, of another dtype than f32
    float *kept;         // (sequences, chunks, SCAN_STATES, channels): the states before each chunk
    float *drates;       // (sequences, spans, SCAN_STATES + 1, SCAN_SPAN)
    float *dinout;       // (spans, rows, BOTH)
    float *own;          // (threads, OWN)
} places;
enum { STATES, CARRIED = STATES + SPAN_STATES, WORK = CARRIED + SPAN_STATES, OWN = WORK + SCAN_WORK };

static size_t chunks_of(const scan_shape *s) { return (s->tokens + SCAN_CHUNK - 1) / SCAN_CHUNK; }
static size_t spans_of(const scan_shape *s) { return (s->channels + SCAN_SPAN - 1) / SCAN_SPAN; }

static float *take(float *memory, size_t *used, size_t count) {
    float *const here = memory != NULL ? memory + *used : NULL;
    *used += (count + 15) / 16 * 16;
    return here;
}

static size_t place(int threads, const scan_shape *s, norm_dtype dtype, bool train, float *memory, places *p) {
    const size_t rows = s->sequences * s->tokens, spans = spans_of(s);
    size_t used = 0;
    p->rates = take(memory, &used, SCAN_STATES * s->channels);
    p->skip = take(memory, &used, s->channels);
    p->inout = take(memory, &used, dtype == NORM_F32 ? 0 : rows * BOTH);
    p->kept = take(memory, &used, train ? s->sequences * chunks_of(s) * SCAN_STATES * s->channels : 0);
    p->drates = take(memory, &used, train ? s->sequences * spans * (SCAN_STATES + 1) * SCAN_SPAN : 0);
    p->dinout = take(memory, &used, train ? spans * rows * BOTH : 0);
    p->own = take(memory, &used, (size_t)threads * OWN);
    return used;
}

size_t scan_bytes(int threads, const scan_shape *s, norm_dtype dtype, bool train) {
    places none;
    return place(threads, s, dtype, train, NULL, &none) * sizeof(float);
}

// ---- Operands in f32

static void place_rates(const scan_shape *s, const scan_operands *o, const places *p) {
    float row[SCAN_STATES];
    const matrix dense = {NORM_F32, 1, SCAN_STATES, SCAN_STATES, row};
    matrix from = o->log_rates;
    from.rows = 1;
    for (size_t c = 0; c < s->channels; c++) {
        from.data = (char *)o->log_rates.data + c * o->log_rates.stride * norm_dtype_bytes(from.dtype);
        pointwise_copy(1, dense, from);
        for (size_t n = 0; n < SCAN_STATES; n++)
            p->rates[n * s->channels + c] = -expf(row[n]);
    }
    pointwise_copy(1, (matrix){NORM_F32, 1, s->channels, s->channels, p->skip}, o->skip);
}

typedef struct {
    matrix in, out;
} inout;

static inout widened(int threads, const scan_operands *o, const places *p) {
    if (o->in.dtype == NORM_F32)
        return (inout){o->in, o->out};
    const inout both = {{NORM_F32, o->in.rows, SCAN_STATES, BOTH, p->inout},
                        {NORM_F32, o->in.rows, SCAN_STATES, BOTH, p->inout + SCAN_STATES}};
    pointwise_copy(threads, both.in, o->in);
    pointwise_copy(threads, both.out, o->out);
    return both;
}

// ---- Tasks

typedef struct {
    const scan_shape *s;
    const scan_operands *o;
    const scan_gradients *g;
    matrix y; // or dy
    inout wide;
    places p;
    const scan_rows *rows;
    bool train;
} job;

static void *element(matrix m, size_t row, size_t col) {
    return (char *)m.data + (row * m.stride + col) * norm_dtype_bytes(m.dtype);
}

// What both passes know of a chunk: `row`, its first token among all.
static scan_chunk chunk_of(const job *j, size_t row, size_t tokens, size_t first) {
    const size_t left = j->s->channels - first;
    float *const own = j->p.own + (size_t)omp_get_thread_num() * OWN;
    const matrix in = j->wide.in, out = j->wide.out;
    return (scan_chunk){.tokens = tokens,
                        .channels = left < SCAN_SPAN ? left : SCAN_SPAN,
                        .x = element(j->o->x, row, first),
                        .x_stride = j->o->x.stride,
                        .step = element(j->o->step, row, first),
                        .step_stride = j->o->step.stride,
                        .in = (const float *)in.data + row * in.stride,
                        .in_stride = in.stride,
                        .out = (const float *)out.data + row * out.stride,
                        .out_stride = out.stride,
                        .rates = j->p.rates + first,
                        .rates_stride = j->s->channels,
                        .skip = j->p.skip + first,
                        .states = own + STATES,
                        .carried = own + CARRIED,
                        .work = own + WORK};
}

static float *kept_at(const job *j, size_t sequence, size_t chunk, size_t first) {
    return j->p.kept + (sequence * chunks_of(j->s) + chunk) * SCAN_STATES * j->s->channels + first;
}

static void keep(const job *j, const scan_chunk *k, float *kept) {
    for (size_t n = 0; n < SCAN_STATES; n++)
        memcpy(kept + n * j->s->channels, k->states + n * SCAN_SPAN, k->channels * sizeof *kept);
}

static void forward_task(const job *j, size_t sequence, size_t span) {
    const size_t tokens = j->s->tokens, first = span * SCAN_SPAN;
    for (size_t t = 0; t < tokens; t += SCAN_CHUNK) {
        const size_t row = sequence * tokens + t, left = tokens - t;
        scan_chunk k = chunk_of(j, row, left < SCAN_CHUNK ? left : SCAN_CHUNK, first);
        k.y = element(j->y, row, first);
        k.y_stride = j->y.stride;
        if (t == 0)
            memset(k.states, 0, SPAN_STATES * sizeof *k.states);
        if (j->train)
            keep(j, &k, kept_at(j, sequence, t / SCAN_CHUNK, first));
        j->rows->scan(&k);
    }
}

static void backward_task(const job *j, size_t sequence, size_t span) {
    const size_t tokens = j->s->tokens, first = span * SCAN_SPAN, rows = j->s->sequences * tokens;
    float *const drates = j->p.drates + (sequence * spans_of(j->s) + span) * (SCAN_STATES + 1) * SCAN_SPAN;
    memset(drates, 0, (SCAN_STATES + 1) * SCAN_SPAN * sizeof *drates);
    for (size_t chunk = chunks_of(j->s); chunk-- > 0;) {
        const size_t t = chunk * SCAN_CHUNK, row = sequence * tokens + t, left = tokens - t;
        scan_chunk k = chunk_of(j, row, left < SCAN_CHUNK ? left : SCAN_CHUNK, first);
        k.dy = element(j->y, row, first);
        k.dy_stride = j->y.stride;
        k.dx = element(j->g->dx, row, first);
        k.dx_stride = j->g->dx.stride;
        k.dstep = element(j->g->dstep, row, first);
        k.dstep_stride = j->g->dstep.stride;
        k.drates = drates;
        k.dinout = j->p.dinout + (span * rows + row) * BOTH;
        if (left <= SCAN_CHUNK)
            memset(k.carried, 0, SPAN_STATES * sizeof *k.carried);
        const float *const kept = kept_at(j, sequence, chunk, first);
        for (size_t n = 0; n < SCAN_STATES; n++)
            memcpy(k.states + n * SCAN_SPAN, kept + n * j->s->channels, k.channels * sizeof *kept);
        j->rows->scan_backward(&k);
    }
}

static void run_tasks(int threads, const job *j, void (*task)(const job *, size_t, size_t)) {
    const size_t spans = spans_of(j->s), tasks = j->s->sequences * spans;
#pragma omp parallel for num_threads(threads) schedule(dynamic) default(none) firstprivate(j, task, spans, tasks)
    for (size_t i = 0; i < tasks; i++)
        task(j, i / spans, i % spans);
}

static job job_of(int threads, const scan_shape *s, const scan_operands *o, matrix y, bool train, float *memory) {
    job j = {.s = s, .o = o, .y = y, .rows = &tables[pointwise_level()][y.dtype], .train = train};
    (void)place(threads, s, y.dtype, train, memory, &j.p);
    place_rates(s, o, &j.p);
    j.wide = widened(threads, o, &j.p);
    return j;
}

void scan_forward(int threads, const scan_shape *s, const scan_operands *o, matrix y, bool train, float *memory) {
    const job j = job_of(threads, s, o, y, train, memory);
    run_tasks(threads, &j, forward_task);
}

// ---- Sums over tasks

static void add_rates(const job *j) {
    const size_t spans = spans_of(j->s);
    for (size_t i = 0; i < j->s->sequences * spans; i++) {
        const float *const from = j->p.drates + i * (SCAN_STATES + 1) * SCAN_SPAN;
        const size_t first = i % spans * SCAN_SPAN, left = j->s->channels - first;
        for (size_t c = 0; c < (left < SCAN_SPAN ? left : SCAN_SPAN); c++) {
            for (size_t n = 0; n < SCAN_STATES; n++) // the rate's derivative by its logarithm is the rate
                j->g->dlog_rates[(first + c) * SCAN_STATES + n] +=
                    j->p.rates[n * j->s->channels + first + c] * from[n * SCAN_SPAN + c];
            j->g->dskip[first + c] += from[SCAN_STATES * SCAN_SPAN + c];
        }
    }
}

static void add_inout(int threads, const job *j) {
    const size_t rows = j->s->sequences * j->s->tokens, spans = spans_of(j->s), each = rows * BOTH;
    float *const sum = j->p.dinout;
#pragma omp parallel for num_threads(threads) default(none) firstprivate(sum, spans, each)
    for (size_t i = 0; i < each; i++)
        for (size_t span = 1; span < spans; span++)
            sum[i] += sum[span * each + i];
    pointwise_copy(threads, j->g->din, (matrix){NORM_F32, rows, SCAN_STATES, BOTH, sum});
    pointwise_copy(threads, j->g->dout, (matrix){NORM_F32, rows, SCAN_STATES, BOTH, sum + SCAN_STATES});
}

void scan_backward(int threads, const scan_shape *s, const scan_operands *o, matrix dy, const scan_gradients *g,
                   float *memory) {
    job j = job_of(threads, s, o, dy, true, memory);
    j.g = g;
    run_tasks(threads, &j, backward_task);
    add_rates(&j);
    add_inout(threads, &j);
}
