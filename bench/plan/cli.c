// SPDX-License-Identifier: MIT
// The command line of a command: parsing and help from one table. getopt_long would do half of it, but takes
// abbreviations, which break scripts when an option is added, and cannot name the option that was probably meant.
#include "cli.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "base/names.h"

enum { MOST_OPTIONS = 64, TEXT_SIZE = 1024, HELP_COLUMN = 22, WIDTH = 100 };

static cli_option selector_as_option(selector s) {
    return (cli_option){selector_option(s), selector_argument(s), selector_help(s)};
}

static bool takes(const cli_command *c, selector s) { return c->selectors >> s & 1; }

// Breaks between words: `column` is where the last line ended.
static size_t print_word(FILE *out, const char *word, size_t column, size_t indent) {
    if (column + 1 + strlen(word) > WIDTH) {
        fprintf(out, "\n%*s", (int)indent, "");
        column = indent;
    }
    fprintf(out, " %s", word);
    return column + 1 + strlen(word);
}

static size_t print_usage_option(FILE *out, const cli_option *o, size_t column, size_t indent) {
    char word[TEXT_SIZE];
    snprintf(word, sizeof word, "[--%s%s%s]", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
    return print_word(out, word, column, indent);
}

static void print_usage(FILE *out, const cli_command *c) {
    const size_t indent = (size_t)fprintf(out, "usage: normbench %s", c->name);
    size_t column = indent;
    if (c->operand != NULL)
        column = print_word(out, c->operand, column, indent);
    for (selector s = 0; s < SELECTORS; s++)
        if (takes(c, s)) {
            const cli_option o = selector_as_option(s);
            column = print_usage_option(out, &o, column, indent);
        }
    for (size_t i = 0; i < c->option_count; i++)
        column = print_usage_option(out, &c->options[i], column, indent);
    fputc('\n', out);
}

static void print_option(FILE *out, const cli_option *o) {
    const int length = fprintf(out, "  --%s%s%s", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
    fprintf(out, length + 2 > HELP_COLUMN ? "\n%*s" : "%*s",
            length + 2 > HELP_COLUMN ? HELP_COLUMN : HELP_COLUMN - length, "");
    for (const char *p = o->help; *p; p++)
        if (*p == '\n')
            fprintf(out, "\n%*s", HELP_COLUMN, "");
        else
            fputc(*p, out);
    fputc('\n', out);
}

void cli_help(FILE *out, const cli_command *c) {
    static const cli_option help = {"help", NULL, "this text"};
    print_usage(out, c);
    fprintf(out, "%s\n\n", c->about);
    for (size_t i = 0; i < c->option_count; i++)
        print_option(out, &c->options[i]);
    print_option(out, &help);
    if (c->selectors != 0)
        fprintf(out, "\nWhat to take, each a comma list:\n");
    for (selector s = 0; s < SELECTORS; s++)
        if (takes(c, s)) {
            const cli_option o = selector_as_option(s);
            print_option(out, &o);
        }
}

void cli_complain(const cli_command *c, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "normbench %s: ", c->name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

static int wrong(const cli_command *c) {
    print_usage(stderr, c);
    fprintf(stderr, "       `normbench %s --help` explains them\n", c->name);
    return CLI_WRONG;
}

// The option with this name and its index as cli_next returns it; -1 after a message if there is none.
static int find(const cli_command *c, const char *name, cli_option *option) {
    const char *names[MOST_OPTIONS];
    int indexes[MOST_OPTIONS];
    size_t count = 0;
    for (size_t i = 0; i < c->option_count && count < MOST_OPTIONS; i++, count++) {
        names[count] = c->options[i].name;
        indexes[count] = (int)i;
    }
    for (selector s = 0; s < SELECTORS && count < MOST_OPTIONS; s++)
        if (takes(c, s)) {
            names[count] = selector_option(s);
            indexes[count++] = (int)(c->option_count + s);
        }
    const size_t found = names_find(name, names, count);
    if (found == count) {
        char text[TEXT_SIZE];
        names_explain(text, sizeof text, name, "option", names, count);
        cli_complain(c, "%s", text);
        return -1;
    }
    const size_t index = (size_t)indexes[found];
    *option = index < c->option_count ? c->options[index] : selector_as_option((selector)(index - c->option_count));
    return indexes[found];
}

int cli_next(cli_args *a, char **value) {
    const cli_command *const c = a->command;
    *value = NULL;
    if (a->at >= a->argc)
        return CLI_END;
    char *const argument = a->argv[a->at++];
    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
        cli_help(stdout, c);
        return CLI_HELP;
    }
    if (strncmp(argument, "--", 2) != 0) {
        if (c->operand != NULL && argument[0] != '-') {
            *value = argument;
            return (int)(c->option_count + SELECTORS);
        }
        cli_complain(c, "unexpected argument \"%s\"", argument);
        return wrong(c);
    }
    char name[TEXT_SIZE];
    char *const equals = strchr(argument, '=');
    snprintf(name, sizeof name, "%.*s", equals ? (int)(equals - argument) - 2 : TEXT_SIZE - 1, argument + 2);
    cli_option option;
    const int index = find(c, name, &option);
    if (index < 0)
        return wrong(c);
    if (option.argument == NULL) {
        if (equals == NULL)
            return index;
        cli_complain(c, "--%s takes no value", option.name);
        return wrong(c);
    }
    if (equals == NULL && a->at >= a->argc) {
        cli_complain(c, "--%s needs a value: %s", option.name, option.help);
        return wrong(c);
    }
    *value = equals ? equals + 1 : a->argv[a->at++];
    return index;
}
