// SPDX-License-Identifier: MIT
// verify_foreign.h: the part of a suite that is kernels of others, in processes of their own: one that crashes, hangs
// or ends its process is found wrong, and the next process goes on without it.
#ifndef VERIFY_FOREIGN_H
#define VERIFY_FOREIGN_H

#include <stdbool.h>

#include "verify_suite.h"

// check: what such a process runs, with v->foreign set, which tells before each item (foreign_begin) that it begins,
// and behind it what is known of it by now (foreign_end). What it found stands in v's items afterwards. false, after a
// message: something could not be checked. To be called before the first team of threads, which a forked process would
// not have.
bool foreign_run(verify_suite *v, bool (*check)(verify_suite *v));
void foreign_begin(const verify_suite *v, size_t item, input_kind kind, shape s, size_t threads);
void foreign_end(const verify_suite *v, size_t item);

#endif
