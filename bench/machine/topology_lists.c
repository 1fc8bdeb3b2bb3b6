// SPDX-License-Identifier: MIT
// topology_lists.c: the names of placements, and the lists of them and of thread counts that people type; see
// topology.h.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "topology.h"

const char *placement_name(placement p) {
#define PLACEMENT_ROW(ID, NAME, HELP) #NAME,
    static const char *const names[] = {PLACEMENT_LIST(PLACEMENT_ROW)};
#undef PLACEMENT_ROW
    return names[p];
}

const char *placement_help(placement p) {
#define PLACEMENT_ROW(ID, NAME, HELP) HELP,
    static const char *const texts[] = {PLACEMENT_LIST(PLACEMENT_ROW)};
#undef PLACEMENT_ROW
    return texts[p];
}

size_t topology_threads(const topology *t, char *list, size_t *threads, size_t max, char error[TOPOLOGY_ERROR_SIZE]) {
    static const char allowed[] = "a comma list of numbers, `cores` and `all`";
    char **items = malloc((max + 1) * sizeof *items);
    size_t count = 0;
    if (items == NULL) {
        snprintf(error, TOPOLOGY_ERROR_SIZE, "out of memory");
        return 0;
    }
    const size_t n = parse_list(list, items, max);
    if (n == 0)
        snprintf(error, TOPOLOGY_ERROR_SIZE, "--threads takes %s; it is empty, has an empty item, or more than %zu",
                 allowed, max);
    for (size_t i = 0; i < n; i++) {
        size_t value = 0;
        if (strcmp(items[i], "all") == 0)
            value = topology_pus(t);
        else if (strcmp(items[i], "cores") == 0)
            value = topology_cores(t);
        else if (!parse_size(items[i], &value) || value == 0) {
            snprintf(error, TOPOLOGY_ERROR_SIZE, "--threads: \"%.40s\" is none of %s; numbers go from 1 to %zu here",
                     items[i], allowed, topology_pus(t));
            count = 0;
            break;
        }
        if (value > topology_pus(t)) {
            snprintf(error, TOPOLOGY_ERROR_SIZE,
                     "--threads: %zu threads are more than the PUs that may be used; the most is %zu (`all`)", value,
                     topology_pus(t));
            count = 0;
            break;
        }
        bool seen = false;
        for (size_t j = 0; j < count; j++)
            seen = seen || threads[j] == value;
        if (!seen)
            threads[count++] = value;
    }
    free(items);
    return count;
}

size_t topology_placements(char *list, placement placements[PLACEMENTS], char error[TOPOLOGY_ERROR_SIZE]) {
    enum { ITEMS = 4 * PLACEMENTS };
    char *items[ITEMS];
    bool wanted[PLACEMENTS] = {false};
    const size_t n = parse_list(list, items, ITEMS);
    const char *wrong = n == 0 ? "" : NULL;
    size_t count = 0;
    for (size_t i = 0; i < n && wrong == NULL; i++) {
        bool known = false;
        for (int p = 0; p < PLACEMENTS; p++) {
            const bool named = strcmp(items[i], placement_name((placement)p)) == 0 || strcmp(items[i], "all") == 0;
            if (named && !wanted[p]) {
                wanted[p] = true;
                placements[count++] = (placement)p;
            }
            known = known || named;
        }
        wrong = known ? NULL : items[i];
    }
    if (wrong == NULL)
        return count;
    size_t used =
        (size_t)snprintf(error, TOPOLOGY_ERROR_SIZE, "--placement: \"%.40s\" is no placement; valid are", wrong);
    for (int p = 0; p < PLACEMENTS; p++)
        used += (size_t)snprintf(error + used, TOPOLOGY_ERROR_SIZE - used, " %s,", placement_name((placement)p));
    snprintf(error + used, TOPOLOGY_ERROR_SIZE - used, " or `all`");
    return 0;
}
