// SPDX-License-Identifier: MIT
// team.h: what run.c asks before it opens a team of threads.
#ifndef TEAM_H
#define TEAM_H

#include <stdbool.h>

// Whether this process is a child, by fork, of one that had several threads. OpenMP's runtime would wait for ever for
// those that the fork did not copy.
bool team_lost(void);
// To be called before the first team.
void team_opens(void);

#endif
