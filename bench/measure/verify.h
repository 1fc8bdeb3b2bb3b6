// SPDX-License-Identifier: MIT
// verify.h: the one comparator. Holds what an implementation wrote against the double reference.
#ifndef VERIFY_H
#define VERIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "norm.h"

// The largest errors seen in one output. A NaN or infinity that does not match the reference's counts as an infinite
// error.
typedef struct {
    size_t cases;     // elements compared
    double max_ulp;   // |got - want| in units in the last place of `want` in the output's dtype
    double max_error; // |got - want| / (scale * epsilon of the dtype), the number that is held against the bound
    double bound;     // norm_error_bound
    size_t row, col;  // of max_error
    double got, want;
} verify_worst;

typedef struct {
    bool ok;                          // every output within its bound
    verify_worst worst[NORM_OUTPUTS]; // cases == 0: the pass does not write this output
} verify_result;

// Compares what `impl` left in args' outputs after `pass`. If rows > max_rows, matrices are compared on max_rows rows:
// the first, the last, and others spread evenly; parameter gradients always sum over all rows. Works in row order in a
// few vectors of `cols` doubles, so it adds little memory; uses `threads` OpenMP threads. Merges into *result, which
// the caller has zeroed (with ok = true). false if memory ran out.
bool verify_outputs(const norm_impl *impl, norm_pass pass, const norm_args *args, size_t max_rows, int threads,
                    verify_result *result);

// What one pass over all rows is held against, in a block of verify_reference_bytes that begins as zeros. It depends on
// the op, its parameters, dtype, inputs and scalars, and in add_fused on the sum, and on no implementation.
typedef struct {
    bool known;
    norm_reference_sums sums;
    double values[];
} verify_reference;
size_t verify_reference_bytes(size_t rows, size_t cols);

// verify_outputs of all rows on one thread, against a reference that it makes if it is not yet known.
void verify_against(const norm_impl *impl, norm_pass pass, const norm_args *args, verify_reference *reference,
                    verify_result *result);

// Largest max_error over the outputs of a result.
double verify_largest(const verify_result *result);

// One element: merged into *worst. epsilon and the ulp are those of dtype.
void verify_element(verify_worst *worst, norm_dtype dtype, double got, double want, double scale, size_t row,
                    size_t col);

// Adds what another case saw of the same output. Shapes differ in their bounds, so the worse of two is the one that
// uses more of its bound; true if that is the case added.
bool verify_merge(verify_worst *into, const verify_worst *from);

// Writes "y[3, 17]: got 1.25, reference 1.5, error 1.2e+06 of 6.1 allowed" for the first failing output.
void verify_explain(const verify_result *result, char *text, size_t size);

#endif
