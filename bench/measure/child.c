// SPDX-License-Identifier: MIT
// child.c: see child.h.
#include "child.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_code.h"
#include "base/parse.h"
#include "base/program.h"
#include "base/stats.h"
#include "plan/plugins.h"
#include "wire.h"

static volatile sig_atomic_t interrupted;
static void on_signal(int number) {
    (void)number;
    interrupted = 1;
}

// A child whose parent is killed would take the CPU from whatever runs next until its plan is done. Where the kernel
// does not see to that, the next line that it tells ends it, for SIGPIPE is not ignored.
static void die_with_parent(void) {
    (void)signal(SIGPIPE, SIG_DFL);
    program_die_with_parent();
    // A parent that was gone before that took its end of the pipe along.
    struct pollfd told = {.fd = STDOUT_FILENO};
    if (poll(&told, 1, 0) == 1 && (told.revents & POLLERR) != 0)
        _exit(EXIT_FAILED);
}

bool child_interrupted(void) { return interrupted != 0; }

bool child_begin(int argc, char **argv, child_orders *orders) {
    if (argc != 5 || !parse_u64(argv[3], &orders->seed) || !parse_size(argv[4], &orders->launch)) {
        fputs("normbench: --worker is for normbench itself\n", stderr);
        return false;
    }
    orders->pilot = strcmp(argv[1], CHILD_PILOT) == 0;
    orders->plan_path = argv[2];
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    struct sigaction before;
    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN) // under nohup it is
        (void)sigaction(SIGHUP, &action, NULL);
    die_with_parent();
    (void)setvbuf(stdout, NULL, _IOLBF, 1 << 16);
    return true;
}

static const char plugin_word[] = "plugin ";

void child_tell_plugins(FILE *to) {
    const kernel_library *l;
    for (size_t i = 0; (l = plugins_at(i)) != NULL; i++)
        fprintf(to, "%s%s %s\n", plugin_word, l->id, l->path);
}

// "ID PATH": a file that is another one by now is none of this run.
static bool open_plugin(char *line) {
    char why[KERNEL_LIBRARY_WHY], *const path = strchr(line, ' ');
    size_t i = 0;
    if (path == NULL)
        return false;
    *path = '\0';
    bool ok = plugins_open(path + 1, why);
    while (ok && plugins_at(i) != NULL && strcmp(plugins_at(i)->path, path + 1) != 0)
        i++;
    if (ok && (plugins_at(i) == NULL || strcmp(plugins_at(i)->id, line) != 0)) {
        snprintf(why, sizeof why, "%s is another file than when the run began: put it back, or begin anew", path + 1);
        ok = false;
    }
    if (!ok)
        fprintf(stderr, "normbench: %s\n", why);
    return ok;
}

bool child_open_plugins(void) {
    char line[PATH_MAX + 64];
    int first;
    while ((first = getchar()) == plugin_word[0]) {
        if (fgets(line, sizeof line, stdin) == NULL || strncmp(line, &plugin_word[1], strlen(&plugin_word[1])) != 0)
            return false;
        line[strcspn(line, "\n")] = '\0';
        if (!open_plugin(line + strlen(&plugin_word[1])))
            return false;
    }
    return first == EOF || ungetc(first, stdin) != EOF;
}

void child_read_had(rounds_had *had, size_t groups) {
    size_t group;
    rounds_had one;
    while (scanf(" had %zu %zu %zu", &group, &one.complete, &one.next) == 3)
        if (group < groups)
            had[group] = one;
}

int child_visit(const child_orders *orders, size_t groups, bool (*visit)(void *context, size_t group), void *context) {
    size_t *const order = malloc((groups + 1) * sizeof *order);
    if (order == NULL)
        return EXIT_FAILED;
    for (size_t i = 0; i < groups; i++)
        order[i] = i;
    stats_rng rng;
    stats_rng_seed(&rng, orders->seed, (uint64_t)orders->launch << 40);
    stats_shuffle(&rng, order, groups);
    bool ok = true;
    for (size_t i = 0; ok && i < groups && !interrupted; i++)
        ok = visit(context, order[i]);
    free(order);
    return interrupted ? EXIT_INTERRUPTED : ok ? EXIT_DONE : EXIT_FAILED;
}

bool child_bind(const topology *t, placement place, size_t threads, size_t group, char *why, size_t size) {
    topology_seat *const seats = calloc(threads, sizeof *seats);
    int *const bound = calloc(threads, sizeof *bound);
    bool ok = seats != NULL && bound != NULL;
    // Without a placement nothing else would refuse them.
    if (ok && (threads > topology_pus(t) || !topology_seats(t, place, threads, seats))) {
        snprintf(why, size, "only %zu PUs may be used", topology_pus(t));
        ok = false;
    } else if (ok && !topology_bind_team(t, threads, seats, bound)) {
        snprintf(why, size, "could not bind %zu threads with placement %s; try --placement none", threads,
                 placement_name(place));
        ok = false;
    }
    enum { NUMBER = 16 };
    char *const text = ok ? calloc(threads + 1, NUMBER) : NULL;
    for (size_t i = 0, used = 0; text != NULL && i < threads && place != PLACEMENT_NONE; i++)
        used += (size_t)snprintf(text + used, NUMBER, "%s%d", i > 0 ? " " : "", bound[i]);
    if (text != NULL)
        wire_tell(WIRE_GROUP, group, 0, 0, text);
    else if (ok)
        snprintf(why, size, "out of memory");
    ok = text != NULL;
    free(text);
    free(seats);
    free(bound);
    return ok;
}

void child_look_at_team(const topology *t, placement place, size_t threads, size_t group) {
    topology_seat *const seats = calloc(threads, sizeof *seats);
    if (seats != NULL && topology_seats(t, place, threads, seats)) {
        const size_t moved = topology_moved(t, threads, seats);
        if (moved > 0)
            wire_tell(WIRE_MOVED, group, moved, 0, "");
    }
    free(seats);
}
