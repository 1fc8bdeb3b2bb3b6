// SPDX-License-Identifier: MIT
// request.c: see request.h.
#include "request.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/exit_code.h"
#include "base/files.h"
#include "base/parse.h"

static bool complain(const cli_command *command, const char *option, const char *value, const char *expected) {
    return cli_complain(command, "--%s %s: expected %s", option, value, expected);
}

bool request_take(request *r, const cli_command *command, int option, const char *value) {
    switch (option) {
    case REQUEST_PRESET:
        r->preset = (preset)0;
        while (r->preset < PRESETS && strcmp(value, preset_name(r->preset)) != 0)
            r->preset++;
        return r->preset != PRESETS ||
               complain(command, "preset", value, "quick, default or full; of kernels also narrow, of layers map");
    case REQUEST_BUDGET:
        return parse_duration(value, &r->budget_s) || complain(command, "budget", value, "a time such as 40s or 5m");
    case REQUEST_LAUNCHES:
        return (parse_size(value, &r->launches) && r->launches > 0 && r->launches <= PLAN_MOST_LAUNCHES) ||
               complain(command, "launches", value, "a number from 1 to 1000");
    case REQUEST_SEED:
        r->seeded = parse_u64(value, &r->seed);
        return r->seeded || complain(command, "seed", value, "a number below 2^64");
    case REQUEST_OUT:
        r->out = value;
        return true;
    case REQUEST_CSV:
        r->csv = value;
        return true;
    case REQUEST_DRY_RUN:
        r->dry_run = true;
        return true;
    case REQUEST_NO_TUNE:
        r->untuned = true;
        return true;
    case REQUEST_LIVE:
        r->live = true;
        return true;
    default:
        r->resume = value;
        return true;
    }
}

bool request_complete(request *r, const cli_command *command, bool selected) {
    if (r->resume != NULL && (selected || r->preset != PRESETS || r->budget_s > 0 || r->seeded || r->launches > 0 ||
                              r->out != NULL || r->dry_run || r->untuned))
        return cli_complain(command,
                            "--resume goes on with the run as it was planned: give no selectors, preset, budget, "
                            "seed, launches, out, dry-run or no-tune");
    if (!selected && r->preset == PRESETS)
        r->preset = PRESET_DEFAULT;
    if (!r->seeded) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        r->seed = (uint64_t)now.tv_sec * 1000003u + (uint64_t)now.tv_nsec;
    }
    return true;
}

// How many signals there have been: the first asks for an end, the second ends the launch (launch.h), the third does
// not even wait for the report.
static volatile sig_atomic_t stop;
static void on_signal(int number) {
    (void)number;
    if (stop >= 2)
        _exit(EXIT_INTERRUPTED);
    stop++;
}

const volatile sig_atomic_t *request_signals(void) {
    const struct sigaction action = {.sa_handler = on_signal};
    struct sigaction before;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    // Under nohup the end of the terminal is nobody's end.
    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        (void)sigaction(SIGHUP, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    return &stop;
}

bool request_stopped(void) { return stop != 0; }

void request_quote(int argc, char **argv, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "normbench");
    for (int i = 0; i < argc && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, " %s", argv[i]);
    for (char *c = text; *c != '\0'; c++)
        if (*c < ' ' || *c > '~') // a record of any bytes would be no JSON
            *c = '?';
}

bool request_csv_writable(const cli_command *command, const char *path) {
    return path == NULL || cli_wrote(command, files_deliverable(path), path);
}
