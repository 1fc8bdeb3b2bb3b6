// SPDX-License-Identifier: MIT
// campaign_main.c: a command that times something, from its arguments on: what is asked for, what cannot be, what would
// be done.
#include <stdio.h>
#include <string.h>

#include "base/exit_code.h"
#include "campaign.h"
#include "child.h"
#include "machine/memory.h"

// EXIT_DONE: go on. CLI_HELP: help was asked for, and given.
static int parse(const subject *s, int argc, char **argv, const topology *t, request *r, selection *selected) {
    cli_args args = {s->command, argc, argv, 1};
    const int own_end = (int)s->command->option_count;
    char *value, error[SELECT_ERROR_SIZE];
    bool any = false;
    int option;
    *r = (request){.preset = PRESETS};
    request_quote(argc, argv, r->command, sizeof r->command); // before lists are cut up
    *selected = (selection){0};
    while ((option = cli_next(&args, &value)) >= 0) {
        any |= option >= REQUEST_OPTIONS;
        if (option == own_end + (int)SELECTORS)
            continue; // an operand, which the command has taken before
        if (option >= own_end) {
            if (!selection_set(selected, (selector)(option - own_end), value, t, error))
                return cli_refuse(s->command, "%s", error);
        } else if (!(option < REQUEST_OPTIONS ? request_take(r, s->command, option, value)
                                              : s->take(r, option, value))) {
            return EXIT_USAGE;
        }
    }
    if (option != CLI_END)
        return option == CLI_HELP ? CLI_HELP : EXIT_USAGE;
    if (!request_complete(r, s->command, any))
        return EXIT_USAGE;
    if (r->resume == NULL && r->preset != PRESETS && s->launches[r->preset] == 0)
        return cli_refuse(s->command, "--preset %s is not of this command: see --help", preset_name(r->preset));
    if (r->launches == 0)
        r->launches = s->launches[r->preset];
    if (r->budget_s == 0)
        r->budget_s = s->budgets[r->preset];
    return EXIT_DONE;
}

// Refuses what cannot be before anything is allocated. Of a preset, which nobody made for this machine, the launches
// leave out what memory does not hold.
static bool check(const subject *s, const request *r, const selection *selected, const topology *t) {
    const schedule *const p = s->schedule;
    if (s->check != NULL && !s->check(r, selected))
        return false;
    if (p->count == 0)
        return cli_complain(s->command, "the selection leaves nothing to measure%s", s->nothing);
    group_of_items g = {.schedule = p, .topology = t, .seed = r->seed};
    for (size_t group = 0; group < p->groups && r->preset == PRESETS; group++) {
        char text[160], why[200];
        schedule_group(p, group, &g.begin, &g.end);
        if (!memory_fits(s->work->bytes(&g), why, sizeof why)) {
            p->kind->describe_group(schedule_name(p, g.begin), text, sizeof text);
            return cli_complain(s->command, "%s %s; choose %s", text, why, s->choose);
        }
    }
    return true;
}

static int dry_run(const subject *s, const request *r) {
    schedule *const p = s->schedule;
    size_t launches = r->launches;
    char text[160], duration[32];
    if (s->guesses)
        s->spend(p, r->preset != PRESETS, r->budget_s, &launches);
    for (size_t i = 0; i < p->count; i++) {
        if (i == 0 || p->items[i].group != p->items[i - 1].group) {
            p->kind->describe_group(schedule_name(p, i), text, sizeof text);
            printf("group %zu: %s\n", p->items[i].group + 1, text);
        }
        p->kind->describe(schedule_name(p, i), text, sizeof text);
        printf("  %s\n", text);
    }
    printf("%zu %s in %zu groups, %zu launches", p->count, p->kind->items, p->groups, launches);
    // The pilot runs every item, holds it against the reference and calibrates it: about as long as a launch.
    const double launch_s = s->guesses ? schedule_launch_seconds(p, 0) : 0;
    progress_duration(s->guesses ? (double)(launches + 1) * launch_s : r->budget_s, duration, sizeof duration);
    if (s->guesses)
        printf(": about %s, by rough rates; the pilot knows better", duration);
    else if (r->budget_s > 0)
        printf(", in about %s", duration);
    puts("");
    campaign_note_budget(r->budget_s, (double)launches * launch_s, launches);
    return EXIT_DONE;
}

int campaign_main(const subject *s, int argc, char **argv) {
    request r;
    selection selected;
    char error[TOPOLOGY_ERROR_SIZE];
    if (argc > 1 && strcmp(argv[1], "--worker") == 0)
        return worker_main(s, argc - 1, argv + 1);
    topology *const t = topology_open(NULL, error);
    if (t == NULL) {
        cli_complain(s->command, "%s", error);
        return EXIT_FAILED;
    }
    int status = parse(s, argc, argv, t, &r, &selected);
    if (status == EXIT_DONE && r.resume == NULL) {
        if (!s->make(r.preset, &selected, t)) {
            cli_complain(s->command, "out of memory");
            status = EXIT_FAILED;
        } else if (!check(s, &r, &selected, t)) {
            status = EXIT_USAGE;
        }
    }
    if (status == EXIT_DONE)
        status = r.dry_run ? dry_run(s, &r) : campaign_run(s, &r, t);
    schedule_free(s->schedule);
    topology_close(t);
    return status == CLI_HELP ? EXIT_DONE : status;
}
