// SPDX-License-Identifier: MIT
// fingerprint.c: see fingerprint.h.
#include "fingerprint.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "results.h"

typedef enum { WHOLE, WORDS, SERIES, STRUCTURE, LOADED, TUNED } reading;
typedef struct {
    bool hard;
    const char *name, *path;
    reading how;
} fact;
#define FACT(hard, name, path, how) {hard, name, path, how},
static const fact facts[] = {FINGERPRINT_LIST(FACT)};
#undef FACT
enum { FACTS = sizeof facts / sizeof *facts };
_Static_assert((int)FACTS <= (int)FINGERPRINT_MOST, "there is no room for every difference");

// ---- What a run says of a fact, as text for the caller to free

// Cuts " [... memory=N ...]" and " (memory=N)" down to what does not change with a boot.
static void cut_memory(char *text) {
    for (char *at; (at = strstr(text, "memory=")) != NULL;) {
        const size_t digits = strspn(at + 7, "0123456789");
        memmove(at, at + 7 + digits, strlen(at + 7 + digits) + 1);
    }
}

// "Linux 6.18.44-fc" becomes "Linux 6.18".
static void cut_series(char *text) {
    char *at = text + strcspn(text, "0123456789");
    at += strspn(at, "0123456789");
    if (*at == '.')
        at += 1 + strspn(at + 1, "0123456789");
    *at = '\0';
}

static void set_load(char *text, const json_t *averages, const json_t *meta) {
    const double load = json_number_value(json_array_get(averages, 0));
    const double cores = json_number_value(results_fact(meta, "machine.topology.cores"));
    strcpy(text, cores > 0 && load > 0.5 * cores ? "more than half of the cores" : "little");
}

// A fact that could not be read is an object with the reason; "": it was not recorded. NULL: no memory.
static char *text_of(const json_t *meta, const fact *f) {
    const json_t *const value = results_fact(meta, f->path);
    if (f->how == TUNED) {
        const char *const told = json_string_value(value);
        return strdup(told != NULL && strncmp(told, "tuned", strlen("tuned")) == 0 ? "tuned" : "default");
    }
    if (value == NULL)
        return strdup("");
    if (f->how == LOADED) {
        char load[40];
        set_load(load, value, meta);
        return strdup(load);
    }
    if (json_is_null(value) || json_is_null(json_object_get(value, "value")))
        return strdup("unknown");
    char *const text =
        json_is_string(value)
            ? strdup(json_string_value(value))
            : json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    if (text != NULL && f->how == STRUCTURE)
        cut_memory(text);
    if (text != NULL && f->how == SERIES)
        cut_series(text);
    return text;
}

// ---- Differences

static const char separators[] = " \t,[]\"";

static bool has_word(const char *text, const char *word, size_t length) {
    for (const char *at = text; *(at += strspn(at, separators)) != '\0'; at += strcspn(at, separators))
        if (strcspn(at, separators) == length && strncmp(at, word, length) == 0)
            return true;
    return false;
}

// The words of a text that another lacks. Whether there are any.
static bool words_alone(const char *text, const char *other, char out[FINGERPRINT_TEXT]) {
    size_t used = 0;
    out[0] = '\0';
    for (const char *at = text; *(at += strspn(at, separators)) != '\0'; at += strcspn(at, separators)) {
        const size_t length = strcspn(at, separators);
        if (!has_word(other, at, length) && used < FINGERPRINT_TEXT)
            used +=
                (size_t)snprintf(out + used, FINGERPRINT_TEXT - used, "%s%.*s", used > 0 ? " " : "", (int)length, at);
    }
    return used > 0;
}

static void show(char out[FINGERPRINT_TEXT], const char *text) {
    snprintf(out, FINGERPRINT_TEXT, "%s", *text == '\0' ? "not recorded" : text);
    for (char *c = out; *c != '\0'; c++)
        if (iscntrl((unsigned char)*c))
            *c = ' ';
}

// Whether the fact differs; then *d says how.
static bool differ(const fact *f, const char *a, const char *b, fingerprint_difference *d) {
    const bool recorded = *a != '\0' && *b != '\0';
    if (strcmp(a, b) == 0)
        return false;
    *d = (fingerprint_difference){.hard = f->hard && recorded, .name = f->name};
    if (f->how != WORDS || !recorded) {
        show(d->a, a);
        show(d->b, b);
        return true;
    }
    char alone_a[FINGERPRINT_TEXT], alone_b[FINGERPRINT_TEXT];
    const bool any_a = words_alone(a, b, alone_a), any_b = words_alone(b, a, alone_b);
    show(d->a, any_a ? alone_a : "nothing more");
    show(d->b, any_b ? alone_b : "nothing more");
    return any_a || any_b;
}

size_t fingerprint_compare(const json_t *a, const json_t *b, fingerprint_difference differences[FINGERPRINT_MOST]) {
    size_t count = 0;
    for (size_t i = 0; i < FACTS; i++) {
        char *const of_a = text_of(a, &facts[i]), *const of_b = text_of(b, &facts[i]);
        if (of_a != NULL && of_b != NULL)
            count += differ(&facts[i], of_a, of_b, &differences[count]);
        free(of_a);
        free(of_b);
    }
    return count;
}

bool fingerprint_equal(const json_t *a, const json_t *b) {
    fingerprint_difference differences[FINGERPRINT_MOST];
    const size_t count = fingerprint_compare(a, b, differences);
    for (size_t i = 0; i < count; i++)
        if (differences[i].hard)
            return false;
    return a != NULL && b != NULL;
}

void fingerprint_print(FILE *out, const fingerprint_difference *d) {
    fprintf(out, "  %s: %s; now %s\n", d->name, d->a, d->b);
}
