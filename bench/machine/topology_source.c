// SPDX-License-Identifier: MIT
// topology_source.c: see topology_struct.h.
#include "topology_struct.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// hwloc builds synthetic topologies in cubic time: 4096 PUs take 2 s, 64000 more than anyone waits.
enum { SYNTHETIC_PUS = 4096 };

// The number of PUs that a synthetic string asks for, at most SYNTHETIC_PUS + 1. What stands in brackets are
// attributes.
static size_t synthetic_pus(const char *text) {
    size_t product = 1;
    int depth = 0;
    for (const char *c = text; *c != '\0'; c++) {
        depth += (*c == '(' || *c == '[') - (*c == ')' || *c == ']');
        const bool starts = c == text || c[-1] == ' ' || c[-1] == ':';
        if (depth != 0 || !starts || *c < '0' || *c > '9')
            continue;
        const unsigned long long n = strtoull(c, NULL, 10);
        if (n == 0)
            return 0;
        if (n > SYNTHETIC_PUS / product)
            return SYNTHETIC_PUS + 1;
        product *= (size_t)n;
    }
    return product;
}

// The beginning of a plain file as text, for its <topology> and what stands next to it.
static void read_head(const char *path, char *text, size_t size) {
    struct stat status;
    FILE *const file = stat(path, &status) == 0 && S_ISREG(status.st_mode) ? fopen(path, "re") : NULL;
    const size_t length = file == NULL ? 0 : fread(text, 1, size - 1, file);
    text[length] = '\0';
    if (file != NULL)
        (void)fclose(file);
}

// hwloc finds out that a file is no XML when it is named or when it is loaded, according to which XML reader it was
// built with, and never says why. What can be told of why is told here.
static void refuse_xml(const char *source, char error[TOPOLOGY_ERROR_SIZE]) {
    static const char version[] = "<topology version=\"";
    const unsigned ours = hwloc_get_api_version();
    char head[4096];
    read_head(source, head, sizeof head);
    const char *const found = strstr(head, version);
    const unsigned long theirs = found == NULL ? 0 : strtoul(found + sizeof version - 1, NULL, 10);
    if (theirs > ours >> 16)
        snprintf(error, TOPOLOGY_ERROR_SIZE,
                 "%.100s was written by hwloc %lu, which hwloc %u.%u cannot read; "
                 "`lstopo --export-xml-flags v%u machine.xml` there writes what it can",
                 source, theirs, ours >> 16, ours >> 8 & 255, ours >> 16);
    else if (strstr(head, "<topology") != NULL && strstr(head, "type=\"System\"") != NULL)
        snprintf(error, TOPOLOGY_ERROR_SIZE,
                 "%.120s describes several machines; `lstopo machine.xml` on one of them writes that one", source);
    else
        snprintf(error, TOPOLOGY_ERROR_SIZE,
                 "%.120s is not a readable hwloc XML topology; `lstopo machine.xml` on that machine writes one",
                 source);
}

// Tells hwloc where to read the topology. false with a message.
static bool set_source(hwloc_topology_t hwloc, const char *source, char error[TOPOLOGY_ERROR_SIZE]) {
    struct stat status;
    const size_t length = strlen(source);
    const bool exists = stat(source, &status) == 0;
    const int reason = errno;
    if (exists || strchr(source, '/') != NULL || (length >= 4 && strcmp(source + length - 4, ".xml") == 0)) {
        if (!exists)
            snprintf(error, TOPOLOGY_ERROR_SIZE,
                     "cannot read the topology file %.120s: %s; `lstopo machine.xml` writes one", source,
                     strerror(reason));
        else if (hwloc_topology_set_xml(hwloc, source) == 0)
            return true;
        else
            refuse_xml(source, error);
        return false;
    }
    if (synthetic_pus(source) > SYNTHETIC_PUS)
        snprintf(error, TOPOLOGY_ERROR_SIZE,
                 "the topology \"%.80s\" has too many PUs; the most for a synthetic one is %d", source,
                 (int)SYNTHETIC_PUS);
    else if (hwloc_topology_set_synthetic(hwloc, source) == 0)
        return true;
    else
        snprintf(error, TOPOLOGY_ERROR_SIZE,
                 "\"%.80s\" is neither a file nor a synthetic topology; a valid one is \"package:2 l3:2 core:4 pu:2\"",
                 source);
    return false;
}

bool topology_source_load(hwloc_topology_t hwloc, const char *source, char error[TOPOLOGY_ERROR_SIZE]) {
    if (source != NULL && !set_source(hwloc, source, error))
        return false;
    if (hwloc_topology_load(hwloc) == 0)
        return true;
    if (source == NULL)
        snprintf(error, TOPOLOGY_ERROR_SIZE, "hwloc cannot load the topology of this machine; does `lstopo` work?");
    else
        refuse_xml(source, error);
    return false;
}
