// SPDX-License-Identifier: MIT
// ab_printed.h: what `normbench ab` prints of a judgement.
#ifndef AB_PRINTED_H
#define AB_PRINTED_H

#include "report/ab_report.h"

// For the caller to free.
char *ab_printed(const ab_judgement *j, ab_format format);

#endif
