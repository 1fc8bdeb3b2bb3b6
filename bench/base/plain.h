// SPDX-License-Identifier: MIT
// plain.h: text that may stand in a file of results. Results travel between people, so nothing that a terminal or a
// shell could take for more than text is let through.
#ifndef PLAIN_H
#define PLAIN_H

#include <stdbool.h>

// Whether a text is one line of valid UTF-8 without control characters, of a length that people read.
bool plain_text(const char *text);
// Whether it is what a name of ours may be: letters, digits and _ . + - / alone.
bool plain_name(const char *text);

#endif
