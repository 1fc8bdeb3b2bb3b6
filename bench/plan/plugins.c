// SPDX-License-Identifier: MIT
// plugins.c: see plugins.h.
#include "plugins.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"

static kernel_library *open_ones[PLUGINS_MOST];
static size_t count;
static double patience = PLUGINS_PATIENCE_S;

const kernel_library *plugins_at(size_t index) { return index < count ? open_ones[index] : NULL; }

double plugins_patience(void) { return patience; }
void plugins_set_patience(double seconds) { patience = seconds; }

// Whose kernels are called so already, in words; NULL: nobody's.
static const char *owner_of(const char *variant, char text[PATH_MAX + 32]) {
    const norm_impl *impl;
    for (size_t i = 0; (impl = norm_at(i)) != NULL; i++)
        if (strcmp(impl->variant, variant) == 0) {
            const kernel_library *const l = kernel_library_of(impl);
            (void)snprintf(text, PATH_MAX + 32, "%s", l != NULL ? l->path : "a variant of this program");
            return text;
        }
    return NULL;
}

// What selectors take for themselves is no name either.
static bool is_free(const kernel_library *l, char why[KERNEL_LIBRARY_WHY]) {
    char text[PATH_MAX + 32];
    const char *owner = strcmp(l->name, "all") == 0 || strcmp(l->name, "best") == 0 ? "a word of the selectors" : NULL;
    for (size_t i = 0; owner == NULL && i < l->count; i++)
        owner = owner_of(l->impls[i].variant, text);
    for (size_t i = 0; owner == NULL && i < count; i++)
        owner = strcmp(open_ones[i]->name, l->name) == 0 ? open_ones[i]->path : NULL;
    if (owner != NULL)
        (void)snprintf(why, KERNEL_LIBRARY_WHY, "%s is called %s, which is %s already: give it another name", l->path,
                       l->name, owner);
    return owner == NULL;
}

bool plugins_open(const char *path, char why[KERNEL_LIBRARY_WHY]) {
    kernel_library *const l = kernel_library_open(path, 0, why);
    if (l == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(open_ones[i]->path, l->path) == 0 && strcmp(open_ones[i]->id, l->id) == 0) {
            kernel_library_close(l);
            return true;
        }
    bool ok = l->name[0] != '\0' && is_free(l, why);
    if (l->name[0] == '\0')
        (void)snprintf(why, KERNEL_LIBRARY_WHY, "%s is a libnorm, which is no plug-in: this program has its kernels",
                       l->path);
    if (ok && (count == PLUGINS_MOST || !norm_register(l->impls, l->count))) {
        (void)snprintf(why, KERNEL_LIBRARY_WHY, "%s is one plug-in too many: %zu are open", l->path, count);
        ok = false;
    }
    if (ok)
        open_ones[count++] = l;
    else
        kernel_library_close(l);
    return ok;
}

bool plugins_open_list(char *paths, char why[KERNEL_LIBRARY_WHY]) {
    char *items[PLUGINS_MOST];
    const size_t n = parse_list(paths, items, PLUGINS_MOST);
    if (n == 0)
        (void)snprintf(why, KERNEL_LIBRARY_WHY, "a comma list of shared libraries is expected, %d at most",
                       PLUGINS_MOST);
    bool ok = n > 0;
    for (size_t i = 0; ok && i < n; i++)
        ok = plugins_open(items[i], why);
    return ok;
}
