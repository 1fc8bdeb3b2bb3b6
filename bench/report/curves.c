// SPDX-License-Identifier: MIT
// build/curves: computes with the real kernels what figures 2, 3, 4 and 7 of the DyT paper show, for `make paper`:
//     curves DIR          writes DIR/squash.csv and DIR/tokens.csv
// A program of its own, because nothing is measured here and it is no command of normbench. tanh is a kernel's;
// hardtanh and sigmoid, which the figure only sets beside it, are computed by their definitions.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/csv.h"
#include "base/files.h"
#include "base/stats.h"
#include "curves_table.h"
#include "measure/inputs.h"

// ---- squash.csv: figures 3 and 7

enum { CURVE_POINTS = 321 };
static const double curve_end = 8; // tanh(alpha x) is all but flat there for each alpha below

// The initial alphas of the paper's tables 10 and 11: LLaMA 7B outside attention, everything but LLaMA, a width of
// 1024. Its figure 3 does not say which it shows.
static const float alphas[] = {0.2f, 0.5f, 1.0f};
enum { ALPHAS = sizeof alphas / sizeof *alphas };

static double hardtanh(double x) { return fmin(1, fmax(-1, x)); }
static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static void write_curve(csv_writer *w, const char *function, double alpha, const float *x, const float *y) {
    for (size_t i = 0; i < CURVE_POINTS; i++) {
        const squash_row row = {function, alpha, (double)x[i], (double)y[i]};
        (void)columns_write_row(w, &squash_table, &row); // told by csv_close
    }
}

static int write_squash(const void *unused, const char *path) {
    (void)unused;
    const norm_impl *dyt = norm_find("dyt", "u2_nobeta", "fused", "best", "f32");
    csv_writer w;
    int error = dyt ? csv_open(&w, path, false) : EINVAL;
    if (error)
        return error;
    columns_write_header(&w, &squash_table);
    float x[CURVE_POINTS], y[CURVE_POINTS], gamma[CURVE_POINTS];
    for (size_t i = 0; i < CURVE_POINTS; i++) {
        x[i] = (float)(curve_end * (2 * (double)i / (CURVE_POINTS - 1) - 1));
        gamma[i] = 1;
    }
    norm_args args = {.rows = 1,
                      .cols = CURVE_POINTS,
                      .x_stride = CURVE_POINTS,
                      .y_stride = CURVE_POINTS,
                      .x = x,
                      .y = y,
                      .gamma = gamma};
    for (size_t a = 0; a < ALPHAS; a++) {
        args.alpha = alphas[a];
        if (norm_run(dyt, NORM_FORWARD, &args, 1) != NORM_OK)
            error = EINVAL;
        write_curve(&w, "tanh", (double)alphas[a], x, y);
    }
    for (size_t i = 0; i < CURVE_POINTS; i++)
        y[i] = (float)hardtanh((double)x[i]);
    write_curve(&w, "hardtanh", 1, x, y);
    for (size_t i = 0; i < CURVE_POINTS; i++)
        y[i] = (float)sigmoid((double)x[i]);
    write_curve(&w, "sigmoid", 1, x, y);
    const int closed = csv_close(&w);
    return error ? error : closed;
}

// ---- tokens.csv: figures 2 and 4

enum { TOKENS = 48, CHANNELS = 768, PLAIN_CHANNELS = 12 }; // of ViT-B; as many of its channels as a figure can show
enum { SEED = 1 };

// The panels, from a layer whose tokens are alike to one whose tokens and channels are not. A token's values are those
// of the named distribution times exp(spread * normal), so that deviations differ between tokens as they do after many
// layers; the paper's figure 4 explains its S by these two causes.
static const struct {
    input_kind kind;
    double spread;
} panels[] = {{INPUT_NORMAL, 0}, {INPUT_NORMAL, 0.5}, {INPUT_ACTIVATIONS, 0}, {INPUT_ACTIVATIONS, 0.5}};
enum { PANELS = sizeof panels / sizeof *panels };

static double root_mean_square(const float *x, size_t count, size_t step) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)x[i * step] * (double)x[i * step];
    return sqrt(sum / (double)count);
}

// A channel is an outlier where it is five times as large as the median channel: between the 3 or so that 48 normal
// values reach by chance and the 20 at which the distribution's outliers begin.
static void find_outliers(const float *x, bool outlier[CHANNELS]) {
    double size[CHANNELS];
    for (size_t c = 0; c < CHANNELS; c++)
        size[c] = root_mean_square(x + c, TOKENS, CHANNELS);
    const double median = stats_median(size, CHANNELS);
    for (size_t c = 0; c < CHANNELS; c++)
        outlier[c] = size[c] > 5 * median;
}

static void fill_panel(size_t panel, float *x) {
    inputs_fill(panels[panel].kind, NORM_F32, x, CHANNELS, CHANNELS, 0, TOKENS, SEED);
    stats_rng rng;
    stats_rng_seed(&rng, SEED, panel);
    for (size_t t = 0; t < TOKENS; t++) {
        const double factor = exp(panels[panel].spread * stats_rng_normal(&rng));
        for (size_t c = 0; c < CHANNELS; c++)
            x[t * CHANNELS + c] = (float)(factor * (double)x[t * CHANNELS + c]);
    }
}

static void write_panel(csv_writer *w, size_t panel, const float *x, const float *y) {
    bool outlier[CHANNELS];
    find_outliers(x, outlier);
    for (size_t t = 0; t < TOKENS; t++) {
        for (size_t c = 0; c < CHANNELS; c++) {
            if (!outlier[c] && c % (CHANNELS / PLAIN_CHANNELS) != 0)
                continue;
            const tokens_row row = {.panel = panel + 1,
                                    .token = t,
                                    .channel = c,
                                    .input = input_name(panels[panel].kind),
                                    .spread = panels[panel].spread,
                                    .deviation = root_mean_square(x + t * CHANNELS, CHANNELS, 1),
                                    .x = (double)x[t * CHANNELS + c],
                                    .y = (double)y[t * CHANNELS + c],
                                    .outlier = outlier[c]};
            (void)columns_write_row(w, &tokens_table, &row); // told by csv_close
        }
    }
}

static int write_tokens(const void *unused, const char *path) {
    (void)unused;
    const norm_impl *layernorm =
        norm_best(NORM_LAYERNORM, norm_default_variant(NORM_LAYERNORM, NORM_FUSED, NORM_F32), NORM_FUSED, NORM_F32);
    float *const x = malloc(2 * TOKENS * CHANNELS * sizeof *x); // x, then y
    if (!layernorm || !x) {
        free(x);
        return layernorm ? ENOMEM : EINVAL;
    }
    float *const y = x + (size_t)TOKENS * CHANNELS, gamma[CHANNELS], beta[CHANNELS];
    for (size_t c = 0; c < CHANNELS; c++) {
        gamma[c] = 1; // figure 2 shows the outputs before the affine transformation
        beta[c] = 0;
    }
    const norm_args args = {.rows = TOKENS,
                            .cols = CHANNELS,
                            .x_stride = CHANNELS,
                            .y_stride = CHANNELS,
                            .x = x,
                            .y = y,
                            .gamma = gamma,
                            .beta = beta,
                            .eps = 1e-6f};
    csv_writer w;
    int error = csv_open(&w, path, false);
    if (error)
        goto done;
    columns_write_header(&w, &tokens_table);
    for (size_t panel = 0; panel < PANELS; panel++) {
        fill_panel(panel, x);
        if (norm_run(layernorm, NORM_FORWARD, &args, 1) != NORM_OK)
            error = EINVAL;
        write_panel(&w, panel, x, y);
    }
    const int closed = csv_close(&w);
    error = error ? error : closed;
done:
    free(x);
    return error;
}

int main(int argc, char **argv) {
    if (argc != 2 || argv[1][0] == '-') {
        fputs("usage: curves DIR\nWrites DIR/squash.csv and DIR/tokens.csv, from which scripts/plots.sh draws figures "
              "2, 3, 4 and "
              "7 of the paper.\n",
              stderr);
        return 2;
    }
    static files_writer *const writers[] = {write_squash, write_tokens};
    static const char *const names[] = {"squash.csv", "tokens.csv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[4096];
        const int length = snprintf(path, sizeof path, "%s/%s", argv[1], names[i]);
        const int error =
            length < 0 || (size_t)length >= sizeof path ? ENAMETOOLONG : files_replace(path, writers[i], NULL);
        if (error) {
            fprintf(stderr, "curves: %s/%s: %s\n", argv[1], names[i], files_reason(error));
            return 3;
        }
    }
    return 0;
}
