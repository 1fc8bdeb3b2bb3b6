// SPDX-License-Identifier: MIT
// Strict parsing of what people type.
#include "parse.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#if __has_include(<xlocale.h>)
#include <xlocale.h> // where macOS and the BSDs have strtod_l
#endif

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static const char *skip_digits(const char *text) {
    while (is_digit(*text))
        text++;
    return text;
}

// Reads digits up to the first other character, where it leaves *text; fails without a digit or beyond 64 bits.
static bool take_u64(const char **text, uint64_t *value) {
    const char *p = *text;
    uint64_t v = 0;
    if (!is_digit(*p))
        return false;
    for (; is_digit(*p); p++) {
        const unsigned digit = (unsigned)(*p - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return false;
        v = 10 * v + digit;
    }
    *text = p;
    *value = v;
    return true;
}

bool parse_u64(const char *text, uint64_t *value) {
    uint64_t v;
    if (!take_u64(&text, &v) || *text)
        return false;
    *value = v;
    return true;
}

bool parse_size(const char *text, size_t *value) {
    uint64_t v;
    if (!parse_u64(text, &v) || v > SIZE_MAX)
        return false;
    *value = (size_t)v;
    return true;
}

// The end of a decimal number at the start of text; text itself if there is none. strtod alone would also take spaces,
// hexadecimal, "inf" and "nan".
static const char *number_end(const char *text) {
    const char *p = text + (*text == '-');
    const char *digits = p;
    p = skip_digits(p);
    size_t count = (size_t)(p - digits);
    if (*p == '.') {
        digits = ++p;
        p = skip_digits(p);
        count += (size_t)(p - digits);
    }
    if (count == 0)
        return text;
    if (*p == 'e' || *p == 'E') {
        p++;
        p += *p == '+' || *p == '-';
        if (!is_digit(*p))
            return text;
        p = skip_digits(p);
    }
    return p;
}

// The number between text and end.
static bool take_real(const char *text, const char *end, double *value) {
    if (end == text)
        return false;
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0)
        return false;
    char *stop;
    const double v = strtod_l(text, &stop, c_locale);
    freelocale(c_locale);
    if (stop != end || !isfinite(v))
        return false;
    *value = v;
    return true;
}

bool parse_real(const char *text, double *value) {
    const char *end = number_end(text);
    return *end == '\0' && take_real(text, end, value);
}

bool parse_shape(const char *text, size_t *rows, size_t *cols) {
    uint64_t r, c;
    if (!take_u64(&text, &r) || *text++ != 'x' || !take_u64(&text, &c) || *text)
        return false;
    if (r == 0 || c == 0 || r > SIZE_MAX || c > SIZE_MAX)
        return false;
    *rows = (size_t)r;
    *cols = (size_t)c;
    return true;
}

bool parse_nanoseconds(const char *text, double *ns) {
    const char *unit = number_end(text);
    double value;
    if (!take_real(text, unit, &value))
        return false;
    value *= strcmp(unit, "ns") == 0 ? 1 : strcmp(unit, "us") == 0 ? 1e3 : strcmp(unit, "ms") == 0 ? 1e6 : 0;
    if (!(value > 0) || !isfinite(value))
        return false;
    *ns = value;
    return true;
}

bool parse_duration(const char *text, double *seconds) {
    const char *unit = number_end(text);
    double value;
    if (!take_real(text, unit, &value) || strlen(unit) != 1)
        return false;
    const double scale = *unit == 's' ? 1 : *unit == 'm' ? 60 : *unit == 'h' ? 3600 : 0;
    value *= scale;
    if (!(value > 0) || !isfinite(value))
        return false;
    *seconds = value;
    return true;
}

size_t parse_list(char *text, char **items, size_t max) {
    size_t count = 0;
    for (char *item = text; item; count++) {
        char *comma = strchr(item, ',');
        if (comma)
            *comma = '\0';
        if (*item == '\0' || count == max)
            return 0;
        items[count] = item;
        item = comma ? comma + 1 : NULL;
    }
    return count;
}
