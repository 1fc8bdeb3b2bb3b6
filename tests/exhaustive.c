// SPDX-License-Identifier: MIT
// exhaustive: whether the functions of simd_math.h keep what their names promise, at every float and at every level
// that this CPU can run. `make check-exhaustive` runs it; `--stride N` judges every N-th float, to try the program
// itself.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accuracy.h"
#include "norm.h"
#include "require.h"

#define DECLARE(ID, name, features) extern const math_rows math_rows_##name;
#define POINTER(ID, name, features) &math_rows_##name,
NORM_LEVEL_LIST(DECLARE)
static const math_rows *const levels[NORM_LEVELS] = {NORM_LEVEL_LIST(POINTER)};

static struct { unsigned passed, failed, skipped; } count;

static void report(const accuracy_class *c, norm_level level, const accuracy_result *r) {
    printf("%-8s %-11s %10llu inputs, largest error %.6f ulp%s at %a, bound %g: ", c->name, norm_level_name(level),
           (unsigned long long)r->inputs, r->error, c->bf16 ? " of bf16" : "", (double)r->at, c->bound);
    if (r->broken) {
        count.failed++;
        printf("FAILED: %a at %a %s\n", (double)r->broken_value, (double)r->broken_at, r->broken);
    } else {
        count.passed++;
        puts("passed");
    }
}

static void check(size_t function, uint32_t stride) {
    const accuracy_class *const c = &accuracy_classes[function];
    math_function *functions[NORM_LEVELS] = {NULL};
    accuracy_result results[NORM_LEVELS];
    float worst[NORM_LEVELS];
    size_t runnable = 0;
    for (size_t l = 0; l < NORM_LEVELS; l++) {
        if (norm_level_missing((norm_level)l))
            continue;
        // An array of pointers to functions is written here, not read.
        // cppcheck-suppress legacyUninitvar
        functions[runnable] = levels[l]->by[function];
        runnable++;
    }
    accuracy_judge(c, runnable, functions, stride, results);
    for (size_t i = 0; i < runnable; i++)
        worst[i] = results[i].at;

    for (size_t l = 0, next = 0; l < NORM_LEVELS; l++) {
        const char *const missing = norm_level_missing((norm_level)l);
        if (missing) {
            count.skipped++;
            printf("%-8s %-11s skipped: this CPU lacks %s\n", c->name, norm_level_name((norm_level)l), missing);
        } else {
            report(c, (norm_level)l, &results[next++]);
        }
    }

    uint64_t inputs;
    const double error = accuracy_of_reference(c, runnable, worst, &inputs);
    const bool good = error <= ACCURACY_REFERENCE_ULP;
    *(good ? &count.passed : &count.failed) += 1;
    printf("%-8s %-11s %10llu inputs, largest error %.3f ulp of double by MPFR, bound %g: %s\n", c->name, "reference",
           (unsigned long long)inputs, error, ACCURACY_REFERENCE_ULP, good ? "passed" : "FAILED");
    fflush(stdout);
}

static uint32_t parse_stride(const char *text) {
    char *end;
    errno = 0;
    const unsigned long value = strtoul(text, &end, 10);
    return errno == 0 && *end == '\0' && text[0] >= '0' && text[0] <= '9' && value <= INT32_MAX ? (uint32_t)value : 0;
}

int main(int argc, char **argv) {
    const uint32_t stride = argc == 1 ? 1 : argc == 3 && strcmp(argv[1], "--stride") == 0 ? parse_stride(argv[2]) : 0;
    if (stride == 0) {
        fputs("usage: exhaustive [--stride N], N from 1 to 2^31 - 1\n", stderr);
        return 2;
    }
    // Known at once, so not said after minutes.
    if (!required_levels_here())
        count.failed++;
    else
        for (size_t function = 0; function < MATH_FUNCTIONS; function++)
            check(function, stride);
    printf("%u passed, %u failed, %u skipped\n", count.passed, count.failed, count.skipped);
    return count.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
