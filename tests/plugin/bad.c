// SPDX-License-Identifier: MIT
// bad.c: kernels of others that do what they should not, each in a variant that is called so; and one that is right.
#include <math.h>
#include <norm_plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool timed; // in a process that takes samples

__attribute__((constructor)) static void look_around(void) {
    char arguments[4096] = "";
    FILE *const file = fopen("/proc/self/cmdline", "r");
    const size_t count = file != NULL ? fread(arguments, 1, sizeof arguments - 1, file) : 0;
    for (size_t i = 0; i < count; i++)
        if (arguments[i] == '\0')
            arguments[i] = ' ';
    timed = strstr(arguments, " --worker measure ") != NULL;
    if (file != NULL)
        (void)fclose(file);
}

static void right(const norm_args *a, const norm_slice *rows) {
    const float *const gamma = a->gamma;
    for (size_t row = rows->begin; row < rows->end; row++) {
        const float *const x = (const float *)a->x + row * a->x_stride;
        float *const y = (float *)a->y + row * a->y_stride;
        double sum = 0;
        for (size_t i = 0; i < a->cols; i++)
            sum += (double)x[i] * x[i];
        for (size_t i = 0; i < a->cols; i++)
            y[i] = (float)(gamma[i] * x[i] / sqrt(sum / (double)a->cols + (double)a->eps));
    }
}

static void wait_for_ever(void) {
    for (;;)
        (void)pause();
}

#define DOES(name, what)                                                                                               \
    static void name(const norm_args *a, const norm_slice *rows) {                                                     \
        right(a, rows);                                                                                                \
        what;                                                                                                          \
    }                                                                                                                  \
    static const norm_stage name##_stages[] = {{name, NORM_SPLIT_ROWS, 8}};
static const norm_stage right_stages[] = {{right, NORM_SPLIT_ROWS, 8}};
DOES(wrong, if (rows->begin == 0) * (float *)a->y += 1)
DOES(crash, abort())
DOES(late, if (timed) abort())
DOES(hang, wait_for_ever())
DOES(late_hang, if (timed) wait_for_ever())
DOES(quit, _exit(0))
DOES(late_quit, if (timed) exit(0))
DOES(over, if (rows->end == a->rows)((float *)a->y)[(a->rows - 1) * a->y_stride + a->cols] = 1)
DOES(under, if (rows->begin == 0)((float *)a->y)[-1] = 1)
DOES(input, if (rows->begin == 0) * (float *)(uintptr_t)a->x = 1)
DOES(gaps, if (a->y_stride > a->cols && a->rows > 1)((float *)a->y)[a->cols] = 1)
DOES(talk, (void)fputs("sample 0 0", stdout); (void)fflush(stdout))

#define IMPL(name)                                                                                                     \
    {                                                                                                                  \
        .op = NORM_RMSNORM, .variant = "bad_" #name, .params = NORM_GAMMA, .pass[NORM_FORWARD] = { name##_stages, 1 }  \
    }
static const norm_impl impls[] = {IMPL(right),     IMPL(wrong), IMPL(crash), IMPL(late),      IMPL(hang),
                                  IMPL(late_hang), IMPL(quit),  IMPL(over),  IMPL(late_quit), IMPL(under),
                                  IMPL(input),     IMPL(gaps),  IMPL(talk)};
const norm_plugin norm_plugin_table = {NORM_ABI, "bad", impls, sizeof impls / sizeof *impls};
