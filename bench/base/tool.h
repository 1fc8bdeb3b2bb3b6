// SPDX-License-Identifier: MIT
// tool.h: running another program, with its arguments as they are: no shell reads them.
#ifndef TOOL_H
#define TOOL_H

#include <stdbool.h>
#include <stddef.h>

// Runs it to its end. argv[0] is looked for in PATH; NULL after the last argument. in: the folder to run in; NULL: this
// one. out: what it printed on stdout, cut to size; NULL: nothing is kept. false with the reason: it could not be
// started, or the last of what it said on stderr.
bool tool_run(const char *const argv[], const char *in, char *out, size_t out_size, char *why, size_t size);

#endif
