// SPDX-License-Identifier: MIT
// `normbench kernels`: verifies and times the kernels in several launches, and reports. A subject of the engine:
// plan.h, kernels.h and summary.h.
#include <errno.h>
#include <math.h>

#include "base/parse.h"
#include "commands.h"
#include "measure/campaign.h"
#include "measure/kernels.h"
#include "peers/peers.h"
#include "plan/plan.h"
#include "report/answers.h"
#include "report/summary.h"

enum { DISPATCH = REQUEST_OPTIONS, OPTIONS };
static const cli_option options[OPTIONS] = {
    REQUEST_ROWS("kernels.csv", "9",
                 "quick (at most a minute), default (at most five), full (an hour) or narrow (rows of 8 to 256\n"
                 "columns, two minutes); selectors then narrow it."),
    [DISPATCH] = {"dispatch", "TIME",
                  "each operation of form framework first waits so long, as for a framework's dispatcher: 500ns, 2us;\n"
                  "`make peers` measures a PyTorch's; other forms, which run no framework's operations, go without"}};
static const cli_command command = {
    .name = "kernels",
    .about =
        "Verifies and times the kernels: every cell in several fresh processes, interleaved with the cells that it is\n"
        "compared with. Every group of cells also gets rmsnorm of the same form and level and identity at the best "
        "level.",
    .options = options,
    .option_count = OPTIONS,
    .selectors = CLI_KERNEL_SELECTORS,
    .examples = {"kernels --preset quick", "kernels --op dyt,rmsnorm --shape 4096x4096 --threads 1,cores --csv -"},
};

static plan cells = {.schedule.kind = &plan_kind};

static bool take(request *r, int option, char *value) {
    double given;
    (void)option;
    if (!parse_nanoseconds(value, &given) || given < 1 || given > (double)CELL_MOST_DISPATCH_NS)
        return cli_complain(&command, "--dispatch %s: expected a time of 1ns to 1ms such as 500ns or 2us", value);
    r->dispatch_ns = (size_t)(given + 0.5);
    return true;
}

static bool make(preset which, const selection *s, const topology *t) { return plan_make(&cells, which, s, t); }

// A level that this CPU lacks is left out where others are asked for.
static bool check_level(const selection *s, norm_level level) {
    bool only = !s->best_level;
    for (unsigned other = 0; other < NORM_ALL_LEVELS; other++)
        only &= !(s->level[other] && norm_level_missing((norm_level)other) == NULL);
    cli_complain(&command, "level %s: this CPU or its operating system lacks %s%s", norm_level_name(level),
                 norm_level_missing(level), only ? "" : "; skipped");
    return !only;
}

// Gives the time of dispatch to the cells that it concerns. false, after a message, if there is none: that was not what
// was meant.
static bool set_dispatch(size_t ns) {
    size_t concerned = 0;
    cell *const all = cells.schedule.names;
    for (size_t i = 0; i < cells.schedule.count; i++)
        if (all[i].impl->form == NORM_FRAMEWORK) {
            all[i].dispatch_ns = (unsigned)ns;
            concerned++;
        }
    return ns == 0 || cells.schedule.count == 0 || concerned > 0 ||
           cli_complain(&command,
                        "--dispatch is for form framework, of which nothing is selected: add --form framework");
}

// Says so where a default is another tanh for want of a library.
static void say_tanh(const selection *s) {
    bool concerned = false;
    for (size_t i = 0; i < cells.schedule.count && !s->given[SELECT_VARIANT]; i++) {
        const norm_impl *const impl = plan_cells(&cells)[i].impl;
        concerned |= impl->op == NORM_DYT && impl->form == NORM_FRAMEWORK && impl->dtype == NORM_F32;
    }
    if (concerned && peers_tanh_note() != NULL)
        cli_complain(&command, "%s", peers_tanh_note());
}

static bool check(const request *r, const selection *s) {
    for (unsigned level = 0; level < NORM_ALL_LEVELS; level++)
        if (s->level[level] && norm_level_missing((norm_level)level) != NULL && !check_level(s, (norm_level)level))
            return false;
    // What was named and is no level's fault: a library's dtype.
    const norm_impl *impl;
    for (size_t i = 0; s->given[SELECT_VARIANT] && (impl = norm_at(i)) != NULL; i++)
        if (impl->lacks != NULL && selection_has(s, impl) && (s->given[SELECT_DTYPE] || impl->dtype == NORM_F32))
            cli_complain(&command, "%s, variant %s: this machine lacks %s; skipped", norm_op_name(impl->op),
                         impl->variant, impl->lacks);
    if (!set_dispatch(r->dispatch_ns))
        return false;
    say_tanh(s);
    return true;
}

static size_t partner(size_t item) { return summary_partner(&cells, item, NORM_RMSNORM); }
static double log_time(const observation *o) { return log(o->sample.value[SAMPLE_TIME]); }

static int write_table(const observations *all, const run *r, const char *path, size_t *missing) {
    summary s;
    if (!summary_make(&s, &cells, all))
        return ENOMEM;
    bound_measure(&s.machine, plan_cells(&cells), cells.schedule.count);
    const int error = summary_write(&s, path, r, missing);
    summary_free(&s);
    return error;
}

#define LAUNCHES(ID, name, launches, seconds) launches,
#define SECONDS(ID, name, launches, seconds) seconds,
static const size_t launches[PRESETS + 1] = {PRESET_LIST(LAUNCHES) REQUEST_DEFAULT_LAUNCHES};
static const double budgets[PRESETS + 1] = {PRESET_LIST(SECONDS) 0};

static const subject kernels = {.command = &command,
                                .table = "kernels.csv",
                                .samples = "samples.csv",
                                .quantities = sampler_quantities,
                                .quantity_count = SAMPLER_END - SAMPLE_OWN,
                                .schedule = &cells.schedule,
                                .launches = launches,
                                .budgets = budgets,
                                .guesses = true,
                                .nothing = "; see normbench list implementations, or --dry-run of a wider one",
                                .choose = "a smaller --shape",
                                .take = take,
                                .make = make,
                                .check = check,
                                .spend = plan_spend_run,
                                .work = &kernels_work,
                                .tunes = true,
                                .partner = partner,
                                .log_reading = log_time,
                                .write = write_table,
                                .print = answers_print_run};

int cmd_kernels(int argc, char **argv) { return campaign_main(&kernels, argc, argv); }
