// SPDX-License-Identifier: MIT
// `normbench sharded`: a norm whose tensor lies on several ranks, by MPI here or simulated for many hosts.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "commands.h"
#include "machine/machine.h"
#include "report/sharded_table.h"
#include "tell_rows.h"

enum { RANKS, SHAPE, LAUNCHES, SEED, HOSTS, ALLREDUCE, LATENCY, BANDWIDTH, RATES, DRY_RUN, FORMAT, CSV, OPTIONS };
static const cli_option options[OPTIONS] = {
    [RANKS] = {"ranks", "N", "processes, one thread each, that divide the tensor; 2 unless given"},
    [SHAPE] = {"shape", "RxC", "of the whole tensor, tokens x hidden size; 1024x4096 unless given"},
    [LAUNCHES] = {"launches", "N", "times that they are started; 9 unless given, 6 or more for 95 % intervals"},
    [SEED] = {"seed", "N", "of the inputs; 1 unless given"},
    [HOSTS] = {"hosts", "LIST",
               "simulate so many hosts with SimGrid, as in 4,64,1024, each one rank like this machine"},
    [ALLREDUCE] = {"allreduce", "NAME",
                   "of the simulation: SimGrid's algorithm, rdb (recursive doubling) unless given"},
    [LATENCY] = {"latency", "LIST", "of the simulated network, between any two hosts, each in turn; 1us unless given"},
    [BANDWIDTH] = {"bandwidth", "LIST", "of each host's link in GB/s, each in turn; 12.5 unless given"},
    [RATES] =
        {"rates", "FILE",
         "a sharded.csv that has simulated the same shape and hosts: take what a rank's own work takes from it, in "
         "place of measuring"},
    [DRY_RUN] = {"dry-run", NULL, "say what would be started, and stop"},
    [FORMAT] = {"format", "NAME", "of what goes to stdout: text (as it is unless given), markdown, csv or json"},
    [CSV] = {"csv", "FILE", "write sharded.csv there as well; `-` writes it to stdout, in place of the text"},
};
static const cli_command command = {
    .name = "sharded",
    .about =
        "Times a norm whose tensor lies on several ranks, forward, in f32. Where each has some columns of every row, "
        "RMSNorm and LayerNorm need an all-reduce for each norm, and DyT needs none. Where each has whole rows, or "
        "all of them, no norm does. Needs MPI, and for --hosts SimGrid too: `sh scripts/setup.sh --mpi && make "
        "MPI=1`. What is simulated is called so wherever it stands; docs/sharded.md says what it can tell.",
    .options = options,
    .option_count = OPTIONS,
    .examples = {"sharded --shape 256x1024 --launches 6", "sharded --hosts 4,64 --csv -"},
};

enum { MOST_HOSTS = 16, MOST_NETWORKS = 8 };
typedef struct {
    sharded_spec spec;
    size_t hosts[MOST_HOSTS], host_count;
    double latencies[MOST_NETWORKS], bandwidths[MOST_NETWORKS];
    size_t latency_count, bandwidth_count;
    csv_table rates;
    bool rated;
} asked;

// false after a message.
static bool whole(const char *given, const char *option, size_t most, size_t *value) {
    return given == NULL || (parse_size(given, value) && *value >= 1 && *value <= most) ||
           cli_complain(&command, "--%s %s: give a whole number from 1 to %zu", option, given, most);
}

static bool divides(const sharded_spec *s, size_t ranks) {
    return (s->rows % ranks == 0 && s->cols % ranks == 0) ||
           cli_complain(&command, "%zu ranks do not divide %zux%zu: both rows and columns have to be multiples of them",
                        ranks, s->rows, s->cols);
}

// The items of a list, in a copy. 0 after a message.
enum { LIST_TEXT = 256 };
static size_t items_of(const char *given, const char *option, char text[LIST_TEXT], char **items, size_t most) {
    const size_t count = strlen(given) < LIST_TEXT ? parse_list(strcpy(text, given), items, most) : 0;
    if (count == 0)
        cli_complain(&command, "--%s %.200s: give at most %zu with commas and no blanks", option, given, most);
    return count;
}

static bool take_hosts(const char *given, asked *a) {
    char *items[MOST_HOSTS], text[LIST_TEXT];
    a->host_count = items_of(given, "hosts", text, items, MOST_HOSTS);
    for (size_t i = 0; i < a->host_count; i++)
        if (!whole(items[i], "hosts", SHARDED_MOST_RANKS, &a->hosts[i]) || !divides(&a->spec, a->hosts[i]))
            return false;
    return a->host_count > 0;
}

static bool bandwidth(const char *text, double *gbs) { return parse_real(text, gbs) && *gbs > 0 && *gbs < 1e6; }

static bool take_numbers(const char *given, const char *option, bool (*parse)(const char *, double *), double *values,
                         size_t *count) {
    char *items[MOST_NETWORKS], text[LIST_TEXT];
    *count = items_of(given, option, text, items, MOST_NETWORKS);
    for (size_t i = 0; i < *count; i++)
        if (!parse(items[i], &values[i]))
            return cli_complain(&command, "--%s %.200s: \"%.40s\" is none; give them as in %s", option, given, items[i],
                                parse == bandwidth ? "12.5,50" : "500ns,1us,5us");
    return *count > 0;
}

static bool take_network(char **given, asked *a) {
    for (const char *c = given[ALLREDUCE]; c != NULL && *c != '\0'; c++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_", *c) == NULL || c - given[ALLREDUCE] > 40)
            return cli_complain(&command, "--allreduce %.60s: give the name of an algorithm, as rdb or ompi",
                                given[ALLREDUCE]);
    if (given[ALLREDUCE] != NULL && given[ALLREDUCE][0] != '\0')
        a->spec.allreduce = given[ALLREDUCE];
    return take_numbers(given[LATENCY] != NULL ? given[LATENCY] : "1us", "latency", parse_nanoseconds, a->latencies,
                        &a->latency_count) &&
           take_numbers(given[BANDWIDTH] != NULL ? given[BANDWIDTH] : "12.5", "bandwidth", bandwidth, a->bandwidths,
                        &a->bandwidth_count);
}

static bool take(char **given, asked *a) {
    char reason[256];
    size_t seed = 1;
    a->spec = (sharded_spec){.rows = 1024,
                             .cols = 4096,
                             .ranks = 2,
                             .launches = 9,

                             .allreduce = "rdb"};
    if (given[SHAPE] != NULL && !parse_shape(given[SHAPE], &a->spec.rows, &a->spec.cols))
        return cli_complain(&command, "--shape %s: give rows x columns, as in 1024x4096", given[SHAPE]);
    if (!whole(given[RANKS], "ranks", SHARDED_MOST_RANKS, &a->spec.ranks) ||
        !whole(given[LAUNCHES], "launches", 64, &a->spec.launches) || !whole(given[SEED], "seed", SIZE_MAX, &seed) ||
        !take_network(given, a) || (given[HOSTS] == NULL && !divides(&a->spec, a->spec.ranks)))
        return false;
    a->spec.seed = seed;
    if (given[HOSTS] == NULL)
        return given[RATES] == NULL || cli_complain(&command, "--rates is of a simulation: give --hosts as well");
    if (given[RATES] != NULL) {
        if (csv_read(&a->rates, given[RATES], reason, sizeof reason) != 0)
            return cli_complain(&command, "--rates %s: %s", given[RATES],
                                reason[0] != '\0' ? reason : "cannot be read: give a sharded.csv");
        a->rated = true;
    }
    return take_hosts(given[HOSTS], a);
}

// What a rank's own work takes, from a table of before, in which it stands for each network. false: it lacks something.
static bool rates_of(const csv_table *t, const sharded_spec *s, double local[SHARD_SPLITS][SHARD_OPS]) {
    static const char *const names[] = {"rows", "cols", "ranks"};
    const size_t wanted[] = {s->rows, s->cols, s->ranks};
    const int split_at = csv_column(t, "split"), op_at = csv_column(t, "op"), local_at = csv_column(t, "local_ns");
    bool have[SHARDED_ROWS] = {false}, all = true;
    for (size_t i = 0; i < t->row_count && split_at >= 0 && op_at >= 0 && local_at >= 0; i++) {
        bool same = true;
        for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++) {
            const int at = csv_column(t, names[k]);
            size_t value;
            same = same && at >= 0 && parse_size(t->rows[i][at], &value) && value == wanted[k];
        }
        for (size_t at = 0; same && at < SHARDED_ROWS; at++)
            if (strcmp(t->rows[i][split_at], shard_split_names[at / SHARD_OPS]) == 0 &&
                strcmp(t->rows[i][op_at], shard_op_names[at % SHARD_OPS]) == 0)
                have[at] = parse_real(t->rows[i][local_at], &local[at / SHARD_OPS][at % SHARD_OPS]);
    }
    for (size_t at = 0; at < SHARDED_ROWS; at++)
        all = all && have[at];
    return all;
}

// Of one number of hosts on every network.
static int simulate_hosts(const asked *a, size_t hosts, sharded_row *rows) {
    char error[SHARDED_ERROR];
    double local[SHARD_SPLITS][SHARD_OPS];
    sharded_spec spec = a->spec;
    spec.simulated = true;
    spec.ranks = hosts;
    if (a->rated && !rates_of(&a->rates, &spec, local)) {
        cli_complain(&command,
                     "--rates has no local_ns of every op and split of %zux%zu on %zu ranks: name a table that this "
                     "command has written for them, or leave it out",
                     spec.rows, spec.cols, spec.ranks);
        return EXIT_USAGE;
    }
    fprintf(stderr, "simulate %zu hosts\n", spec.ranks);
    bool ok = a->rated || sharded_measure_local(&spec, local, error);
    for (size_t i = 0; ok && i < a->latency_count * a->bandwidth_count; i++, rows += SHARDED_ROWS) {
        spec.latency_ns = a->latencies[i / a->bandwidth_count];
        spec.bandwidth_gbs = a->bandwidths[i % a->bandwidth_count];
        ok = sharded_simulate(&spec, local, rows, error);
    }
    if (!ok)
        cli_complain(&command, "%s", error);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

static size_t rows_of_hosts(const asked *a) { return a->latency_count * a->bandwidth_count * SHARDED_ROWS; }

static int simulate(const asked *a, sharded_row *rows) {
    int status = EXIT_DONE;
    for (size_t i = 0; status == EXIT_DONE && i < a->host_count; i++)
        status = simulate_hosts(a, a->hosts[i], rows + i * rows_of_hosts(a));
    return status;
}

static int say(const asked *a) {
    if (a->host_count == 0)
        printf("%zu launches of %zu ranks: %zux%zu, each op and split\n", a->spec.launches, a->spec.ranks, a->spec.rows,
               a->spec.cols);
    for (size_t i = 0; i < a->host_count; i++)
        printf("%zu hosts, SIMULATED on %zu networks: %zux%zu, each op and split\n", a->hosts[i],
               a->latency_count * a->bandwidth_count, a->spec.rows, a->spec.cols);
    return EXIT_DONE;
}

static int measure(const asked *a, sharded_row *rows) {
    char error[SHARDED_ERROR];
    if (sharded_measure(&a->spec, rows, error))
        return EXIT_DONE;
    cli_complain(&command, "%s", error);
    return EXIT_FAILED;
}

static bool this_machine(char id[MACHINE_ID_SIZE]) {
    char error[TOPOLOGY_ERROR_SIZE];
    topology *const t = topology_open(NULL, error);
    if (t == NULL)
        return cli_complain(&command, "%s", error);
    machine_id(t, id, MACHINE_ID_SIZE);
    topology_close(t);
    return true;
}

int cmd_sharded(int argc, char **argv) {
    char *given[OPTIONS] = {NULL}, id[MACHINE_ID_SIZE];
    schema_format format;
    size_t words;
    asked a = {0};
    const int end = cli_take(&command, argc, argv, given, &words);
    if (end >= 0)
        return end;
    if (!format_option(&command, given[FORMAT], &format) || !take(given, &a)) {
        csv_free(&a.rates);
        return EXIT_USAGE;
    }
    if (given[DRY_RUN] != NULL || !this_machine(id)) {
        csv_free(&a.rates);
        return given[DRY_RUN] != NULL ? say(&a) : EXIT_FAILED;
    }
    const size_t count = a.host_count > 0 ? a.host_count * rows_of_hosts(&a) : SHARDED_ROWS;
    sharded_row *const rows = calloc(count, sizeof *rows);
    int status = rows == NULL ? EXIT_FAILED : a.host_count > 0 ? simulate(&a, rows) : measure(&a, rows);
    if (status == EXIT_DONE) {
        for (size_t i = 0; i < count; i++)
            rows[i].machine_id = id;
        const sharded_rows all = {rows, count};
        const rows_file file = {.table = &sharded_table,
                                .rows = rows,
                                .count = count,
                                .size = sizeof *rows,
                                .format = format,
                                .print = sharded_print,
                                .what = &all};
        status = tell_rows(&command, &file, given[CSV]);
    }
    free(rows);
    csv_free(&a.rates);
    return status;
}
