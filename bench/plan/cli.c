// SPDX-License-Identifier: MIT
// The command line of a command: parsing and help from one table. getopt_long would do half of it, but takes
// abbreviations, which break scripts when an option is added, and cannot name the option that was probably meant.
#include "cli.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit_code.h"
#include "base/files.h"
#include "base/names.h"
#include "plugins.h"

enum { MOST_OPTIONS = 64, TEXT_SIZE = 1024, HELP_COLUMN = 22, WIDTH = 80 };

static cli_option selector_as_option(selector s) {
    return (cli_option){selector_option(s), selector_argument(s), selector_help(s)};
}

static bool takes(const cli_command *c, selector s) { return c->selectors >> s & 1; }
static bool is_needed(const cli_command *c, size_t option) { return c->needed >> option & 1; }

// Where a wrapped text stands: lines begin at `indent`.
typedef struct {
    FILE *out;
    size_t column, indent;
} wrapped;

static void put_word(wrapped *w, const char *word, size_t length) {
    if (w->column > w->indent && w->column + 1 + length > WIDTH) {
        fprintf(w->out, "\n%*s", (int)w->indent, "");
        w->column = w->indent;
    }
    const char *const space = w->column > w->indent ? " " : "";
    w->column += (size_t)fprintf(w->out, "%s%.*s", space, (int)length, word);
}

// What stands in quotes is to be typed as it is, so it is one word.
static size_t word_length(const char *text) {
    char quote = '\0';
    size_t length = 0;
    for (; text[length] != '\0' && (quote != '\0' || strchr(" \n", text[length]) == NULL); length++)
        if (quote != '\0' ? text[length] == quote : strchr("`\"", text[length]) != NULL)
            quote = quote != '\0' ? '\0' : text[length];
    return length;
}

void cli_wrap(FILE *out, const char *text, size_t indent) {
    wrapped w = {out, indent, indent};
    for (size_t length; *(text += strspn(text, " \n")) != '\0'; text += length) {
        length = word_length(text);
        put_word(&w, text, length);
    }
    fputc('\n', out);
}

static void put_option(wrapped *w, const cli_option *o, bool needed) {
    char word[TEXT_SIZE];
    const int length = snprintf(word, sizeof word, "%s--%s%s%s%s", needed ? "" : "[", o->name, o->argument ? " " : "",
                                o->argument ? o->argument : "", needed ? "" : "]");
    put_word(w, word, (size_t)length);
}

// What is needed stands first, what is optional in brackets.
static void print_usage(FILE *out, const cli_command *c) {
    const size_t indent = (size_t)fprintf(out, "usage: normbench %s ", c->name);
    wrapped w = {out, indent, indent};
    for (size_t i = 0; i < c->option_count; i++)
        if (is_needed(c, i))
            put_option(&w, &c->options[i], true);
    if (c->operand != NULL)
        put_word(&w, c->operand, strlen(c->operand));
    for (selector s = 0; s < SELECTORS; s++)
        if (takes(c, s)) {
            const cli_option o = selector_as_option(s);
            put_option(&w, &o, false);
        }
    for (size_t i = 0; i < c->option_count; i++)
        if (!is_needed(c, i) && c->options[i].name != NULL)
            put_option(&w, &c->options[i], false);
    fputc('\n', out);
}

static void print_option(FILE *out, const cli_option *o) {
    const int length = fprintf(out, "  --%s%s%s", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
    fprintf(out, length + 2 > HELP_COLUMN ? "\n%*s" : "%*s",
            length + 2 > HELP_COLUMN ? HELP_COLUMN : HELP_COLUMN - length, "");
    cli_wrap(out, o->help, HELP_COLUMN);
}

static void print_help(FILE *out, const cli_command *c) {
    static const cli_option help = {"help", NULL, "this text"};
    print_usage(out, c);
    cli_wrap(out, c->about, 0);
    fputc('\n', out);
    for (size_t i = 0; i < c->option_count; i++)
        if (c->options[i].name != NULL)
            print_option(out, &c->options[i]);
    print_option(out, &help);
    if (c->selectors != 0)
        fprintf(out, "\nWhat to take; a LIST has commas, and so may a FILE:\n");
    for (selector s = 0; s < SELECTORS; s++)
        if (takes(c, s)) {
            const cli_option o = selector_as_option(s);
            print_option(out, &o);
        }
    fputs("\nExamples:\n", out);
    for (size_t i = 0; i < CLI_EXAMPLES && c->examples[i] != NULL; i++)
        fprintf(out, "  normbench %s\n", c->examples[i]);
}

static void complain(const cli_command *c, const char *format, va_list arguments) {
    fprintf(stderr, "normbench %s: ", c->name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

bool cli_complain(const cli_command *c, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    complain(c, format, arguments);
    va_end(arguments);
    return false;
}

int cli_refuse(const cli_command *c, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    complain(c, format, arguments);
    va_end(arguments);
    return EXIT_USAGE;
}

bool cli_wrote(const cli_command *c, int code, const char *path) {
    return code == 0 || cli_complain(c, "cannot write %s: %s", path, files_reason(code));
}

bool cli_choose(const cli_command *c, const char *before, const char *word, const char *what, const char *const *names,
                size_t count, size_t *index) {
    char text[TEXT_SIZE];
    *index = names_find(word, names, count);
    if (*index < count)
        return true;
    names_explain(text, sizeof text, word, what, names, count);
    return cli_complain(c, "%s%s", before, text);
}

static int wrong(const cli_command *c) {
    print_usage(stderr, c);
    fprintf(stderr, "       `normbench %s --help` explains them\n", c->name);
    return CLI_WRONG;
}

// Every option, and its index as cli_next returns it. Returns how many.
static size_t names_of(const cli_command *c, const char *names[MOST_OPTIONS], int indexes[MOST_OPTIONS]) {
    size_t count = 0;
    for (size_t i = 0; i < c->option_count && count < MOST_OPTIONS; i++)
        if (c->options[i].name != NULL) {
            names[count] = c->options[i].name;
            indexes[count++] = (int)i;
        }
    for (selector s = 0; s < SELECTORS && count < MOST_OPTIONS; s++)
        if (takes(c, s)) {
            names[count] = selector_option(s);
            indexes[count++] = (int)(c->option_count + s);
        }
    return count;
}

// The option that an argument of two dashes begins with, and its index as cli_next returns it; -1 if there is none,
// after a message if that is asked for.
static int find(const cli_command *c, const char *argument, bool aloud, cli_option *option) {
    const char *names[MOST_OPTIONS];
    char name[TEXT_SIZE];
    int indexes[MOST_OPTIONS];
    const size_t count = names_of(c, names, indexes);
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(argument + 2, "="), argument + 2);
    const size_t found = names_find(name, names, count);
    if (found == count) {
        char text[TEXT_SIZE];
        names_explain(text, sizeof text, name, "option", names, count);
        if (aloud)
            cli_complain(c, "%s", text);
        return -1;
    }
    const size_t index = (size_t)indexes[found];
    *option = index < c->option_count ? c->options[index] : selector_as_option((selector)(index - c->option_count));
    return indexes[found];
}

static bool open_plugins(const cli_command *c, const char *paths) {
    char why[KERNEL_LIBRARY_WHY], *const own = strdup(paths);
    const bool ok = own != NULL && plugins_open_list(own, why);
    if (!ok)
        cli_complain(c, "--plugin: %s", own != NULL ? why : "out of memory");
    free(own);
    return ok;
}

// Of all arguments. What else is wrong with them is said when they are taken.
static bool find_plugins(const cli_args *a) {
    const int wanted = (int)(a->command->option_count + SELECT_PLUGIN);
    for (int at = a->at; takes(a->command, SELECT_PLUGIN) && at < a->argc; at++) {
        const char *const argument = a->argv[at], *const equals = strchr(argument, '=');
        cli_option option;
        const int index = strncmp(argument, "--", 2) == 0 ? find(a->command, argument, false, &option) : -1;
        if (index < 0 || option.argument == NULL)
            continue;
        const char *const value = equals != NULL ? equals + 1 : at + 1 < a->argc ? a->argv[++at] : NULL;
        if (index == wanted && value != NULL && !open_plugins(a->command, value))
            return false;
    }
    return true;
}

int cli_next(cli_args *a, char **value) {
    const cli_command *const c = a->command;
    *value = NULL;
    if (a->at == 1 && !find_plugins(a))
        return CLI_WRONG;
    if (a->at >= a->argc)
        return CLI_END;
    char *const argument = a->argv[a->at++];
    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
        print_help(stdout, c);
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
    char *const equals = strchr(argument, '=');
    cli_option option;
    const int index = find(c, argument, true, &option);
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

// false after a message that names the first that lacks.
static bool has_all(const cli_command *c, char *const values[], size_t words) {
    for (size_t i = 0; i < c->option_count; i++)
        if (is_needed(c, i) && values[i] == NULL)
            return cli_complain(c, "--%s is needed: %s", c->options[i].name, c->options[i].help);
    if (words < c->words)
        cli_complain(c, "%s", c->which);
    return words >= c->words;
}

int cli_take(const cli_command *c, int argc, char **argv, char *given[], size_t *words) {
    cli_args args = {.command = c, .argc = argc, .argv = argv, .at = 1};
    char *value;
    int option;
    *words = 0;
    while ((option = cli_next(&args, &value)) >= 0)
        if (option == (int)(c->option_count + SELECTORS))
            argv[(*words)++] = value;
        else if (option != (int)(c->option_count + SELECT_PLUGIN)) // which is open by now
            given[option] = value != NULL ? value : argv[args.at - 1];
    if (option == CLI_HELP)
        return EXIT_DONE;
    return option == CLI_END && has_all(c, given, *words) ? -1 : EXIT_USAGE;
}
