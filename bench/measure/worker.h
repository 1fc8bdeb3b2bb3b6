// SPDX-License-Identifier: MIT
// worker.h: the process of a launch, whatever it measures. It visits every group of a plan: a pilot verifies and
// calibrates its items; else they are warmed up and sampled round by round. It tells what it finds line by line
// (wire.h), so that whatever ends it, nothing finished is lost. Its parent's side is campaign_launch.c.
#ifndef WORKER_H
#define WORKER_H

#include "subject.h"

// What `normbench NAME --worker ...` runs, argv from --worker on (child.h). An exit code.
int worker_main(const subject *s, int argc, char **argv);

#endif
