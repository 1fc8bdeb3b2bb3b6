// SPDX-License-Identifier: MIT
// tuned.h: the schedules that a run goes by: those that `normbench tune` found on this machine. A run keeps a copy in
// its folder, which its launches and whoever takes it up go by; one without goes by the defaults.
#ifndef TUNED_H
#define TUNED_H

#include <limits.h>

#include "run.h"

#define TUNED_FILE "tune.csv"

// Where the machine's file is: results/MACHINE/tune.csv, whose folder is made. false with a message.
bool tuned_make_place(const topology *t, char place[PATH_MAX], char *why, size_t size);

// Goes by the machine's file from now on; without one by the defaults. A file that cannot be taken is as none, and why
// is said on stderr.
void tuned_load(const topology *t);
// The same for a run that begins, in whose folder a copy is put. false with a message: it cannot be written.
bool tuned_begin(run *r, const topology *t, char error[RUN_ERROR_SIZE]);
// In a launch, or where a run is taken up: goes by what stands in its folder. false with a message.
bool tuned_join(const char *folder, char *why, size_t size);
// What of the folder's file is in effect, for the record: "default", or "tuned" and a sum over the file. Returns text.
enum { TUNED_TEXT = 32 };
const char *tuned_text(const char *folder, char text[TUNED_TEXT]);

#endif
