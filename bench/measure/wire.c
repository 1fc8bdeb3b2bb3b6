// SPDX-License-Identifier: MIT
// wire.c: see wire.h.
#include "wire.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"

#define NAME(ID, name) #name,
static const char *const words[WIRE_OTHER] = {WIRE_LIST(NAME) "sample"};
#define NOTHING "-" // a number that there is not

// ---- Telling

static FILE *wire; // NULL: standard output

void wire_begin(void) {
    const int own = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1),
              none = open("/dev/null", O_WRONLY | O_CLOEXEC);
    FILE *const file = own < 0 || none < 0 ? NULL : fdopen(own, "w");
    if (file == NULL || dup2(none, STDOUT_FILENO) < 0)
        return; // others' words are then told apart by their beginnings
    (void)close(none);
    (void)setvbuf(file, NULL, _IOLBF, 1 << 16);
    wire = file;
}

static FILE *out(void) { return wire != NULL ? wire : stdout; }

// What can be left out and is beyond all belief is left out: such a reading was disturbed.
static double believed(const sample_quantity *q, double value) {
    return q->required || (value >= q->least && value <= q->most) ? value : (double)NAN;
}

static void put_number(char before, double value, int digits) {
    if (isnan(value))
        fprintf(out(), "%c" NOTHING, before);
    else
        fprintf(out(), "%c%.*g", before, digits, value);
}

void wire_tell(wire_word word, size_t at, size_t count, double number, const char *text) {
    fprintf(out(), "%s %zu %zu", words[word], at, count);
    put_number(' ', number, 9);
    fprintf(out(), " %s\n", text);
}

void wire_tell_sample(const subject *s, const observation *o) {
    fprintf(out(), "%s %zu %zu %zu %zu", words[WIRE_SAMPLE], o->item, o->index, o->order, o->calls);
    for (size_t id = 0; id < SAMPLE_OWN + s->quantity_count; id++) {
        const sample_quantity *const q = subject_quantity(s, id);
        if (q->type != SAMPLE_LIST)
            put_number(' ', believed(q, o->sample.value[id]), q->digits);
        for (size_t i = 0; q->type == SAMPLE_LIST && i < o->sample.list_length; i++)
            put_number(' ', o->sample.list[i], q->digits);
    }
    fputc('\n', out());
}

// ---- Reading

// The next word of a line, "" at its end; the rest begins behind the one space after it.
static char *next_word(char **rest) {
    char *const word = *rest, *const space = strchr(word, ' ');
    *rest = space != NULL ? space + 1 : word + strlen(word);
    if (space != NULL)
        *space = '\0';
    return word;
}

static bool take_count(char **rest, size_t *count) { return parse_size(next_word(rest), count); }

static bool take_number(char **rest, double *number) {
    const char *const word = next_word(rest);
    *number = strcmp(word, "inf") == 0 ? (double)INFINITY : (double)NAN;
    return isinf(*number) || strcmp(word, NOTHING) == 0 || parse_real(word, number);
}

static bool take_quantity(char **rest, const sample_quantity *q, double *value) {
    return take_number(rest, value) && (isnan(*value) ? !q->required : *value >= q->least && *value <= q->most);
}

static bool take_list(char **rest, const sample_quantity *q, size_t length, sample *s) {
    s->list = malloc((length + 1) * sizeof *s->list);
    bool ok = s->list != NULL;
    for (s->list_length = 0; ok && s->list_length < length; s->list_length += ok)
        ok = take_quantity(rest, q, &s->list[s->list_length]);
    return ok;
}

static bool take_sample(const subject *s, char *rest, observation *o) {
    const schedule *const p = s->schedule;
    bool ok = take_count(&rest, &o->item) && o->item < p->count && take_count(&rest, &o->index) &&
              take_count(&rest, &o->order) && take_count(&rest, &o->calls);
    for (size_t id = 0; ok && id < SAMPLE_OWN + s->quantity_count; id++) {
        const sample_quantity *const q = subject_quantity(s, id);
        o->sample.value[id] = NAN;
        ok = q->type == SAMPLE_LIST ? take_list(&rest, q, p->kind->list_length(p, o->item), &o->sample)
                                    : take_quantity(&rest, q, &o->sample.value[id]);
    }
    if (ok && *rest == '\0')
        return true;
    free(o->sample.list);
    return false;
}

static bool is_of_group(wire_word word) {
    return word == WIRE_GROUP || word == WIRE_PREPARED || word == WIRE_SKIPPED || word == WIRE_MOVED;
}

wire_message wire_read(const subject *s, char *line) {
    wire_message m = {0};
    const size_t length = strcspn(line, " ");
    while (m.word < WIRE_OTHER && (strncmp(line, words[m.word], length) != 0 || words[m.word][length] != '\0'))
        m.word++;
    if (m.word == WIRE_OTHER)
        return m;
    char *rest = line + length + (line[length] == ' ');
    bool ok;
    if (m.word == WIRE_SAMPLE) {
        ok = take_sample(s, rest, &m.sample);
    } else {
        ok = take_count(&rest, &m.at) && m.at < (is_of_group(m.word) ? s->schedule->groups : s->schedule->count) &&
             take_count(&rest, &m.count) && take_number(&rest, &m.number);
        m.text = rest;
    }
    if (!ok)
        m.word = WIRE_BROKEN;
    return m;
}
