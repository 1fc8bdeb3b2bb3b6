// SPDX-License-Identifier: MIT
// plain.c: see plain.h.
#include "plain.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { LONGEST = 1 << 16 }; // of a field: the times of all steps of a layer are some thousand characters

// The length of the character at p, 0 if it is a control character or not UTF-8.
static size_t character(const unsigned char *p) {
    if (*p < 0x80)
        return *p >= 0x20 && *p != 0x7f;
    const size_t length = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
    uint32_t code = *p & (0xffU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80) // also where the text ends
            return 0;
        code = code << 6 | (p[i] & 0x3fU);
    }
    static const uint32_t least[] = {
        [2] = 0xa0, [3] = 0x800, [4] = 0x10000}; // no C1 control, nothing longer than need be
    const bool surrogate = code >= 0xd800 && code < 0xe000, turns = code >= 0x2028 && code <= 0x202e;
    return *p < 0xc2 || *p > 0xf4 || code < least[length] || code > 0x10ffff || surrogate || turns ? 0 : length;
}

bool plain_text(const char *text) {
    const unsigned char *p = (const unsigned char *)text;
    while (*p != '\0') {
        const size_t length = character(p);
        if (length == 0 || p - (const unsigned char *)text > LONGEST)
            return false;
        p += length;
    }
    return true;
}

bool plain_name(const char *text) {
    return *text != '\0' &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-/")] == '\0';
}
