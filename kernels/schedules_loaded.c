// SPDX-License-Identifier: MIT
// schedules_loaded.c: see schedules_loaded.h. A file is taken whole or not at all.
#include "schedules_loaded.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#ifndef NORM_SOURCES
#define NORM_SOURCES "unknown" // the Makefile says it: a sum over sources and flags
#endif

// ---- What a file is of

const char *norm_build(void) {
    // Commas and quotes would be a CSV's own.
    static char build[128];
    if (build[0] == '\0') {
#ifdef __clang__
        snprintf(build, sizeof build, "clang %d.%d %s", __clang_major__, __clang_minor__, NORM_SOURCES);
#else
        snprintf(build, sizeof build, "gcc %d.%d %s", __GNUC__, __GNUC_MINOR__, NORM_SOURCES);
#endif
    }
    return build;
}

const char *norm_cpu(void) {
    static char cpu[64];
    if (cpu[0] == '\0') {
#if defined(__x86_64__)
        unsigned a = 0, b = 0, c = 0, d = 0;
        char vendor[3 * sizeof b + 1] = "";
        if (__get_cpuid(0, &a, &b, &c, &d)) {
            memcpy(vendor, &b, sizeof b);
            memcpy(vendor + sizeof b, &d, sizeof d);
            memcpy(vendor + 2 * sizeof b, &c, sizeof c);
        }
        (void)__get_cpuid(1, &a, &b, &c, &d);
        snprintf(cpu, sizeof cpu, "%s %x", vendor, a & 0xfff3fff); // without what is reserved
#else
        snprintf(cpu, sizeof cpu, "unknown");
#endif
    }
    return cpu;
}

// ---- Classes

#define NAME(ID, name) #name,
static const char *const size_names[] = {NORM_SIZE_CLASS_LIST(NAME)};
static const char *const width_names[] = {NORM_WIDTH_CLASS_LIST(NAME)};
#undef NAME
const char *norm_size_class_name(norm_size_class size) { return size < NORM_SIZE_CLASSES ? size_names[size] : NULL; }
const char *norm_width_class_name(norm_width_class width) {
    return width < NORM_WIDTH_CLASSES ? width_names[width] : NULL;
}

norm_size_class norm_size_class_of(const norm_impl *impl, norm_pass pass, size_t rows, size_t cols,
                                   const norm_caches *caches) {
    const size_t tensors = (pass == NORM_FORWARD ? 2 : 3) + (impl->form == NORM_ADD_FUSED ? 2 - (size_t)pass : 0);
    const size_t bytes = tensors * rows * cols * norm_dtype_bytes(impl->dtype);
    unsigned size = NORM_SIZE_L1;
    while (size < NORM_SIZE_MEMORY && bytes > caches->bytes[size])
        size++;
    return (norm_size_class)size;
}

norm_width_class norm_width_class_of(const norm_impl *impl, norm_size_class size, size_t cols) {
    enum { PAGE = 4096, NARROW = 8192 };
    const size_t bytes = cols * norm_dtype_bytes(impl->dtype);
    const bool pages = bytes % PAGE == 0 && size != NORM_SIZE_MEMORY;
    return bytes <= NARROW ? (pages ? NORM_WIDTH_NARROW_PAGES : NORM_WIDTH_NARROW)
                           : (pages ? NORM_WIDTH_WIDE_PAGES : NORM_WIDTH_WIDE);
}

// ---- The table

enum { FORMS = NORM_ADD_FUSED + 1, MOST = 4096, NAME_SIZE = 32 };

typedef struct {
    norm_schedule schedule;
    char base[NAME_SIZE];
    uint16_t next; // of another base; 0: none
} entry;
typedef struct {
    norm_caches caches;
    size_t count;
    entry entries[MOST + 1]; // the first stands for none
    uint16_t first[NORM_OPS][FORMS][NORM_DTYPES][NORM_LEVELS][2][NORM_PASSES][NORM_SIZE_CLASSES][NORM_WIDTH_CLASSES];
} table;

bool schedules_loaded;
static table *now;

const norm_schedule *schedules_loaded_for(const norm_impl *impl, norm_pass pass, size_t rows, size_t cols,
                                          int threads) {
    if (threads != 1 || impl->form > NORM_ADD_FUSED || impl->form == NORM_EAGER || impl->level >= NORM_LEVELS ||
        impl->base == NULL)
        return NULL;
    const norm_size_class size = norm_size_class_of(impl, pass, rows, cols, &now->caches);
    const norm_width_class width = norm_width_class_of(impl, size, cols);
    unsigned at = now->first[impl->op][impl->form][impl->dtype][impl->level][impl->streams][pass][size][width];
    while (at != 0 && strcmp(now->entries[at].base, impl->base) != 0)
        at = now->entries[at].next;
    return at == 0 ? NULL : &now->entries[at].schedule;
}

void norm_schedules_forget(void) {
    schedules_loaded = false;
    free(now);
    now = NULL;
}

// ---- Reading

#define FIELD_LIST(X)                                                                                                  \
    X(schema_version)                                                                                                  \
    X(entry)                                                                                                           \
    X(entries)                                                                                                         \
    X(cpu)                                                                                                             \
    X(build)                                                                                                           \
    X(l1_bytes)                                                                                                        \
    X(l2_bytes) X(l3_bytes) X(op) X(base) X(form) X(level) X(dtype) X(streams) X(pass) X(size) X(width) X(schedule)
#define FIELD_ID(name) FIELD_##name,
#define FIELD_NAME(name) #name,
enum { FIELD_LIST(FIELD_ID) FIELDS };
static const char *const field_names[] = {FIELD_LIST(FIELD_NAME)};

enum { SCHEMA = 1, COLUMNS = 64, LARGEST = 1 << 21 };

typedef struct {
    const char *path;
    char *why;
    table *to;
    size_t column[FIELDS], columns, line, lines;
    char *fields[COLUMNS]; // of the line that is read
} reader;

#define MEND "; run `normbench tune` for a new one"
static __attribute__((format(printf, 2, 3))) bool refuse(const reader *in, const char *format, ...) {
    va_list arguments;
    int used = snprintf(in->why, NORM_SCHEDULES_WHY, "%.200s", in->path);
    used += in->line > 0 ? snprintf(in->why + used, NORM_SCHEDULES_WHY - (size_t)used, " line %zu: ", in->line)
                         : snprintf(in->why + used, NORM_SCHEDULES_WHY - (size_t)used, ": ");
    va_start(arguments, format);
    vsnprintf(in->why + used, NORM_SCHEDULES_WHY - (size_t)used, format, arguments);
    va_end(arguments);
    return false;
}

static const char *field(const reader *in, int which) { return in->fields[in->column[which]]; }

static bool is_number(const char *text, size_t *out) {
    char *end;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 10);
    *out = (size_t)value;
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && value <= SIZE_MAX;
}

static bool number(const reader *in, int which, size_t *out) {
    return is_number(field(in, which), out) ||
           refuse(in, "%s \"%.40s\" is no whole number" MEND, field_names[which], field(in, which));
}

typedef const char *naming(unsigned index);
static const char *op_at(unsigned i) { return i < NORM_OPS ? norm_op_name((norm_op)i) : NULL; }
static const char *form_at(unsigned i) { return i < FORMS ? norm_form_name((norm_form)i) : NULL; }
static const char *level_at(unsigned i) { return i < NORM_LEVELS ? norm_level_name((norm_level)i) : NULL; }
static const char *dtype_at(unsigned i) { return i < NORM_DTYPES ? norm_dtype_name((norm_dtype)i) : NULL; }
static const char *pass_at(unsigned i) { return i < NORM_PASSES ? norm_pass_name((norm_pass)i) : NULL; }
static const char *size_at(unsigned i) { return norm_size_class_name((norm_size_class)i); }
static const char *width_at(unsigned i) { return norm_width_class_name((norm_width_class)i); }

static bool name(const reader *in, int which, naming *at, unsigned *out) {
    for (*out = 0; at(*out) != NULL; ++*out)
        if (strcmp(at(*out), field(in, which)) == 0)
            return true;
    return refuse(in, "there is no %s \"%.40s\" here" MEND, field_names[which], field(in, which));
}

// Cuts a line up in place. Nothing that is written to such a file needs quotes.
static bool cut(reader *in, char *line) {
    size_t count = 0;
    if (strchr(line, '"') != NULL)
        return refuse(in, "has quotes, which no tune.csv has: it was edited" MEND);
    for (char *at = line; at != NULL && count < COLUMNS; count++) {
        in->fields[count] = at;
        at = strchr(at, ',');
        if (at != NULL)
            *at++ = '\0';
    }
    if (in->columns == 0)
        in->columns = count;
    return count == in->columns || refuse(in, "has %zu fields, and the header %zu" MEND, count, in->columns);
}

static bool take_header(reader *in, char *line) {
    if (!cut(in, line))
        return false;
    for (int i = 0; i < FIELDS; i++) {
        in->column[i] = 0;
        while (in->column[i] < in->columns && strcmp(in->fields[in->column[i]], field_names[i]) != 0)
            in->column[i]++;
        if (in->column[i] == in->columns)
            return refuse(in, "lacks the column %s: it is no tune.csv of this version" MEND, field_names[i]);
    }
    return true;
}

// What all rows have in common.
static bool check_common(reader *in) {
    size_t schema, at, all;
    if (!number(in, FIELD_schema_version, &schema) || !number(in, FIELD_entry, &at) || !number(in, FIELD_entries, &all))
        return false;
    if (schema != SCHEMA)
        return refuse(in, "is of version %zu, and this program has %d" MEND, schema, SCHEMA);
    if (strcmp(field(in, FIELD_cpu), norm_cpu()) != 0)
        return refuse(in, "is of the CPU \"%.40s\", and this is \"%s\"" MEND, field(in, FIELD_cpu), norm_cpu());
    if (strcmp(field(in, FIELD_build), norm_build()) != 0)
        return refuse(in, "is of the build \"%.60s\", and this is \"%s\"" MEND, field(in, FIELD_build), norm_build());
    if (all != in->lines || at != in->line - 1)
        return refuse(in, "is row %zu of %zu, and stands as row %zu of %zu: the file was cut off or edited" MEND, at,
                      all, in->line - 1, in->lines);
    for (unsigned i = 0; i < NORM_SIZE_MEMORY; i++) {
        size_t bytes;
        if (!number(in, FIELD_l1_bytes + (int)i, &bytes))
            return false;
        if (in->line > 2 && in->to->caches.bytes[i] != bytes)
            return refuse(in, "has other caches than the rows before: the file was edited" MEND);
        in->to->caches.bytes[i] = bytes;
    }
    return true;
}

static bool take_row(reader *in, char *line) {
    unsigned op, form, level, dtype, pass, size, width;
    size_t streams;
    norm_schedule schedule = {0};
    if (!cut(in, line) || !check_common(in) || !name(in, FIELD_op, op_at, &op) ||
        !name(in, FIELD_form, form_at, &form) || !name(in, FIELD_level, level_at, &level) ||
        !name(in, FIELD_dtype, dtype_at, &dtype) || !name(in, FIELD_pass, pass_at, &pass) ||
        !name(in, FIELD_size, size_at, &size) || !name(in, FIELD_width, width_at, &width) ||
        !number(in, FIELD_streams, &streams))
        return false;
    const char *const base = field(in, FIELD_base), *const word = field(in, FIELD_schedule);
    if (streams > 1 || strlen(base) >= NAME_SIZE)
        return refuse(in, "streams %zu, base \"%.40s\": there is no such kernel" MEND, streams, base);
    if (strcmp(word, "default") == 0)
        return true;
    if (!norm_schedule_parse(word, &schedule))
        return refuse(in, "\"%.60s\" is no schedule" MEND, word);
    uint16_t *const first = &in->to->first[op][form][dtype][level][streams][pass][size][width];
    for (unsigned at = *first; at != 0; at = in->to->entries[at].next)
        if (strcmp(in->to->entries[at].base, base) == 0)
            return refuse(in, "says a second time how the same calls go: the file was edited" MEND);
    entry *const own = &in->to->entries[++in->to->count];
    own->schedule = schedule;
    memcpy(own->base, base, strlen(base) + 1);
    own->next = *first;
    *first = (uint16_t)in->to->count;
    return true;
}

// All of a text, which is cut up. false with a reason.
static bool take(reader *in, char *text, size_t length) {
    if (length == 0 || text[length - 1] != '\n' || memchr(text, '\0', length) != NULL)
        return refuse(in, "is cut off: its last line has no end" MEND);
    for (size_t i = 0; i < length; i++)
        in->lines += text[i] == '\n';
    if (--in->lines > MOST || in->lines == 0)
        return refuse(in, "has %zu rows, and 1 to %d are expected" MEND, in->lines, MOST);
    for (char *line = text, *end; *line != '\0'; line = end) {
        end = strchr(line, '\n') + 1;
        end[-1] = '\0';
        if (end - line > 1 && end[-2] == '\r')
            end[-2] = '\0';
        if (!(++in->line == 1 ? take_header(in, line) : take_row(in, line)))
            return false;
    }
    return true;
}

static bool read_file(reader *in, char *text, size_t *length) {
    FILE *const file = fopen(in->path, "rb");
    if (file == NULL)
        return refuse(in, "cannot be read: %s", strerror(errno));
    *length = fread(text, 1, LARGEST + 1, file);
    const bool failed = ferror(file) != 0;
    (void)fclose(file);
    if (failed || *length > LARGEST)
        return refuse(in, failed ? "cannot be read" : "is too long for a tune.csv" MEND);
    text[*length] = '\0';
    return true;
}

bool norm_schedules_load(const char *path, char why[NORM_SCHEDULES_WHY]) {
    size_t length = 0;
    char *const text = malloc(LARGEST + 2);
    reader in = {.path = path, .why = why, .to = calloc(1, sizeof *in.to)};
    bool ok = text != NULL && in.to != NULL;
    if (!ok)
        (void)refuse(&in, "cannot be read: out of memory");
    ok = ok && read_file(&in, text, &length) && take(&in, text, length);
    free(text);
    if (!ok) {
        free(in.to);
        return false;
    }
    norm_schedules_forget();
    now = in.to;
    schedules_loaded = true;
    return true;
}
