// SPDX-License-Identifier: MIT
// law.h: what norms can take of a layer, by one number. I: operations of the layer's products per element that is
// normed, counted from its steps (layer_count). c: what a normed element costs, in operations that the products would
// do meanwhile: the norms' time per element times the products' rate, both measured. The norms' share is at most
//     1 / (1 + I / c)
// for what is neither norm nor product only lowers it. A layer's c is told by those of other models whose norms'
// tensors are nearest in size, for time per element goes with the cache that holds them: the median of LAW_NEAREST.
#ifndef LAW_H
#define LAW_H

#include <stdio.h>

#include "natives.h"
#include "results.h"

enum { LAW_NEAREST = 3 };

// A layer with its own norm, fused, in a run: a row of law.csv. Shares and changes are in percent.
typedef struct {
    const results *run;
    native_layer layer;
    size_t group;     // of law.groups
    double intensity; // I
    double cost;      // c, in this layer; NaN: not known
    double bound;     // by that
    double others;    // c of others: of the layers of its group's other models, the nearest; NaN: there is none
    double predicted; // by that; NaN likewise
} law_row;

// What rows must share for one's c to say something of another: run, phase, dtype and threads.
typedef struct {
    const law_row *first;
    size_t models;               // different ones
    double least, median, most;  // c; of a model's layers their median
    double furthest;             // from 1, of predicted over measured; NaN: nothing was predicted
    double norms_lo, norms_hi;   // DyT's change of the norms' time, over its rows, in percent
    double asked;                // the share of what was asked for, by the median; NaN: nothing was
    double asked_lo, asked_hi;   // by the least and the most
    double change_lo, change_hi; // what DyT could change there at most
} law_group;

typedef struct {
    law_row *rows; // of the runs in their order, group by group
    size_t count;
    law_group *groups;
    size_t group_count;
    double flops, normed; // asked for; 0: nothing was
} law;

// Borrows the runs. flops, normed: of a model that nobody timed; 0: none. false: no memory.
bool law_make(law *l, const results *runs, size_t count, double flops, double normed);
void law_free(law *l);

// For people: each layer, predicted from the others and measured; or the answer to what was asked.
void law_print(FILE *out, const void *what, bool markdown);

#endif
