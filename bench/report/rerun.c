// SPDX-License-Identifier: MIT
// rerun.c: see rerun.h. A run may come from anybody, and scripts split what is printed here into words: what is no
// plain selector is refused.
#include "rerun.h"

#include <glob.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/json_file.h"
#include "base/list.h"
#include "base/names.h"
#include "base/refuse.h"
#include "filter.h"
#include "measure/run.h"
#include "norm.h"
#include "results.h"

// Options that are of that run alone, with a value behind them.
static const char *const own_options[] = {"out", "csv", "seed", "resume", "budget"};
enum { OWN_OPTIONS = sizeof own_options / sizeof *own_options };

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,:=-";

// The name of an option without its dashes and value; "" if it is none.
static void option_name(const char *word, char name[32]) {
    const bool is_option = strncmp(word, "--", 2) == 0;
    snprintf(name, 32, "%.*s", is_option ? (int)strcspn(word + 2, "=") : 0, is_option ? word + 2 : "");
}

static void append(rerun_part *p, const char *word) {
    const size_t used = strlen(p->command);
    snprintf(p->command + used, sizeof p->command - used, "%s%s", used > 0 ? " " : "", word);
}

// ---- What the rows have

// Lists that name what is measured. An earlier program recorded the first of each alone, so that what the rows have
// besides is added; the copy that every run has is not.
static const char *const listed[] = {"op",   "variant", "form",  "dtype", "pass",   "shape",
                                     "part", "model",   "phase", "depth", "repeats"};
enum { LISTED = sizeof listed / sizeof *listed, LIST_TEXT = 512 };

static bool has_value(const char *list, const char *value) {
    const size_t length = strlen(value);
    for (const char *at = list; *at != '\0'; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == length && strncmp(at, value, length) == 0)
            return true;
    return strcmp(list, "all") == 0;
}

// As the command line spells it: a layer's variants are chosen by their base, for the model says which parameters.
static void value_of(table_row row, run_table table, const char *option, char value[ROW_BASE]) {
    if (strcmp(option, "shape") == 0)
        snprintf(value, ROW_BASE, "%.24sx%.24s", row_text(row, "rows"), row_text(row, "cols"));
    else if (strcmp(option, "variant") == 0 && table == RUN_TABLE_LAYERS)
        (void)row_base(row, value);
    else
        snprintf(value, ROW_BASE, "%s", row_text(row, option));
}

static void add_values(char list[LIST_TEXT], const run_tables *of, const char *option) {
    static const filter every = {0};
    char value[ROW_BASE];
    for (run_table table = 0; table <= RUN_TABLE_LAYERS; table++) {
        table_row row = {0};
        while (filter_next(&every, of, table, &row)) {
            value_of(row, table, option, value);
            const size_t used = strlen(list);
            if (strcmp(row_text(row, "op"), norm_op_name(NORM_IDENTITY)) != 0 && *value != '\0' &&
                !has_value(list, value))
                snprintf(list + used, LIST_TEXT - used, ",%s", value);
        }
    }
}

// ---- The command

// An option of a list, with what it was given and what the rows have.
static void append_list(rerun_part *p, const char *name, const char *value, const run_tables *of) {
    char option[40], list[LIST_TEXT];
    snprintf(option, sizeof option, "--%s", name);
    snprintf(list, sizeof list, "%s", value);
    add_values(list, of, name);
    append(p, option);
    append(p, list);
}

// Takes an option, whose value may be the next word of `rest`, or any other word.
static bool take_word(rerun_part *p, char *word, char **rest, const run_tables *of, const char *path,
                      char message[TABLES_MESSAGE]) {
    char name[32];
    option_name(word, name);
    const char *const equals = strchr(word, '=');
    const bool is_own = names_find(name, own_options, OWN_OPTIONS) < OWN_OPTIONS,
               is_list = names_find(name, listed, LISTED) < LISTED;
    const char *const value = equals != NULL ? equals + 1 : is_own || is_list ? strtok_r(NULL, " ", rest) : "";
    if (strcmp(name, "plugin") == 0)
        return refuse(message, TABLES_MESSAGE,
                      "%.300s: the run was of kernels of a plug-in, which is not loaded by a run's word: time it by "
                      "hand with --plugin, and then `normbench reproduce OLD NEW`",
                      path);
    if (is_own)
        return true;
    if (value == NULL || value[strspn(value, plain)] != '\0' || word[strspn(word, plain)] != '\0')
        return refuse(message, TABLES_MESSAGE, "%.300s: its command holds \"%.60s%s%.60s\", which is no selector", path,
                      word, is_list ? " " : "", is_list && value != NULL && equals == NULL ? value : "");
    if (is_list)
        append_list(p, name, value, of);
    else
        append(p, word);
    return true;
}

// Takes the words of a command as it was typed.
static bool take_words(rerun_part *p, char *typed, const run_tables *of, const char *path,
                       char message[TABLES_MESSAGE]) {
    char *rest = NULL;
    for (char *word = strtok_r(typed, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        if (!take_word(p, word, &rest, of, path, message))
            return false;
    return strlen(p->command) + 1 < sizeof p->command ||
           refuse(message, TABLES_MESSAGE, "%.300s: its command is too long", path);
}

static bool take_command(rerun_part *p, const json_t *meta, const run_tables *of, const char *path,
                         char message[TABLES_MESSAGE]) {
    static const char *const timed[] = {"normbench kernels", "normbench layers"};
    const char *const typed = json_string_value(results_fact(meta, "experiment.command"));
    const json_t *const version = results_fact(meta, "schema_version");
    char words[RERUN_COMMAND];
    if (json_is_integer(version) && json_integer_value(version) != SCHEMA_VERSION)
        return refuse(message, TABLES_MESSAGE,
                      "%.300s is of version %lld of the tables, and this program knows version %d: take the program "
                      "that wrote it",
                      path, (long long)json_integer_value(version), SCHEMA_VERSION);
    size_t which = 0;
    while (
        typed != NULL && which < 2 &&
        (strncmp(typed, timed[which], strlen(timed[which])) != 0 || strchr(" ", typed[strlen(timed[which])]) == NULL))
        which++;
    if (typed == NULL || which == 2)
        return refuse(message, TABLES_MESSAGE,
                      "%.300s is of no run of normbench kernels, layers or make paper, which alone can be had again",
                      path);
    if (snprintf(words, sizeof words, "%s", typed + strlen("normbench ")) >= 1000)
        return refuse(message, TABLES_MESSAGE, "%.300s: its command is too long to be recorded whole", path);
    return take_words(p, words, of, path, message);
}

static bool take_meta(rerun *r, const char *path, const char *folder, double *seconds, char message[TABLES_MESSAGE]) {
    json_t *meta;
    json_error_t why;
    run_tables of;
    char in[PATH_MAX];
    rerun_part *const items = list_more(r->items, r->count, sizeof *items);
    if (items == NULL)
        return refuse(message, TABLES_MESSAGE, "out of memory");
    r->items = items;
    rerun_part *const p = &items[r->count++];
    *p = (rerun_part){0};
    snprintf(p->folder, sizeof p->folder, "%s", folder);
    const int code = json_file_read(path, &meta, &why);
    if (code != 0)
        return refuse(message, TABLES_MESSAGE,
                      "%.300s: %.200s: give the folder of a whole run, such as results/MACHINE/RUN", path,
                      code == -1 ? why.text : files_reason(code));
    snprintf(in, sizeof in, "%.*s", (int)(strrchr(path, '/') - path), path);
    bool ok = run_tables_read(&of, in, message);
    if (ok) {
        ok = take_command(p, meta, &of, path, message);
        run_tables_free(&of);
    }
    const json_t *const budget = results_fact(meta, "experiment.budget_s");
    *seconds = json_is_number(budget) ? json_number_value(budget) : 0;
    json_decref(meta);
    return ok;
}

// Of a run in parts those in their folders.
static bool take_parts(rerun *r, const char *folder, const glob_t *found, double *seconds,
                       char message[TABLES_MESSAGE]) {
    char path[PATH_MAX], part[RERUN_PART];
    for (size_t i = 0; i < found->gl_pathc; i++) {
        const char *const meta = found->gl_pathv[i] + strlen(folder) + 1;
        snprintf(part, sizeof part, "%.*s", (int)(strrchr(meta, '/') - meta), meta);
        if (part[strspn(part, plain)] != '/' || part[6 + strspn(part + 6, plain)] != '\0')
            return refuse(message, TABLES_MESSAGE, "%.300s: \"%.60s\" is no name of a part", folder, part);
        if (!take_meta(r, found->gl_pathv[i], part, &seconds[i], message))
            return false;
    }
    if (found->gl_pathc > 0)
        return true;
    if (snprintf(path, sizeof path, "%s/meta.json", folder) >= (int)sizeof path)
        return refuse(message, TABLES_MESSAGE, "%.300s is too long a name", folder);
    return take_meta(r, path, ".", seconds, message);
}

// Adds a budget to each: its own, or its share of a new one.
static void set_budgets(rerun *r, const double *had, double seconds) {
    double all = 0;
    char word[48];
    for (size_t i = 0; i < r->count; i++)
        all += had[i];
    for (size_t i = 0; i < r->count; i++) {
        const double share = all > 0 ? had[i] / all : 1 / (double)r->count,
                     given = seconds > 0 ? seconds * share : had[i];
        snprintf(word, sizeof word, "--budget %.0fs", given < 1 ? 1 : given);
        if (given > 0)
            append(&r->items[i], word);
    }
}

bool rerun_read(rerun *r, const char *folder, double seconds, char message[TABLES_MESSAGE]) {
    char pattern[PATH_MAX];
    glob_t found = {0};
    *r = (rerun){0};
    // A star in the folder's own name would be one of the pattern.
    const bool plainly = strpbrk(folder, "*?[\\") == NULL;
    if (plainly && snprintf(pattern, sizeof pattern, "%s/parts/*/meta.json", folder) < (int)sizeof pattern)
        (void)glob(pattern, 0, NULL, &found);
    double *const had = calloc(found.gl_pathc + 1, sizeof *had);
    bool ok =
        had != NULL ? take_parts(r, folder, &found, had, message) : refuse(message, TABLES_MESSAGE, "out of memory");
    if (ok)
        set_budgets(r, had, seconds);
    else
        rerun_free(r);
    free(had);
    globfree(&found);
    return ok;
}

void rerun_free(rerun *r) {
    free(r->items);
    *r = (rerun){0};
}
