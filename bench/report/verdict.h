// SPDX-License-Identifier: MIT
// verdict.h: what a run says about DyT, in words and numbers.
#ifndef VERDICT_H
#define VERDICT_H

#include <stdio.h>

#include "machine/topology.h"
#include "summary.h"

// A table of about ten lines: DyT against RMSNorm and LayerNorm where it fits each cache and memory, backward, with all
// cores, ideal op by op and as a framework runs it, and with libm's tanh; each with its interval. Lines whose cells
// were not measured are left out.
void verdict_print(FILE *out, const summary *s, const topology *t);

#endif
