// SPDX-License-Identifier: MIT
// normbench: hands over to the command that was asked for, and makes sure that what it printed was written.
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "commands.h"
#include "machine/environment.h"
#include "peers/peers.h"
#include "plan/cli.h"

#define NAME(name, help) #name,
#define COMMAND(name, help) {cmd_##name, help},
static const char *const names[] = {COMMAND_LIST(NAME)};
static const struct {
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {COMMAND_LIST(COMMAND)};
enum { COMMANDS = sizeof names / sizeof *names };

static void usage(FILE *out) {
    enum { COLUMN = 13 };
    char text[512];
    fputs("usage: normbench COMMAND [OPTION]...\n", out);
    cli_wrap(out, "Is DyT really cheaper than LayerNorm and RMSNorm on this machine, where, and by how much?", 0);
    fputc('\n', out);
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(out, "  %-*s", COLUMN - 2, names[i]);
        cli_wrap(out, commands[i].help, COLUMN);
    }
    snprintf(text, sizeof text,
             "`normbench COMMAND --help` explains a command, `normbench --version` says what was built. Results go to "
             "files or stdout, everything else to stderr. Exit: %d done, %d a confirmed regression, %d usage, "
             "%d failed or a wrong result, %d not comparable, %d inconclusive, %d fewer rows than planned, %d "
             "interrupted.",
             EXIT_DONE, EXIT_REGRESSION, EXIT_USAGE, EXIT_FAILED, EXIT_INCOMPARABLE, EXIT_INCONCLUSIVE, EXIT_INCOMPLETE,
             EXIT_INTERRUPTED);
    fputc('\n', out);
    cli_wrap(out, text, 0);
    fputs("\nExamples:\n  normbench machine\n  normbench kernels --preset quick\n", out);
}

static int dispatch(int argc, char **argv) {
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        usage(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("normbench " NORMBENCH_VERSION);
        return EXIT_DONE;
    }
    const size_t command = names_find(argv[1], names, COMMANDS);
    if (command < COMMANDS)
        return environment_begin() ? commands[command].run(argc - 1, argv + 1) : EXIT_USAGE;
    char text[512];
    names_explain(text, sizeof text, argv[1], "command", names, COMMANDS);
    fprintf(stderr, "normbench: %s\n", text);
    return EXIT_USAGE;
}

int main(int argc, char **argv) {
    (void)signal(SIGXFSZ, SIG_IGN); // a file that may not grow (ulimit -f) is an error to tell, not a crash
    peers_register();
    const int code = dispatch(argc, argv);
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == EXIT_DONE) {
        fputs("normbench: cannot write to standard output; is the disk full?\n", stderr);
        return EXIT_FAILED;
    }
    return code;
}
