// SPDX-License-Identifier: MIT
// svml_tanh.h: the tanhs of SVML, the vector functions of Intel's compilers. The library is opened at run time where it
// is found, and nothing here is linked to it. Each function takes and returns a vector as the C ABI passes it.
#ifndef SVML_TANH_H
#define SVML_TANH_H

#define SVML_LIBRARY "libsvml.so of Intel's compilers: sh scripts/setup.sh --svml"

// Its classes of accuracy. Each function picks instructions by itself, from SSE2 to AVX-512, and its error goes by
// them: here stands the largest of all of them, in ulp, as seen at every 37th float. Documented are 1, 4, half the
// bits, 0.5.
#define SVML_CLASSES(X)                                                                                                \
    X(HA, ha, "_ha", 0.57)                                                                                             \
    X(LA, la, "", 3.71)                                                                                                \
    X(EP, ep, "_ep", 1749)                                                                                             \
    X(CR, cr, "_cr", 0.5)
#define SVML_CLASS(ID, name, suffix, ulp) SVML_##ID,
typedef enum { SVML_CLASSES(SVML_CLASS) SVML_COUNT } svml_class;
#undef SVML_CLASS

// Of vectors of 4, 8 and 16 floats; NULL: not found.
enum { SVML_WIDTHS = 3 };
typedef void svml_function(void);
extern svml_function *svml_tanh[SVML_WIDTHS][SVML_COUNT];

// Opens the library and makes dyt with its tanhs known to norm.h, with what is missing as the reason where it is not
// found; to be called once, before anything of it. The places are those of dlopen, and beside the program svml/lib.
void svml_register(void);

#endif
