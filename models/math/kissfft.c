// SPDX-License-Identifier: MIT
// kissfft.c: see kissfft.h.
#include "kissfft.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>

// The library's functions as its header declares them: version 131, which the name that is loaded says.
static kissfft_plan *(*make)(int length, int inverse, void *memory, size_t *bytes);
static void (*forward)(kissfft_plan *, const float *, kissfft_bin *);
static void (*inverse)(kissfft_plan *, const kissfft_bin *, float *);
static int (*next_length)(int);

static bool find(void *library, const char *name, void *function) {
    *(void **)function = dlsym(library, name);
    return *(void **)function != NULL;
}

bool kissfft_open(void) {
    static bool tried, found;
    if (tried)
        return found;
    tried = true;
    void *const library = dlopen("libkissfft-float.so.131", RTLD_NOW | RTLD_LOCAL);
    found = library != NULL && find(library, "kiss_fftr_alloc", &make) && find(library, "kiss_fftr", &forward) &&
            find(library, "kiss_fftri", &inverse) && find(library, "kiss_fft_next_fast_size", &next_length);
    return found;
}

// Half of it is the length of the library's complex transform.
size_t kissfft_length(size_t least) {
    return least > INT_MAX / 4 ? least + least % 2 : 2 * (size_t)next_length((int)((least + 1) / 2));
}

kissfft_plan *kissfft_make(size_t length, bool backwards) {
    size_t bytes = 0;
    if (length > INT_MAX)
        return NULL;
    (void)make((int)length, backwards, NULL, &bytes);
    void *const memory = bytes > 0 ? malloc(bytes) : NULL;
    return memory != NULL ? make((int)length, backwards, memory, &bytes) : NULL;
}

void kissfft_forward(kissfft_plan *plan, const float *x, kissfft_bin *bins) { forward(plan, x, bins); }
void kissfft_inverse(kissfft_plan *plan, const kissfft_bin *bins, float *x) { inverse(plan, bins, x); }
