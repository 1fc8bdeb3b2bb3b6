// SPDX-License-Identifier: MIT
// peer_ratio.h: what PyTorch itself takes where a run has timed ours: a row of peers.csv, which `make peers` leaves in
// the run's folder.
#ifndef PEER_RATIO_H
#define PEER_RATIO_H

#include "base/stats.h"
#include "tables.h"

typedef struct {
    table_row row; // of none: there is no such row, and no value
    stats_interval value;
    const char *why; // why there is none, of a run with a peers.csv; NULL: there is one, or the run has none
} peer_ratio;

// PyTorch's time of the subject's op over that of the baseline's: op by op where the subject is of form eager or
// framework, compiled where it is fused. Both are rows of kernels.csv or of layers.csv; the row has their shape, dtype,
// pass, threads and machine, on warm caches. A variant that PyTorch has not, such as one with other stores or another
// tanh than the default, has no peer, and neither has training, whose passes are timed one by one.
peer_ratio peer_ratio_find(const run_tables *run, table_row subject, table_row baseline);

// In words: the version, without what follows a +; "op by op" or "compiled"; of the heap, after a comma, what is
// unusual.
const char *peer_ratio_version(const peer_ratio *p, char *text, size_t size);
const char *peer_ratio_how(const peer_ratio *p);
const char *peer_ratio_heap(const peer_ratio *p);

#endif
