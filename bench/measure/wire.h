// SPDX-License-Identifier: MIT
// wire.h: what the process of a launch tells its parent, one line each: "WORD AT COUNT NUMBER TEXT", and samples as
// "sample ITEM INDEX ORDER CALLS QUANTITY...". Strictly parsed: a line that begins with such a word and goes on as none
// does is of a broken process. Lines that begin with another are not ours: libraries may print.
#ifndef WIRE_H
#define WIRE_H

#include <stddef.h>

#include "sample.h"
#include "subject.h"

// AT is a group or an item; COUNT, NUMBER and TEXT are what the comment says, else 0 and empty.
#define WIRE_LIST(X)                                                                                                   \
    X(GROUP, group)           /* a group begins; TEXT: the PUs that its threads are bound to */                        \
    X(PREPARED, prepared)     /* a group is made ready; NUMBER: in so many seconds */                                  \
    X(VERIFIED, verified)     /* an item; COUNT: 1 if it is right; NUMBER: its largest error; TEXT: what is wrong */   \
    X(MORE, more)             /* what else is to be known of an item (schedule_kind.take_more): TEXT */                \
    X(CALIBRATED, calibrated) /* an item; COUNT: calls of a sample; NUMBER: ns of a call; TEXT: planned.note */        \
    X(TRYING, trying)         /* an item of others begins to be TEXT: what ends the process now is its doing */        \
    X(TRIED, tried)           /* and it has ended; a sample of it says so, too */                                      \
    X(SKIPPED, skipped)       /* a group; TEXT: why */                                                                 \
    X(MOVED, moved)           /* a group ends; COUNT: threads that are bound elsewhere than when it began */
#define WIRE_ROW(ID, name) WIRE_##ID,
typedef enum { WIRE_LIST(WIRE_ROW) WIRE_SAMPLE, WIRE_OTHER, WIRE_BROKEN } wire_word;
#undef WIRE_ROW

// Gives the wire, which is standard output, to these two alone: what others print there goes nowhere.
void wire_begin(void);
void wire_tell(wire_word word, size_t at, size_t count, double number, const char *text);
void wire_tell_sample(const subject *s, const observation *o);

typedef struct {
    wire_word word;
    size_t at, count;
    double number;
    const char *text;   // within the line
    observation sample; // of WIRE_SAMPLE; its list is whoever's reads it, its launch not told
} wire_message;
// Reads a line that a worker told of this subject's plan; the line is cut up.
wire_message wire_read(const subject *s, char *line);

#endif
