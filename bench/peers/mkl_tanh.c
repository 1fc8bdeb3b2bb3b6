// SPDX-License-Identifier: MIT
// mkl_tanh.c: see mkl_tanh.h.
#include "mkl_tanh.h"

#include <dlfcn.h>
#include <limits.h>

#include "norm.h"
#include "table.h"

// int is what libmkl_rt takes unless it is told of 64-bit integers.
typedef void vms_tanh(int n, const float *x, float *y, long long mode);
static vms_tanh *function;

// Our team is the only one, as the library is in PyTorch inside a parallel loop.
static void hold_to_one_thread(void *library) {
    enum { SEQUENTIAL = 1 };
    int (*set)(int) = NULL;
    *(void **)&set = dlsym(library, "MKL_Set_Threading_Layer");
    if (set != NULL)
        (void)set(SEQUENTIAL);
}

bool mkl_tanh_open(void) {
    // PyTorch's is taken where it is loaded already, and never loaded.
    static const struct {
        const char *name;
        int mode;
    } places[] = {{"libtorch_cpu.so", RTLD_NOW | RTLD_NOLOAD},
                  {"libmkl_rt.so.3", RTLD_NOW | RTLD_LOCAL},
                  {"libmkl_rt.so.2", RTLD_NOW | RTLD_LOCAL},
                  {"libmkl_rt.so", RTLD_NOW | RTLD_LOCAL}};
    for (size_t i = 0; function == NULL && i < sizeof places / sizeof *places; i++) {
        void *const library = dlopen(places[i].name, places[i].mode);
        if (library == NULL)
            continue;
        hold_to_one_thread(library);
        *(void **)&function = dlsym(library, "vmsTanh");
    }
    return function != NULL;
}

void mkl_tanhf(size_t count, const float *x, float *y) {
    // VML_HA | VML_FTZDAZ_OFF | VML_ERRMODE_IGNORE
    enum { MODE = 0x2 | 0x00140000 | 0x100 };
    for (size_t done = 0; done < count;) {
        const size_t left = count - done, n = left < INT_MAX ? left : INT_MAX;
        function((int)n, x + done, y + done, MODE);
        done += n;
    }
}

#ifdef __x86_64__
extern const norm_table norm_framework_mkl_sse2, norm_framework_mkl_avx2, norm_framework_mkl_avx512;
#endif

// Known everywhere, so that results of elsewhere can be read.
void mkl_register(void) {
#ifdef __x86_64__
    enum { LEVELS = 3, EACH = 3 };
    static const norm_table *const tables[LEVELS] = {&norm_framework_mkl_sse2, &norm_framework_mkl_avx2,
                                                     &norm_framework_mkl_avx512};
    static norm_impl own[LEVELS * EACH];
    const bool here = mkl_tanh_open();
    size_t count = 0;
    for (size_t i = 0; i < LEVELS; i++)
        for (size_t k = 0; k < tables[i]->count && count < LEVELS * EACH; k++) {
            own[count] = tables[i]->impls[k];
            own[count++].lacks = here ? NULL : MKL_LIBRARY;
        }
    (void)norm_register(own, count);
#endif
}
