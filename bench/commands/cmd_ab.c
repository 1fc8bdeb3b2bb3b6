// SPDX-License-Identifier: MIT
// `normbench ab`: the gate. Verifies and times the kernels of two libraries side by side and says which are slower. A
// subject of the engine: ab_plan.h, ab.h and ab_judge.h.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ab_layers_options.h"
#include "base/names.h"
#include "base/parse.h"
#include "commands.h"
#include "measure/ab.h"
#include "measure/ab_link.h"
#include "measure/ab_same_code.h"
#include "measure/ab_source.h"
#include "measure/campaign.h"
#include "measure/sampler.h"
#include "report/ab_judge.h"
#include "report/ab_report.h"
#include "report/ab_seen.h"
#include "report/ab_table.h"
#include "report/ab_waivers.h"

enum {
    THRESHOLD = REQUEST_OPTIONS,
    GROUP_THRESHOLD,
    EVERY,
    FORMAT,
    WAIVERS,
    INJECT,
    LAYERS,
    SIZES,
    OPTIONS = SIZES + LAYERS_SIZES
};
static const cli_option options[OPTIONS] = {
    REQUEST_RUN_ROWS("ab.csv", "20, up to 30 for rows that are not known well enough, and 16 more to confirm; in "
                               "layers 40, up to 60, and 192"),
    REQUEST_LIVE_ROW,
    [THRESHOLD] = {"threshold", "PCT", "a row may be slower by so much; default 1, in layers 3"},
    [GROUP_THRESHOLD] = {"group-threshold", "PCT",
                         "and the mean of an op's rows by so much; default 0.5, in layers 1.5"},
    [EVERY] = {"every", NULL, "judge also rows whose machine code is the same on both sides"},
    [FORMAT] = {"format", "NAME", "of what is said at the end: text, markdown, json or junit"},
    [WAIVERS] = {"waivers", "FILE", "a CSV of rows that may be slower, with the columns row, until and reason"},
    [INJECT] = {"inject", "ROW=PCT[,PCT...]",
                "do so much more work in the candidate's rows whose name contains ROW, as in dyt/u2/backward=5: to "
                "see whether it is found; of several PCT, lots that follow from the seed give each row one"},
    [LAYERS] = {"layers", "LIST",
                "compare norms in place, in the slots of layers of these models (normbench list models), default "
                "(" AB_LAYERS_MODELS ") or all: by the time of the norms alone, and so what they add to the layer"},
    LAYERS_SIZE_ROWS(SIZES, "128 for language models, else as published")};
static const cli_command command = {
    .name = "ab",
    .operand = "BASE CANDIDATE",
    .about = "Says whether the kernels of CANDIDATE are slower than those of BASE: both in one process, on the same\n"
             "buffers, in turn, in fresh processes. Each is a shared library (libnorm.so, a plug-in), an archive of\n"
             "objects (libnorm.a), which is linked anew for each process so that layout is not taken for speed, or\n"
             "git:REF, which is built. Rows whose machine code is the same are not timed.",
    .options = options,
    .option_count = OPTIONS,
    .selectors = CLI_KERNEL_SELECTORS | 1 << SELECT_PART | 1 << SELECT_PHASE,
    .examples = {"ab build/gcc/libnorm.a build/gcc/libnorm.a --op dyt --every",
                 "ab build/gcc/libnorm.a build/gcc/libnorm.a --layers gpt2 --every"},
};

static ab_plan rows = {.schedule.kind = &ab_plan_kind};
static bool every;
enum { MOST_INJECTED = 64 };
static ab_injection injected[MOST_INJECTED];
static size_t injected_count;

// ---- What is asked for

static bool take_threshold(const char *option, const char *value, char text[32]) {
    double pct;
    if (parse_real(value, &pct) && pct > 0 && pct < 100 && strlen(value) < 32) {
        snprintf(text, 32, "%s", value);
        return true;
    }
    return cli_complain(&command, "--%s %s: expected percent above 0 and below 100, as in 2 or 0.5", option, value);
}

static bool take_format(const char *value) {
    size_t index;
    if (!cli_choose(&command, "", value, "format", ab_format_names, AB_FORMATS, &index))
        return false;
    snprintf(ab_settings_here()->format, sizeof ab_settings_here()->format, "%s", value);
    return true;
}

static bool take_inject(char *value) {
    char *const equals = strrchr(value, '='), *rest, *pct;
    ab_injection *const i = &injected[injected_count];
    bool ok = equals != NULL && equals != value && equals[1] != '\0' && injected_count < MOST_INJECTED;
    *i = (ab_injection){.text = value};
    if (ok)
        *equals = '\0';
    for (rest = ok ? equals + 1 : NULL; ok && (pct = strsep(&rest, ",")) != NULL; i->count++)
        ok = i->count < AB_INJECTED_PCTS && parse_real(pct, &i->pct[i->count]) && i->pct[i->count] > 0 &&
             i->pct[i->count] <= 100;
    injected_count += ok;
    return ok || cli_complain(&command, "--inject %s: expected ROW=PCT, as in dyt/u2/backward=5, up to 100", value);
}

static bool take(request *r, int option, char *value) {
    ab_settings *const s = ab_settings_here();
    (void)r;
    switch (option) {
    case THRESHOLD:
        return take_threshold("threshold", value, s->threshold_pct);
    case GROUP_THRESHOLD:
        return take_threshold("group-threshold", value, s->group_pct);
    case EVERY:
        return every = true;
    case FORMAT:
        return take_format(value);
    case WAIVERS:
        if (realpath(value, s->waivers) != NULL)
            return true;
        return cli_complain(&command, "cannot read %s: %s", value, strerror(errno));
    case LAYERS:
        return true; // taken before, for it says what is compared
    case INJECT:
        return take_inject(value);
    default:
        return ab_layers_take_size(&command, option - SIZES, value);
    }
}

// ---- The plan

static bool of_layers(void) { return ab_settings_here()->layers[0] != '\0'; }

// What only one side has is nothing to compare, and is not passed over in silence.
static void say_alone(const selection *s) {
    for (ab_side side = 0; side < AB_SIDES; side++) {
        const norm_impl *first = NULL;
        const size_t count = ab_plan_alone(s, side, &first);
        if (count > 0)
            fprintf(stderr, "note: %zu implementation%s only in the %s, %s/%s %s %s %s first: not compared\n", count,
                    count == 1 ? " is" : "s are", ab_side_name(side), norm_op_name(first->op), first->variant,
                    norm_form_name(first->form), norm_level_name(first->level), norm_dtype_name(first->dtype));
    }
}

static bool make(preset which, const selection *s, const topology *t) {
    selection selected = *s;
    char error[SELECT_ERROR_SIZE];
    (void)which;
    if (of_layers())
        return ab_layers_make_rows(s, t, every);
    if (!ab_plan_defaults(&selected, t, error))
        return cli_complain(&command, "%s", error);
    say_alone(&selected);
    return ab_plan_make(&rows, &selected, t, ab_same_code, every);
}

static bool read_waivers(ab_waivers *w) {
    char why[PATH_MAX + 512], day[16];
    *w = (ab_waivers){0};
    if (ab_settings_here()->waivers[0] == '\0' ||
        ab_waivers_read(w, ab_settings_here()->waivers, ab_waivers_today(day), why, sizeof why))
        return true;
    return cli_complain(&command, "%s", why);
}

static bool inject(const ab_injection *i, uint64_t seed) {
    if (of_layers() && i->count > 1)
        return cli_complain(&command, "--inject %s: in layers, one percentage for each ROW", i->text);
    const size_t count =
        of_layers() ? ab_layers_inject(&ab_layers_rows, i->text, i->pct[0]) : ab_plan_inject(&rows, i, seed);
    if (count == 0)
        cli_complain(&command, "--inject %s: no row that is judged has this in its name, as in %s", i->text,
                     of_layers() ? "dyt/u2/fused/avx2/f32/gpt2/layer/prefill/1x128/1/cores"
                                 : "dyt/u2/forward/fused/avx2/f32/64x768/1/cores/warm");
    return count > 0;
}

static bool check(const request *r, const selection *s) {
    if (!ab_layers_check(&command, s))
        return false;
    for (size_t i = 0; i < injected_count; i++)
        if (!inject(&injected[i], r->seed))
            return false;
    ab_waivers w;
    const bool ok = read_waivers(&w); // what is wrong with them is told before anything is measured
    ab_waivers_free(&w);
    return ok;
}

// Launches first: an interval needs them more than it needs rounds. A third of the time is for rows that need more.
static void spend(schedule *s, bool of_preset, double budget_s, size_t *launches) {
    bool any = false;
    plan_spend_run(s, of_preset, 0.65 * budget_s, launches);
    for (size_t i = 0; i < s->count; i++) {
        s->items[i].launches = *launches;
        any |= schedule_times(&s->items[i]);
    }
    *launches = any ? *launches : 1; // of nothing
}

// The rest is for launches that confirm.
static void spend_of_layers(schedule *s, bool of_preset, double budget_s, size_t *launches) {
    (void)of_preset;
    ab_layers_spend(s, 0.3 * budget_s, launches);
}

// ---- What it says

static const ab_compared *compared(void) { return of_layers() ? &ab_norms : &ab_kernels; }
static schedule *rows_now(void) { return of_layers() ? &ab_layers_rows.schedule : &rows.schedule; }

// Both were read before, when they were given. In place a norm is known less closely than alone.
static ab_threshold threshold(void) {
    const ab_settings *const s = ab_settings_here();
    ab_threshold own = of_layers() ? (ab_threshold){3, 1.5} : (ab_threshold){1, 0.5};
    (void)(s->threshold_pct[0] != '\0' && parse_real(s->threshold_pct, &own.row_pct));
    (void)(s->group_pct[0] != '\0' && parse_real(s->group_pct, &own.group_pct));
    return own;
}

static bool judge(ab_judgement *j, const observations *all) {
    ab_waivers w;
    if (!read_waivers(&w))
        return false;
    const bool ok = ab_judge(j, compared(), rows_now(), all, threshold());
    if (ok)
        ab_waivers_apply(&w, j);
    ab_waivers_free(&w);
    return ok;
}

static int write_table(const observations *all, const run *r, const char *path, size_t *missing) {
    ab_judgement j;
    if (!judge(&j, all))
        return ENOMEM;
    const int error = ab_table_write(&j, r, path, missing);
    ab_judgement_free(&j);
    return error;
}

static void print(const observations *all, FILE *out, const run *r) {
    ab_judgement j;
    if (!judge(&j, all))
        return;
    (void)ab_seen_look(&j, all, r->moved_groups, run_steal_pct(r)); // without memory less is said
    const size_t format = names_find(ab_settings_here()->format, ab_format_names, AB_FORMATS);
    ab_report_print(&j, format < AB_FORMATS ? (ab_format)format : AB_AS_TEXT, out);
    ab_judgement_free(&j);
}

// Sides stand in pairs, the base first (ab_pairs.c).
static size_t partner(size_t item) { return item % AB_SIDES == AB_CANDIDATE ? item - 1 : SIZE_MAX; }
static double log_time(const observation *o) { return compared()->read(rows_now(), o, compared()->log_time); }

static int conclude(const observations *all) {
    ab_judgement j;
    if (!judge(&j, all))
        return EXIT_FAILED;
    const int code = ab_report_exit(&j);
    ab_judgement_free(&j);
    return code;
}

static size_t go_on(schedule *s, const observations *all, size_t done) {
    return ab_go_on(compared(), s, all, threshold(), done);
}

static const size_t launches[PRESETS + 1] = {[PRESETS] = AB_LAUNCHES},
                                       launches_of_layers[PRESETS + 1] = {[PRESETS] = AB_LAYERS_LAUNCHES};
static const double budgets[PRESETS + 1] = {[PRESETS] = 360};

// What a comparison does alike, whatever is compared.
#define ALIKE                                                                                                          \
    .command = &command, .budgets = budgets, .take = take, .make = make, .check = check, .prepare = ab_prepare,        \
    .join = ab_join, .clear = ab_clear, .go_on = go_on, .partner = partner, .log_reading = log_time,                   \
    .write = write_table, .print = print, .conclude = conclude

static const subject ab = {ALIKE,
                           .launches = launches,
                           .table = "ab.csv",
                           .samples = "ab_samples.csv",
                           .quantities = sampler_slot_quantities,
                           .quantity_count = SAMPLER_SLOT_END - SAMPLE_OWN,
                           .schedule = &rows.schedule,
                           .guesses = true,
                           .nothing =
                               ": both sides need the kernels that are selected; `normbench list implementations` "
                               "says what this program has",
                           .choose = "smaller shapes",
                           .spend = spend,
                           .work = &ab_work};

static const subject ab_in_layers = {
    ALIKE,
    .launches = launches_of_layers,
    .table = "ab_layers.csv",
    .samples = "ab_layer_samples.csv",
    .quantities = ab_layers_quantities,
    .quantity_count = AB_LAYERS_END - SAMPLE_OWN,
    .schedule = &ab_layers_rows.schedule,
    .nothing = ": both sides need the norms that are selected, in the form that a layer has them; decode is for llama "
               "and gpt2 models",
    .choose = "fewer --tokens, a smaller --batch or --depth, or another model",
    .spend = spend_of_layers,
    .work = &ab_layers_work};
#undef ALIKE

// ---- The command

// Which of the two subjects a run in this folder is of; sides.csv that is missing or damaged is told by who needs it.
static void know_folder(const char *folder) {
    char why[PATH_MAX + 512];
    (void)ab_sides_read(folder, why, sizeof why);
}

// The two sides, and what of them is compared, before any selector is read. CLI_END: go on, there are two, or none is
// needed.
static int find_sides(int argc, char **argv, const char *sides[AB_SIDES], bool *needed) {
    cli_args args = {&command, argc, argv, 1};
    size_t count = 0;
    char *value;
    int option;
    *needed = true;
    while ((option = cli_next(&args, &value)) >= 0)
        if (option == REQUEST_RESUME) {
            *needed = false;
            know_folder(value);
        } else if (option == LAYERS && !ab_layers_take_models(&command, value)) {
            return CLI_WRONG;
        } else if (option == OPTIONS + (int)SELECTORS && count++ < AB_SIDES)
            sides[count - 1] = value;
    if (option == CLI_END && *needed && count != AB_SIDES) {
        cli_complain(&command, "expected two sides, BASE and CANDIDATE, got %zu", count);
        return CLI_WRONG;
    }
    return option;
}

static int worker(int argc, char **argv) {
    char folder[PATH_MAX];
    const char *const path = argc > 3 ? argv[3] : "", *const end = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", end == NULL ? 0 : (int)(end - path), path);
    know_folder(folder);
    return campaign_main(of_layers() ? &ab_in_layers : &ab, argc, argv);
}

int cmd_ab(int argc, char **argv) {
    const char *sides[AB_SIDES];
    char why[PATH_MAX + 2048];
    bool needed, ok = true;
    if (argc > 1 && strcmp(argv[1], "--worker") == 0)
        return worker(argc, argv);
    const int option = find_sides(argc, argv, sides, &needed);
    if (option != CLI_END)
        return option == CLI_HELP ? EXIT_DONE : EXIT_USAGE;
    (void)request_signals(); // from here on there is something to remove, whatever ends the program
    for (ab_side side = 0; ok && needed && side < AB_SIDES; side++)
        ok = ab_source_take(side, sides[side], why, sizeof why);
    ok = ok && (!needed || ab_begin(why, sizeof why)) &&
         (!needed || !of_layers() || ab_layers_take_sides(why, sizeof why));
    int status = EXIT_USAGE;
    if (ok)
        status = campaign_main(of_layers() ? &ab_in_layers : &ab, argc, argv);
    else
        cli_complain(&command, "%s", why);
    ab_same_code_end();
    ab_link_end();
    ab_sides_close();
    return status;
}
