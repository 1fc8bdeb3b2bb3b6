// SPDX-License-Identifier: MIT
// schedule.h: a plan as the engine sees it, whatever it measures: items in groups, what the pilot found out about each,
// how often it is sampled, what that takes; and plan.csv. What an item is, the plan knows that begins with its schedule
// (schedule_kind).
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/columns.h"
#include "budget.h"

// What the engine knows of an item.
typedef struct {
    size_t group;     // items of a group stand together
    size_t calls;     // per sample, the same for a family but for very slow items; 0 until calibrated
    size_t rounds;    // per launch, the same for the whole group; 0 until the pilot is done
    size_t launches;  // of the run's, the first so many have this item
    double ns;        // one call, by the pilot
    double prepare_s; // of the group, by the pilot: making it ready
    double max_error; // scaled, by the pilot; NaN until verified
    bool wrong;       // not to be timed
    char reason[160]; // why not
    char note[48];    // what else the pilot said of it
} planned;

typedef struct schedule schedule;

// What a plan brings. A name is what an item is: a cell, an arm.
typedef struct {
    const char *item, *items; // what a row of plan.csv is called, and several of them: "cell", "cells"
    size_t size;              // of a name
    bool deals;       // launches are dealt out by group, and preparations timed: plan.csv says how many and long
    const char *note; // the column of planned.note; NULL: none
    const column_part *names, *later; // the columns of a name; those that older files lack, at the end
    size_t name_count, later_count;   // parts of each
    bool (*read)(const csv_table *t, size_t row, void *name); // false: this program has no such
    int (*compare)(const void *a, const void *b);             // the order of a plan; 0: the same
    bool (*same_group)(const void *a, const void *b);         // these are sampled interleaved
    bool (*same_family)(const void *a, const void *b);        // ratios are made of these; NULL: of a whole group
    bool equal_calls;                                         // of a family, however much longer one of them takes
    void (*describe)(const void *name, char *text, size_t size);
    void (*describe_group)(const void *name, char *text, size_t size);
    double (*sample_seconds)(const schedule *s, size_t item); // with the untimed calls before it
    double (*prepare_seconds)(const schedule *s, size_t begin, size_t end, double round_s); // of a group, warm-up too
    // What else the pilot says of items, a line at a time, and the file that keeps it. NULL: nothing.
    const char *more;                                                            // its name
    bool (*take_more)(schedule *s, size_t item, const char *text);               // false: no memory, or no such thing
    int (*write_more)(const void *s, const char *path);                          // a files_writer
    int (*read_more)(schedule *s, const char *path, char *message, size_t size); // as schedule_read
    size_t (*list_length)(const schedule *s, size_t item);                       // of a sample's list
    void (*free_more)(schedule *s);
} schedule_kind;

struct schedule {
    const schedule_kind *kind;
    void *names; // `size` bytes for each item
    planned *items;
    size_t count, groups;
};

// To make one: its names in any order, and as often as it comes; then each stands once, in its group. false: no memory.
bool schedule_add(schedule *s, const void *name);
bool schedule_arrange(schedule *s);
void schedule_free(schedule *s); // of its kind it stays
const void *schedule_name(const schedule *s, size_t item);
// The columns that name an item, in a line that tells of items, and what stands in them of this one; and the later
// ones.
void schedule_write_header(csv_writer *w, const schedule *s);
void schedule_write_name(csv_writer *w, const schedule *s, size_t item);
void schedule_write_later_header(csv_writer *w, const schedule *s);
void schedule_write_later(csv_writer *w, const schedule *s, size_t item);
// The item of this name, s->count if it is none of this plan.
size_t schedule_find(const schedule *s, const void *name);

// Whether there is something to time: it was verified, calibrated and not found wrong.
bool schedule_times(const planned *item);
bool schedule_times_in(const planned *item, size_t launch); // and in this launch
// Items [*begin, *end) of a group; the end of the family that begins at items[begin].
void schedule_group(const schedule *s, size_t group, size_t *begin, size_t *end);
size_t schedule_family_end(const schedule *s, size_t begin);
// The items of a family get the same number of calls: what makes the fastest of them last long enough.
void schedule_agree_on_calls(schedule *s);

// What each group takes, for budget.h; NULL: no memory.
budget_group *schedule_costs(const schedule *s);
// Seconds that launch number `launch`, from 0, takes with rounds and launches as they are set.
double schedule_launch_seconds(const schedule *s, size_t launch);
// A lone item is there for its own sake, with nothing to compare it with, and to be known within 5 %: the launches of
// LLaMA 7B differ by 8 % (standard deviation), the samples of one by 10 %, which takes thirty launches of six samples.
// It counts for so many where time is dealt out.
enum { SCHEDULE_LONE_STAKE = 20 };

// More than these nobody asks for and no pilot finds: what a file says beyond them is damage, and would be measured for
// ever.
enum { PLAN_MOST_LAUNCHES = 1000, PLAN_MOST_ROUNDS = 1000, PLAN_MOST_CALLS = 1 << 24 };
#define PLAN_MOST_SAMPLE_NS 600e9 // of several calls; a single one takes what it takes
#define PLAN_MOST_NS 1e15

// plan.csv: what workers and --resume go by. 0 or a code of files_reason; reading: -1 with a message.
int schedule_write(const schedule *s, const char *path);
int schedule_read(schedule *s, const char *path, char *message, size_t size);
// Says that the last line of a file that has to be whole was cut off. -1.
int schedule_cut_off(const csv_table *t, char *message, size_t size);

#endif
