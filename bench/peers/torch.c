// SPDX-License-Identifier: MIT
// torch.c: see peers.h. Bytes: compiled, and in the one kernel of LayerNorm that PyTorch has in eager mode, too, each
// tensor is read and written once; op by op, each operation counts.
#include "peers.h"

#define PARAMETERS(ID, name, parameters, formula) PARAMETERS_##ID = (parameters),
enum { NORM_OP_LIST(PARAMETERS) };

// With all parameters of its op, or, as SUFFIX says, without beta.
#define TORCH_ROW(OP, BASE, SUFFIX, FORM, DTYPE, BYTES, BACKWARD_BYTES)                                                \
    {                                                                                                                  \
        .op = NORM_##OP, .params = PARAMETERS_##OP & ~(unsigned)(sizeof(SUFFIX) > 1 ? NORM_BETA : 0), .base = BASE,    \
        .variant = BASE SUFFIX, .form = FORM, .level = NORM_LEVEL_LIBRARY, .dtype = DTYPE,                             \
        .pass = {[NORM_FORWARD] = {(const norm_stage[]){{NULL, NORM_SPLIT_ROWS, BYTES}}, 1},                           \
                 [NORM_BACKWARD] = {(const norm_stage[]){{NULL, NORM_SPLIT_ROWS, BACKWARD_BYTES}}, 1}},                \
        .lacks = "a timer of PyTorch, which is make peers"                                                             \
    }
#define TORCH_FUSED(OP, BASE, SUFFIX)                                                                                  \
    TORCH_ROW(OP, BASE, SUFFIX, NORM_FUSED, NORM_F32, 8, 12), TORCH_ROW(OP, BASE, SUFFIX, NORM_FUSED, NORM_BF16, 4, 6)
static const norm_impl impls[] = {
    TORCH_FUSED(LAYERNORM, "torch_eager", ""),
    TORCH_FUSED(IDENTITY, "torch_eager", ""),
    // LlamaRMSNorm, in bf16 with its casts; a product, tanh, a product and a sum.
    TORCH_ROW(RMSNORM, "torch_eager", "", NORM_EAGER, NORM_F32, 28, 92),
    TORCH_ROW(RMSNORM, "torch_eager", "", NORM_EAGER, NORM_BF16, 36, 92),
    TORCH_ROW(DYT, "torch_eager", "", NORM_EAGER, NORM_F32, 32, 64),
    TORCH_ROW(DYT, "torch_eager", "", NORM_EAGER, NORM_BF16, 16, 32),
    TORCH_ROW(DYT, "torch_eager", "_nobeta", NORM_EAGER, NORM_F32, 24, 60),
    TORCH_ROW(DYT, "torch_eager", "_nobeta", NORM_EAGER, NORM_BF16, 12, 30),
    TORCH_FUSED(LAYERNORM, "torch_compile", ""),
    TORCH_FUSED(RMSNORM, "torch_compile", ""),
    TORCH_FUSED(DYT, "torch_compile", ""),
    TORCH_FUSED(DYT, "torch_compile", "_nobeta"),
};

void torch_register(void) { (void)norm_register(impls, sizeof impls / sizeof *impls); }
