// SPDX-License-Identifier: MIT
// framework_options.h: what is particular to form framework in a plan of kernels: its time of dispatch and its tanh.
#ifndef FRAMEWORK_OPTIONS_H
#define FRAMEWORK_OPTIONS_H

#include "cli.h"
#include "plan.h"

// The value of --dispatch. false, after a message, if it is none.
bool framework_dispatch_take(const cli_command *command, const char *value, size_t *ns);
// Gives it to the cells that it concerns. false, after a message, if there is none: that was not what was meant.
bool framework_dispatch_set(const cli_command *command, plan *p, size_t ns);
// Says so where a default is another tanh for want of a library.
void framework_tanh_say(const cli_command *command, const plan *p, const selection *s);

#endif
