// SPDX-License-Identifier: MIT
// verify_table.c: see verify_table.h.
#include "verify_table.h"

#include "schema.h"

static const char *output_word(size_t index) {
    return index < NORM_OUTPUTS ? norm_output_name((norm_output)index) : NULL;
}
static const column_type column_output = {.word = output_word};
COLUMN_WORDS(status, "ok", "wrong", "skipped")

#define ROW verify_row
#define COLUMNS(X)                                                                                                     \
    X(REQUIRED, output, output, NULL, value_text(norm_output_name(r->output)), "The tensor that was compared.")        \
    X(OPTIONAL, cases, count, "{element}", value_if(r->checked, value_size(r->worst.cases)), "Elements compared.")     \
    X(OPTIONAL, max_ulp, amount, "{ulp}", value_if(r->checked, value_real(r->worst.max_ulp, 6)),                       \
      "Largest distance from the double-precision reference, in units in the last place of the reference.")            \
    X(OPTIONAL, max_error, amount, "1", value_if(r->checked, value_real(r->worst.max_error, 6)),                       \
      "Largest scaled error: the distance in units of the dtype's epsilon times the magnitude that an ideal "          \
      "implementation's rounding is proportional to. INF if a NaN or an infinity was out of place.")                   \
    X(OPTIONAL, rows, ordinal, "{row}", value_if(r->checked, value_size(r->rows)),                                     \
      "Rows of the case with the largest scaled error.")                                                               \
    X(OPTIONAL, cols, ordinal, "{column}", value_if(r->checked, value_size(r->cols)), "Columns of that case.")         \
    X(OPTIONAL, seed, count, NULL, value_if(r->checked, value_size(r->seed)), "Seed of that case's inputs.")           \
    X(REQUIRED, status, status, NULL, value_text(status_word(!r->checked ? 2 : !verify_row_is_ok(r))),                 \
      "ok; wrong: beyond the bound or, of a plug-in, misused its buffers, ended or hung its process; skipped: this "   \
      "CPU cannot run it.")                                                                                            \
    X(OPTIONAL, bound, amount, "1", value_if(r->checked, value_real(r->worst.bound, 6)),                               \
      "The largest scaled error that is accepted in that case.")
COLUMN_OWN_LIST(own_columns, COLUMNS)

static const void *cell_of(const void *row) { return &((const verify_row *)row)->cell; }
static const void *impl_of(const void *row) { return ((const verify_row *)row)->cell.impl; }
COLUMN_TABLE(verify, "*/*/verify.csv",
             "One row per implementation and output: the largest errors against the double-precision reference.",
             {cell_columns, CELL_NAMES, cell_of}, COLUMN_PART(own_columns),
             {cell_impl_columns, CELL_IMPL_COLUMNS, impl_of},
             {cell_impl_later_columns, CELL_IMPL_LATER_COLUMNS, impl_of})
