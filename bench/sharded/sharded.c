// SPDX-License-Identifier: MIT
// sharded.c: see sharded.h. The ranks are a program of their own, built beside this one where there is an MPI
// (make MPI=1): sharded_ranks, and sharded_hosts by SimGrid's compiler.
#include "sharded.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/program.h"
#include "base/tool.h"

enum { SAMPLES = 15, MOST_LAUNCHES = 64, OUTPUT = 8192, NUMBER = 32 };

double sharded_least_ns(const sharded_row *row) {
    const sharded_spec *const s = &row->spec;
    if (!s->simulated)
        return NAN;
    if (row->split != SHARD_HIDDEN || shard_floats(row->op) == 0)
        return 0.0;
    const double ranks = (double)s->ranks, bytes = (double)(s->rows * shard_floats(row->op) * sizeof(float));
    return ceil(log2(ranks)) * s->latency_ns + 2.0 * (ranks - 1.0) / ranks * bytes / s->bandwidth_gbs;
}

// ---- Starting the ranks

// A program beside this one. false after a reason.
static bool beside(char path[PATH_MAX], const char *name, const char *mend, char error[SHARDED_ERROR]) {
    char own[PATH_MAX];
    const char *const named = getenv("NORMBENCH_SHARDED"); // the folder, for those who install it elsewhere
    if (named == NULL && realpath(program_path(), own) == NULL) {
        snprintf(error, SHARDED_ERROR, "cannot tell where this program is: %s", strerror(errno));
        return false;
    }
    const int length = snprintf(path, PATH_MAX, "%s/%s", named != NULL ? named : dirname(own), name);
    if (length < 0 || length >= PATH_MAX || access(path, X_OK) != 0) {
        snprintf(error, SHARDED_ERROR, "there is no %.300s, which was not built: %s", path, mend);
        return false;
    }
    return true;
}

// What one launch found: a time and ratio of each division and op, and of each all-reduce.
typedef struct {
    double time[SHARD_SPLITS][SHARD_OPS], ratio[SHARD_SPLITS][SHARD_OPS], error[SHARD_SPLITS][SHARD_OPS];
    double reduction[SHARD_OPS];
} found;

static size_t index_of(const char *name, const char *const *names, size_t count) {
    size_t i = 0;
    while (i < count && strcmp(names[i], name) != 0)
        i++;
    return i;
}

static bool take_line(const char *line, found *f) {
    char first[16], second[16];
    double values[3];
    const int got = sscanf(line, "%15s %15s %lf %lf %lf", first, second, &values[0], &values[1], &values[2]);
    const size_t op = got >= 3 ? index_of(second, shard_op_names, SHARD_OPS) : SHARD_OPS;
    if (op == SHARD_OPS)
        return false;
    if (strcmp(first, "reduce") == 0) {
        f->reduction[op] = values[0];
        return true;
    }
    const size_t split = index_of(first, shard_split_names, SHARD_SPLITS);
    if (split == SHARD_SPLITS || got != 5)
        return false;
    f->time[split][op] = values[0];
    f->ratio[split][op] = values[1];
    f->error[split][op] = values[2];
    return true;
}

// Runs it and reads its lines.
static bool launch(const char *const argv[], found *f, char error[SHARDED_ERROR]) {
    char out[OUTPUT];
    size_t lines = 0;
    *f = (found){0};
    for (shard_op op = 0; op < SHARD_OPS; op++)
        f->reduction[op] = NAN;
    if (!tool_run(argv, NULL, out, sizeof out, error, SHARDED_ERROR))
        return false;
    for (char *rest = out, *line = strtok_r(out, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        lines += take_line(line, f);
    if (lines < SHARDED_ROWS + 2) {
        snprintf(error, SHARDED_ERROR,
                 "%s ended without its %d lines: is the MPI that runs it the one that it was built by?", argv[0],
                 SHARDED_ROWS + 2);
        return false;
    }
    return true;
}

static bool launch_ranks(const sharded_spec *s, size_t rows, size_t cols, size_t ranks, found *f,
                         char error[SHARDED_ERROR]) {
    char path[PATH_MAX], number[5][NUMBER];
    if (!beside(path, "sharded_ranks", "sh scripts/setup.sh --mpi && make MPI=1", error))
        return false;
    snprintf(number[0], NUMBER, "%zu", ranks);
    snprintf(number[1], NUMBER, "%zu", rows);
    snprintf(number[2], NUMBER, "%zu", cols);
    snprintf(number[3], NUMBER, "%d", SAMPLES);
    snprintf(number[4], NUMBER, "%" PRIu64, s->seed);
    // Open MPI refuses root, who is whom a container has, without being told so twice; others do not know the words.
    (void)setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
    (void)setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
    const char *const argv[] = {"mpirun", "-n", number[0], path, number[1], number[2], number[3], number[4], NULL};
    return launch(argv, f, error);
}

// ---- Measured

bool sharded_measure(const sharded_spec *spec, sharded_row rows[SHARDED_ROWS], char error[SHARDED_ERROR]) {
    static found of[MOST_LAUNCHES];
    double values[MOST_LAUNCHES];
    for (size_t i = 0; i < spec->launches; i++)
        if (!launch_ranks(spec, spec->rows, spec->cols, spec->ranks, &of[i], error))
            return false;
    for (size_t at = 0; at < SHARDED_ROWS; at++) {
        sharded_row *const r = &rows[at];
        *r = (sharded_row){.spec = *spec,
                           .split = (shard_split)(at / SHARD_OPS),
                           .op = (shard_op)(at % SHARD_OPS),
                           .local = NAN,
                           .error = 0.0};
        for (size_t i = 0; i < spec->launches; i++)
            values[i] = of[i].time[r->split][r->op];
        r->time = stats_median_interval(values, spec->launches, 0.95);
        for (size_t i = 0; i < spec->launches; i++)
            values[i] = of[i].ratio[r->split][r->op];
        r->ratio = stats_median_interval(values, spec->launches, 0.95);
        for (size_t i = 0; i < spec->launches; i++) {
            values[i] = r->split == SHARD_HIDDEN ? of[i].reduction[r->op] : (double)NAN;
            r->error = fmax(r->error, of[i].error[r->split][r->op]);
        }
        r->reduction = stats_median_interval(values, spec->launches, 0.95);
        if (!(r->error <= 1.0)) {
            snprintf(error, SHARDED_ERROR,
                     "%s, divided by %s, is wrong by %.3g times what is allowed: this is a mistake in normbench",
                     shard_op_names[r->op], shard_split_names[r->split], r->error);
            return false;
        }
    }
    return true;
}

bool sharded_measure_local(const sharded_spec *s, double local[SHARD_SPLITS][SHARD_OPS], char error[SHARDED_ERROR]) {
    const size_t rows[SHARD_SPLITS] = {s->rows, s->rows / s->ranks, s->rows};
    const size_t cols[SHARD_SPLITS] = {s->cols / s->ranks, s->cols, s->cols};
    found f;
    for (shard_split split = 0; split < SHARD_SPLITS; split++) {
        if (!launch_ranks(s, rows[split], cols[split], 1, &f, error))
            return false;
        // Alone, a rank has all columns, and its reduction is a copy.
        memcpy(local[split], f.time[split], sizeof local[split]);
    }
    return true;
}

// ---- Simulated

// Hosts with a link each, so that a message passes two of them.
static bool write_platform(const sharded_spec *s, const char *platform, const char *hosts, char error[SHARDED_ERROR]) {
    FILE *const xml = fopen(platform, "w"), *const list = fopen(hosts, "w");
    bool ok = xml != NULL && list != NULL;
    if (ok) {
        fprintf(xml,
                "<?xml version='1.0'?>\n<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
                "<platform version=\"4.1\">\n  <cluster id=\"all\" prefix=\"host\" suffix=\"\" radical=\"0-%zu\" "
                "speed=\"1Gf\" bw=\"%.17gGBps\" lat=\"%.17gns\"/>\n</platform>\n",
                s->ranks - 1, s->bandwidth_gbs, s->latency_ns / 2);
        for (size_t i = 0; i < s->ranks; i++)
            fprintf(list, "host%zu\n", i);
        ok = !ferror(xml) && !ferror(list);
    }
    ok = (xml == NULL || fclose(xml) == 0) && (list == NULL || fclose(list) == 0) && ok;
    if (!ok)
        snprintf(error, SHARDED_ERROR, "cannot write %.300s: %s", platform, strerror(errno));
    return ok;
}

static bool launch_hosts(const sharded_spec *s, double local[SHARD_SPLITS][SHARD_OPS], const char *folder, found *f,
                         char error[SHARDED_ERROR]) {
    char path[PATH_MAX], platform[PATH_MAX], hosts[PATH_MAX], choice[80], number[4 + SHARDED_ROWS][NUMBER];
    const char *argv[40] = {"smpirun", "-quiet"};
    size_t count = 2;
    snprintf(platform, sizeof platform, "%s/platform.xml", folder);
    snprintf(hosts, sizeof hosts, "%s/hosts", folder);
    if (!beside(path, "sharded_hosts", "sh scripts/setup.sh --mpi && make MPI=1", error) ||
        !write_platform(s, platform, hosts, error))
        return false;
    snprintf(number[0], NUMBER, "%zu", s->ranks);
    snprintf(number[1], NUMBER, "%zu", s->rows);
    snprintf(number[2], NUMBER, "%zu", s->cols);
    snprintf(number[3], NUMBER, "%" PRIu64, s->seed);
    for (size_t i = 0; i < SHARDED_ROWS; i++)
        snprintf(number[4 + i], NUMBER, "%.17g", local[i / SHARD_OPS][i % SHARD_OPS]);
    snprintf(choice, sizeof choice, "--cfg=smpi/allreduce:%s", s->allreduce);
    // Latency and bandwidth as they were asked for, at every size: by default factors of one cluster change them. And
    // reading the clock takes no time.
    const char *const words[] = {"-platform",
                                 platform,
                                 "-hostfile",
                                 hosts,
                                 "-np",
                                 number[0],
                                 "--cfg=smpi/simulate-computation:no",
                                 "--cfg=smpi/wtime:0",
                                 "--cfg=smpi/lat-factor:0:1",
                                 "--cfg=smpi/bw-factor:0:1",
                                 choice,
                                 "--log=root.thres:error",
                                 path,
                                 number[1],
                                 number[2],
                                 "1",
                                 number[3]};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        argv[count++] = words[i];
    for (size_t i = 0; i < SHARDED_ROWS; i++)
        argv[count++] = number[4 + i];
    return launch(argv, f, error);
}

bool sharded_simulate(const sharded_spec *spec, double local[SHARD_SPLITS][SHARD_OPS], sharded_row rows[SHARDED_ROWS],
                      char error[SHARDED_ERROR]) {
    char folder[] = "/tmp/normbench.XXXXXX", file[PATH_MAX];
    static const char *const made[] = {"platform.xml", "hosts"};
    found f;
    if (mkdtemp(folder) == NULL) {
        snprintf(error, SHARDED_ERROR, "cannot make a folder in /tmp: %s", strerror(errno));
        return false;
    }
    const bool ok = launch_hosts(spec, local, folder, &f, error);
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        snprintf(file, sizeof file, "%s/%s", folder, made[i]);
        (void)remove(file);
    }
    (void)rmdir(folder);
    for (size_t at = 0; ok && at < SHARDED_ROWS; at++) {
        const shard_split split = (shard_split)(at / SHARD_OPS);
        const shard_op op = (shard_op)(at % SHARD_OPS);
        rows[at] = (sharded_row){.spec = *spec, .split = split, .op = op, .local = local[split][op], .error = NAN};
        rows[at].time = stats_median_interval(&f.time[split][op], 1, 0.95);
        rows[at].ratio = stats_median_interval(&f.ratio[split][op], 1, 0.95);
        const double reduction = split == SHARD_HIDDEN ? f.reduction[op] : (double)NAN;
        rows[at].reduction = stats_median_interval(&reduction, 1, 0.95);
    }
    return ok;
}
