// SPDX-License-Identifier: MIT
// presets.h: what is measured when nobody says what. A preset is a list of sweeps, each the data of one figure.
#ifndef PRESETS_H
#define PRESETS_H

#include <stdbool.h>
#include <stddef.h>

#include "cell.h"
#include "machine/topology.h"
#include "select.h"

// X(ID, name, launches, seconds): a first look of at most a minute; every figure but that of narrow rows, in at most
// five minutes; every form, level, dtype and pass at many shapes, in about an hour; narrow rows, of kernels alone; and
// the map, of layers alone, for the law (layers_plan.c).
#define PRESET_LIST(X)                                                                                                 \
    X(QUICK, quick, 6, 40)                                                                                             \
    X(DEFAULT, default, 15, 270)                                                                                       \
    X(FULL, full, 15, 3600)                                                                                            \
    X(NARROW, narrow, 9, 120)                                                                                          \
    X(MAP, map, 0, 0)
#define PRESET_ROW(ID, ...) PRESET_##ID,
typedef enum { PRESET_LIST(PRESET_ROW) PRESETS } preset;
#undef PRESET_ROW
const char *preset_name(preset p);

// Gives the cells of a preset that the selection does not rule out to `take`, sweep by sweep, whether they can run here
// or not. false as soon as `take` says so.
typedef bool preset_taker(void *context, const cell *c);
bool preset_cells(preset which, const selection *s, const topology *t, preset_taker *take, void *context);

#endif
