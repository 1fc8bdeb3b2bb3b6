// SPDX-License-Identifier: MIT
// sharded_table.c: sharded.csv, and what people are told of it.
#include "sharded_table.h"

#include <math.h>

#include "base/interval.h"
#include "measure/run.h"
#include "plan/cell.h"

enum { DIGITS = 6 };

COLUMN_WORDS(split, "hidden", "tokens", "whole")
COLUMN_WORDS(sharded_op, "rmsnorm", "layernorm", "dyt")

// A simulation is the same each time, and has no interval that would tell its digits.
static column_value median_of(const sharded_row *r, stats_interval i) {
    return r->spec.simulated ? value_real(i.median, DIGITS) : value_median(i);
}

#define ENDS(X, stem, type, unit, interval)                                                                            \
    X(OPTIONAL, stem##_lo95, type, unit, value_lower(interval),                                                        \
      "Lower end of its 95 % interval over launches; empty below six.")                                                \
    X(OPTIONAL, stem##_hi95, type, unit, value_upper(interval), "Upper end of the same interval.")

#define ROW sharded_row
#define COLUMNS(X)                                                                                                     \
    X(REQUIRED, machine_id, id, NULL, value_text(r->machine_id), "The machine that measured, or that ranks are like.") \
    X(REQUIRED, simulated, flag, NULL, value_size(r->spec.simulated),                                                  \
      "1 where SimGrid simulated network and clock, and a rank's own work takes local_ns.")                            \
    X(REQUIRED, split, split, NULL, value_text(shard_split_names[r->split]),                                           \
      "How the tensor is divided: hidden, each rank has some columns of all rows; tokens, some whole rows; whole, "    \
      "all "                                                                                                           \
      "of it, and does what the others do.")                                                                           \
    X(REQUIRED, op, sharded_op, NULL, value_text(shard_op_names[r->op]), "The op, in f32, forward.")                   \
    X(REQUIRED, rows, ordinal, "{row}", value_size(r->spec.rows), "Rows of the whole tensor: tokens.")                 \
    X(REQUIRED, cols, ordinal, "{column}", value_size(r->spec.cols), "Columns of the whole tensor: hidden size.")      \
    X(REQUIRED, ranks, ordinal, NULL, value_size(r->spec.ranks), "Ranks, each one process with one thread.")           \
    X(OPTIONAL, launches, ordinal, "{launch}", value_if(!r->spec.simulated, value_size(r->spec.launches)),             \
      "Times that all ranks were started. Empty: simulated, which is the same each time.")                             \
    X(OPTIONAL, allreduce, name, NULL, r->spec.simulated ? value_text(r->spec.allreduce) : value_empty(),              \
      "The algorithm, as SimGrid names it. Empty: what the MPI chose.")                                                \
    X(OPTIONAL, latency_ns, amount, "ns", value_real(r->spec.simulated ? r->spec.latency_ns : NAN, DIGITS),            \
      "Between any two hosts of the simulated network.")                                                               \
    X(OPTIONAL, bandwidth_gbs, amount, "GB/s", value_real(r->spec.simulated ? r->spec.bandwidth_gbs : NAN, DIGITS),    \
      "Of each host's link, each way.")                                                                                \
    X(REQUIRED, time_ns_median, amount, "ns", median_of(r, r->time), "Time of the norm on the slowest rank.")          \
    ENDS(X, time_ns, amount, "ns", r->time)                                                                            \
    X(REQUIRED, ratio_to_rmsnorm, amount, "1", median_of(r, r->ratio), "Over rmsnorm's, likewise divided.")            \
    ENDS(X, ratio, amount, "1", r->ratio)                                                                              \
    X(OPTIONAL, reduction_ns, amount, "ns", median_of(r, r->reduction),                                                \
      "Time of the all-reduce alone. Empty: the op needs none.")                                                       \
    ENDS(X, reduction, amount, "ns", r->reduction)                                                                     \
    X(OPTIONAL, local_ns, amount, "ns", value_real(r->local, 17),                                                      \
      "What a rank's own work takes, as one process measured it; of simulated rows.")                                  \
    X(OPTIONAL, reduction_least_ns, amount, "ns", value_real(sharded_least_ns(r), DIGITS),                             \
      "The least that such a network allows an all-reduce; docs/sharded.md has the formula. 0: it needs none.")        \
    X(OPTIONAL, error, amount, "1", value_real(r->error, 3),                                                           \
      "Largest error against whole rows in double, as a part of what is allowed. Empty: simulated.")
COLUMN_OWN_LIST(sharded_columns, COLUMNS)
COLUMN_TABLE(sharded, "sharded/sharded.csv",
             "One row per division, op and number of ranks: norms whose tensor lies on several ranks, as `normbench "
             "sharded` times or simulates them.",
             {run_columns, RUN_VERSION, NULL}, COLUMN_PART(sharded_columns))

static const char *in_us(char text[INTERVAL_TEXT], stats_interval ns, const char *none) {
    const stats_interval us = stats_scaled(ns, 1e-3);
    if (isnan(ns.median))
        return none;
    return isnan(ns.lo) ? interval_number(text, us.median, 2) : interval_text(text, &us, "", interval_decimals(&us));
}

static void print_row(FILE *out, const sharded_row *r, bool markdown) {
    char time[INTERVAL_TEXT], ratio[INTERVAL_TEXT] = "1", reduction[INTERVAL_TEXT];
    const char *const split = shard_split_names[r->split], *const op = shard_op_names[r->op];
    if (r->op != SHARD_RMSNORM)
        (void)(isnan(r->ratio.lo) ? interval_number(ratio, r->ratio.median, 2)
                                  : interval_text(ratio, &r->ratio, "", interval_decimals(&r->ratio)));
    if (markdown)
        fprintf(out, "| %zu%s | %s | %s | %s | %s | %s |\n", r->spec.ranks, r->spec.simulated ? ", simulated" : "",
                split, op, in_us(time, r->time, "-"), ratio, in_us(reduction, r->reduction, "-"));
    else
        fprintf(out, "  %-7s %-10s %-24s us  %-20s of rmsnorm's  %s%s\n", split, op, in_us(time, r->time, "-"), ratio,
                isnan(r->reduction.median) ? "" : "all-reduce, us: ", in_us(reduction, r->reduction, ""));
}

void sharded_print(FILE *out, const void *what, bool markdown) {
    const sharded_rows *const all = what;
    if (markdown)
        fputs("| ranks | split | op | time, us | over rmsnorm's | all-reduce, us |\n|---|---|---|---:|---:|---:|\n",
              out);
    for (size_t i = 0; i < all->count; i++) {
        const sharded_spec *const s = &all->rows[i].spec;
        if (!markdown && i % SHARDED_ROWS == 0) {
            fprintf(out, "%s%s%zux%zu on %zu ranks", i > 0 ? "\n" : "", s->simulated ? "SIMULATED: " : "", s->rows,
                    s->cols, s->ranks);
            if (s->simulated)
                fprintf(out, ", %g us and %g GB/s between hosts, all-reduce %s", s->latency_ns / 1e3, s->bandwidth_gbs,
                        s->allreduce);
            fputc('\n', out);
        }
        print_row(out, &all->rows[i], markdown);
    }
}
