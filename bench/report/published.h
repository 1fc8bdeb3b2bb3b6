// SPDX-License-Identifier: MIT
// published.h: tables of results/published that the program holds, so that an installed one needs no file: the
// Makefile turns them into arrays, as they are.
#ifndef PUBLISHED_H
#define PUBLISHED_H

extern const unsigned char published_claims[], published_goals[], published_questions[], published_efficiency[];

#endif
