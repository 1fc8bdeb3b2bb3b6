// SPDX-License-Identifier: MIT
// cli.h: the command line of a command, from one table: what is accepted, what --help says, what is wrong.
//
//     static const cli_option options[] = {{"csv", "FILE", "writes ..."}, {"dry-run", NULL, "..."}};
//     static const cli_command command = {.name = "verify", .about = "...", .options = options, .option_count = 2,
//                                         .selectors = CLI_KERNEL_SELECTORS,
//                                         .examples = {"verify --op dyt", "verify --csv -"}};
//     char *given[OPTIONS] = {NULL};
//     size_t words;
//     const int end = cli_take(&command, argc, argv, given, &words); // argv[0] is the command's name
//     if (end >= 0)
//         return end;
//
// or, where the order of the options matters, cli_next for one after another.
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "select.h"

typedef struct {
    const char *name;     // without the dashes; NULL: this command has it not
    const char *argument; // what the option takes, in capitals; NULL: nothing
    const char *help;     // wrapped when it is printed
} cli_option;

// Those of implementations and cells, which kernels and verify take, and those of layers.
enum {
    CLI_MODEL_SELECTORS = 1 << SELECT_MODEL | 1 << SELECT_PART | 1 << SELECT_PHASE,
    CLI_KERNEL_SELECTORS = ((1 << SELECTORS) - 1) & ~CLI_MODEL_SELECTORS,
    CLI_LAYER_SELECTORS = CLI_MODEL_SELECTORS | 1 << SELECT_OP | 1 << SELECT_VARIANT | 1 << SELECT_FORM |
                          1 << SELECT_LEVEL | 1 << SELECT_DTYPE | 1 << SELECT_THREADS | 1 << SELECT_PLACEMENT |
                          1 << SELECT_PLUGIN | 1 << SELECT_PATIENCE
};

enum { CLI_EXAMPLES = 2 };

typedef struct {
    const char *name;    // "verify"
    const char *operand; // what stands without a dash, in capitals; NULL: nothing may
    const char *about;   // what the command does; wrapped when it is printed
    const cli_option *options;
    size_t option_count;
    unsigned needed; // bit 1 << i for each option that must be given
    size_t words;    // that stand without a dash, at least; `which` says what they are
    const char *which;
    unsigned selectors; // bit 1 << s for each selector that it takes; their indexes follow those of the options
    const char *examples[CLI_EXAMPLES]; // what to type behind "normbench "; tests/test_docs.sh runs them
} cli_command;

typedef struct {
    const cli_command *command;
    int argc;
    char **argv;
    int at; // of the next argument
} cli_args;

enum {
    CLI_END = -1,
    CLI_HELP = -2,  // --help was asked for, and printed on stdout
    CLI_WRONG = -3, // a message was printed on stderr
};

// Opens, before anything else of a command that takes any, the plug-ins that --plugin names wherever it stands, for
// other options take their names. The next option and its value (NULL if it takes none), as `--name value` or
// `--name=value`, or one of the above. Operands come as option_count + SELECTORS.
int cli_next(cli_args *args, char **value);

// Takes all of them, of each option its last value (of one that takes none, its name) into given[option], or of a
// selector into given[option_count + selector]; words without a dash move to the front of argv. -1, or the exit code to
// end with, after a message.
int cli_take(const cli_command *command, int argc, char **argv, char *given[], size_t *words);
// Prints a text in lines of at most 80 columns, of which the first begins where the cursor stands, at `indent`, and the
// others below it. A line feed in it is a space.
void cli_wrap(FILE *out, const char *text, size_t indent);

// Prints "normbench verify: ..." on stderr. Always false; cli_refuse: always EXIT_USAGE.
__attribute__((format(printf, 2, 3))) bool cli_complain(const cli_command *command, const char *format, ...);
__attribute__((format(printf, 2, 3))) int cli_refuse(const cli_command *command, const char *format, ...);
// files_wrote, whose message is printed so.
bool cli_wrote(const cli_command *command, int code, const char *path);
// The index of a word among the names of what, as in "format". false after `before` and what names_explain says.
bool cli_choose(const cli_command *command, const char *before, const char *word, const char *what,
                const char *const *names, size_t count, size_t *index);

#endif
