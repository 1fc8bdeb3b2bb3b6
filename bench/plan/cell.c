// SPDX-License-Identifier: MIT
// Cells: their order, and how they are written and read.
#include "cell.h"

#include <stdio.h>
#include <string.h>

#include "base/order.h"
#include "base/parse.h"
#include "machine/facts.h"

static const char *op_word(size_t index) { return selector_name(SELECT_OP, index); }
static const char *pass_word(size_t index) { return selector_name(SELECT_PASS, index); }
static const char *form_word(size_t index) { return selector_name(SELECT_FORM, index); }
static const char *dtype_word(size_t index) { return selector_name(SELECT_DTYPE, index); }
static const char *placement_word(size_t index) { return selector_name(SELECT_PLACEMENT, index); }
static const char *cache_word(size_t index) { return selector_name(SELECT_CACHE, index); }

const column_type column_op = {.word = op_word}, column_pass = {.word = pass_word}, column_form = {.word = form_word},
                  column_dtype = {.word = dtype_word}, column_placement = {.word = placement_word},
                  column_cache = {.word = cache_word};

#define ROW cell
#define COLUMNS(X)                                                                                                     \
    X(REQUIRED, op, name, NULL, value_text(norm_op_name(r->impl->op)),                                                 \
      "The operation, as `normbench list ops` spells it; identity: a plain copy.")                                     \
    X(REQUIRED, variant, name, NULL, value_text(r->impl->variant), CELL_VARIANT)                                       \
    X(REQUIRED, pass, pass, NULL, value_text(norm_pass_name(r->pass)),                                                 \
      "forward, or backward: the gradients of the input and of every parameter.")                                      \
    X(REQUIRED, form, form, NULL, value_text(norm_form_name(r->impl->form)),                                           \
      CELL_FORMS " add_fused: the residual addition and the norm of its result in one sweep, which writes both.")      \
    X(REQUIRED, level, name, NULL, value_text(norm_level_name(r->impl->level)),                                        \
      "The SIMD level the code was compiled for; library: another library's code, which chooses its own "              \
      "instructions.")                                                                                                 \
    X(REQUIRED, dtype, dtype, NULL, value_text(norm_dtype_name(r->impl->dtype)), "Storage type of the tensors.")       \
    X(REQUIRED, rows, ordinal, "{row}", value_size(r->rows), "Rows of the tensor: tokens.")                            \
    X(REQUIRED, cols, ordinal, "{column}", value_size(r->cols),                                                        \
      "Columns of the tensor: hidden size, the axis that is normalized.")                                              \
    X(REQUIRED, threads, ordinal, "{thread}", value_size(r->threads), CELL_THREADS)                                    \
    X(REQUIRED, placement, placement, NULL, value_text(placement_name(r->place)), CELL_PLACEMENT)                      \
    X(REQUIRED, cache, cache, NULL, value_text(cache_name(r->cache)),                                                  \
      "warm: the same buffers every call. cold: buffers rotate through more than twice the last-level cache.")
COLUMN_LIST(cell_columns, COLUMNS)
#undef COLUMNS

#define COLUMNS(X)                                                                                                     \
    X(OPTIONAL, dispatch_ns, count, "ns", value_if(r->impl->form == NORM_FRAMEWORK, value_size(r->dispatch_ns)),       \
      "What each operation of form framework waited before its work, as for a framework's dispatcher: --dispatch; "    \
      "empty in other forms.")
COLUMN_LIST(cell_later_columns, COLUMNS)
#undef ROW
#undef COLUMNS

// By the bits of NORM_GAMMA to NORM_SHIFT.
static const char *const parameters[] = {"",
                                         "gamma",
                                         "beta",
                                         "gamma beta",
                                         "alpha",
                                         "gamma alpha",
                                         "beta alpha",
                                         "gamma beta alpha",
                                         "shift",
                                         "gamma shift",
                                         "beta shift",
                                         "gamma beta shift",
                                         "alpha shift",
                                         "gamma alpha shift",
                                         "beta alpha shift",
                                         "gamma beta alpha shift"};

static const column_type column_words = {.pattern = "[a-z0-9]+( [a-z0-9]+)*"};
static const column_type column_versioned = {.pattern = "[A-Za-z0-9][A-Za-z0-9_-]{0,31}( [0-9][0-9a-z.-]{0,31})?"};
const char *cell_params(unsigned params) { return parameters[params % COLUMN_COUNT(parameters)]; }

static column_value params(const norm_impl *impl) {
    return impl == NULL ? value_empty() : value_text(cell_params(impl->params));
}
static column_value base(const norm_impl *impl) { return impl == NULL ? value_empty() : value_text(impl->base); }
static column_value streams(const norm_impl *impl) { return impl == NULL ? value_empty() : value_size(impl->streams); }

#define ROW norm_impl
#define COLUMNS(X)                                                                                                     \
    X(OPTIONAL, params, words, NULL, params(r),                                                                        \
      "The parameters that the variant has, separated by spaces: gamma, beta, alpha, shift; empty: none.")             \
    X(OPTIONAL, streams, flag, NULL, streams(r),                                                                       \
      "1 if forward writes its result past the caches, as variants `*_nt` do, else 0.")                                \
    X(OPTIONAL, base, name, NULL, base(r),                                                                             \
      "The variant without what params and streams say of it: u2 of u2_nobeta and of u2_nt.")
COLUMN_LIST(cell_impl_columns, COLUMNS)
#undef COLUMNS

// The variants that call the C library for each element, whose time is that of its version.
static column_value libc(const norm_impl *impl) {
    static char text[FACTS_LIBC_TEXT]; // until the field is written
    const bool calls = impl != NULL && (strcmp(impl->base, "libm") == 0 || strcmp(impl->base, "mvec") == 0);
    return calls ? value_text(facts_libc_text(text)) : value_empty();
}

static column_value affine_dtype(const norm_impl *impl) {
    return impl != NULL && impl->params & (NORM_GAMMA | NORM_BETA)
               ? value_text(norm_dtype_name(norm_affine_dtype(impl)))
               : value_empty();
}

#define COLUMNS(X)                                                                                                     \
    X(OPTIONAL, libc, versioned, NULL, libc(r),                                                                        \
      "The C library that the variant calls, libm or mvec, and its version, which its time depends on; musl tells no " \
      "program its own. Empty for all other variants.")                                                                \
    X(OPTIONAL, affine_dtype, dtype, NULL, affine_dtype(r),                                                            \
      "Storage type of gamma and beta: f32 beside tensors of 16 bits in variants `*_f32affine`; empty: there is "      \
      "neither.")
COLUMN_LIST(cell_impl_later_columns, COLUMNS)
#undef ROW
#undef COLUMNS

static int compare_group(const cell *a, const cell *b) {
    return ORDER_BY(order_size(a->impl->dtype, b->impl->dtype), order_size(a->pass, b->pass),
                    order_size(a->rows, b->rows), order_size(a->cols, b->cols), order_size(a->threads, b->threads),
                    order_size(a->place, b->place), order_size(a->cache, b->cache),
                    order_size(a->impl->streams, b->impl->streams));
}

bool cell_is_partner(const norm_impl *impl, const norm_impl *own) {
    norm_impl plain = *impl;
    plain.params &= ~(unsigned)NORM_F32_AFFINE;
    return norm_is_default(&plain) && norm_affine_dtype(impl) == norm_affine_dtype(own);
}

norm_level cell_level(const norm_impl *impl) {
    if (impl->level != NORM_LEVEL_LIBRARY)
        return impl->level;
    const norm_impl *const best =
        norm_best(NORM_RMSNORM, norm_default_variant(NORM_RMSNORM, impl->form, impl->dtype), impl->form, impl->dtype);
    return best != NULL ? best->level : impl->level;
}

int cell_compare(const void *left, const void *right) {
    const cell *const a = left, *const b = right;
    return ORDER_BY(compare_group(a, b), order_size(a->impl->form, b->impl->form),
                    order_size(cell_level(a->impl), cell_level(b->impl)),
                    order_size(a->dispatch_ns > 0, b->dispatch_ns > 0), order_size(a->impl->op, b->impl->op),
                    strcmp(a->impl->variant, b->impl->variant), order_size(a->dispatch_ns, b->dispatch_ns));
}

bool cell_same_group(const cell *a, const cell *b) { return compare_group(a, b) == 0; }
bool cell_equal(const cell *a, const cell *b) {
    return a->impl == b->impl && a->dispatch_ns == b->dispatch_ns && compare_group(a, b) == 0;
}
bool cell_same_family(const cell *a, const cell *b) {
    return compare_group(a, b) == 0 && a->impl->form == b->impl->form && cell_level(a->impl) == cell_level(b->impl) &&
           (a->dispatch_ns > 0) == (b->dispatch_ns > 0);
}

size_t cell_tensors(const cell *c) {
    if (c->impl->form == NORM_ADD_FUSED)
        return c->pass == NORM_FORWARD ? 4 : 7;
    return c->pass == NORM_FORWARD ? 2 : 4;
}

norm_args cell_pass_args(norm_form form, norm_pass pass, const norm_args *args) {
    norm_args own = *args;
    if (pass == NORM_BACKWARD && form == NORM_ADD_FUSED) {
        own.x = args->sum;
        own.x_stride = args->sum_stride;
    }
    return own;
}

norm_error cell_run(const cell *c, norm_pass pass, const norm_args *args, void **result) {
    *result = NULL;
    if (c->impl->form != NORM_FRAMEWORK)
        return norm_run(c->impl, pass, args, (int)c->threads);
    norm_args own = *args;
    own.fresh = result;
    own.dispatch_ns = c->dispatch_ns;
    return norm_run(c->impl, pass, &own, (int)c->threads);
}

static bool read_dispatch(const csv_table *t, size_t row, cell *c) {
    const int column = csv_column(t, "dispatch_ns");
    size_t ns = 0;
    const bool given = column >= 0 && t->rows[row][column][0] != '\0';
    if (given && (!parse_size(t->rows[row][column], &ns) || ns > CELL_MOST_DISPATCH_NS ||
                  (ns > 0 && c->impl->form != NORM_FRAMEWORK)))
        return false;
    c->dispatch_ns = (unsigned)ns;
    return true;
}

const norm_impl *cell_find_here(const void *source, const char *op, const char *variant, const char *form,
                                const char *level, const char *dtype) {
    (void)source;
    return norm_find(op, variant, form, level, dtype);
}

bool cell_read(const csv_table *t, size_t row, cell *c) { return cell_read_from(t, row, cell_find_here, NULL, c); }

bool cell_read_from(const csv_table *t, size_t row, norm_finder *find, const void *source, cell *c) {
    const char *field[CELL_COLUMNS];
    for (size_t i = 0; i < CELL_COLUMNS; i++) {
        const int at = csv_column(t, cell_columns[i].name);
        if (at < 0)
            return false;
        field[i] = t->rows[row][at];
    }
    size_t pass, level, place, cache;
    if (!selector_index(SELECT_PASS, field[2], &pass) || !selector_index(SELECT_LEVEL, field[4], &level) ||
        !parse_size(field[6], &c->rows) || !parse_size(field[7], &c->cols) || !parse_size(field[8], &c->threads) ||
        !selector_index(SELECT_PLACEMENT, field[9], &place) || !selector_index(SELECT_CACHE, field[10], &cache))
        return false;
    c->impl = find(source, field[0], field[1], field[3], field[4], field[5]);
    c->pass = (norm_pass)pass;
    c->place = (placement)place;
    c->cache = (cache_state)cache;
    return c->impl != NULL && c->rows > 0 && c->cols > 0 && c->threads > 0 && c->threads <= CELL_MOST_THREADS &&
           read_dispatch(t, row, c);
}

const char *cell_name(const cell *c, char text[CELL_NAME_SIZE]) {
    const int used = snprintf(text, CELL_NAME_SIZE, "%s/%s/%s/%s/%s/%s/%zux%zu/%zu/%s/%s", norm_op_name(c->impl->op),
                              c->impl->variant, norm_pass_name(c->pass), norm_form_name(c->impl->form),
                              norm_level_name(c->impl->level), norm_dtype_name(c->impl->dtype), c->rows, c->cols,
                              c->threads, placement_name(c->place), cache_name(c->cache));
    if (c->dispatch_ns > 0 && used > 0 && used < CELL_NAME_SIZE)
        snprintf(text + used, CELL_NAME_SIZE - (size_t)used, "/%uns", c->dispatch_ns);
    return text;
}

void cell_describe(const cell *c, char *text, size_t size) {
    const int used = snprintf(text, size, "%s/%s %s %s %s %s %zux%zu, %zu thread%s %s, %s", norm_op_name(c->impl->op),
                              c->impl->variant, norm_pass_name(c->pass), norm_form_name(c->impl->form),
                              norm_level_name(c->impl->level), norm_dtype_name(c->impl->dtype), c->rows, c->cols,
                              c->threads, c->threads == 1 ? "" : "s", placement_name(c->place), cache_name(c->cache));
    if (c->dispatch_ns > 0 && used > 0 && (size_t)used < size)
        snprintf(text + used, size - (size_t)used, ", %u ns an operation", c->dispatch_ns);
}

void cell_describe_group(const cell *c, char *text, size_t size) {
    snprintf(text, size, "%s %s %zux%zu, %zu thread%s, %s", norm_dtype_name(c->impl->dtype), norm_pass_name(c->pass),
             c->rows, c->cols, c->threads, c->threads == 1 ? "" : "s", cache_name(c->cache));
}
