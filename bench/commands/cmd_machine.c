// SPDX-License-Identifier: MIT
// `normbench machine`: what this machine is, what its memory can deliver, and what should be mended before measuring.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/json_file.h"
#include "commands.h"
#include "machine/machine.h"
#include "machine/memory.h"
#include "machine/topology.h"
#include "measure/buffers.h"
#include "measure/sampler.h"
#include "norm.h"
#include "plan/cli.h"

// ---- Ceilings

// Copy bandwidth in one memory: how fast `identity` moves buffers of this size, input and output together.
typedef struct {
    const char *memory;
    size_t bytes, threads;
    double bytes_per_s; // of the fastest sample; NaN if it could not be measured
} ceiling;

enum { MAX_CEILINGS = 8, COLS = 1024 };

// A call on several threads includes its fork and join, as every call that normbench times does.
static double copy_rate(const topology *t, const norm_impl *impl, size_t bytes, size_t threads, double seconds) {
    const size_t rows = bytes / (2 * COLS * sizeof(float));
    const cell c = {impl, NORM_FORWARD, rows > threads ? rows : threads, COLS, threads, PLACEMENT_CORES, CACHE_WARM, 0};
    topology_seat *const seats = malloc(threads * sizeof *seats);
    int *const bound = malloc(threads * sizeof *bound);
    buffers b = {0};
    double fastest = NAN, ns;
    if (seats != NULL && bound != NULL && topology_seats(t, c.place, threads, seats) &&
        topology_bind_team(t, threads, seats, bound) && buffers_make(&b, &c, 1, 0, 1)) {
        const size_t calls = sampler_calibrate(&c, &b, &ns);
        const double deadline = sampler_now_ns() + 1e9 * seconds;
        sample s;
        while (calls > 0 && sampler_sample(&c, &b, calls, &(counters){0}, &s)) {
            fastest = fmin(fastest, s.value[SAMPLE_TIME]);
            if (sampler_now_ns() >= deadline)
                break;
        }
    }
    buffers_free(&b);
    free(bound);
    free(seats);
    return (double)norm_bytes_per_element(impl, NORM_FORWARD) * (double)c.rows * (double)COLS / (1e-9 * fastest);
}

// Sizes that fit where they should: half of a private cache, a quarter of a shared one, and four times all caches for
// memory, if a quarter of what there is allows that. L1 on one thread only: on several, a call that small is all
// fork and join.
static size_t measure_ceilings(const topology *t, const norm_impl *impl, ceiling *ceilings) {
    const double seconds = 0.08;
    const size_t cores = topology_cores(t), l1 = topology_cache_bytes(t, 1), l2 = topology_cache_bytes(t, 2);
    const size_t llc = topology_llc_bytes(t), all_llc = topology_llc_total_bytes(t);
    const size_t whole = topology_memory_bytes(t), available = memory_available();
    const size_t least = (size_t)64 << 20, most = (whole > 0 && whole < available ? whole : available) / 4;
    size_t memory = 4 * all_llc > least ? 4 * all_llc : least;
    if (memory > most)
        memory = most;
    const ceiling cells[] = {
        {"L1", l1 / 2, 1, 0},
        {"L2", l2 / 2, 1, 0},
        {"L2", l2 / 2 * cores, cores, 0},
        {"LLC", llc > l2 ? llc / 4 : 0, 1, 0},
        {"LLC", llc > l2 ? all_llc / 4 : 0, cores, 0},
        {"memory", memory > all_llc ? memory : 0, 1, 0},
        {"memory", memory > all_llc ? memory : 0, cores, 0},
    };
    size_t count = 0;
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        if (cells[i].bytes == 0 || cells[i].bytes > most ||
            (i > 0 && strcmp(cells[i].memory, cells[i - 1].memory) == 0 && cells[i].threads == cells[i - 1].threads))
            continue;
        ceilings[count] = cells[i];
        ceilings[count].bytes_per_s = copy_rate(t, impl, cells[i].bytes, cells[i].threads, seconds);
        count++;
    }
    return count;
}

// ---- For people

static void print_bytes(size_t bytes, char text[32]) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1024 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1024;
        unit++;
    }
    if (bytes == 0)
        snprintf(text, 32, "unknown");
    else
        snprintf(text, 32, value < 10 && value != floor(value) ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static void print_count(const char *before, size_t n, const char *thing) {
    printf("%s%zu %s%s", before, n, thing, n == 1 ? "" : "s");
}

static void print_hardware(const topology *t) {
    char id[MACHINE_ID_SIZE], text[32];
    machine_id(t, id, sizeof id);
    printf("machine    %s\n", id);
    const char *model = topology_info(t, "CPUModel"), *vendor = topology_info(t, "CPUVendor");
    const char *family = topology_info(t, "CPUFamilyNumber"), *number = topology_info(t, "CPUModelNumber");
    const char *stepping = topology_info(t, "CPUStepping"), *architecture = topology_info(t, "Architecture");
    printf("CPU        %s", model != NULL ? model : architecture != NULL ? architecture : "unknown");
    if (vendor != NULL && family != NULL && number != NULL && stepping != NULL)
        printf(" (%s, family %s, model %s, stepping %s)", vendor, family, number, stepping);
    print_count("\ncores      ", topology_cores(t), "core");
    print_count(", ", topology_pus(t), "PU");
    print_count(", ", topology_packages(t), "package");
    printf("%s\n", topology_is_this_machine(t) ? " (those that this process may use)" : "");
    static const char *const caches[] = {"caches     L1d", ", L2", ", L3"};
    for (int level = 1; level <= 3; level++) {
        print_bytes(topology_cache_bytes(t, level), text);
        printf("%s %s", caches[level - 1], topology_cache_bytes(t, level) == 0 && level == 3 ? "none" : text);
    }
    print_bytes(topology_llc_total_bytes(t), text);
    printf("; all last-level caches together %s\n", text);
    print_bytes(topology_memory_bytes(t), text);
    print_count("memory     ", topology_numa_nodes(t), "NUMA node");
    printf(", %s", text);
    if (topology_nodes_without_pus(t) > 0) {
        print_count("; ", topology_nodes_without_pus(t), "more node");
        printf(" without PUs of %s own", topology_nodes_without_pus(t) == 1 ? "its" : "their");
    }
    if (topology_pus_without_node(t) > 0) {
        print_count("; ", topology_pus_without_node(t), "PU");
        printf(" in no node");
    }
    putchar('\n');
}

static void print_levels(void) {
    for (int level = 0; level < NORM_LEVELS; level++) {
        const char *missing = norm_level_missing((norm_level)level);
        printf("%s%-12s %s%s\n", level == 0 ? "levels     " : "           ", norm_level_name((norm_level)level),
               missing == NULL ? "yes" : "no: this CPU or its system lacks ", missing == NULL ? "" : missing);
    }
}

static void print_ceilings(const ceiling *ceilings, size_t count) {
    char text[32];
    for (size_t i = 0; i < count; i++) {
        print_bytes(ceilings[i].bytes, text);
        printf("%s%-7s %8s", i == 0 ? "copying    " : "           ", ceilings[i].memory, text);
        print_count("  ", ceilings[i].threads, "thread");
        if (isnan(ceilings[i].bytes_per_s))
            puts("  not measured");
        else
            printf("  %.3g GB/s\n", ceilings[i].bytes_per_s / 1e9);
    }
}

// ---- For programs

// The whole description, or NULL if memory ran out.
static json_t *describe(const topology *t, const ceiling *ceilings, size_t ceiling_count,
                        char (*warnings)[MACHINE_WARNING_SIZE], size_t warning_count) {
    json_t *machine = machine_describe(t), *rates = json_array(), *texts = json_array();
    for (size_t i = 0; i < ceiling_count; i++) {
        const ceiling *c = &ceilings[i];
        json_array_append_new(rates, json_pack("{s:s, s:I, s:I, s:o}", "memory", c->memory, "bytes",
                                               (json_int_t)c->bytes, "threads", (json_int_t)c->threads, "gbytes_per_s",
                                               isnan(c->bytes_per_s)
                                                   ? json_pack("{s:n, s:s}", "value", "reason", "not measured")
                                                   : json_real(c->bytes_per_s / 1e9)));
    }
    for (size_t i = 0; i < warning_count; i++)
        json_array_append_new(texts, json_string(warnings[i]));
    // Each set_new takes its value, also when it fails.
    if ((json_object_set_new(machine, "ceilings", rates) | json_object_set_new(machine, "warnings", texts)) != 0) {
        json_decref(machine);
        return NULL;
    }
    return machine;
}

// Measures and prints; the exit code.
static int show(const cli_command *command, const topology *t, const char *json_path) {
    char warnings[MACHINE_WARNINGS][MACHINE_WARNING_SIZE];
    ceiling ceilings[MAX_CEILINGS];
    size_t ceiling_count = 0;
    // Before the ceilings, which are a load of their own.
    const size_t warning_count = machine_warnings(t, warnings, MACHINE_WARNINGS);
    const norm_impl *copy =
        norm_best(NORM_IDENTITY, norm_default_variant(NORM_IDENTITY, NORM_FUSED, NORM_F32), NORM_FUSED, NORM_F32);
    const bool human = json_path == NULL || strcmp(json_path, "-") != 0;
    if (human) {
        print_hardware(t);
        if (topology_is_this_machine(t))
            print_levels();
        fflush(stdout);
    }
    if (topology_is_this_machine(t) && copy != NULL)
        ceiling_count = measure_ceilings(t, copy, ceilings);
    if (human) {
        print_ceilings(ceilings, ceiling_count);
        for (size_t i = 0; i < warning_count; i++)
            printf("%s%s\n", i == 0 ? "warnings   " : "           ", warnings[i]);
    }
    if (json_path == NULL)
        return EXIT_DONE;
    json_t *machine = describe(t, ceilings, ceiling_count, warnings, warning_count);
    const bool wrote =
        cli_wrote(command, machine == NULL ? ENOMEM : files_deliver(json_path, json_file_write, machine), json_path);
    json_decref(machine);
    return wrote ? EXIT_DONE : EXIT_FAILED;
}

int cmd_machine(int argc, char **argv) {
    enum { JSON, TOPOLOGY, OPTIONS };
    static const cli_option options[] = {
        [JSON] = {"json", "FILE",
                  "also write all of it as JSON; `-` is stdout, and then nothing else is printed there"},
        [TOPOLOGY] = {"topology", "SOURCE",
                      "describe another machine from its topology alone: an hwloc synthetic string, as in\n"
                      "\"package:2 l3:2 core:4 pu:2\", or an XML file written there by `lstopo machine.xml`"},
    };
    static const cli_command command = {
        .name = "machine",
        .about =
            "Describes this machine: CPU, caches, NUMA, SIMD levels, the copy bandwidth of each cache and of memory\n"
            "(measured on the spot, in about a second), and what makes timings noisy, with the command that mends it.",
        .options = options,
        .option_count = sizeof options / sizeof *options,
        .examples = {"machine --json machine.json", "machine --topology \"package:2 l3:2 core:4 pu:2\""},
    };
    char error[TOPOLOGY_ERROR_SIZE], *given[OPTIONS] = {NULL};
    size_t words;
    const int end = cli_take(&command, argc, argv, given, &words);
    if (end >= 0)
        return end;
    topology *t = topology_open(given[TOPOLOGY], error);
    if (t == NULL)
        return cli_refuse(&command, "%s", error);
    const int result = show(&command, t, given[JSON]);
    topology_close(t);
    return result;
}
