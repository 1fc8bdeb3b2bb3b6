// SPDX-License-Identifier: MIT
// html.h: HTML as `normbench report` writes it. Markup is the program's own, by fputs; whatever comes from a file goes
// through one of these, which leave nothing in it that a browser could take for markup, within a tag or outside.
#ifndef HTML_H
#define HTML_H

#include <stdio.h>

#include "base/stats.h"

void html_text(FILE *out, const char *text);
// What printf makes of it, cut to 4 KiB.
__attribute__((format(printf, 2, 3))) void html_say(FILE *out, const char *format, ...);

// A text that grows within its room; what is too long is cut.
__attribute__((format(printf, 3, 4))) void html_add(char *text, size_t size, const char *format, ...);

// "0.62 [0.60, 0.65]", with the digits that the interval supports, and that show where it lies beside a value (NaN:
// none).
enum { HTML_VALUE = 128 };
const char *html_value(char text[HTML_VALUE], const stats_interval *i, const char *unit, double beside);

// The style sheet and the script of the page, which the program holds (scripts/report).
extern const unsigned char report_css[], report_js[];

#endif
