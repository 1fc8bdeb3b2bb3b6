// SPDX-License-Identifier: MIT
// sharded.h: norms whose tensor lies on several ranks, timed by MPI on this machine, or simulated by SimGrid for many.
#ifndef SHARDED_H
#define SHARDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/stats.h"
#include "shards.h"

enum { SHARDED_ERROR = 800, SHARDED_MOST_RANKS = 65536 };

typedef struct {
    size_t rows, cols, ranks; // both divisible by the ranks
    size_t launches;          // processes started one after another
    uint64_t seed;
    // Of a simulated network: between any two hosts, each way.
    bool simulated;
    double latency_ns, bandwidth_gbs;
    const char *allreduce; // as SimGrid names it
} sharded_spec;

// One division and op. Times are ns: medians over launches, which of a simulation is one.
typedef struct {
    sharded_spec spec;
    const char *machine_id;
    shard_split split;
    shard_op op;
    stats_interval time, ratio; // of the whole norm; over rmsnorm's, likewise divided
    stats_interval reduction;   // alone; NaN: it needs none
    double local;               // of a rank's own work; NaN: not told apart
    double error;               // the largest, as a part of what is allowed; NaN: simulated
} sharded_row;
enum { SHARDED_ROWS = (int)SHARD_SPLITS * (int)SHARD_OPS };

// The least that an all-reduce takes of which each rank has so many bytes (Chan et al., 2007): each must hear of all
// others, in log2(ranks) steps, and send and receive nearly twice what it has. NaN where the network is not known.
double sharded_least_ns(const sharded_row *row);

// Starts the ranks, spec->launches times. false after a reason.
bool sharded_measure(const sharded_spec *spec, sharded_row rows[SHARDED_ROWS], char error[SHARDED_ERROR]);
// What one rank's own work takes: of each division, as one of spec->ranks.
bool sharded_measure_local(const sharded_spec *spec, double local[SHARD_SPLITS][SHARD_OPS], char error[SHARDED_ERROR]);
bool sharded_simulate(const sharded_spec *spec, double local[SHARD_SPLITS][SHARD_OPS], sharded_row rows[SHARDED_ROWS],
                      char error[SHARDED_ERROR]);

#endif
