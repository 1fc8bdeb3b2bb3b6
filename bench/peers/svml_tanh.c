// SPDX-License-Identifier: MIT
// svml_tanh.c: see svml_tanh.h.
#include "svml_tanh.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "norm.h"
#include "table.h"

svml_function *svml_tanh[SVML_WIDTHS][SVML_COUNT];

#ifdef __x86_64__
static void open_library(void) {
#define SUFFIX(ID, name, suffix, ulp) suffix,
    static const char *const suffixes[] = {SVML_CLASSES(SUFFIX)};
#undef SUFFIX
    // What SVML needs lies beside it, where the dynamic linker looks for it on our behalf alone.
    (void)dlopen("libintlc.so.5", RTLD_NOW | RTLD_LOCAL);
    void *const library = dlopen("libsvml.so", RTLD_NOW | RTLD_LOCAL);
    for (size_t w = 0; library != NULL && w < SVML_WIDTHS; w++)
        for (size_t k = 0; k < SVML_COUNT; k++) {
            char name[32];
            snprintf(name, sizeof name, "__svml_tanhf%d%s", 4 << w, suffixes[k]);
            *(void **)&svml_tanh[w][k] = dlsym(library, name);
        }
}

// The functions of one width, of which a version of the library may lack some.
static void register_width(const norm_table *table, size_t width) {
#define NAME(ID, name, suffix, ulp) "svml_" #name,
    static const char *const names[] = {SVML_CLASSES(NAME)};
#undef NAME
    norm_impl *const own = malloc(table->count * sizeof *own); // kept, as what is registered has to be
    if (own == NULL)
        return;
    for (size_t i = 0; i < table->count; i++) {
        own[i] = table->impls[i];
        for (size_t k = 0; k < SVML_COUNT; k++)
            if (strcmp(own[i].base, names[k]) == 0 && svml_tanh[width][k] == NULL)
                own[i].lacks = SVML_LIBRARY;
    }
    (void)norm_register(own, table->count);
}

extern const norm_table norm_dyt_svml_sse2, norm_dyt_svml_avx2, norm_dyt_svml_avx512;
#endif

// Known everywhere on x86, so that results of elsewhere can be read.
void svml_register(void) {
#ifdef __x86_64__
    static const norm_table *const tables[SVML_WIDTHS] = {&norm_dyt_svml_sse2, &norm_dyt_svml_avx2,
                                                          &norm_dyt_svml_avx512};
    open_library();
    for (size_t w = 0; w < SVML_WIDTHS; w++)
        register_width(tables[w], w);
#endif
}
