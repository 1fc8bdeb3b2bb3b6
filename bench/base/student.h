// SPDX-License-Identifier: MIT
// student.h: Student's t, for what one more run may be if it is like those before it.
#ifndef STUDENT_H
#define STUDENT_H

#include <stddef.h>

// P(T <= t) of t with so many degrees of freedom, at least 1.
double student_probability(double t, size_t freedom);
// The t with that probability, of (0, 1); NaN for any other, or without a degree of freedom.
double student_quantile(double probability, size_t freedom);

#endif
