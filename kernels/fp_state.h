// SPDX-License-Identifier: MIT
// fp_state.h: the floating-point state of a thread. Kernels compute in the default one, to nearest, denormals kept and
// traps off, whatever the caller's is, and leave the caller's behind, flags included. x87 computes nothing here.
#ifndef FP_STATE_H
#define FP_STATE_H

#include <stdint.h>

#if defined(__x86_64__)
#include <xmmintrin.h>

typedef unsigned fp_state; // MXCSR

// What is as wanted is not written: a write of MXCSR takes longer than the rest of a small call's overhead.
static inline fp_state fp_enter(void) {
    enum { FLAGS = 0x3f, DEFAULT = 0x1f80 };
    const fp_state found = _mm_getcsr();
    if ((found & ~(unsigned)FLAGS) != DEFAULT)
        _mm_setcsr(DEFAULT);
    return found;
}
static inline void fp_leave(fp_state found) {
    if (_mm_getcsr() != found)
        _mm_setcsr(found);
}

#elif defined(__aarch64__)

typedef struct {
    uint64_t control, flags; // FPCR, FPSR
} fp_state;

static inline fp_state fp_get(void) {
    fp_state now;
    __asm__ volatile("mrs %0, fpcr" : "=r"(now.control)::"memory");
    __asm__ volatile("mrs %0, fpsr" : "=r"(now.flags)::"memory");
    return now;
}
static inline void fp_set_control(uint64_t control) { __asm__ volatile("msr fpcr, %0" ::"r"(control) : "memory"); }
static inline void fp_set_flags(uint64_t flags) { __asm__ volatile("msr fpsr, %0" ::"r"(flags) : "memory"); }

static inline fp_state fp_enter(void) {
    const fp_state found = fp_get();
    if (found.control != 0)
        fp_set_control(0);
    return found;
}
static inline void fp_leave(fp_state found) {
    const fp_state now = fp_get();
    if (now.control != found.control)
        fp_set_control(found.control);
    if (now.flags != found.flags)
        fp_set_flags(found.flags);
}

#else
#include <fenv.h>

typedef fenv_t fp_state;

static inline fp_state fp_enter(void) {
    fp_state found;
    fegetenv(&found);
    fesetenv(FE_DFL_ENV);
    return found;
}
static inline void fp_leave(fp_state found) { fesetenv(&found); }
#endif

#endif
