// SPDX-License-Identifier: MIT
// `normbench layers`: times whole layers, and models, with every norm in turn in their slots, step by step. A subject
// of the engine: layers_plan.h, layers.h and layers_summary.h.
#include <errno.h>

#include "commands.h"
#include "measure/campaign.h"
#include "measure/layers.h"
#include "peers/peers.h"
#include "plan/layers_options.h"
#include "report/answers.h"
#include "report/layers_summary.h"

enum { OPTIONS = REQUEST_OPTIONS + LAYERS_OPTIONS };
static const cli_option options[OPTIONS] = {
    REQUEST_ROWS("layers.csv", "17, of a preset 9 (quick), 17 (map) or 40 at most, fewer of what takes longest",
                 "quick (at most a minute), default (eighteen minutes), full (two hours) or map (forty minutes:\n"
                 "each kind of model, phase and dtype, with DyT and with no norm); selectors then narrow it."),
    LAYERS_SIZE_ROWS(REQUEST_OPTIONS, "512 for language models, else as published"),
    LAYERS_REPEATS_ROW(REQUEST_OPTIONS),
    LAYERS_STAGE_ROW(REQUEST_OPTIONS),
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

static layers_plan arms = {.schedule.kind = &layers_plan_kind};
static layers_sizes sizes;

static bool take(request *r, int option, char *value) {
    (void)r;
    return layers_option_take(&command, option - REQUEST_OPTIONS, value, &sizes);
}

static bool make(preset which, const selection *s, const topology *t) {
    return layers_plan_make(&arms, which, s, &sizes, t);
}

// A default that is another one for want of a library is not taken in silence.
static bool check(const request *r, const selection *s) {
    bool concerned = false, staged = arms.schedule.count == 0 || sizes.stage == 0;
    (void)r;
    for (size_t i = 0; i < arms.schedule.count; i++) {
        const model_shape *const model = layers_arm_at(&arms, i)->key.model;
        staged |= layers_has_stages(model);
        if (layer_missing(model) != NULL)
            return cli_complain(&command, "%s needs %s", model->name, layer_missing(model));
    }
    if (arms.left_out != NULL)
        cli_complain(&command, "left out is %s, which needs %s", arms.left_out->name, layer_missing(arms.left_out));
    if (!staged)
        return cli_complain(&command, "--stage is for models with stages, of which none is selected: add --model");
    for (size_t i = 0; i < arms.schedule.count && !s->given[SELECT_VARIANT]; i++) {
        const layers_arm *const a = layers_arm_at(&arms, i);
        concerned |= a->slot.op == NORM_DYT && a->slot.form == NORM_FRAMEWORK && a->key.dtype == NORM_F32;
    }
    if (concerned && peers_tanh_note() != NULL)
        cli_complain(&command, "%s", peers_tanh_note());
    return true;
}

static size_t partner(size_t item) {
    const layers_arm *const a = layers_arm_at(&arms, item);
    return a->slot.op == NORM_IDENTITY ? SIZE_MAX : layers_plan_partner(&arms, item, a->key.model->native);
}
static double log_norms(const observation *o) { return layers_reading(&arms, o, READING_LOG_NORM); }

static int write_table(const observations *all, const run *r, const char *path, size_t *missing) {
    layers_summary s;
    if (!layers_summary_make(&s, &arms, all))
        return ENOMEM;
    const int error = layers_summary_write(&s, path, r, missing);
    layers_summary_free(&s);
    return error;
}

static int write_steps(const observations *all, const run *r, const char *path) {
    layers_summary s;
    if (!layers_summary_make(&s, &arms, all))
        return ENOMEM;
    const int error = layers_summary_write_steps(&s, path, r);
    layers_summary_free(&s);
    return error;
}

static const subject layers = {.command = &command,
                               .table = "layers.csv",
                               .more = "steps.csv",
                               .samples = "layer_samples.csv",
                               .quantities = layers_quantities,
                               .quantity_count = LAYERS_END - SAMPLE_OWN,
                               .schedule = &arms.schedule,
                               .launches = layers_launches,
                               .budgets = layers_budgets,
                               .nothing = ": decode is for llama and gpt2 models, presets have no f16, and normbench "
                                          "list implementations says what each op has",
                               .choose = "fewer --tokens, a smaller --batch or --depth, or another --model",
                               .take = take,
                               .make = make,
                               .check = check,
                               .spend = layers_plan_spend_run,
                               .work = &layers_work,
                               .tunes = true,
                               .partner = partner,
                               .log_reading = log_norms,
                               .write = write_table,
                               .write_more = write_steps,
                               .print = answers_print_run};

int cmd_layers(int argc, char **argv) { return campaign_main(&layers, argc, argv); }
