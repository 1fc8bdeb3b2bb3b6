// SPDX-License-Identifier: MIT
// names.h: looking up what people type in a list of names, and saying what they could have typed instead.
#ifndef NAMES_H
#define NAMES_H

#include <stddef.h>

// The index of word among the names; count if it is none of them.
size_t names_find(const char *word, const char *const *names, size_t count);

// Writes `"dty" is no op; did you mean dyt? valid are layernorm, rmsnorm, dyt, identity`, cut to size. what: "op".
void names_explain(char *text, size_t size, const char *word, const char *what, const char *const *names, size_t count);

// Writes "near are eager_norms, fused_norms, shares": the three that are nearest, nearest first.
void names_nearest(char *text, size_t size, const char *word, const char *const *names, size_t count);

#endif
