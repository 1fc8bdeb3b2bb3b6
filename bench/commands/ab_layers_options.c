// SPDX-License-Identifier: MIT
// ab_layers_options.c: see ab_layers_options.h.
#include "ab_layers_options.h"

#include <stdio.h>
#include <string.h>

#include "measure/ab_same_code.h"
#include "plan/plugins.h"

layers_plan ab_layers_rows = {.schedule.kind = &ab_layers_kind};
static layers_sizes sizes;
static bool sized;
static selection models;

bool ab_layers_take_models(const cli_command *command, const char *value) {
    ab_settings *const s = ab_settings_here();
    char list[sizeof s->layers], error[SELECT_ERROR_SIZE];
    const char *const names = strcmp(value, "default") == 0 ? AB_LAYERS_MODELS : value;
    if (strlen(names) >= sizeof list)
        return cli_complain(command, "--layers takes fewer models, or all");
    memcpy(list, names, strlen(names) + 1);
    memcpy(s->layers, names, strlen(names) + 1);
    if (selection_set(&models, SELECT_MODEL, list, NULL, error))
        return true;
    return cli_complain(command, "--layers takes default or models; %s", error);
}

bool ab_layers_take_size(const cli_command *command, int option, char *value) {
    sized = true;
    return layers_option_take(command, option, value, &sizes);
}

// The slots of a layer are filled with norms that this program knows by name, too.
bool ab_layers_take_sides(char *why, size_t size) {
    for (ab_side side = 0; side < AB_SIDES; side++)
        if (ab_source_of(side)->opened->name[0] != '\0') {
            snprintf(why, size,
                     "--layers compares libraries of this project (libnorm.so, libnorm.a, git:REF), and the %s is a "
                     "plug-in: compare it without --layers, or time it in layers by normbench layers --plugin",
                     ab_side_name(side));
            return false;
        }
    return true;
}

bool ab_layers_make_rows(const selection *s, const topology *t, bool every) {
    selection selected = *s;
    size_t alone[AB_SIDES];
    selected.given[SELECT_MODEL] = true;
    memcpy(selected.model, models.model, sizeof selected.model);
    const bool ok = ab_layers_make(&ab_layers_rows, &selected, &sizes, t, ab_same_code, every, alone);
    for (ab_side side = 0; ok && side < AB_SIDES; side++)
        if (alone[side] > 0)
            fprintf(stderr, "note: %zu norm%s in layers only in the %s: not compared\n", alone[side],
                    alone[side] == 1 ? " is" : "s are", ab_side_name(side));
    return ok;
}

bool ab_layers_check(const cli_command *command, const selection *s) {
    const bool of_layers = ab_settings_here()->layers[0] != '\0';
    static const selector kernels[] = {SELECT_PASS, SELECT_SHAPE, SELECT_CACHE}, layers[] = {SELECT_PART, SELECT_PHASE};
    for (size_t i = 0; of_layers && i < sizeof kernels / sizeof *kernels; i++)
        if (s->given[kernels[i]])
            return cli_complain(command, "--%s is of single kernels: leave it or --layers out",
                                selector_option(kernels[i]));
    for (size_t i = 0; !of_layers && i < sizeof layers / sizeof *layers; i++)
        if (s->given[layers[i]])
            return cli_complain(command, "--%s is of layers: give --layers, too", selector_option(layers[i]));
    if (of_layers && plugins_at(0) != NULL)
        return cli_complain(command,
                            "--plugin is no side, and --layers compares two: leave it out, or use normbench layers");
    if (of_layers || !sized)
        return true;
    return cli_complain(command, "--tokens, --batch, --context and --depth are of layers: give --layers, too");
}
