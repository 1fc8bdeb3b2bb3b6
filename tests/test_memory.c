// SPDX-License-Identifier: MIT
// How much memory there is to take: the machine's, and limits of control groups of both versions, nested, seen from
// inside and outside a container. Systems are folders made for the purpose.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "machine/memory.h"

enum { FILES = 16 };

typedef struct {
    const char *path, *text;
} file;

#define KIB(number) ((size_t)(number) << 10)
#define FREE                                                                                                           \
    { "proc/meminfo", "MemTotal: 9000 kB\nMemFree: 10 kB\nMemAvailable: 8000 kB\n" }
#define SECOND                                                                                                         \
    { "proc/self/mountinfo", "30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n" }
#define FIRST                                                                                                          \
    {                                                                                                                  \
        "proc/self/mountinfo", "30 20 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"                   \
                               "31 20 0:27 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory\n"            \
    }
#define G "sys/fs/cgroup/"

static const struct {
    const char *what;
    size_t available;
    bool limited;
    file files[FILES];
} systems[] = {
    {"no control groups", KIB(8000), false, {FREE}},
    {"version 2 without a limit",
     KIB(8000),
     false,
     {FREE,
      SECOND,
      {"proc/self/cgroup", "0::/user/job\n"},
      {G "user/job/memory.max", "max\n"},
      {G "user/job/memory.current", "4096000\n"}}},
    {"version 2, the group's own limit",
     KIB(300),
     true,
     {FREE,
      SECOND,
      {"proc/self/cgroup", "0::/user/job\n"},
      {G "user/job/memory.max", "409600\n"},
      {G "user/job/memory.current", "102400\n"}}},
    {"version 2, the pages of files are given up",
     KIB(380),
     true,
     {FREE,
      SECOND,
      {"proc/self/cgroup", "0::/user/job\n"},
      {G "user/job/memory.max", "409600\n"},
      {G "user/job/memory.current", "102400\n"},
      {G "user/job/memory.stat", "anon 20480\nfile 81920\ninactive_file 51200\nactive_file 30720\n"}}},
    {"version 2, slowed down before it is killed",
     KIB(100),
     true,
     {FREE,
      SECOND,
      {"proc/self/cgroup", "0::/job\n"},
      {G "job/memory.max", "409600\n"},
      {G "job/memory.high", "204800\n"},
      {G "job/memory.current", "102400\n"}}},
    {"version 2, the least is that of a group around it",
     KIB(10),
     true,
     {FREE,
      SECOND,
      {"proc/self/cgroup", "0::/outer/middle/inner\n"},
      {G "outer/memory.max", "409600\n"},
      {G "outer/memory.current", "102400\n"},
      {G "outer/middle/memory.max", "102400\n"},
      {G "outer/middle/memory.current", "92160\n"},
      {G "outer/middle/inner/memory.max", "max\n"},
      {G "outer/middle/inner/memory.current", "51200\n"}}},
    {"version 2, more is used than may be",
     0,
     true,
     {FREE,
      SECOND,
      {"proc/self/cgroup", "0::/job\n"},
      {G "job/memory.max", "102400\n"},
      {G "job/memory.current", "204800\n"}}},
    {"version 2 in a container that sees itself as the root",
     KIB(100),
     true,
     {FREE, SECOND, {"proc/self/cgroup", "0::/\n"}, {G "memory.max", "204800\n"}, {G "memory.current", "102400\n"}}},
    {"version 2, a process that was moved out of its namespace",
     KIB(100),
     true,
     {FREE,
      SECOND,
      {"proc/self/cgroup", "0::/../other\n"},
      {G "memory.max", "204800\n"},
      {G "memory.current", "102400\n"}}},
    {"version 2 in a container without the rest of /proc",
     KIB(100),
     true,
     {FREE, {G "memory.max", "204800\n"}, {G "memory.current", "102400\n"}}},
    {"version 1 in one",
     KIB(100),
     true,
     {FREE, {G "memory/memory.limit_in_bytes", "204800\n"}, {G "memory/memory.usage_in_bytes", "102400\n"}}},
    {"version 2 mounted elsewhere",
     KIB(50),
     true,
     {FREE,
      {"proc/self/mountinfo", "30 20 0:26 / /mnt/my\\040groups rw - cgroup2 none rw\n"},
      {"proc/self/cgroup", "0::/job\n"},
      {"mnt/my groups/job/memory.max", "102400\n"},
      {"mnt/my groups/job/memory.current", "51200\n"}}},
    {"version 1, nested",
     KIB(200),
     true,
     {FREE,
      FIRST,
      {"proc/self/cgroup", "5:cpu,cpuacct:/else\n4:memory:/outer/inner\n0::/\n"},
      {G "memory/memory.limit_in_bytes", "9223372036854771712\n"},
      {G "memory/memory.usage_in_bytes", "999999999\n"},
      {G "memory/outer/memory.limit_in_bytes", "409600\n"},
      {G "memory/outer/memory.usage_in_bytes", "307200\n"},
      {G "memory/outer/memory.stat", "inactive_file 0\ntotal_inactive_file 51200\ntotal_active_file 51200\n"},
      {G "memory/outer/inner/memory.limit_in_bytes", "9223372036854771712\n"},
      {G "memory/outer/inner/memory.usage_in_bytes", "4096\n"}}},
    {"version 1 in a container that sees its group alone",
     KIB(100),
     true,
     {FREE,
      {"proc/self/mountinfo", "31 20 0:27 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"},
      {"proc/self/cgroup", "4:memory:/docker/abc\n"},
      {G "memory/memory.limit_in_bytes", "204800\n"},
      {G "memory/memory.usage_in_bytes", "102400\n"}}},
    {"both versions, memory in the first",
     KIB(100),
     true,
     {FREE,
      {"proc/self/mountinfo", "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
                              "31 20 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"},
      {"proc/self/cgroup", "4:memory:/job\n0::/job\n"},
      {G "unified/job/cgroup.procs", "1\n"},
      {G "memory/job/memory.limit_in_bytes", "204800\n"},
      {G "memory/job/memory.usage_in_bytes", "102400\n"}}},
};

static void write_below(const char *root, const file *f) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, f->path);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        (void)mkdir(path, 0777);
        *slash = '/';
    }
    FILE *const out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(f->text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static void remove_all(const char *root) {
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", root);
    assert_int_equal(system(command), 0);
}

static void limits(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++) {
        char root[] = "/tmp/normbench_memory_XXXXXX";
        bool limited;
        assert_non_null(mkdtemp(root));
        for (size_t k = 0; k < FILES && systems[i].files[k].path != NULL; k++)
            write_below(root, &systems[i].files[k]);
        const size_t available = memory_available_below(root, &limited);
        if (available != systems[i].available || limited != systems[i].limited)
            fail_msg("%s: %zu bytes, %s, expected %zu", systems[i].what, available, limited ? "limited" : "not limited",
                     systems[i].available);
        remove_all(root);
    }
}

static void no_proc(void **state) {
    (void)state;
    bool limited = true;
    const size_t available = memory_available_below("/no/such/system", &limited);
    assert_true(available > 0);
    assert_false(limited);
}

static void what_is_said(void **state) {
    (void)state;
    char text[200] = "";
    assert_true(memory_fits(1, text, sizeof text));
    assert_string_equal(text, "");
    assert_false(memory_fits(SIZE_MAX - 1, text, sizeof text));
    assert_non_null(strstr(text, "GB of memory, "));
    assert_false(memory_fits(SIZE_MAX, text, sizeof text));
    assert_non_null(strstr(text, "than can be addressed"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits),
        cmocka_unit_test(no_proc),
        cmocka_unit_test(what_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
