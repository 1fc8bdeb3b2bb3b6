// SPDX-License-Identifier: MIT
// fresh.h: results of norms of form framework, which each run allocates anew: whoever reads one is told where it is,
// and it is freed behind its last reader.
#ifndef FRESH_H
#define FRESH_H

#include "compile.h"

// Finds out, once views have places, which steps make such results and who reads them. false: memory ran out.
bool fresh_prepare(graph *g, program *p);
// Frees all that is left of them: before another arm runs, and at the end.
void fresh_drop(program *p);
void fresh_free(program *p);

// What a norm step has made takes the place of what it made before, and its readers are told.
void fresh_place(fresh_result *f, void *block);
// Frees the results whose last reader this step was.
void fresh_end(const step *s);

#endif
