// SPDX-License-Identifier: MIT
// RFC 4180 with lines that end in a bare line feed, which every reader takes and diff prefers; the reader takes CRLF
// too.
#include "csv.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "list.h"
#include "packed.h"
#include "refuse.h"

static void fail(csv_writer *w) {
    if (!w->error)
        w->error = errno ? errno : EIO;
}

// Cuts off a last line without an end, left by a writer that was killed, lest the next row be glued to it. 0 or errno.
static int cut_partial_row(FILE *file) {
    size_t length = 0;
    char *const text = packed_rest(file, &length);
    int error = text ? 0 : errno;
    size_t whole = length;
    while (text && whole > 0 && text[whole - 1] != '\n')
        whole--;
    if (text && whole < length && ftruncate(fileno(file), (off_t)whole) != 0)
        error = errno;
    free(text);
    // C leaves open where an appending stream begins; at its end, ftell tells a new file, which needs a header, from
    // an old one.
    return error ? error : fseek(file, 0, SEEK_END) == 0 ? 0 : errno;
}

static int open_to_append(csv_writer *w, const char *path) {
    char message[1];
    int error = packed_unpack(path, message, sizeof message);
    if (!error)
        error = files_continue(path, &w->file);
    if (!error && (error = cut_partial_row(w->file)) != 0) {
        fclose(w->file);
        w->file = NULL;
    }
    return error == -1 ? EIO : error; // csv_read has said why
}

int csv_open(csv_writer *w, const char *path, bool append) {
    *w = (csv_writer){0};
    if (append)
        return open_to_append(w, path);
    errno = 0;
    w->file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    return w->file ? 0 : errno;
}

static void put(csv_writer *w, const char *text, size_t length) {
    errno = 0;
    if (fwrite(text, 1, length, w->file) != length)
        fail(w);
}

static void separate(csv_writer *w) {
    if (w->field++)
        put(w, ",", 1);
}

void csv_text(csv_writer *w, const char *text) {
    separate(w);
    if (!text)
        return;
    if (!text[strcspn(text, ",\"\r\n")]) {
        put(w, text, strlen(text));
        return;
    }
    put(w, "\"", 1);
    while (*text) {
        const size_t run = strcspn(text, "\"");
        put(w, text, run);
        text += run;
        if (*text) {
            put(w, "\"\"", 2);
            text++;
        }
    }
    put(w, "\"", 1);
}

// A formatted number, always with '.' as the decimal point.
static __attribute__((format(printf, 2, 3))) void number(csv_writer *w, const char *format, ...) {
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0) {
        fail(w);
        return;
    }
    locale_t previous = uselocale(c_locale);
    char text[64];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    uselocale(previous);
    freelocale(c_locale);
    separate(w);
    if (length > 0 && (size_t)length < sizeof text) {
        put(w, text, (size_t)length);
    } else {
        errno = EOVERFLOW;
        fail(w);
    }
}

void csv_size(csv_writer *w, size_t value) { number(w, "%zu", value); }
void csv_int(csv_writer *w, long long value) { number(w, "%lld", value); }

void csv_real(csv_writer *w, double value, int significant) {
    if (isnan(value))
        csv_empty(w);
    else if (isinf(value))
        csv_text(w, value > 0 ? "INF" : "-INF"); // the spelling of Table Schema
    else
        number(w, "%.*g", significant, value);
}

void csv_empty(csv_writer *w) { separate(w); }

int csv_end(csv_writer *w) {
    put(w, "\n", 1);
    w->field = 0;
    errno = 0;
    if (fflush(w->file) != 0)
        fail(w);
    return w->error;
}

int csv_close(csv_writer *w) {
    if (!w->file)
        return w->error;
    errno = 0;
    if ((w->file == stdout ? fflush(w->file) : fclose(w->file)) != 0)
        fail(w);
    w->file = NULL;
    return w->error;
}

// ---- Reader

// The parser's state: fields are unquoted in place, in the buffer, and collected in one growing array.
typedef struct {
    char **fields;
    size_t count;
    size_t line; // being read, from 1
    char *message;
    size_t size;
} parser;

#define COMPLAIN(p, ...) (refuse((p)->message, (p)->size, __VA_ARGS__), -1)

static int add_field(parser *p, char *field) {
    char **const fields = list_more(p->fields, p->count, sizeof *fields);
    if (!fields)
        return ENOMEM;
    p->fields = fields;
    fields[p->count++] = field;
    return 0;
}

// Unquotes the field at *cursor in place, tells in *end what ended it (',', '\n' or, at the end of the file, NUL) and
// moves *cursor beyond that.
static int take_field(parser *p, char **cursor, char *end) {
    char *from = *cursor, *to = from;
    int error = add_field(p, to);
    if (error)
        return error;
    if (*from == '"') {
        const size_t opened = p->line;
        for (from++; *from && (*from != '"' || from[1] == '"'); from++) {
            p->line += *from == '\n';
            from += *from == '"';
            *to++ = *from;
        }
        // A row that was cut off ends in the line in which it ends; a stray quote takes all that follows for its field.
        if (*from == '\0' && p->line != opened)
            return COMPLAIN(p, "line %zu: a quoted field that is never closed", opened);
        from += *from == '"';
        from += *from == '\r' && from[1] == '\n';
        if (*from && *from != ',' && *from != '\n')
            return COMPLAIN(p, "line %zu: text after the closing quote of a field", p->line);
    } else {
        from += strcspn(from, ",\n\"");
        if (*from == '"')
            return COMPLAIN(p, "line %zu: a quote inside a field that does not begin with one", p->line);
        to = *from == '\n' && from > *cursor && from[-1] == '\r' ? from - 1 : from;
        if (*from != '\0' && memchr(*cursor, '\r', (size_t)(to - *cursor)) != NULL)
            return COMPLAIN(p, "line %zu: a carriage return that ends no line", p->line);
    }
    *end = *from;
    *to = '\0';
    *cursor = from + (*end != '\0');
    return 0;
}

// Splits the buffer into rows of equal width; leaves out a last line without an end.
static int parse(parser *p, csv_table *t) {
    p->line = 1;
    for (char *cursor = t->buffer; *cursor; p->line++) {
        const size_t first_line = p->line, before = p->count;
        char end = ',';
        while (end == ',') {
            const int error = take_field(p, &cursor, &end);
            if (error)
                return error;
        }
        if (end == '\0') {
            t->truncated = true;
            p->count = before;
            return 0;
        }
        const size_t width = p->count - before;
        if (t->column_count == 0)
            t->column_count = width;
        else if (width != t->column_count)
            return COMPLAIN(p, "line %zu: %zu field%s, header has %zu", first_line, width, width == 1 ? "" : "s",
                            t->column_count);
    }
    return 0;
}

// Makes rows of the buffer; of one that fails nothing is left.
static int take_rows(parser *p, csv_table *t) {
    int error = parse(p, t);
    if (!error && t->column_count == 0)
        error = COMPLAIN(p, "no complete header line");
    if (!error) {
        t->row_count = p->count / t->column_count - 1;
        t->rows = malloc((t->row_count + 1) * sizeof *t->rows);
        error = t->rows ? 0 : ENOMEM;
    }
    t->header = p->fields; // the header's fields are the first of the one array that holds them all
    if (error) {
        csv_free(t);
        return error;
    }
    for (size_t i = 0; i < t->row_count; i++)
        t->rows[i] = p->fields + (i + 1) * t->column_count;
    return 0;
}

int csv_read(csv_table *t, const char *path, char *message, size_t size) {
    *t = (csv_table){0};
    parser p = {.message = message, .size = size};
    size_t length = 0;
    int error = packed_read(path, &t->buffer, &length, message, size);
    if (error)
        return error;
    if (strlen(t->buffer) != length)
        error = COMPLAIN(&p, "a NUL byte after %zu bytes: not a text file, or damaged", strlen(t->buffer));
    if (error) {
        csv_free(t);
        return error;
    }
    return take_rows(&p, t);
}

int csv_take(csv_table *t, const char *text, char *message, size_t size) {
    *t = (csv_table){0};
    parser p = {.message = message, .size = size};
    t->buffer = strdup(text);
    return t->buffer ? take_rows(&p, t) : ENOMEM;
}

void csv_free(csv_table *t) {
    free(t->rows);
    free(t->header);
    free(t->buffer);
    *t = (csv_table){0};
}

int csv_column(const csv_table *t, const char *name) {
    for (size_t i = 0; i < t->column_count; i++)
        if (strcmp(t->header[i], name) == 0)
            return (int)i;
    return -1;
}
