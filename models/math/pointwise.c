// SPDX-License-Identifier: MIT
// pointwise.c: pointwise.h's functions as sweeps of the row functions of pointwise_rows.c over matrices, split over a
// team; and which level's row functions they are.
#include "pointwise.h"

#include <assert.h>
#include <math.h>
#include <omp.h>
#include <stdatomic.h>
#include <string.h>

#include "pointwise_rows.h"

// ---- The level

#define DECLARE(ID, name, features) extern const pointwise_rows pointwise_rows_##name[MODEL_DTYPES];
#define POINTER(ID, name, features) pointwise_rows_##name,
NORM_LEVEL_LIST(DECLARE)
static const pointwise_rows *const tables[NORM_LEVELS] = {NORM_LEVEL_LIST(POINTER)};

static _Atomic norm_level selected = NORM_LEVELS;

static norm_level best_level(void) {
    norm_level best = NORM_LEVEL_SCALAR;
    for (norm_level level = best; level < NORM_LEVELS; level++)
        if (!norm_level_is_auto(level) && norm_level_missing(level) == NULL)
            best = level;
    return best;
}

bool pointwise_select(norm_level level) {
    if (level != NORM_LEVELS && norm_level_missing(level) != NULL)
        return false;
    atomic_store_explicit(&selected, level, memory_order_relaxed);
    return true;
}

norm_level pointwise_level(void) {
    norm_level level = atomic_load_explicit(&selected, memory_order_relaxed);
    if (level == NORM_LEVELS) {
        level = best_level();
        atomic_store_explicit(&selected, level, memory_order_relaxed);
    }
    return level;
}

static const pointwise_rows *rows_of(norm_dtype dtype) { return &tables[pointwise_level()][dtype]; }

// ---- The team

typedef void part_function(const void *job, size_t index, size_t count);

static void run_team(int threads, part_function *part, const void *job) {
    if (threads == 1) {
        part(job, 0, 1);
        return;
    }
#pragma omp parallel num_threads(threads) default(none) firstprivate(part, job)
    part(job, (size_t)omp_get_thread_num(), (size_t)omp_get_num_threads());
}

// ---- Sweeps

// Row r of a sweep takes row ids[r] of the matrix, or row r / repeat.
typedef struct {
    matrix m;
    size_t repeat;
    const int32_t *ids;
} operand;

static operand each(matrix m) { return (operand){m, 1, NULL}; }
static operand per_sample(matrix m, size_t rows) { return (operand){m, rows / m.rows, NULL}; }
static operand one_row(float *data, size_t rows, size_t cols) {
    return (operand){{NORM_F32, 1, cols, cols, data}, rows, NULL};
}
static operand by_id(matrix m, const int32_t *ids) { return (operand){m, 1, ids}; }

static void *operand_at(const operand *o, size_t row, size_t col) {
    const size_t index = o->ids != NULL ? (size_t)o->ids[row] : row / o->repeat;
    assert(index < o->m.rows);
    return (char *)o->m.data + (index * o->m.stride + col) * norm_dtype_bytes(o->m.dtype);
}

// Rows come in groups; the rows of a group are taken in order by one thread for any column, so that its sums need no
// other thread and are the same whatever the team. What is dealt out are groups by COLUMN_UNIT columns, as many in a
// row as a thread gets.
enum { COLUMN_UNIT = 64 };
typedef struct {
    pointwise_row *run;
    size_t groups, group_rows, cols, count;
    operand operands[POINTWISE_OPERANDS];
} sweep;

static void sweep_block(const sweep *s, size_t group, size_t begin, size_t end) {
    for (size_t r = group * s->group_rows; r < (group + 1) * s->group_rows; r++) {
        void *row[POINTWISE_OPERANDS] = {NULL};
        for (size_t k = 0; k < s->count; k++)
            row[k] = operand_at(&s->operands[k], r, begin);
        s->run(end - begin, row);
    }
}

static void sweep_part(const void *job, size_t index, size_t count) {
    const sweep *const s = job;
    const size_t units = (s->cols + COLUMN_UNIT - 1) / COLUMN_UNIT;
    const norm_slice slice = norm_part(NORM_SPLIT_ROWS, s->groups * units, index, count);
    for (size_t i = slice.begin; i < slice.end;) {
        const size_t first = i % units, left = slice.end - i;
        const size_t last = left < units - first ? first + left : units;
        const size_t end = last * COLUMN_UNIT;
        sweep_block(s, i / units, first * COLUMN_UNIT, end < s->cols ? end : s->cols);
        i += last - first;
    }
}

// group_rows: 1 where no row is summed into another. A matrix without gaps is then as good as one row.
static void run_sweep(int threads, pointwise_row *run, size_t rows, size_t cols, size_t group_rows, size_t count,
                      const operand operands[]) {
    sweep s = {.run = run, .groups = rows / group_rows, .group_rows = group_rows, .cols = cols, .count = count};
    bool gapless = group_rows == 1;
    for (size_t k = 0; k < count; k++) {
        const operand *const o = &operands[k];
        s.operands[k] = *o;
        gapless = gapless && o->repeat == 1 && o->ids == NULL && o->m.stride == cols;
    }
    if (gapless) {
        s.groups = 1;
        s.cols = rows * cols;
    }
    run_team(threads, sweep_part, &s);
}
#define SWEEP(threads, run, like, group_rows, ...)                                                                     \
    run_sweep(threads, run, (like).rows, (like).cols, group_rows, sizeof((operand[]){__VA_ARGS__}) / sizeof(operand),  \
              (operand[]){__VA_ARGS__})

void pointwise_add(int threads, matrix out, matrix a, matrix b) {
    SWEEP(threads, rows_of(a.dtype)->add, a, 1, each(out), each(a), each(b));
}

void pointwise_copy(int threads, matrix out, matrix a) {
    const pointwise_rows *const f = rows_of(a.dtype == NORM_F32 ? out.dtype : a.dtype);
    SWEEP(threads,
          out.dtype == a.dtype  ? f->copy
          : a.dtype == NORM_F32 ? f->from_f32
                                : f->to_f32,
          a, 1, each(out), each(a));
}

void pointwise_swiglu(int threads, matrix out, matrix gate, matrix up) {
    SWEEP(threads, rows_of(gate.dtype)->swiglu, gate, 1, each(out), each(gate), each(up));
}

void pointwise_swiglu_backward(int threads, matrix dgate, matrix dup, matrix gate, matrix up, matrix dout) {
    SWEEP(threads, rows_of(gate.dtype)->swiglu_backward, gate, 1, each(dgate), each(dup), each(gate), each(up),
          each(dout));
}

void pointwise_glu(int threads, matrix out, matrix x, matrix gate) {
    SWEEP(threads, rows_of(x.dtype)->glu, x, 1, each(out), each(x), each(gate));
}

void pointwise_glu_backward(int threads, matrix dx, matrix dgate, matrix x, matrix gate, matrix dout) {
    SWEEP(threads, rows_of(x.dtype)->glu_backward, x, 1, each(dx), each(dgate), each(x), each(gate), each(dout));
}

void pointwise_activation(int threads, activation kind, matrix out, matrix x) {
    SWEEP(threads, rows_of(x.dtype)->activation[kind], x, 1, each(out), each(x));
}

void pointwise_activation_backward(int threads, activation kind, matrix dx, matrix x, matrix dout) {
    SWEEP(threads, rows_of(x.dtype)->activation_backward[kind], x, 1, each(dx), each(x), each(dout));
}

void pointwise_modulate(int threads, matrix out, matrix x, matrix shift, matrix scale) {
    SWEEP(threads, rows_of(x.dtype)->modulate, x, 1, each(out), each(x), per_sample(shift, x.rows),
          per_sample(scale, x.rows));
}

static void zero(matrix m) {
    for (size_t r = 0; r < m.rows; r++)
        memset((float *)m.data + r * m.stride, 0, m.cols * sizeof(float));
}

void pointwise_modulate_backward(int threads, matrix dx, matrix dshift, matrix dscale, matrix x, matrix scale,
                                 matrix dout) {
    zero(dshift);
    zero(dscale);
    SWEEP(threads, rows_of(x.dtype)->modulate_backward, x, x.rows / dshift.rows, each(dx), per_sample(dshift, x.rows),
          per_sample(dscale, x.rows), each(x), per_sample(scale, x.rows), each(dout));
}

void pointwise_gate(int threads, matrix out, matrix x, matrix gate) {
    SWEEP(threads, rows_of(x.dtype)->gate, x, 1, each(out), each(x), per_sample(gate, x.rows));
}

void pointwise_gate_backward(int threads, matrix dx, matrix dgate, matrix x, matrix gate, matrix dout) {
    zero(dgate);
    SWEEP(threads, rows_of(x.dtype)->gate_backward, x, x.rows / dgate.rows, each(dx), per_sample(dgate, x.rows),
          each(x), per_sample(gate, x.rows), each(dout));
}

void pointwise_col_sums(int threads, float *sums, matrix a) {
    SWEEP(threads, rows_of(a.dtype)->accumulate, a, a.rows, one_row(sums, a.rows, a.cols), each(a));
}

void pointwise_gather(int threads, matrix out, matrix table, const int32_t *ids) {
    SWEEP(threads, rows_of(table.dtype)->copy, out, 1, each(out), by_id(table, ids));
}

void pointwise_scatter(int threads, float *dtable, size_t vocabulary, matrix dout, const int32_t *ids) {
    const matrix table = {NORM_F32, vocabulary, dout.cols, dout.cols, dtable};
    SWEEP(threads, rows_of(dout.dtype)->accumulate, dout, dout.rows, by_id(table, ids), each(dout));
}

// ---- Rotary embedding

void pointwise_angles(float *angles, size_t positions, size_t head_dim, double theta) {
    const size_t half = head_dim / 2;
    for (size_t i = 0; i < half; i++) {
        const double frequency = pow(theta, -2.0 * (double)i / (double)head_dim);
        for (size_t position = 0; position < positions; position++) {
            const double angle = (double)position * frequency;
            angles[position * head_dim + i] = (float)cos(angle);
            angles[position * head_dim + half + i] = (float)sin(angle);
        }
    }
}

typedef struct {
    matrix x;
    const float *angles;
    size_t head_dim, tokens, first;
    bool inverse;
} rope_job;

static void *row_at(const matrix *m, size_t row) {
    return (char *)m->data + row * m->stride * norm_dtype_bytes(m->dtype);
}

static void rope_part(const void *job, size_t index, size_t count) {
    const rope_job *const j = job;
    const norm_slice slice = norm_part(NORM_SPLIT_ROWS, j->x.rows, index, count);
    for (size_t r = slice.begin; r < slice.end; r++)
        rows_of(j->x.dtype)
            ->rope(row_at(&j->x, r), j->x.cols / j->head_dim, j->head_dim,
                   j->angles + (j->first + r % j->tokens) * j->head_dim, j->inverse);
}

void pointwise_rope(int threads, matrix x, size_t head_dim, const float *angles, size_t tokens, size_t first,
                    bool inverse) {
    const rope_job job = {x, angles, head_dim, tokens, first, inverse};
    run_team(threads, rope_part, &job);
}

// ---- Softmax and loss

typedef struct {
    matrix scores;
    float scale;
    bool causal;
    size_t first;
} softmax_job;

// Rows are dealt out in turn: causal rows grow, and their last half is three times the work of the first.
static void softmax_part(const void *job, size_t index, size_t count) {
    const softmax_job *const j = job;
    const size_t cols = j->scores.cols;
    for (size_t r = index; r < j->scores.rows; r += count) {
        const size_t seen = j->first + r + 1;
        rows_of(NORM_F32)->softmax(row_at(&j->scores, r), j->causal && seen < cols ? seen : cols, cols, j->scale);
    }
}

void pointwise_softmax(int threads, matrix scores, float scale, bool causal, size_t first) {
    const softmax_job job = {scores, scale, causal, first};
    run_team(threads, softmax_part, &job);
}

// Rows are summed in parts whose number does not depend on the team's, and the parts in their order: the loss is the
// same whatever the team.
enum { LOSS_PARTS = 256 };
typedef struct {
    matrix logits;
    const int32_t *labels;
    double weight;
    double *sums; // of each part
} loss_job;

static void loss_part(const void *job, size_t index, size_t count) {
    const loss_job *const j = job;
    const norm_slice parts = norm_part(NORM_SPLIT_ROWS, LOSS_PARTS, index, count);
    for (size_t part = parts.begin; part < parts.end; part++) {
        const norm_slice slice = norm_part(NORM_SPLIT_ROWS, j->logits.rows, part, LOSS_PARTS);
        double sum = 0;
        for (size_t r = slice.begin; r < slice.end; r++) {
            const size_t label = (size_t)j->labels[r];
            assert(label < j->logits.cols);
            float picked = 0;
            const double all =
                rows_of(j->logits.dtype)
                    ->cross_entropy(j->logits.cols, row_at(&j->logits, r), label, (float)j->weight, &picked);
            sum += log(all) - (double)picked;
        }
        j->sums[part] = sum;
    }
}

double pointwise_cross_entropy(int threads, matrix logits, const int32_t *labels, double weight) {
    double sums[LOSS_PARTS];
    const loss_job job = {logits, labels, weight, sums};
    run_team(threads, loss_part, &job);
    double total = 0;
    for (size_t part = 0; part < LOSS_PARTS; part++)
        total += sums[part];
    return weight * total;
}
