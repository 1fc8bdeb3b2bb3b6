// SPDX-License-Identifier: MIT
// `normbench plan`: where the threads of a placement go, on this machine or on any other that hwloc can describe. Binds
// nothing.
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "plan/cli.h"

static void print_index(int index) {
    if (index < 0)
        printf(" %7s", "-");
    else
        printf(" %7d", index);
}

// false if memory ran out.
static bool print_seats(const topology *t, placement p, size_t threads) {
    topology_seat *seats = malloc(threads * sizeof *seats);
    const bool seated = seats != NULL && topology_seats(t, p, threads, seats);
    for (size_t i = 0; seated && i < threads; i++) {
        printf("%7zu %-9s %6zu", threads, placement_name(p), i);
        print_index(seats[i].pu);
        print_index(seats[i].core);
        print_index(seats[i].l3);
        print_index(seats[i].numa);
        print_index(seats[i].package);
        putchar('\n');
    }
    free(seats);
    return seated;
}

int cmd_plan(int argc, char **argv) {
    static const cli_option options[] = {
        {"topology", "SOURCE",
         "another machine: an hwloc synthetic string, as in \"package:2 l3:2 core:4 pu:2\",\n"
         "or an XML file written there by `lstopo machine.xml`"},
    };
    static const cli_command command = {
        .name = "plan",
        .about =
            "Prints one line per thread: the PU that it would be bound to and what that PU sits in. `-` means none\n"
            "such. Binds nothing. Without --threads or --placement: all.",
        .options = options,
        .option_count = sizeof options / sizeof *options,
        .selectors = 1U << SELECT_THREADS | 1U << SELECT_PLACEMENT,
        .examples = {"plan --threads cores --placement scatter",
                     "plan --threads 4 --topology \"package:2 l3:2 core:4 pu:2\""},
    };
    enum { TOPOLOGY, SELECTED };
    char all_threads[] = "all", all_placements[] = "all", error[SELECT_ERROR_SIZE];
    char *given[SELECTED + SELECTORS] = {[SELECTED + SELECT_THREADS] = all_threads,
                                         [SELECTED + SELECT_PLACEMENT] = all_placements};
    size_t words;
    const int end = cli_take(&command, argc, argv, given, &words);
    if (end >= 0)
        return end;

    int result = EXIT_USAGE;
    selection s = {0};
    topology *t = topology_open(given[TOPOLOGY], error);
    if (t == NULL || !selection_set(&s, SELECT_THREADS, given[SELECTED + SELECT_THREADS], t, error) ||
        !selection_set(&s, SELECT_PLACEMENT, given[SELECTED + SELECT_PLACEMENT], t, error))
        goto done;

    printf("%7s %-9s %6s %7s %7s %7s %7s %7s\n", "threads", "placement", "thread", "pu", "core", "l3", "numa",
           "package");
    for (size_t i = 0; i < s.thread_count; i++)
        for (size_t j = 0; j < s.placement_count; j++)
            if (!print_seats(t, s.placements[j], s.threads[i])) {
                snprintf(error, sizeof error, "out of memory");
                result = EXIT_FAILED;
                goto done;
            }
    result = EXIT_DONE;
done:
    if (result != EXIT_DONE)
        cli_complain(&command, "%s", error);
    topology_close(t);
    return result;
}
