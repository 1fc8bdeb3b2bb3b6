// SPDX-License-Identifier: MIT
// cgroup.c: see cgroup.h.
#include "cgroup.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A line of a file of the kernel, NULL after the last.
static char *next_line(FILE *file, char **line, size_t *room) {
    const ssize_t length = getline(line, room, file);
    if (length > 0 && (*line)[length - 1] == '\n')
        (*line)[length - 1] = '\0';
    return length < 0 ? NULL : *line;
}

static FILE *open_below(const char *root, const char *path) {
    char full[PATH_MAX];
    const int length = snprintf(full, sizeof full, "%s%s", root, path);
    return length > 0 && (size_t)length < sizeof full ? fopen(full, "re") : NULL;
}

// Whether a comma list has the word.
static bool has_word(const char *list, const char *word) {
    const size_t length = strlen(word);
    for (const char *at = list; at != NULL; at = strchr(at, ','), at += at != NULL)
        if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    return false;
}

// The group of this process in a controller of version 1, or (NULL) in version 2, from lines as "4:cpu,cpuacct:/group"
// and "0::/group". false if there is none.
static bool find_group(const char *root, const char *controller, char group[PATH_MAX]) {
    FILE *const file = open_below(root, "/proc/self/cgroup");
    char *line = NULL;
    size_t room = 0;
    bool found = false;
    while (!found && file != NULL && next_line(file, &line, &room) != NULL) {
        char *const list = strchr(line, ':'), *const path = list == NULL ? NULL : strchr(list + 1, ':');
        if (path == NULL)
            continue;
        *path = '\0';
        found = controller == NULL ? list[1] == '\0' : has_word(list + 1, controller);
        if (found)
            snprintf(group, PATH_MAX, "%s", path + 1);
    }
    free(line);
    if (file != NULL)
        (void)fclose(file);
    return found;
}

// Decodes \040 and the like, as /proc writes white space in paths.
static void unescape(char *text) {
    char *to = text;
    for (const char *from = text; *from != '\0'; to++)
        if (from[0] == '\\' && strspn(from + 1, "01234567") >= 3) {
            *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else
            *to = *from++;
    *to = '\0';
}

// The part of a group's path that lies below a mount, whose root is a group itself: "" for the mount, and for a group
// outside it, of which a container sees no more.
static const char *below_mount(const char *group, const char *mount_root) {
    const size_t length = strcmp(mount_root, "/") == 0 ? 0 : strlen(mount_root);
    const bool inside = strncmp(group, mount_root, length) == 0 && (group[length] == '/' || group[length] == '\0');
    return !inside || strstr(group, "/..") != NULL || strcmp(group, "/") == 0 ? "" : group + length;
}

typedef struct {
    const char *root;
    void (*visit)(void *context, const char *folder);
    void *context;
} visitor;

// From the group up to the mount.
static void visit_upwards(const visitor *v, const char *mount, const char *below) {
    char folder[PATH_MAX];
    const int base = snprintf(folder, sizeof folder, "%s%s", v->root, mount);
    if (base < 0 || (size_t)base + strlen(below) >= sizeof folder)
        return;
    snprintf(folder + base, sizeof folder - (size_t)base, "%s", below);
    for (char *end = folder + strlen(folder); end >= folder + base; end--)
        if (*end == '\0' || *end == '/') {
            *end = '\0';
            v->visit(v->context, folder);
        }
}

// Visits what a line of mountinfo mounts, if that are the groups of the version: "36 35 0:31 ROOT MOUNT OPTIONS TAGS -
// TYPE SOURCE OPTIONS".
static bool visit_mount(const visitor *v, char *line, const char *controller, const char *group) {
    enum { ROOT = 3, MOUNT, FIELDS };
    char type[32], options[512], *fields[FIELDS] = {NULL}, *more = NULL;
    const char *const rest = strstr(line, " - ");
    if (rest == NULL || sscanf(rest, " - %31s %*s %511s", type, options) != 2)
        return false;
    const bool wanted = controller == NULL ? strcmp(type, "cgroup2") == 0
                                           : strcmp(type, "cgroup") == 0 && has_word(options, controller);
    for (size_t i = 0; wanted && i < FIELDS; i++)
        fields[i] = strtok_r(i == 0 ? line : NULL, " ", &more);
    if (fields[ROOT] == NULL || fields[MOUNT] == NULL)
        return false;
    unescape(fields[ROOT]);
    unescape(fields[MOUNT]);
    visit_upwards(v, fields[MOUNT], below_mount(group, fields[ROOT]));
    return true;
}

// Of one version: 1 with a controller, 2 without.
static bool visit_version(const visitor *v, const char *controller) {
    char group[PATH_MAX], *line = NULL;
    size_t room = 0;
    bool visited = false;
    if (!find_group(v->root, controller, group))
        return false;
    FILE *const mounts = open_below(v->root, "/proc/self/mountinfo");
    while (mounts != NULL && next_line(mounts, &line, &room) != NULL)
        visited = visit_mount(v, line, controller, group) || visited;
    free(line);
    if (mounts != NULL)
        (void)fclose(mounts);
    return visited;
}

void cgroup_visit(const char *root, const char *controller, void (*visit)(void *context, const char *folder),
                  void *context) {
    const visitor v = {root, visit, context};
    const bool second = visit_version(&v, NULL), first = visit_version(&v, controller);
    char below[64];
    if (first || second)
        return;
    snprintf(below, sizeof below, "/%s", controller);
    visit_upwards(&v, "/sys/fs/cgroup", below);
}
