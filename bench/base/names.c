// SPDX-License-Identifier: MIT
// Names, and the nearest of them.
#include "names.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 64, QUOTED = 40 }; // of a word that is worth a guess; of what is quoted of any word

size_t names_find(const char *word, const char *const *names, size_t count) {
    size_t i = 0;
    while (i < count && strcmp(word, names[i]) != 0)
        i++;
    return i;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

// Single-character edits between two words, a swap of neighbours counted as one (Damerau and Levenshtein).
static size_t edits(const char *a, const char *b) {
    const size_t m = strlen(a), n = strlen(b);
    size_t cost[LONGEST + 1][LONGEST + 1];
    if (m > LONGEST || n > LONGEST)
        return 2 * LONGEST;
    for (size_t i = 0; i <= m; i++)
        for (size_t j = 0; j <= n; j++) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            cost[i][j] = least(cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]), least(cost[i - 1][j], cost[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost[i][j] = least(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    return cost[m][n];
}

// The name that was probably meant, NULL if none stands out: one that begins with the word, or one within an edit per
// three letters.
static const char *closest(const char *word, const char *const *names, size_t count) {
    const size_t length = strlen(word);
    const char *best = NULL;
    size_t best_edits = length / 3 + 1;
    for (size_t i = 0; i < count; i++) {
        const size_t distance = length > 1 && strncmp(word, names[i], length) == 0 ? 0 : edits(word, names[i]);
        if (distance < best_edits) {
            best_edits = distance;
            best = names[i];
        }
    }
    return length > 1 ? best : NULL;
}

// Appends to a text of `used` bytes, as far as it fits; returns how many it then has.
__attribute__((format(printf, 4, 5))) static size_t append(char *text, size_t size, size_t used, const char *format,
                                                           ...) {
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
    return length < 0 ? used : least(used + (size_t)length, size - 1);
}

void names_explain(char *text, size_t size, const char *word, const char *what, const char *const *names,
                   size_t count) {
    const char *const guess = closest(word, names, count);
    size_t used = append(text, size, 0, "\"%.*s\" is no %s; ", QUOTED, word, what);
    if (guess != NULL)
        used = append(text, size, used, "did you mean %s? ", guess);
    used = append(text, size, used, "valid are");
    for (size_t i = 0; i < count; i++)
        used = append(text, size, used, "%s %s", i == 0 ? "" : ",", names[i]);
}

// Of a name that has the word in it none.
static size_t distance_of(const char *word, const char *name) {
    return strstr(name, word) != NULL ? 0 : edits(word, name);
}

void names_nearest(char *text, size_t size, const char *word, const char *const *names, size_t count) {
    enum { NEAR = 3 };
    size_t nearest[NEAR] = {SIZE_MAX, SIZE_MAX, SIZE_MAX}, used = append(text, size, 0, "near are"), said = 0;
    // The three least distances; then the names at each of them.
    for (size_t i = 0; i < count; i++) {
        size_t distance = distance_of(word, names[i]);
        for (size_t k = 0; k < NEAR; k++)
            if (distance < nearest[k]) {
                const size_t further = nearest[k];
                nearest[k] = distance;
                distance = further;
            }
    }
    for (size_t k = 0; k < NEAR; k++)
        for (size_t i = 0; i < count && (k == 0 || nearest[k] != nearest[k - 1]); i++)
            if (distance_of(word, names[i]) == nearest[k] && said < NEAR)
                used = append(text, size, used, "%s %s", said++ == 0 ? "" : ",", names[i]);
}
