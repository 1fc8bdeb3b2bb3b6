// SPDX-License-Identifier: MIT
// onednn.h: oneDNN as this room uses it: one engine for the process, a stream for each thread, primitives prepared once
// with their memory objects. All differences between its C interfaces of version 2 (descriptors by value, op
// descriptors) and version 3 (handles) stay in the onednn*.c files.
#ifndef ONEDNN_H
#define ONEDNN_H

#include <stdbool.h>
#include <stddef.h>

#include <dnnl.h>

#include "norm.h"

enum { ONEDNN_DIMS = 5, ONEDNN_ARGS = 9 };

// An operand: where element (i, j, ...) is, in elements. any: the library chooses where.
typedef struct {
    norm_dtype dtype;
    int ndims;
    dnnl_dims_t dims, strides;
    bool any;
} onednn_tensor;

// A prepared primitive; zero-initialised, onednn_free does nothing. Primitives are made for the calling thread's
// OpenMP team as it is then, and are that thread's alone to run.
typedef struct {
    dnnl_primitive_desc_t desc;
    dnnl_primitive_t primitive;
    size_t count;
    dnnl_exec_arg_t args[ONEDNN_ARGS];
    void *data[ONEDNN_ARGS]; // what args[i].memory points to
} onednn_op;

// All of these return what the library says; on failure *op is free. Operands of onednn_run in the order of the
// parameters, without those that are NULL.

// c = a b [+ bias] [+ c]. like, if not NULL: b stands as in that product, whatever b.any says.
dnnl_status_t onednn_matmul(onednn_op *op, const onednn_tensor *a, const onednn_tensor *b, const onednn_tensor *bias,
                            const onednn_tensor *c, bool accumulate, const onednn_op *like);

// Stride 1, padding[0] zeros above and below, padding[1] on either side. x, y: (batch, channels, height, width);
// weights: (groups, channels out of a group, channels in of a group, height, width); forward: the op of the forward
// pass on the same sizes.
dnnl_status_t onednn_conv_forward(onednn_op *op, const onednn_tensor *x, const onednn_tensor *weights,
                                  const onednn_tensor *bias, const onednn_tensor *y, const size_t padding[2],
                                  bool train);
dnnl_status_t onednn_conv_backward_data(onednn_op *op, const onednn_tensor *dx, const onednn_tensor *weights,
                                        const onednn_tensor *dy, const size_t padding[2], const onednn_op *forward);
dnnl_status_t onednn_conv_backward_weights(onednn_op *op, const onednn_tensor *x, const onednn_tensor *dweights,
                                           const onednn_tensor *dbias, const onednn_tensor *dy, const size_t padding[2],
                                           const onednn_op *forward);

// Rows of x and y, (rows, cols), normalised over their columns: with beta (cols) LayerNorm, without RMSNorm, which the
// library has from 3.9 on. stats (rows), if not NULL, stands for two operands: mean and variance, left for backward.
// Operands of a run: x, [mean, variance,] gamma, [beta,] y.
dnnl_status_t onednn_norm_forward(onednn_op *op, const onednn_tensor *x, const onednn_tensor *stats,
                                  const onednn_tensor *gamma, const onednn_tensor *beta, float eps);
// LayerNorm's gradients. gamma also describes beta, dgamma and dbeta. Operands of a run: x, mean, variance, gamma, dy,
// dx, dgamma, dbeta, and a beta, which some versions ask for and none reads.
dnnl_status_t onednn_norm_backward(onednn_op *op, const onednn_tensor *x, const onednn_tensor *stats,
                                   const onednn_tensor *gamma, float eps);

// y = tanh(x * alpha) * gamma + beta: one multiplication with the rest as what follows it, all in one sweep. alpha
// (1, 1); gamma and beta (1, cols). Operands of a run: x, alpha, gamma, beta, y.
dnnl_status_t onednn_dyt(onednn_op *op, const onednn_tensor *x, const onednn_tensor *alpha, const onednn_tensor *gamma,
                         const onednn_tensor *beta);

// Copies between a tensor and the layout in which operand `index` of `of` stands: into it, or out of it.
dnnl_status_t onednn_reorder_in(onednn_op *op, const onednn_tensor *from, const onednn_op *of, size_t index);
dnnl_status_t onednn_reorder_out(onednn_op *op, const onednn_op *of, size_t index, const onednn_tensor *to);

// What is to be linked instead if this oneDNN's threads are not OpenMP's, for its pool would work where a row says one
// thread, or if it is older than the headers that this was compiled with. NULL otherwise: then it can be used.
const char *onednn_refusal(void);
// The same of a library of this version with this DNNL_RUNTIME_*.
const char *onednn_refusal_of(unsigned runtime, int major, int minor);

void onednn_free(onednn_op *op);
// Runs on the calling thread's OpenMP team and returns when it is done. data: one pointer per operand.
bool onednn_run(onednn_op *op, const void *const data[]);

size_t onednn_bytes(const onednn_op *op, size_t index); // of an operand in its layout
size_t onednn_scratch(const onednn_op *op);             // what the library allocates for a run
const char *onednn_name(const onednn_op *op);           // of the implementation: "gemm:jit"
// Whether it is the library's plain loop, thousands of times slower than a product should be.
bool onednn_is_reference(const onednn_op *op);
bool onednn_names_reference(const char *name);
const char *onednn_error(dnnl_status_t status);

#endif
