// SPDX-License-Identifier: MIT
// curves_table.c: see curves_table.h.
#include "curves_table.h"

enum { SCHEMA = 1, DIGITS = 6 };
static const column_type column_curve = {COLUMN_NUMBER, -1, 1, NULL, NULL};
COLUMN_WORDS(function, "tanh", "hardtanh", "sigmoid")
COLUMN_WORDS(input, "normal", "activations")

#define VERSION(X)                                                                                                     \
    X(REQUIRED, schema_version, ordinal, NULL, value_size(SCHEMA),                                                     \
      "Version of this column list; columns are only ever appended.")
#define ROW squash_row
#define COLUMNS(X)                                                                                                     \
    VERSION(X)                                                                                                         \
    X(REQUIRED, function, function, NULL, value_text(r->function),                                                     \
      "tanh, by the fused f32 kernel of dyt; hardtanh(x) = min(1, max(-1, x)); sigmoid(x) = 1 / (1 + exp(-x)).")       \
    X(REQUIRED, alpha, real, "1", value_real(r->alpha, DIGITS), "The function is of alpha times x.")                   \
    X(REQUIRED, x, real, "1", value_real(r->x, DIGITS), "Argument.")                                                   \
    X(REQUIRED, y, curve, "1", value_real(r->y, DIGITS), "Value.")
COLUMN_OWN_LIST(squash_columns, COLUMNS)
#undef ROW
#undef COLUMNS

#define ROW tokens_row
#define COLUMNS(X)                                                                                                     \
    VERSION(X)                                                                                                         \
    X(REQUIRED, panel, ordinal, NULL, value_size(r->panel), "Number of the panel, from 1.")                            \
    X(REQUIRED, input, input, NULL, value_text(r->input),                                                              \
      "Distribution of the activations: normal, or activations with outlier channels.")                                \
    X(REQUIRED, spread, amount, "1", value_real(r->spread, DIGITS),                                                    \
      "Each token was multiplied by exp(spread times a normal value).")                                                \
    X(REQUIRED, token, count, "{token}", value_size(r->token), "Row, from 0.")                                         \
    X(REQUIRED, channel, count, "{column}", value_size(r->channel), "Column, from 0.")                                 \
    X(REQUIRED, outlier, flag, NULL, value_size(r->outlier),                                                           \
      "1 if the channel is over five times as large as the median one, else 0.")                                       \
    X(REQUIRED, deviation, amount, "1", value_real(r->deviation, DIGITS), "Root mean square of the token.")            \
    X(REQUIRED, x, real, "1", value_real(r->x, DIGITS), "Synthetic input of LayerNorm.")                               \
    X(REQUIRED, y, real, "1", value_real(r->y, DIGITS),                                                                \
      "Its output, by the fused f32 kernel, without affine parameters.")
COLUMN_OWN_LIST(tokens_columns, COLUMNS)

COLUMN_TABLE(squash, "*/*/paper/squash.csv", "Points of figures 3 and 7 of the paper, computed by build/curves.",
             COLUMN_PART(squash_columns))
COLUMN_TABLE(tokens, "*/*/paper/tokens.csv",
             "Points of figures 2 and 4 of the paper on synthetic activations, computed by build/curves.",
             COLUMN_PART(tokens_columns))
