// SPDX-License-Identifier: MIT
// `normbench layers`: times whole layers, and models, with every norm in turn in their slots, step by step. Brings to
// campaign.c what is its own: layers_plan.h, layers_worker.h, layers_samples.h and layers_summary.h.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "commands.h"
#include "machine/memory.h"
#include "measure/campaign.h"
#include "plan/cli.h"
#include "report/layers_summary.h"

enum { TOKENS = REQUEST_OPTIONS, BATCH, CONTEXT, DEPTH, REPEATS, OPTIONS };
static const cli_option options[OPTIONS] = {
    REQUEST_ROWS("layers.csv", "17, of a preset 9 (quick) or 40 at most, fewer of what takes longest",
                 "quick (at most a minute), default (eighteen minutes) or full (two hours); selectors then\n"
                 "narrow it."),
    [TOKENS] = {"tokens", "N", "of each sequence; default 512 for language models, else as published"},
    [BATCH] = {"batch", "N", "sequences or images; default 1"},
    [CONTEXT] = {"context", "N", "tokens already in the cache of each sequence in decode; default 512"},
    [DEPTH] = {"depth", "LIST",
               "layers of distinct weights, one after another; default 1. Of several, as in 1,12, each: with\n"
               "--part layer,ends,model, whether ends and 12 layers take what the model of 12 does"},
    [REPEATS] = {"repeats", "LIST",
                 "norm calls per site, as in 0,1,2,4: the dose-response check of the times taken in place"},
};
static const cli_command command = {
    .name = "layers",
    .about = "Times whole layers with every norm in turn in their slots: each step in place, and the layer with\n"
             "identity in the slots, as the paper did. Every group also gets the model's own norm and identity.",
    .options = options,
    .option_count = OPTIONS,
    .selectors = CLI_LAYER_SELECTORS,
    .examples = {"layers --preset quick", "layers --model vit_b16 --phase prefill --op dyt --budget 1m"},
};

static bool take_count(const char *option, const char *value, size_t *count) {
    if (parse_size(value, count) && *count > 0 && *count <= 1u << 24)
        return true;
    cli_complain(&command, "--%s %s: expected a number from 1 to %u", option, value, 1u << 24);
    return false;
}

static bool take_depths(char *value, layers_sizes *sizes) {
    enum { MOST = sizeof sizes->depths / sizeof *sizes->depths };
    char *items[MOST];
    sizes->depth_count = parse_list(value, items, MOST);
    if (sizes->depth_count == 0)
        cli_complain(&command, "--depth takes up to %d numbers, as in 1,12", (int)MOST);
    bool ok = sizes->depth_count > 0;
    for (size_t i = 0; ok && i < sizes->depth_count; i++)
        ok = take_count("depth", items[i], &sizes->depths[i]);
    return ok;
}

static bool take_repeats(char *value, layers_sizes *sizes) {
    enum { MOST = sizeof sizes->repeats / sizeof *sizes->repeats, HIGHEST = 16 };
    char *items[MOST];
    size_t number;
    sizes->repeat_count = parse_list(value, items, MOST);
    bool ok = sizes->repeat_count > 0;
    for (size_t i = 0; ok && i < sizes->repeat_count; i++) {
        ok = parse_size(items[i], &number) && number <= HIGHEST;
        sizes->repeats[i] = (unsigned)number;
    }
    if (!ok)
        cli_complain(&command, "--repeats takes up to %d numbers from 0 to %d, as in 0,1,2,4", (int)MOST, HIGHEST);
    return ok;
}

static bool take_option(request *r, layers_sizes *sizes, int option, char *value) {
    switch (option) {
    case TOKENS:
        return take_count("tokens", value, &sizes->tokens);
    case BATCH:
        return take_count("batch", value, &sizes->batch);
    case CONTEXT:
        return take_count("context", value, &sizes->context);
    case DEPTH:
        return take_depths(value, sizes);
    case REPEATS:
        return take_repeats(value, sizes);
    default:
        return request_take(r, &command, option, value);
    }
}

static int parse_request(int argc, char **argv, const topology *t, request *r, selection *s, layers_sizes *sizes) {
    cli_args args = {&command, argc, argv, 1};
    char *value, error[SELECT_ERROR_SIZE];
    int option;
    bool selected = false;
    *r = (request){.preset = PRESETS};
    *s = (selection){0};
    *sizes = (layers_sizes){0};
    while ((option = cli_next(&args, &value)) >= 0) {
        selected |= option >= REQUEST_OPTIONS;
        if (option < OPTIONS) {
            if (!take_option(r, sizes, option, value))
                return EXIT_USAGE;
        } else if (!selection_set(s, (selector)(option - OPTIONS), value, t, error)) {
            cli_complain(&command, "%s", error);
            return EXIT_USAGE;
        }
    }
    if (option != CLI_END)
        return option == CLI_HELP ? -1 : EXIT_USAGE;
    if (!request_complete(r, &command, selected))
        return EXIT_USAGE;
    if (r->launches == 0)
        r->launches = r->preset == PRESETS ? LAYERS_LAUNCHES : layers_preset_launches(r->preset);
    if (r->budget_s == 0 && r->preset != PRESETS)
        r->budget_s = layers_preset_seconds(r->preset);
    return EXIT_DONE;
}

// Refuses what cannot be before anything is allocated. Of a preset, which nobody made for this machine, the launches
// leave out what does not fit.
static int check_plan(const layers_plan *p, const request *r) {
    char text[160], why[200];
    if (p->count == 0) {
        cli_complain(&command, "the selection leaves nothing to measure: decode is for llama and gpt2 models, and "
                               "normbench list implementations says what each op has");
        return EXIT_USAGE;
    }
    for (size_t group = 0; group < p->groups && r->preset == PRESETS; group++) {
        size_t begin, end;
        layers_plan_group(p, group, &begin, &end);
        norm_slot *const slots = malloc((end - begin) * sizeof *slots);
        if (slots == NULL)
            return EXIT_FAILED;
        const layer_config config = layers_plan_config(p, group, slots, r->seed);
        const bool fits = memory_fits(layer_bytes(&config), why, sizeof why);
        free(slots);
        if (!fits) {
            layers_key_describe(&p->arms[begin].key, text, sizeof text);
            cli_complain(&command, "%s %s; choose fewer --tokens, a smaller --batch or --depth, or another --model",
                         text, why);
            return EXIT_USAGE;
        }
    }
    return EXIT_DONE;
}

static int dry_run(const layers_plan *p, const request *r) {
    char text[160], duration[32];
    for (size_t i = 0; i < p->count; i++) {
        const layers_arm *const a = &p->arms[i];
        if (i == 0 || a->group != p->arms[i - 1].group) {
            layers_key_describe(&a->key, text, sizeof text);
            printf("group %zu: %s\n", a->group + 1, text);
        }
        printf("  %s/%s %s %s%s\n", norm_op_name(a->slot.op), a->slot.variant, norm_form_name(a->slot.form),
               a->slot.level, a->slot.repeats == 1 ? "" : ", repeated");
    }
    printf("%zu arms in %zu groups, %zu launches", p->count, p->groups, r->launches);
    if (r->budget_s > 0) {
        progress_duration(r->budget_s, duration, sizeof duration);
        printf(", in about %s", duration);
    }
    puts("");
    return EXIT_DONE;
}

// ---- What is its own in the course of a run

typedef struct {
    layers_plan plan;
    layers_observations all;
    course *course;     // while a launch runs
    size_t most_rounds; // of a launch
} layers;

static void say_group(layers *l, size_t group, const char *phase) {
    size_t begin, end;
    char text[160], line[200];
    layers_plan_group(&l->plan, group, &begin, &end);
    layers_key_describe(&l->plan.arms[begin].key, text, sizeof text);
    snprintf(line, sizeof line, "%s %s", phase, text);
    course_say(l->course, line);
}

static void on_pilot_group(void *context, size_t group, const char *bound) {
    (void)bound;
    say_group(context, group, "verify");
}

static void on_verified(void *context, size_t index, double max_error, bool ok, const char *reason) {
    layers *const l = context;
    layers_arm *const a = &l->plan.arms[index];
    a->max_error = max_error;
    a->wrong = !ok;
    snprintf(a->reason, sizeof a->reason, "%s", reason);
    if (!ok)
        progress_line(&l->course->progress, "WRONG, not timed: %s: %s", norm_op_name(a->slot.op), reason);
    course_advance(l->course, 1);
}

static bool on_step(void *context, const layers_step *step) {
    return layers_plan_add_step(&((layers *)context)->plan, step);
}

static void on_calibrated(void *context, size_t index, size_t calls, double ns, const char *matmul) {
    layers_arm *const a = &((layers *)context)->plan.arms[index];
    a->calls = calls;
    a->ns = ns;
    snprintf(a->matmul, sizeof a->matmul, "%s", matmul);
}

static void on_prepared(void *context, size_t group, double seconds) {
    layers_plan *const p = &((layers *)context)->plan;
    for (size_t i = 0; i < p->count; i++)
        if (p->arms[i].group == group)
            p->arms[i].prepare_s = seconds;
}

static void on_skipped(void *context, size_t group, const char *reason) {
    layers *const l = context;
    size_t begin, end;
    char text[160];
    layers_plan_group(&l->plan, group, &begin, &end);
    for (size_t i = begin; i < end; i++)
        snprintf(l->plan.arms[i].reason, sizeof l->plan.arms[i].reason, "%s", reason);
    layers_key_describe(&l->plan.arms[begin].key, text, sizeof text);
    progress_line(&l->course->progress, "skipped %s: %s", text, reason);
}

// Nothing of it is timed, however far its pilot came.
static void on_pilot_skipped(void *context, size_t group, const char *reason) {
    layers_plan *const p = &((layers *)context)->plan;
    size_t begin, end;
    layers_plan_group(p, group, &begin, &end);
    for (size_t i = begin; i < end; i++)
        p->arms[i].calls = 0;
    on_skipped(context, group, reason);
}

static void on_left_out(void *context, size_t group, const char *reason) {
    layers *const l = context;
    const budget_group cost = layers_plan_cost(&l->plan, group);
    course_skip(l->course, budget_had_seconds(&cost, cost.rounds));
    on_skipped(context, group, reason);
}

static void on_group(void *context, size_t group, const char *bound) {
    layers *const l = context;
    snprintf(l->course->bound, sizeof l->course->bound, "%s", bound);
    course_group(l->course, layers_plan_cost(&l->plan, group).prepare_s);
    say_group(l, group, "time");
}

static bool on_observed(void *context, const layers_observation *o) {
    layers *const l = context;
    if (!layers_samples_add(&l->course->run, &l->plan, o, l->course->bound)) {
        free(o->steps);
        return false;
    }
    course_advance(l->course, layers_plan_sample_seconds(&l->plan.arms[o->arm]));
    return layers_observations_add(&l->all, o);
}

// The arms of a group are sampled with the same number of calls: what makes the fastest of them last long enough.
static void agree_on_calls(void *context) {
    layers_plan *const p = &((layers *)context)->plan;
    for (size_t group = 0; group < p->groups; group++) {
        size_t begin, end, calls = 0;
        layers_plan_group(p, group, &begin, &end);
        for (size_t i = begin; i < end; i++)
            calls = p->arms[i].calls > calls ? p->arms[i].calls : calls;
        for (size_t i = begin; i < end; i++)
            p->arms[i].calls = calls;
    }
}

static void count_rounds(const layers *l, size_t launch, rounds_had *had) {
    const layers_plan *const p = &l->plan;
    memset(had, 0, p->groups * sizeof *had);
    for (size_t i = 0; i < l->all.count; i++) {
        const layers_observation *const o = &l->all.items[i];
        rounds_had *const h = &had[p->arms[o->arm].group];
        if (o->launch == launch && o->index / 2 + 1 > h->next)
            h->next = o->index / 2 + 1;
    }
    for (size_t i = 0; i < p->groups; i++)
        had[i].complete = had[i].next;
    for (size_t arm = 0; arm < p->count; arm++) {
        size_t samples = 0;
        for (size_t i = 0; i < l->all.count; i++)
            samples += l->all.items[i].launch == launch && l->all.items[i].arm == arm;
        rounds_had *const h = &had[p->arms[arm].group];
        if (layers_plan_times(&p->arms[arm]) && samples / 2 < h->complete)
            h->complete = samples / 2;
    }
}

static launch_end pilot(void *context, course *c, const char *plan_path, char *how, size_t size) {
    layers *const l = context;
    const layers_listener listener = {.context = l,
                                      .group = on_pilot_group,
                                      .verified = on_verified,
                                      .step = on_step,
                                      .calibrated = on_calibrated,
                                      .prepared = on_prepared,
                                      .skipped = on_pilot_skipped};
    const layers_job job = {WORKER_PILOT, plan_path, c->run.experiment.seed, 0, NULL};
    l->course = c;
    return layers_launch(&job, &l->plan, &listener, c->stop, how, size);
}

static launch_end launch(void *context, course *c, const char *plan_path, size_t number, char *how, size_t size) {
    layers *const l = context;
    rounds_had *const had = calloc(l->plan.groups + 1, sizeof *had);
    const layers_listener listener = {.context = l, .group = on_group, .observed = on_observed, .skipped = on_left_out};
    launch_end end = LAUNCH_DIED;
    l->course = c;
    snprintf(how, size, "out of memory");
    if (had != NULL) {
        count_rounds(l, number, had);
        for (size_t group = 0; group < l->plan.groups; group++) {
            const budget_group cost = layers_plan_cost(&l->plan, group);
            if (number < cost.launches)
                course_skip(c, budget_had_seconds(&cost, had[group].complete));
        }
        const layers_job job = {WORKER_MEASURE, plan_path, c->run.experiment.seed, number, had};
        end = layers_launch(&job, &l->plan, &listener, c->stop, how, size);
    }
    free(had);
    return end;
}

static bool write_plan(void *context, const run *r, char error[RUN_ERROR_SIZE]) {
    return layers_samples_write_plan(r, &((layers *)context)->plan, error);
}

static bool read_run(void *context, const run *r, char error[RUN_ERROR_SIZE]) {
    layers *const l = context;
    return layers_samples_read(r, &l->plan, &l->all, error);
}

static void rows_of(const void *context, csv_writer *w) { layers_samples_rows(&((const layers *)context)->plan, w); }

static void size_of(void *context, char *text, size_t size, double *units) {
    const layers_plan *const p = &((layers *)context)->plan;
    *units = (double)p->count;
    snprintf(text, size, "%zu arms in %zu groups", p->count, p->groups);
}

// Without a budget a launch may take this long, or what one round of everything takes.
#define LAUNCH_SECONDS 12

static void spend(void *context, double budget_s, size_t *launches) {
    layers *const l = context;
    layers_plan_spend(&l->plan, budget_s > 0 ? budget_s : LAUNCH_SECONDS * (double)*launches, l->most_rounds, launches);
}

static double seconds_of(void *context, size_t launch) {
    return layers_plan_launch_seconds(&((layers *)context)->plan, launch);
}

static int write_table(void *context, const run *r, const char *path, course_counts *counts) {
    const layers *const l = context;
    layers_summary s;
    *counts = (course_counts){0};
    if (!layers_summary_make(&s, &l->plan, &l->all))
        return ENOMEM;
    const int error = layers_summary_write(&s, path, r, &counts->rows, &counts->missing);
    layers_summary_free(&s);
    for (size_t i = 0; i < l->plan.count; i++) {
        counts->wrong += l->plan.arms[i].wrong;
        counts->skipped += l->plan.arms[i].reason[0] != '\0' && !l->plan.arms[i].wrong;
    }
    return error;
}

typedef struct {
    const layers_summary *summary;
    const run *run;
} steps_order;
static int write_steps(const void *what, const char *path) {
    const steps_order *const order = what;
    return layers_summary_write_steps(order->summary, path, order->run);
}

static int write_rest(void *context, const run *r, const char **file) {
    const layers *const l = context;
    layers_summary s;
    *file = "steps.csv";
    if (!layers_summary_make(&s, &l->plan, &l->all))
        return ENOMEM;
    const steps_order order = {&s, r};
    const int code = run_replace(r, *file, write_steps, &order);
    layers_summary_free(&s);
    return code;
}

static void print(void *context, FILE *out, const topology *t) {
    const layers *const l = context;
    layers_summary s;
    (void)t;
    if (!layers_summary_make(&s, &l->plan, &l->all))
        return;
    layers_summary_print(out, &s);
    layers_summary_free(&s);
}

int cmd_layers(int argc, char **argv) {
    request r;
    selection s;
    layers_sizes sizes;
    char error[TOPOLOGY_ERROR_SIZE];
    layers l = {0};
    const course_kind kind = {.command = &command,
                              .table = "layers.csv",
                              .run = &layers_samples_run,
                              .context = &l,
                              .write_plan = write_plan,
                              .read = read_run,
                              .rows = rows_of,
                              .size = size_of,
                              .pilot = pilot,
                              .piloted = agree_on_calls,
                              .launch = launch,
                              .spend = spend,
                              .seconds = seconds_of,
                              .write = write_table,
                              .write_rest = write_rest,
                              .print = print};
    if (argc > 1 && strcmp(argv[1], "--worker") == 0)
        return layers_worker_main(argc - 1, argv + 1);
    topology *const t = topology_open(NULL, error);
    if (t == NULL) {
        cli_complain(&command, "%s", error);
        return EXIT_FAILED;
    }
    int status = parse_request(argc, argv, t, &r, &s, &sizes);
    // A preset's small layers must not take the time of its large ones; of what was selected all time is for the
    // asking, and the effect of a norm on a whole layer, a percent of it, takes hundreds of rounds.
    l.most_rounds = r.preset == PRESETS ? 64 : 8;
    if (status == EXIT_DONE && r.resume == NULL) {
        if (layers_plan_make(&l.plan, r.preset, &s, &sizes, t)) {
            status = check_plan(&l.plan, &r);
        } else {
            cli_complain(&command, "out of memory");
            status = EXIT_FAILED;
        }
    }
    if (status == EXIT_DONE)
        status = r.dry_run ? dry_run(&l.plan, &r) : course_run(&kind, &r, t, argc, argv);
    layers_plan_free(&l.plan);
    layers_observations_free(&l.all);
    topology_close(t);
    return status < 0 ? EXIT_DONE : status;
}
