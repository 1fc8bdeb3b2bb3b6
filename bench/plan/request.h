// SPDX-License-Identifier: MIT
// request.h: what the timing commands can all be asked for: how long, how often, from which seed, into which folder.
#ifndef REQUEST_H
#define REQUEST_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli.h"
#include "plan.h"

// An interval of 95 % takes at least this many launches (stats_median_rank).
enum { REQUEST_MIN_LAUNCHES = 6, REQUEST_DEFAULT_LAUNCHES = 9 };

enum {
    REQUEST_PRESET,
    REQUEST_BUDGET,
    REQUEST_LAUNCHES,
    REQUEST_SEED,
    REQUEST_OUT,
    REQUEST_CSV,
    REQUEST_DRY_RUN,
    REQUEST_RESUME,
    REQUEST_NO_TUNE,
    REQUEST_LIVE,
    REQUEST_OPTIONS
};
// The rows of a command's option table; table: the CSV that it writes; launches: how many by default.
#define REQUEST_ROWS(table, launches, presets)                                                                         \
    REQUEST_PRESET_ROW(presets), REQUEST_RUN_ROWS(table, launches), REQUEST_NO_TUNE_ROW(REQUEST_NO_TUNE),              \
        REQUEST_LIVE_ROW
#define REQUEST_LIVE_ROW                                                                                               \
    [REQUEST_LIVE] = {"live", NULL,                                                                                    \
                      "say each ratio once its interval is narrow, and what is known of the row that runs, while it\n" \
                      "is measured; nothing is drawn for it while a sample is timed"}
#define REQUEST_NO_TUNE_ROW(at)                                                                                        \
    [at] = {"no-tune", NULL, "go by the default schedules, whatever `normbench tune` found on this machine"}
#define REQUEST_PRESET_ROW(presets)                                                                                    \
    [REQUEST_PRESET] = {"preset", "NAME",                                                                              \
                        presets "\n"                                                                                   \
                                "Without a preset, selectors are a cross product; without either, the preset is "      \
                                "default"}
#define REQUEST_RUN_ROWS(table, launches)                                                                              \
    [REQUEST_BUDGET] = {"budget", "TIME",                                                                              \
                        "measure no longer than about this, as in 40s or 5m: fewer rounds, then fewer launches"},      \
    [REQUEST_LAUNCHES] = {"launches", "N",                                                                             \
                          "fresh processes to measure in; 6 or more give 95 % intervals; default " launches},          \
    [REQUEST_SEED] = {"seed", "N", "of the inputs and of every random order; default from the clock, and recorded"},   \
    [REQUEST_OUT] = {"out", "DIR", "write the run there; default results/MACHINE/RUN"},                                \
    [REQUEST_CSV] = {"csv", "FILE",                                                                                    \
                     "write " table " there, `-` for stdout; without --out, nothing else of a\n"                       \
                     "whole run is kept, and of an interrupted one its samples"},                                      \
    [REQUEST_DRY_RUN] = {"dry-run", NULL, "say what would be measured and for how long, and stop"},                    \
    [REQUEST_RESUME] = {"resume", "DIR", "go on with an interrupted run, by the program that began it"}

typedef struct {
    preset preset;      // PRESETS: none
    double budget_s;    // 0: none
    size_t launches;    // 0: not given
    size_t dispatch_ns; // of kernels alone: what each operation of form framework waits
    uint64_t seed;
    bool seeded, dry_run, untuned, live;
    const char *out, *csv, *resume;
    char command[1024]; // as typed
} request;

// Takes one of the options above. false, after a message, if its value is wrong.
bool request_take(request *r, const cli_command *command, int option, const char *value);
// After the last option; selected: whether the command was given any other. Sets preset and seed where none was given.
// false, after a message, if the options contradict each other.
bool request_complete(request *r, const cli_command *command, bool selected);

// Makes SIGINT, SIGTERM and, but under nohup, SIGHUP count in what this returns, and SIGPIPE an error that a write
// tells. The third signal ends the program on the spot.
const volatile sig_atomic_t *request_signals(void);

// Whether there has been such a signal.
bool request_stopped(void);

// The command line as typed, for the record: in ASCII, with a question mark for whatever else there was.
void request_quote(int argc, char **argv, char *text, size_t size);

// Whether a CSV can be written there (NULL and "-" can), so that nothing is computed for one that cannot, and nothing
// is touched. false, after a message.
bool request_csv_writable(const cli_command *command, const char *path);

#endif
