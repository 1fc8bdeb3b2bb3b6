// SPDX-License-Identifier: MIT
// layers_options.h: the numbers that layers can be asked for, as options of a command.
#ifndef LAYERS_OPTIONS_H
#define LAYERS_OPTIONS_H

#include "cli.h"
#include "layers_plan.h"

// Those that stand in a command's table from `first` on; without repeats and stage, which are the last, LAYERS_SIZES.
enum {
    LAYERS_TOKENS,
    LAYERS_BATCH,
    LAYERS_CONTEXT,
    LAYERS_DEPTH,
    LAYERS_SIZES,
    LAYERS_REPEATS = LAYERS_SIZES,
    LAYERS_STAGE,
    LAYERS_OPTIONS
};
// tokens: how many by default, and of what.
#define LAYERS_SIZE_ROWS(first, tokens)                                                                                \
    [(first) + LAYERS_TOKENS] = {"tokens", "N", "of each sequence; default " tokens},                                  \
               [(first) + LAYERS_BATCH] = {"batch", "N", "sequences or images; default 1"},                            \
               [(first) + LAYERS_CONTEXT] = {"context", "N",                                                           \
                                             "tokens already in the cache of each sequence in decode; default 512"},   \
               [(first) + LAYERS_DEPTH] = {                                                                            \
                   "depth", "LIST",                                                                                    \
                   "layers of distinct weights, one after another; default 1. Of several, as in 1,12, each: with\n"    \
                   "--part layer,ends,model, whether ends and 12 layers take what the model of 12 does"}
#define LAYERS_STAGE_ROW(first)                                                                                        \
    [(first) + LAYERS_STAGE] = {"stage", "N", "of models with stages: that of the layer, 1 to 4; each unless given"}
#define LAYERS_REPEATS_ROW(first)                                                                                      \
    [(first) + LAYERS_REPEATS] = {                                                                                     \
        "repeats", "LIST", "norm calls per site, as in 0,1,2,4: the dose-response check of the times taken in place"}

// Takes one of them. false, after a message, if its value is wrong.
bool layers_option_take(const cli_command *command, int option, char *value, layers_sizes *sizes);

#endif
