// SPDX-License-Identifier: MIT
// Where code lies in the links of `normbench ab`: another place in each launch; on both sides the same where that is
// asked for, whatever one of them has more of.
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/tool.h"
#include "measure/ab_link.h"

enum { FUNCTIONS = 12, SEED = 7, ALL = FUNCTIONS + 1 };
static char folder[] = "/tmp/normbench-link-XXXXXX";

static void run(const char *const argv[]) {
    char why[512];
    if (!tool_run(argv, folder, NULL, 0, why, sizeof why))
        fail_msg("%s: %s", argv[0], why);
}

// An archive of functions f0, f1, ..., each in an object of its own and of another size.
static void make_archive(const char *name, int functions) {
    char path[256], source[64], object[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (int i = 0; i < functions; i++) {
        snprintf(source, sizeof source, "f%d.s", i);
        snprintf(object, sizeof object, "f%d.o", i);
        snprintf(path, sizeof path, "%s/%s", folder, source);
        FILE *const file = fopen(path, "w");
        assert_non_null(file);
        fprintf(file,
                ".text\n.globl f%d\n.type f%d,%%function\nf%d:\n.skip %d\n.section .note.GNU-stack,\"\",%%progbits\n",
                i, i, i, 96 * (i + 1));
        assert_int_equal(fclose(file), 0);
        run((const char *const[]){"as", source, "-o", object, NULL});
        run((const char *const[]){"ar", "rcs", name, object, NULL});
    }
}

static int make_archives(void **state) {
    (void)state;
    if (mkdtemp(folder) == NULL || setenv("TMPDIR", folder, 1) != 0)
        return -1;
    make_archive("less.a", FUNCTIONS);
    make_archive("more.a", ALL);
    return 0;
}

static int remove_folder(void **state) {
    char why[256];
    (void)state;
    return tool_run((const char *const[]){"rm", "-rf", "--", folder, NULL}, NULL, NULL, 0, why, sizeof why) ? 0 : -1;
}

static void begin(const char *base, const char *candidate) {
    const char *const names[AB_SIDES] = {base, candidate};
    char why[512];
    for (ab_side side = 0; side < AB_SIDES; side++)
        snprintf(ab_source_of(side)->archive, PATH_MAX, "%s/%s", folder, names[side]);
    if (!ab_link_begin(why, sizeof why))
        fail_msg("%s", why);
}

typedef struct {
    ptrdiff_t at[AB_SIDES][ALL]; // where each function is; -1: nowhere
} layout;

static layout link_once(size_t launch, unsigned how) {
    char why[512], path[PATH_MAX], name[16];
    layout l;
    if (!ab_link(launch, SEED, how, why, sizeof why))
        fail_msg("%s", why);
    for (ab_side side = 0; side < AB_SIDES; side++) {
        ab_launch_path(side, launch, path);
        void *const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        assert_non_null(library);
        for (int i = 0; i < ALL; i++) {
            Dl_info where;
            snprintf(name, sizeof name, "f%d", i);
            const void *const f = dlsym(library, name);
            l.at[side][i] = f != NULL && dladdr(f, &where) != 0 ? (const char *)f - (const char *)where.dli_fbase : -1;
        }
    }
    ab_link_drop(launch);
    return l;
}

static bool lies_alike(const ptrdiff_t *a, const ptrdiff_t *b) { return memcmp(a, b, FUNCTIONS * sizeof *a) == 0; }

static void equal_sides_lie_alike_where_that_is_asked_for(void **state) {
    (void)state;
    begin("less.a", "less.a");
    const layout first = link_once(0, AB_LINK_ALIKE), second = link_once(1, AB_LINK_ALIKE), apart = link_once(2, 0);
    assert_true(first.at[AB_BASE][0] >= 0);
    assert_true(lies_alike(first.at[AB_BASE], first.at[AB_CANDIDATE]));
    assert_true(lies_alike(second.at[AB_BASE], second.at[AB_CANDIDATE]));
    assert_false(lies_alike(first.at[AB_BASE], second.at[AB_BASE]));
    assert_false(lies_alike(apart.at[AB_BASE], apart.at[AB_CANDIDATE]));
    ab_link_end();
}

// What lies before the one that only the candidate has is where it is on the other side, and what lies behind it is
// moved by that one's room alone.
static void what_one_side_has_more_of_moves_the_rest_by_its_size(void **state) {
    enum { LINE = 64, MOST_GAP = 16 * LINE + LINE };
    size_t before = 0, behind = 0;
    (void)state;
    begin("less.a", "more.a");
    for (size_t launch = 10; launch < 14; launch++) {
        const layout l = link_once(launch, AB_LINK_ALIKE);
        const ptrdiff_t more = l.at[AB_CANDIDATE][FUNCTIONS];
        assert_int_equal(l.at[AB_BASE][FUNCTIONS], -1);
        for (size_t i = 0; i < FUNCTIONS; i++) {
            const ptrdiff_t moved = l.at[AB_CANDIDATE][i] - l.at[AB_BASE][i];
            const bool is_behind = l.at[AB_CANDIDATE][i] > more;
            assert_true(is_behind ? moved > 0 && moved <= 96 * ALL + MOST_GAP : moved == 0);
            before += !is_behind;
            behind += is_behind;
        }
    }
    assert_true(before > 0 && behind > 0);
    ab_link_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_sides_lie_alike_where_that_is_asked_for),
        cmocka_unit_test(what_one_side_has_more_of_moves_the_rest_by_its_size),
    };
    return cmocka_run_group_tests(tests, make_archives, remove_folder);
}
