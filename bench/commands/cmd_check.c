// SPDX-License-Identifier: MIT
// `normbench check`: whether what lies in a run's folder is what normbench writes, and nothing else. Results travel
// between people; scripts ask this before they let a field of a file into a figure or a shell.
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/csv.h"
#include "base/names.h"
#include "base/packed.h"
#include "base/plain.h"
#include "commands.h"
#include "plan/cli.h"
#include "report/schema.h"

enum {
    SHOWN = 60,            // bytes of a value that a message shows
    DEEPEST = 8,           // folders within folders
    LARGEST_FILE = 1 << 30 // of a table: beyond it, reading it might take all memory
};

static const cli_command command = {
    .name = "check",
    .operand = "DIR...",
    .about =
        "Says whether the folders of runs hold what normbench writes and nothing that a script could trip over: every\n"
        "table of `normbench list columns` is held against its columns, meta.json against its names and numbers, and "
        "links, pipes\n"
        "and devices are refused. Prints the first fault of each file, with its line, and exits 2 if there is any.",
    .words = 1,
    .which = "which folder? give those of runs, such as results/MACHINE/RUN",
    .examples = {"check results/*/20*", "check results/*/*-paper"},
};

// Prints a text for the terminal, whatever it holds: what is not printable ASCII as \xNN, after `most` bytes dots.
static size_t show(char *out, size_t size, const char *text, size_t most) {
    size_t used = 0, i = 0;
    for (; i < most && used + 8 < size && text[i] != '\0'; i++) {
        const unsigned char c = (unsigned char)text[i];
        used += (size_t)snprintf(out + used, size - used, c >= 0x20 && c < 0x7f ? "%c" : "\\x%02x", c);
    }
    return used + (size_t)snprintf(out + used, size - used, "%s", text[i] != '\0' ? "..." : "");
}

typedef struct {
    size_t tables, faults;
} checking;

// Counts a fault of a file and says it.
static __attribute__((format(printf, 3, 4))) void fault(checking *c, const char *path, const char *format, ...) {
    char where[2 * PATH_MAX], what[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    show(where, sizeof where, path, PATH_MAX);
    cli_complain(&command, "%s: %s", where, what);
    c->faults++;
}

// ---- Tables

// The line of the file that a row begins in: quoted fields may hold line ends.
static size_t line_of(const csv_table *t, size_t row) {
    size_t line = row + 2;
    for (size_t i = 0; i <= row; i++) // the header and the rows before
        for (size_t k = 0; k < t->column_count; k++)
            for (const char *p = i == 0 ? t->header[k] : t->rows[i - 1][k]; (p = strchr(p, '\n')) != NULL; p++)
                line++;
    return line;
}

// Every column has a name of its own, in lower_snake, and those that every version wrote are there.
static bool check_header(checking *c, const char *path, const column_table *columns, const csv_table *t) {
    for (size_t i = 0; i < t->column_count; i++) {
        const char *const name = t->header[i];
        char text[5 * SHOWN];
        show(text, sizeof text, name, SHOWN);
        if (*name == '\0' || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0') {
            fault(c, path, "line 1: \"%s\" is no name of a column", text);
            return false;
        }
        if (csv_column(t, name) != (int)i) {
            fault(c, path, "line 1: two columns are called %s", text);
            return false;
        }
    }
    for (size_t i = 0; i < columns_count(columns); i++) {
        const table_column *const known = columns_at(columns, i);
        if (known->required && csv_column(t, known->name) < 0) {
            fault(c, path, "lacks the column %s: it is not a CSV file of normbench", known->name);
            return false;
        }
    }
    return true;
}

// The selector that takes the names of a column, which are the same on every machine; SELECTORS: there is none.
static selector vocabulary_of(const char *column) {
    static const selector closed[] = {SELECT_OP, SELECT_MODEL};
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
        if (strcmp(selector_option(closed[i]), column) == 0)
            return closed[i];
    return SELECTORS;
}

// All values of a column that the header has at k. false after the first fault.
static bool check_column(checking *c, const char *path, const column_table *columns, const csv_table *t, size_t k) {
    const char *const name = t->header[k], *why = NULL, *before = NULL;
    const table_column *const known = columns_find(columns, name);
    const selector words = vocabulary_of(name);
    for (size_t row = 0; row < t->row_count; row++) {
        const char *const value = t->rows[row][k];
        if (before != NULL && strcmp(value, before) == 0) // as most are
            continue;
        before = value;
        char text[5 * SHOWN], unknown[SELECT_ERROR_SIZE];
        show(text, sizeof text, value, SHOWN);
        size_t index;
        if (known != NULL)
            why = columns_fault(known, value);
        else if (!plain_text(value)) // a column of a later version
            why = "is not one line of plain text";
        if (why != NULL) {
            fault(c, path, "line %zu: %s \"%s\" %s", line_of(t, row), name, text, why);
            return false;
        }
        if (words < SELECTORS && *value != '\0' && !selector_index(words, value, &index)) {
            const char *names[SELECT_MAX_NAMES];
            names_explain(unknown, sizeof unknown, text, name, names, selector_names(words, names));
            fault(c, path, "line %zu: %s", line_of(t, row), unknown);
            return false;
        }
    }
    return true;
}

// A file that is named after a table, packed or not; where it is both, it is the plain one that cannot be read. Samples
// are added row by row, so the last one may be half there.
static void check_table(checking *c, const char *path, const char *base) {
    char name[64], plain[PATH_MAX], message[400];
    struct stat info;
    csv_table t;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(base, "."), base);
    const column_table *const columns = schema_find(name);
    const bool packed = strcmp(base + strlen(name), ".csv" PACKED_SUFFIX) == 0;
    if (columns == NULL || !(packed || strcmp(base + strlen(name), ".csv") == 0))
        return;
    snprintf(plain, sizeof plain, "%.*s", (int)(strlen(path) - (packed ? strlen(PACKED_SUFFIX) : 0)), path);
    if (packed && lstat(plain, &info) == 0)
        return;
    c->tables++;
    const int error = csv_read(&t, plain, message, sizeof message);
    if (error != 0) {
        fault(c, path, "%s", error > 0 ? strerror(error) : message);
        return;
    }
    if (t.truncated && strstr(name, "samples") == NULL)
        fault(c, path, "the last line has no end: it was cut off");
    else if (check_header(c, path, columns, &t))
        for (size_t k = 0; k < t.column_count && check_column(c, path, columns, &t, k); k++)
            continue;
    csv_free(&t);
}

// ---- meta.json

// What is wrong with a value of this key; NULL: nothing. What scripts read of it are names and numbers.
static const char *meta_fault(const char *key, const json_t *value) {
    static const char *const numbers[] = {"l1d", "l2", "l3"}, *const ids[] = {"run_id", "machine_id"};
    const char *const text = json_string_value(value);
    if (names_find(key, numbers, 3) < 3 && !json_is_null(value) &&
        !(json_integer_value(value) >= 0 && json_is_integer(value)))
        return "is not a number of bytes";
    if (names_find(key, ids, 2) < 2 && (text == NULL || (*text != '\0' && !plain_name(text))))
        return "is not spelt as such a name is";
    if (strcmp(key, "cpu_model") == 0 && !json_is_null(value) &&
        (text == NULL || text[strcspn(text, "`\"\\$")] != '\0'))
        return "is no name of a CPU";
    return text != NULL && !plain_text(text) ? "is not one line of plain text" : NULL;
}

// false after the first fault, in the order of the file.
static bool check_value(checking *c, const char *path, const char *key, json_t *value) {
    const char *const why = meta_fault(key, value);
    const char *name;
    json_t *item;
    size_t i;
    if (why != NULL) {
        char text[5 * SHOWN], label[5 * SHOWN];
        show(text, sizeof text, json_is_string(value) ? json_string_value(value) : "", SHOWN);
        show(label, sizeof label, key, SHOWN);
        fault(c, path, "%s \"%s\" %s", label, text, why);
        return false;
    }
    json_object_foreach(value, name, item) {
        if (!plain_text(name)) {
            fault(c, path, "a key is not one line of plain text");
            return false;
        }
        if (!check_value(c, path, name, item))
            return false;
    }
    json_array_foreach(value, i, item) {
        if (!check_value(c, path, key, item))
            return false;
    }
    return true;
}

// An empty one, of a disk that was full, names no CPU and harms nobody.
static void check_meta(checking *c, const char *path, const struct stat *info) {
    json_error_t why;
    json_t *const meta = info->st_size == 0 ? NULL : json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (meta == NULL && info->st_size > 0) {
        char text[5 * SHOWN];
        show(text, sizeof text, why.text, SHOWN);
        fault(c, path, "line %d: %s: it is no JSON", why.line, text);
    } else if (meta != NULL) {
        (void)check_value(c, path, "meta.json", meta);
    }
    json_decref(meta);
}

// ---- Folders

static int not_dots(const struct dirent *entry) {
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static void check_folder(checking *c, const char *folder, int depth);

static void check_entry(checking *c, const char *folder, const char *base, int depth) {
    char path[PATH_MAX];
    struct stat info;
    const int length = snprintf(path, sizeof path, "%s/%s", folder, base);
    if (length < 0 || (size_t)length >= sizeof path)
        fault(c, folder, "a path in it is too long");
    else if (!plain_text(base))
        fault(c, path, "is not one line of plain text: rename it or remove it");
    else if (lstat(path, &info) != 0)
        fault(c, path, "%s", strerror(errno));
    else if (S_ISDIR(info.st_mode) && depth == DEEPEST)
        fault(c, path, "is too deep: a run has no folders there");
    else if (S_ISDIR(info.st_mode))
        check_folder(c, path, depth + 1);
    else if (!S_ISREG(info.st_mode))
        fault(c, path, "is a %s: a run holds files and folders alone; remove it, or put the file itself there",
              S_ISLNK(info.st_mode)    ? "symbolic link"
              : S_ISFIFO(info.st_mode) ? "pipe"
                                       : "device or socket");
    else if (info.st_size > LARGEST_FILE)
        fault(c, path, "is larger than 1 GiB: no run is");
    else if (strcmp(base, "meta.json") == 0)
        check_meta(c, path, &info);
    else
        check_table(c, path, base);
}

static void check_folder(checking *c, const char *folder, int depth) {
    struct dirent **entries = NULL;
    const int count = scandir(folder, &entries, not_dots, alphasort);
    if (count < 0)
        fault(c, folder, "%s: give a run's folder, such as results/MACHINE/RUN", strerror(errno));
    for (int i = 0; i < count; i++) {
        check_entry(c, folder, entries[i]->d_name, depth);
        free(entries[i]);
    }
    free(entries);
}

int cmd_check(int argc, char **argv) {
    checking c = {0};
    size_t folders;
    const int end = cli_take(&command, argc, argv, NULL, &folders);
    if (end >= 0)
        return end;
    for (size_t i = 0; i < folders; i++)
        check_folder(&c, argv[i], 0);
    if (c.faults > 0)
        return EXIT_USAGE;
    printf("%zu table%s as normbench writes them\n", c.tables, c.tables == 1 ? "" : "s");
    return EXIT_DONE;
}
