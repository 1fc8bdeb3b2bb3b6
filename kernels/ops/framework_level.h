// SPDX-License-Identifier: MIT
// framework_level.h: to be included before the vocabulary. PyTorch compiles its kernels for AVX-512, but hands out
// those for AVX2 unless a kernel asks for AVX-512 (REGISTER_DISPATCH and ALSO_REGISTER_AVX512_DISPATCH of its
// dispatch stubs): of these operations tanh and its gradient do. So level avx512 is AVX2's vectors, and tanh's own.
#ifndef FRAMEWORK_LEVEL_H
#define FRAMEWORK_LEVEL_H

#ifdef NORM_COMPILE_avx512
#undef NORM_COMPILE_avx512
#define NORM_COMPILE_avx2
#define FRAMEWORK_WIDE_TANH 1
#endif

#endif
