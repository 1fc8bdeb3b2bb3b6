// SPDX-License-Identifier: MIT
// ab_report.h: what people and CI systems read of a judgement.
#ifndef AB_REPORT_H
#define AB_REPORT_H

#include <stdio.h>

#include "ab_judge.h"

// How many of the rows that are judged may be inconclusive before the whole is.
#define AB_INCONCLUSIVE_SHARE 0.1

// What the judgement comes to: EXIT_REGRESSION if a row or group is slower and not waived, EXIT_INCONCLUSIVE if the
// measurement was disturbed or too much is inconclusive, else EXIT_DONE.
int ab_report_exit(const ab_judgement *j);
const char *ab_report_conclusion(const ab_judgement *j); // the same in a sentence

#define AB_FORMAT_LIST(X)                                                                                              \
    X(TEXT, text, "for a terminal")                                                                                    \
    X(MARKDOWN, markdown, "for a comment on a pull request")                                                           \
    X(JSON, json, "for programs")                                                                                      \
    X(JUNIT, junit, "for CI systems that show tests")
#define AB_FORMAT_ID(ID, name, help) AB_AS_##ID,
typedef enum { AB_FORMAT_LIST(AB_FORMAT_ID) AB_FORMATS } ab_format;
#undef AB_FORMAT_ID
extern const char *const ab_format_names[AB_FORMATS];
void ab_report_print(const ab_judgement *j, ab_format format, FILE *out);

// What the formats share. "dyt", "dyt at avx2"; "5.1 % slower [4.8, 5.4]".
const char *ab_group_text(const ab_group *g, char text[AB_TEXT]);
const char *ab_change_text(const ab_finding *f, char text[AB_TEXT]);
// The rows that are judged, in the order in which they matter: slower, faster, inconclusive by their change, the rest.
// To be freed. NULL: no memory.
const ab_row **ab_rows_by_interest(const ab_judgement *j, size_t *count);

// The change of the rows that matter most, each with its interval, zero and the threshold; nothing if none has one.
void ab_plot(const ab_judgement *j, FILE *out);
void ab_report_json(const ab_judgement *j, FILE *out);
void ab_report_junit(const ab_judgement *j, FILE *out);

#endif
