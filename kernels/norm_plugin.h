// SPDX-License-Identifier: MIT
// norm_plugin.h: kernels of your own beside those of this project. A plug-in is a shared library that exports one
// symbol, its table; `normbench COMMAND --plugin FILE.so` then lists, verifies, times and plots them like the others.
// It needs this header and norm.h, and nothing to link with:
//
//     #include <norm_plugin.h>
//
//     static void halve(const norm_args *a, const norm_slice *rows) {       // one thread's part of the rows
//         for (size_t row = rows->begin; row < rows->end; row++)
//             ...                                                          // reads a->x + row * a->x_stride
//     }
//     static const norm_stage stages[] = {{halve, NORM_SPLIT_ROWS, 2 * sizeof(float)}};
//     static const norm_impl impls[] = {
//         {.op = NORM_RMSNORM, .dtype = NORM_F32, .params = NORM_GAMMA, .pass[NORM_FORWARD] = {stages, 1}}};
//     const norm_plugin norm_plugin_table = {NORM_ABI, "mine", impls, sizeof impls / sizeof *impls};
//
//     cc -std=c17 -O2 -shared -fPIC -o rmsnorm.so rmsnorm.c $(pkg-config --cflags norm)
//
// examples/plugin/ has whole ones, docs/plugins.md the first ten minutes.
#ifndef NORM_PLUGIN_H
#define NORM_PLUGIN_H

#include "norm.h"

#ifdef __cplusplus
extern "C" {
#endif

// Letters, digits and underscores, not those of a variant that is built in.
enum { NORM_PLUGIN_NAME = 32 };

// What is left out of an implementation is zero: form fused, dtype f32, no parameters. Of 16 bits, gamma and beta are
// of its dtype, or f32 with NORM_F32_AFFINE among its params. Its level becomes `library`; its variant, where NULL, the
// plug-in's name, else that, an underscore and more, as in mine_twopass; its base, where NULL, the variant:
// mine_nobeta, which is `mine` with fewer params, says base mine. It needs a forward pass; a backward may be missing.
// Any form but `framework`; `run` is not its own.
//
// A stage is called by each thread of a team with that thread's slice, which may be empty; it opens no team of its own.
// It writes what norm.h says of its pass and nothing else. A result beyond norm_error_bound is wrong, and not timed.
typedef struct {
    unsigned abi;           // NORM_ABI
    const char *name;       // at most NORM_PLUGIN_NAME characters
    const norm_impl *impls; // as long as the program lives, and the same at every look
    size_t count;
} norm_plugin;

// The one symbol that a plug-in exports.
NORM_API extern const norm_plugin norm_plugin_table;

#ifdef __cplusplus
}
#endif

#endif
