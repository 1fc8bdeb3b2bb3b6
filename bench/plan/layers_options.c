// SPDX-License-Identifier: MIT
// layers_options.c: see layers_options.h.
#include "layers_options.h"

#include "base/parse.h"

static bool take_count(const cli_command *command, const char *option, const char *value, size_t *count) {
    if (parse_size(value, count) && *count > 0 && *count <= 1u << 24)
        return true;
    return cli_complain(command, "--%s %s: expected a number from 1 to %u", option, value, 1u << 24);
}

static bool take_depths(const cli_command *command, char *value, layers_sizes *sizes) {
    enum { MOST = sizeof sizes->depths / sizeof *sizes->depths };
    char *items[MOST];
    sizes->depth_count = parse_list(value, items, MOST);
    if (sizes->depth_count == 0)
        cli_complain(command, "--depth takes up to %d numbers, as in 1,12", (int)MOST);
    bool ok = sizes->depth_count > 0;
    for (size_t i = 0; ok && i < sizes->depth_count; i++)
        ok = take_count(command, "depth", items[i], &sizes->depths[i]);
    return ok;
}

static bool take_repeats(const cli_command *command, char *value, layers_sizes *sizes) {
    enum { MOST = sizeof sizes->repeats / sizeof *sizes->repeats, HIGHEST = 16 };
    char *items[MOST];
    size_t number;
    sizes->repeat_count = parse_list(value, items, MOST);
    bool ok = sizes->repeat_count > 0;
    for (size_t i = 0; ok && i < sizes->repeat_count; i++) {
        ok = parse_size(items[i], &number) && number <= HIGHEST;
        sizes->repeats[i] = (unsigned)number;
    }
    return ok ||
           cli_complain(command, "--repeats takes up to %d numbers from 0 to %d, as in 0,1,2,4", (int)MOST, HIGHEST);
}

bool layers_option_take(const cli_command *command, int option, char *value, layers_sizes *sizes) {
    switch (option) {
    case LAYERS_TOKENS:
        return take_count(command, "tokens", value, &sizes->tokens);
    case LAYERS_BATCH:
        return take_count(command, "batch", value, &sizes->batch);
    case LAYERS_CONTEXT:
        return take_count(command, "context", value, &sizes->context);
    case LAYERS_DEPTH:
        return take_depths(command, value, sizes);
    case LAYERS_STAGE:
        return (parse_size(value, &sizes->stage) && sizes->stage > 0 && sizes->stage <= MODEL_STAGES) ||
               cli_complain(command, "--stage %s: expected a number from 1 to %d", value, (int)MODEL_STAGES);
    default:
        return take_repeats(command, value, sizes);
    }
}
