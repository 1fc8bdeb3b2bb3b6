// SPDX-License-Identifier: MIT
// commands.h: the commands of normbench, one cmd_<name>.c each, and what their exit codes mean. The only list of
// either.
#ifndef COMMANDS_H
#define COMMANDS_H

#define COMMAND_LIST(X)                                                                                                \
    X(machine, "describe this machine: CPU, caches, levels, copy bandwidths, what makes timings noisy")                \
    X(list, "list ops, variants, forms, levels, dtypes, placements, models, inputs or implementations")                \
    X(plan, "say where the threads of a placement go, on this machine or any other")                                   \
    X(verify, "print the largest error of every implementation")                                                       \
    X(kernels, "verify and time the kernels; writes CSV")                                                              \
    X(layers, "time whole layers with every norm in their slots; writes CSV")                                          \
    X(dump, "write a layer's inputs, parameters, outputs and gradients as .npy")                                       \
    X(check, "say whether the folders of runs hold what normbench writes, and nothing else")

#define COMMAND_ROW(name, help) int cmd_##name(int argc, char **argv);
COMMAND_LIST(COMMAND_ROW)
#undef COMMAND_ROW

enum {
    EXIT_DONE = 0,
    EXIT_USAGE = 2,        // a bad name, number, shape or file: nothing was run
    EXIT_FAILED = 3,       // a build or run failure, or a wrong result
    EXIT_INCOMPARABLE = 4, // results of another machine or program
    EXIT_INCOMPLETE = 6,   // fewer rows measured than planned
    EXIT_INTERRUPTED = 130 // what is on disk is valid, and resumable
};

#endif
