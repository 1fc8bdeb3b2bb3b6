// SPDX-License-Identifier: MIT
// html.c: see html.h.
#include "html.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/interval.h"
#include "base/plain.h"
#include "judge.h"

static const char *entity_of(char c) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

// Of text that is not one line of UTF-8, what is not ASCII becomes a question mark.
void html_text(FILE *out, const char *text) {
    const bool plain = plain_text(text);
    for (; *text != '\0'; text++) {
        const char *const entity = entity_of(*text);
        const unsigned char c = (unsigned char)*text;
        if (entity != NULL)
            fputs(entity, out);
        else if (c < 0x20 || c == 0x7f)
            fputc(' ', out);
        else
            fputc(plain || c < 0x7f ? c : '?', out);
    }
}

void html_say(FILE *out, const char *format, ...) {
    char text[4096];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    html_text(out, text);
}

void html_add(char *text, size_t size, const char *format, ...) {
    const size_t used = strlen(text);
    va_list values;
    va_start(values, format);
    vsnprintf(text + used, size - used, format, values);
    va_end(values);
}

const char *html_value(char text[HTML_VALUE], const stats_interval *i, const char *unit, double beside) {
    const char *const shown = strcmp(unit, "1") == 0 ? "" : unit;
    const judge_bounds bounds = {(double)NAN, (double)NAN, beside};
    int decimals = judge_decimals(i, &bounds);
    if (decimals == 4) { // or more
        const int digits = interval_value_decimals(i->median, interval_digits(i));
        decimals = digits > decimals ? digits : decimals;
    }
    return interval_text(text, i, shown, decimals);
}
