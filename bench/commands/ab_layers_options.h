// SPDX-License-Identifier: MIT
// ab_layers_options.h: what `normbench ab --layers` is asked for, and the plan that it comes to.
#ifndef AB_LAYERS_OPTIONS_H
#define AB_LAYERS_OPTIONS_H

#include "plan/ab_layers_plan.h"
#include "plan/layers_options.h"

extern layers_plan ab_layers_rows;

// The value of --layers, into the settings of the run. false, after a message, if it names no model.
bool ab_layers_take_models(const cli_command *command, const char *value);
// One of the sizes (layers_options.h). false, after a message.
bool ab_layers_take_size(const cli_command *command, int option, char *value);
// Whether both sides, which are open, can be put into layers. false with a reason.
bool ab_layers_take_sides(char *why, size_t size);
// Makes the plan of the models that were taken. false: no memory.
bool ab_layers_make_rows(const selection *s, const topology *t, bool every);
// Whether only what concerns layers, or, without --layers, kernels, is asked for. false, after a message.
bool ab_layers_check(const cli_command *command, const selection *s);

#endif
