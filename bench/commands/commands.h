// SPDX-License-Identifier: MIT
// commands.h: the commands of normbench, one cmd_<name>.c each. The only list of them.
#ifndef COMMANDS_H
#define COMMANDS_H

#include "base/exit_code.h"

#define COMMAND_LIST(X)                                                                                                \
    X(machine, "describe this machine: CPU, caches, levels, copy bandwidths, what makes timings noisy")                \
    X(list, "list ops, variants, forms, levels, dtypes, placements, models, inputs, implementations or claims")        \
    X(plan, "say where the threads of a placement go, on this machine or any other")                                   \
    X(verify, "print the largest error of every implementation")                                                       \
    X(kernels, "verify and time the kernels; writes CSV")                                                              \
    X(layers, "time whole layers with every norm in their slots; writes CSV")                                          \
    X(tune, "find the fastest schedules of the kernels on this machine")                                               \
    X(ab, "say whether one library of kernels is slower than another: the gate of a change")                           \
    X(dump, "write a layer's inputs, parameters, outputs and gradients as files")                                      \
    X(check, "say whether the folders of runs hold what normbench writes, and nothing else")                           \
    X(judge, "say which claims, goals and questions the tables of a run answer, and how")                              \
    X(export, "write results as the file of another tool")                                                             \
    X(compare, "hold a run against earlier runs of the same machine: what is suspect")                                 \
    X(reproduce, "say whether a run shows what another showed; and what a claim or a run needs")                       \
    X(history, "find the runs at which times changed, by group of rows, and between which commits")                    \
    X(predict, "say what norms can take of a layer, of one that nobody timed as well")                                 \
    X(sharded, "time a norm whose tensor lies on several processes, or simulate it for many hosts")                    \
    X(validation, "say how often the gate was right where the truth is known")                                         \
    X(report, "make one page for people of runs, from their CSV files")

#define COMMAND_ROW(name, help) int cmd_##name(int argc, char **argv);
COMMAND_LIST(COMMAND_ROW)
#undef COMMAND_ROW

#endif
