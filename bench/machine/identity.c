// SPDX-License-Identifier: MIT
// identity.c: what a machine is called; see machine.h.
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "facts.h"
#include "machine.h"

// "AMD EPYC 9654 96-Core Processor" becomes "amd-epyc-9654": marks, counts, clocks and graphics are left out.
static void slug(const char *model, char *text, size_t size) {
    char words[128], *rest = NULL;
    snprintf(words, sizeof words, "%s", model);
    for (char *c = words; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    static const char *const marks[] = {"(r)", "(tm)", "(c)"};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        for (char *mark = words; (mark = strstr(mark, marks[i])) != NULL;)
            memset(mark, ' ', strlen(marks[i]));
    size_t used = 0;
    text[0] = '\0';
    for (char *word = strtok_r(words, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        if (strcmp(word, "@") == 0 || strcmp(word, "with") == 0 || strcmp(word, "w/") == 0)
            break;
        if (strcmp(word, "cpu") == 0 || strcmp(word, "processor") == 0 || strstr(word, "-core") != NULL)
            continue;
        if (used > 0 && used + 1 < size && text[used - 1] != '-')
            text[used++] = '-';
        for (const char *c = word; *c != '\0' && used + 1 < size; c++)
            if (isalnum((unsigned char)*c))
                text[used++] = *c;
            else if (used > 0 && text[used - 1] != '-')
                text[used++] = '-';
        text[used] = '\0';
    }
    while (used > 0 && text[used - 1] == '-')
        text[--used] = '\0';
}

// FNV-1a, 32 bits (Fowler, Noll and Vo): enough to tell a person's machines apart.
static uint32_t hash_text(uint32_t hash, const char *text) {
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return (hash ^ 0x1f) * 16777619u; // ends the field, so that "1","23" differs from "12","3"
}

void machine_id(const topology *t, char *id, size_t size) {
    static const char *const names[] = {"Architecture",   "CPUVendor",   "CPUModel",       "CPUFamilyNumber",
                                        "CPUModelNumber", "CPUStepping", "CPUImplementer", "CPUVariant",
                                        "CPUPart",        "CPURevision"};
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = topology_info(t, names[i]);
        hash = hash_text(hash, value == NULL ? "" : value);
    }
    char numbers[256], signature[16], name[40];
    snprintf(numbers, sizeof numbers, "%zu %zu %zu %zu %zu %zu %zu %zu %d", topology_cores(t), topology_pus(t),
             topology_packages(t), topology_numa_nodes(t), topology_cache_bytes(t, 1), topology_cache_bytes(t, 2),
             topology_cache_bytes(t, 3), topology_llc_total_bytes(t),
             topology_is_this_machine(t) && facts_hypervisor(signature));
    hash = hash_text(hash, numbers);
    const char *model = topology_info(t, "CPUModel"), *architecture = topology_info(t, "Architecture");
    slug(model != NULL ? model : architecture != NULL ? architecture : "", name, sizeof name);
    snprintf(id, size, "%s-%zuc-%08x", name[0] != '\0' ? name : "machine", topology_cores(t), (unsigned)hash);
}
