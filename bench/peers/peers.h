// SPDX-License-Identifier: MIT
// peers.h: other libraries' norms as implementations like ours, of level `library`: listed, verified and timed with
// them. Today oneDNN's, variant `onednn`: layernorm, rmsnorm (from 3.9 on), and dyt as one sweep of its primitives;
// PyTorch's, `torch_eager` and `torch_compile` (dyt without beta: `*_nobeta`), which only `make peers` can time; and
// our dyt with the tanhs of SLEEF and SVML, variants `sleef` and `svml_*`, at the levels that they have.
#ifndef PEERS_H
#define PEERS_H

#include <stdbool.h>
#include <stddef.h>

#include "norm.h"

// Makes them known to norm.h; to be called once, before anything of it. What the library that is linked lacks on this
// CPU is known as well, with the reason.
void peers_register(void);

// What it makes known beside oneDNN's, each to be called once: PyTorch's modules, which run in a process of their own,
// which scripts/peers.py times, so that here they have names alone; and our dyt with the tanh of SLEEF, which is no
// part of libnorm, for that needs no other library: the program has it, and libnorm_peers.so, which that script loads.
void torch_register(void);
void sleef_register(void);

// The implementation of oneDNN's that such a call runs, in the library's own words: "jit:avx512_core"; "" where impl is
// none of oneDNN's.
enum { PEERS_NAME_SIZE = 64 };
void peers_library_impl(const norm_impl *impl, norm_pass pass, size_t rows, size_t cols, size_t threads,
                        char name[PEERS_NAME_SIZE]);
// Whether it is code that was written to check the library rather than to be run: no peer of ours.
bool peers_is_reference(const char *name);

// What is to be said of the tanh of form framework in f32, where it is not PyTorch's for want of MKL; NULL: nothing.
const char *peers_tanh_note(void);

// The tanh of form framework in this program, but in f32 MKL's where the machine has it: PyTorch's where it does not
// call MKL.
#if defined(__x86_64__) || defined(__aarch64__)
#define FRAMEWORK_TANH "sleef"
#else
#define FRAMEWORK_TANH "u2"
#endif

#endif
