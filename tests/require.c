// SPDX-License-Identifier: MIT
#include "require.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "norm.h"

static norm_level level_by_name(const char *name) {
    norm_level level = 0;
    while (level < NORM_LEVELS && strcmp(norm_level_name(level), name) != 0)
        level++;
    return level;
}

bool required_levels_here(void) {
    const char *const require = getenv("REQUIRE");
    char *const list = strdup(require ? require : "");
    if (!list)
        return false;
    bool ok = true;
    for (char *rest = list, *name; (name = strtok_r(rest, " ,", &rest));) {
        const norm_level level = level_by_name(name);
        const char *const missing = level < NORM_LEVELS ? norm_level_missing(level) : "";
        if (level == NORM_LEVELS)
            fprintf(stderr, "REQUIRE names %s, which is no level of this build\n", name);
        else if (missing)
            fprintf(stderr, "level %s is required, but this CPU lacks %s\n", name, missing);
        ok = ok && level < NORM_LEVELS && !missing;
    }
    free(list);
    return ok;
}
