// SPDX-License-Identifier: MIT
// Schedules: results are the same bits under each of them, in every op, form, dtype, level and pass; what is written of
// one is read back, and what is none is refused; and a file of them is taken whole or not at all.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "norm.h"

// ---- The same bits

// What is no whole number of vectors, of four of them, or of tiles; pages; more rows than a run of gradients.
static const struct { size_t rows, cols; } shapes[] = {{1, 1024}, {5, 333}, {7, 1024}, {70, 160}};
static const char *const asked[] = {"plain",         "overlap",           "sum1",        "sum4",
                                    "sum1+fetch64",  "overlap+fetch4096", "tile64x2",    "tile100x3+fetch64x4",
                                    "tile1048576x1", "fetch16384",        "tile256x1000"};
enum { ELEMENTS = 70 * 1024, TENSORS = 7, COLS = 1024, SAVED = 1 << 16, GRADIENTS = 2 * COLS + 2 };
enum { X, Y, BRANCH, SUM, DY, DX, DSUM };

typedef struct {
    float matrix[TENSORS][ELEMENTS], gamma[COLS], beta[COLS], gradients[GRADIENTS];
    unsigned char saved[SAVED];
} tensors;

// Of 16 bits the upper halves of such numbers, side by side: no NaN among them.
static void fill(norm_dtype dtype, void *data, size_t count, unsigned seed) {
    for (size_t i = 0; i < count; i++) {
        const float value = ((float)((i * 37 + seed * 101) % 211) / 61.0f - 1.5f) * (i % 5 == 3 ? 0.0271f : 1.3f);
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        if (norm_dtype_bytes(dtype) == sizeof(uint16_t))
            ((uint16_t *)data)[i] = (uint16_t)(bits >> 16);
        else
            ((float *)data)[i] = value;
    }
}

static void run(const norm_impl *impl, tensors *t, size_t rows, size_t cols, const norm_schedule *schedule,
                void *workspace) {
    norm_args args = {.rows = rows,
                      .cols = cols,
                      .x_stride = cols,
                      .y_stride = cols,
                      .dy_stride = cols,
                      .dx_stride = cols,
                      .branch_stride = cols,
                      .sum_stride = cols,
                      .dsum_stride = cols,
                      .x = t->matrix[X],
                      .y = t->matrix[Y],
                      .branch = t->matrix[BRANCH],
                      .sum = t->matrix[SUM],
                      .dy = t->matrix[DY],
                      .dx = t->matrix[DX],
                      .dsum = t->matrix[DSUM],
                      .gamma = t->gamma,
                      .beta = t->beta,
                      .alpha = 0.5f,
                      .shift = 0.25f,
                      .eps = 1e-5f,
                      .dgamma = t->gradients,
                      .dbeta = t->gradients + COLS,
                      .dalpha = t->gradients + 2 * COLS,
                      .dshift = t->gradients + 2 * COLS + 1,
                      .saved = t->saved,
                      .workspace = workspace,
                      .schedule = schedule};
    memset(t, 0, sizeof *t);
    for (int i = 0; i < TENSORS; i++)
        if (i != Y && i != DX && i != SUM)
            fill(impl->dtype, t->matrix[i], rows * cols, (unsigned)i + 1);
    fill(impl->dtype, t->gamma, cols, 11);
    fill(impl->dtype, t->beta, cols, 12);
    assert_int_equal(norm_run(impl, NORM_FORWARD, &args, 1), NORM_OK);
    if (impl->form == NORM_ADD_FUSED)
        args.x = t->matrix[SUM];
    assert_int_equal(norm_run(impl, NORM_BACKWARD, &args, 1), NORM_OK);
}

static void compare(const norm_impl *impl, size_t rows, size_t cols, tensors *plain, tensors *other) {
    norm_schedule schedule;
    void *const workspace = malloc(norm_workspace_bytes(impl, rows, cols, 1) + 1);
    assert_non_null(workspace);
    assert_true(norm_saved_bytes(impl, rows, cols) <= SAVED);
    run(impl, plain, rows, cols, &(norm_schedule){0}, workspace);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        assert_true(norm_schedule_parse(asked[i], &schedule));
        run(impl, other, rows, cols, &schedule, workspace);
        if (memcmp(plain, other, sizeof *plain) != 0)
            fail_msg("%s %s %s %s %s, %s: %zu rows of %zu are others", norm_op_name(impl->op), impl->variant,
                     norm_form_name(impl->form), norm_level_name(impl->level), norm_dtype_name(impl->dtype), asked[i],
                     rows, cols);
    }
    free(workspace);
}

static void same_bits(void **state) {
    tensors *const plain = malloc(sizeof *plain), *const other = malloc(sizeof *other);
    size_t compared = 0;
    (void)state;
    assert_true(plain != NULL && other != NULL);
    for (size_t i = 0; norm_at(i) != NULL; i++) {
        const norm_impl *const impl = norm_at(i);
        if ((impl->form != NORM_FUSED && impl->form != NORM_ADD_FUSED) || impl->level >= NORM_LEVELS ||
            norm_missing(impl) != NULL || !norm_is_default(impl))
            continue;
        for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++, compared++)
            compare(impl, shapes[k].rows, shapes[k].cols, plain, other);
    }
    assert_true(compared > 0);
    free(plain);
    free(other);
}

// ---- As a word

static void words_are_read_back(void **state) {
    char text[NORM_SCHEDULE_TEXT];
    norm_schedule schedule;
    (void)state;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        assert_true(norm_schedule_parse(asked[i], &schedule));
        norm_schedule again;
        assert_true(norm_schedule_parse(norm_schedule_text(&schedule, text), &again));
        assert_memory_equal(&schedule, &again, sizeof again);
    }
    assert_string_equal(norm_schedule_text(NULL, text), "default");
    assert_string_equal(norm_schedule_text(&(norm_schedule){0}, text), "plain");
    const norm_schedule all = {SIZE_MAX - 1, 4, UINT32_MAX, 4, UINT32_MAX, UINT32_MAX}; // there is room for any
    assert_true(strlen(norm_schedule_text(&all, text)) < NORM_SCHEDULE_TEXT - 1);
}

static void others_are_refused(void **state) {
    static const char *const wrong[] = {"",
                                        "default",
                                        "plain+sum1",
                                        "sum",
                                        "sum2",
                                        "sum0",
                                        "sum44",
                                        "overlap0",
                                        "overlap+",
                                        "+overlap",
                                        "overlap-1",
                                        "sum1+sum4",
                                        "fetch",
                                        "fetch63",
                                        "fetch0",
                                        "fetch064",
                                        "fetch64x2",
                                        "fetch64x",
                                        "fetch99999999999999999999",
                                        "tile0x64",
                                        "tile64x0",
                                        "tile64",
                                        "tile64x",
                                        "tilex64",
                                        "Tile64x1",
                                        "tile64x1 ",
                                        "sum1,sum4",
                                        "fetch64+fetch64",
                                        "warp9",
                                        "overlap6144k"};
    norm_schedule schedule;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (norm_schedule_parse(wrong[i], &schedule))
            fail_msg("\"%s\" was taken for a schedule", wrong[i]);
}

// ---- Files

#define COLUMNS                                                                                                        \
    "schema_version,entry,entries,cpu,build,l1_bytes,l2_bytes,l3_bytes,op,base,form,level,dtype,streams,pass,size,"    \
    "width,schedule\n"

static char path[] = "/tmp/test_schedules.XXXXXX";

static void write_file(const char *text) {
    FILE *const file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

// A row of scalar dyt, forward; NULL: as it should be.
typedef struct {
    const char *schema, *entry, *cpu, *build, *l1, *op, *schedule;
} given;
static void add_row(char *text, size_t size, const given *g, const char *width) {
    const size_t used = strlen(text);
    snprintf(text + used, size - used, "%s,%s,2,%s,%s,%s,1000000,0,%s,u2,fused,scalar,f32,0,forward,l2,%s,%s\n",
             g->schema != NULL ? g->schema : "1", g->entry, g->cpu != NULL ? g->cpu : norm_cpu(),
             g->build != NULL ? g->build : norm_build(), g->l1 != NULL ? g->l1 : "32768", g->op != NULL ? g->op : "dyt",
             width, g->schedule);
}

static void files_are_taken(void **state) {
    char text[2048] = COLUMNS, why[NORM_SCHEDULES_WHY], word[NORM_SCHEDULE_TEXT];
    const norm_impl *const dyt = norm_find("dyt", "u2", "fused", "scalar", "f32");
    (void)state;
    assert_null(norm_schedule_of(dyt, NORM_FORWARD, 64, 768, 1));
    add_row(text, sizeof text, &(given){.entry = "1", .schedule = "tile64x2"}, "narrow");
    add_row(text, sizeof text, &(given){.entry = "2", .schedule = "default"}, "wide");
    write_file(text);
    if (!norm_schedules_load(path, why))
        fail_msg("%s", why);
    assert_string_equal(norm_schedule_text(norm_schedule_of(dyt, NORM_FORWARD, 64, 768, 1), word), "tile64x2");
    // Other classes, passes, teams and kernels go as before.
    assert_null(norm_schedule_of(dyt, NORM_FORWARD, 1, 768, 1));
    assert_null(norm_schedule_of(dyt, NORM_FORWARD, 4096, 768, 1));
    assert_null(norm_schedule_of(dyt, NORM_FORWARD, 64, 1024, 1));
    assert_null(norm_schedule_of(dyt, NORM_FORWARD, 16, 4160, 1));
    assert_null(norm_schedule_of(dyt, NORM_BACKWARD, 64, 768, 1));
    assert_null(norm_schedule_of(dyt, NORM_FORWARD, 64, 768, 2));
    assert_null(norm_schedule_of(norm_find("dyt", "libm", "fused", "scalar", "f32"), NORM_FORWARD, 64, 768, 1));
    assert_null(norm_schedule_of(norm_find("derf", "u2", "fused", "scalar", "f32"), NORM_FORWARD, 64, 768, 1));
    // Its variants without parameters go with it.
    assert_non_null(
        norm_schedule_of(norm_find("dyt", "u2_nobeta", "fused", "scalar", "f32"), NORM_FORWARD, 64, 768, 1));
    norm_schedules_forget();
    assert_null(norm_schedule_of(dyt, NORM_FORWARD, 64, 768, 1));
}

static void expect_refusal(const char *text, const char *saying) {
    char why[NORM_SCHEDULES_WHY] = "";
    const norm_impl *const dyt = norm_find("dyt", "u2", "fused", "scalar", "f32");
    write_file(text);
    if (norm_schedules_load(path, why))
        fail_msg("taken, and was to be refused as \"%s\":\n%s", saying, text);
    if (strstr(why, saying) == NULL || strstr(why, "normbench tune") == NULL)
        fail_msg("refused with \"%s\", and expected \"%s\" and the mend", why, saying);
    assert_null(norm_schedule_of(dyt, NORM_FORWARD, 64, 768, 1)); // nothing of it is used
}

static void files_are_refused(void **state) {
    static const struct {
        given row;
        const char *saying;
    } wrong[] = {
        {{.entry = "2", .schema = "2", .schedule = "sum1"}, "version"},
        {{.entry = "2", .cpu = "AnotherCPU 1", .schedule = "sum1"}, "CPU"},
        {{.entry = "2", .build = "gcc 1.0 1", .schedule = "sum1"}, "build"},
        {{.entry = "3", .schedule = "sum1"}, "cut off or edited"},
        {{.entry = "x", .schedule = "sum1"}, "no whole number"},
        {{.entry = "2", .l1 = "1", .schedule = "sum1"}, "other caches"},
        {{.entry = "2", .op = "dyz", .schedule = "sum1"}, "there is no op"},
        {{.entry = "2", .schedule = "warp9"}, "is no schedule"},
        {{.entry = "2", .schedule = "tile0x64"}, "is no schedule"},
        {{.entry = "2", .schedule = ""}, "is no schedule"},
        {{.entry = "2", .schedule = "sum1,more"}, "fields"},
        {{.entry = "2", .schedule = "\"sum1\""}, "quotes"},
    };
    char text[2048];
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(text, sizeof text, "%s", COLUMNS);
        add_row(text, sizeof text, &(given){.entry = "1", .schedule = "tile64x2"}, "narrow");
        add_row(text, sizeof text, &wrong[i].row, "wide");
        expect_refusal(text, wrong[i].saying);
    }
    // Twice the same; cut off within a line, and behind one; another header; nothing; bytes of another kind.
    snprintf(text, sizeof text, "%s", COLUMNS);
    add_row(text, sizeof text, &(given){.entry = "1", .schedule = "tile64x2"}, "narrow");
    const size_t first = strlen(text);
    add_row(text, sizeof text, &(given){.entry = "2", .schedule = "sum1"}, "narrow");
    expect_refusal(text, "second time");
    text[strlen(text) - 3] = '\0';
    expect_refusal(text, "cut off");
    text[first] = '\0';
    expect_refusal(text, "cut off");
    text[strlen(COLUMNS)] = '\0';
    expect_refusal(text, "rows");
    text[0] = 'S';
    text[first] = '\0';
    expect_refusal("run_id,entry\n1,1\n", "lacks the column schema_version");
    expect_refusal("", "cut off");
    (void)unlink(path);
    char why[NORM_SCHEDULES_WHY];
    assert_false(norm_schedules_load(path, why));
    assert_non_null(strstr(why, "No such file"));
}

int main(void) {
    const int file = mkstemp(path);
    if (file < 0)
        return 1;
    (void)close(file);
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_bits), cmocka_unit_test(words_are_read_back),
                                       cmocka_unit_test(others_are_refused), cmocka_unit_test(files_are_taken),
                                       cmocka_unit_test(files_are_refused)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(path);
    return failed;
}
