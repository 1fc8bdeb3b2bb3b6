// SPDX-License-Identifier: MIT
// ab_plan.h: what `normbench ab` measures: rows, each a cell on both sides.
#ifndef AB_PLAN_H
#define AB_PLAN_H

#include "ab_sides.h"
#include "cell.h"
#include "schedule.h"

// ROW: judged. CONTROL: of a kernel whose code is the same on both sides, timed all the same, for whatever it shows is
// the measurement's. IDENTICAL: likewise, but not timed, for it cannot differ. SENTINEL: a kernel of the program
// itself, on both sides the same function.
#define AB_ROLE_LIST(X) X(ROW, row) X(CONTROL, control) X(IDENTICAL, identical) X(SENTINEL, sentinel)
#define AB_ROLE_ID(ID, name) AB_##ID,
typedef enum { AB_ROLE_LIST(AB_ROLE_ID) AB_ROLES } ab_role;
#undef AB_ROLE_ID
const char *ab_role_name(ab_role role);

// What an item is beside what it times.
typedef struct {
    ab_role role;
    ab_side side;
    double inject_pct; // so much more work than was asked for is done of it, to see whether that is found
} ab_which;

// An item: its schedule_kind hands it to what times cells, so the cell stands first.
typedef struct {
    cell cell;
    ab_which which;
} ab_item;

// planned.note of rows that are measured again: the first launch of those that confirm.
typedef struct {
    schedule schedule;
} ab_plan;
extern const schedule_kind ab_plan_kind;
// Role, side, inject_pct; and reading them. false: they are none.
enum { AB_WHICH_COLUMNS = 3 };
extern const table_column ab_which_columns[AB_WHICH_COLUMNS];
bool ab_which_read(const csv_table *t, size_t row, ab_which *which);
void ab_which_describe(const ab_which *which, char *text, size_t size); // behind what the text says
extern const column_type column_ab_role;
#define AB_ROLE_MEANING                                                                                                \
    "row: judged. control: the same machine code on both sides, timed to see what the measurement shows of it. "       \
    "identical: the same machine code, not timed. sentinel: a kernel of the program itself, on both sides the same "   \
    "function."
static inline const ab_item *ab_items(const ab_plan *p) { return p->schedule.names; }

// How many rows may be controls where code is the same; `identical` says whether it is.
enum { AB_CONTROLS = 12 };
typedef bool ab_identical(const norm_impl *base, const norm_impl *candidate);
// Some of what is identical is timed all the same: as many of them as may be, evenly over the plan.
void ab_choose_controls(schedule *s, ab_which *(*which_of)(schedule *s, size_t item));

// The rows of a selection, of all implementations that both sides have: those that are not selected by name as plan.h
// takes them. Every group gets sentinels. every: also rows that are identical are judged. false if memory ran out.
bool ab_plan_make(ab_plan *p, const selection *s, const topology *t, ab_identical *identical, bool every);
// What is selected where nothing is: see ab_plan.c. false with a message.
bool ab_plan_defaults(selection *s, const topology *t, char error[SELECT_ERROR_SIZE]);
// Implementations that are selected and that only this side has.
size_t ab_plan_alone(const selection *s, ab_side side, const norm_impl **first);
// Makes the candidate slower, with real work, in rows that are judged and whose cell_name contains a text: each by one
// of some percentages, which are dealt out evenly, by lot. Returns how many rows; 0, too, if memory ran out.
enum { AB_INJECTED_PCTS = 16 };
typedef struct {
    const char *text;
    double pct[AB_INJECTED_PCTS];
    size_t count;
} ab_injection;
// To find how much work that is, a launch takes the median of so many samples, without it, and in so many steps both
// without and with it.
enum { AB_INJECT_SAMPLES = 3, AB_INJECT_STEPS = 3 };
size_t ab_plan_inject(ab_plan *p, const ab_injection *i, uint64_t seed);

#endif
