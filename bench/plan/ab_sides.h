// SPDX-License-Identifier: MIT
// ab_sides.h: the two libraries of kernels that `normbench ab` compares. Which they are stands in sides.csv of the
// run's folder, where the process of each launch finds them.
#ifndef AB_SIDES_H
#define AB_SIDES_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel_library.h"

typedef enum { AB_BASE, AB_CANDIDATE, AB_SIDES } ab_side;
const char *ab_side_name(ab_side side); // "base", "candidate"

typedef struct {
    char given[PATH_MAX];     // as it was asked for
    char commit[64];          // of a git:REF; else ""
    char library[PATH_MAX];   // what to load where nothing is linked anew; "" if it is linked
    char archive[PATH_MAX];   // of its objects, to be linked anew for each launch; "": there are none
    char links[PATH_MAX];     // the folder where it is linked
    char id[PROGRAM_ID_SIZE]; // a hash of the library or archive
    kernel_library *opened;   // NULL: not in this process
} ab_source;
ab_source *ab_source_of(ab_side side);

// How the run is judged, which a run that is taken up keeps.
typedef struct {
    char threshold_pct[32], group_pct[32]; // as parse_real reads them
    char waivers[PATH_MAX];                // a file, or ""
    char format[16];                       // in which it is told
    char layers[256];                      // the models in whose layers norms are compared; "": kernels are
} ab_settings;
ab_settings *ab_settings_here(void);

#define AB_SIDES_FILE "sides.csv"
// What a launch loads of a side.
void ab_launch_path(ab_side side, size_t launch, char path[PATH_MAX]);

// A files_writer of both sources. Reading: false with a reason.
int ab_sides_write(const void *nothing, const char *path);
bool ab_sides_read(const char *folder, char *why, size_t size);

// Opens a side's library. false with a reason.
bool ab_side_open(ab_side side, const char *path, char *why, size_t size);
void ab_sides_close(void);

// A side's implementation of these names, NULL if it has none; a norm_finder, whose source is an ab_side. The same as
// one of the other side.
const norm_impl *ab_side_find(const void *side, const char *op, const char *variant, const char *form,
                              const char *level, const char *dtype);
const norm_impl *ab_side_twin(ab_side side, const norm_impl *impl);

#endif
