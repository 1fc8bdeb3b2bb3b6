// SPDX-License-Identifier: MIT
// child.h: what the process of a launch does whatever it measures: takes its orders, visits the groups of its plan in a
// random order, binds their teams, ends when it is told to. Its parent's side is launch.h.
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "machine/topology.h"
#include "subject.h"

// Rounds of a group that one launch has: complete ones, and the first number that is free, for a round that was cut off
// keeps its own.
typedef struct {
    size_t complete, next;
} rounds_had;

#define CHILD_PILOT "pilot"
#define CHILD_MEASURE "measure"
typedef struct {
    bool pilot; // verify and calibrate; else sample
    const char *plan_path;
    uint64_t seed;
    size_t launch;
} child_orders;

// Reads "--worker MODE PLAN SEED LAUNCH", catches signals, and makes stdout a line at a time, so that what was told
// survives whatever ends this process, which ends with its parent. false, after a message: it was not a parent of this
// program that called.
bool child_begin(int argc, char **argv, child_orders *orders);
// Whether to finish the sample and end.
bool child_interrupted(void);

// Opens the plug-ins that standard input begins with, a line each (child_tell_plugins). false, after a message.
bool child_open_plugins(void);
void child_tell_plugins(FILE *to);
// Reads from standard input, behind them, what an interrupted run already has, one for each group; had is all zero
// before.
void child_read_had(rounds_had *had, size_t groups);
// Visits every group once in an order that seed and launch decide. An exit code.
int child_visit(const child_orders *orders, size_t groups, bool (*visit)(void *context, size_t group), void *context);

// Plans and binds a team and tells "group GROUP PU...". false with a reason.
bool child_bind(const topology *t, placement place, size_t threads, size_t group, char *why, size_t size);
// At the group's end: tells it if threads of that team have been moved meanwhile.
void child_look_at_team(const topology *t, placement place, size_t threads, size_t group);

// The process of a launch, whatever it measures. It visits every group of a plan: a pilot verifies and
// calibrates its items; else they are warmed up and sampled round by round. It tells what it finds line by line
// (wire.h), so that whatever ends it, nothing finished is lost. Its parent's side is campaign_launch.c.
// What `normbench NAME --worker ...` runs, argv from --worker on (child.h). An exit code.
int worker_main(const subject *s, int argc, char **argv);

#endif
