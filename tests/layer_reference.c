// SPDX-License-Identifier: MIT
// layer_reference.c: see layer_reference.h. The whole: tensors, the forward pass, differences.
#include "layer_reference.h"

#include <math.h>
#include <stdlib.h>

#include "dtype.h"
#include "layer_reference_parts.h"

const char *mistake_name(mistake m) {
    static const char *const names[MISTAKES] = {
        "none",
        "rope on pairs",
        "rope from 1",
        "rope on v",
        "no mask",
        "heads by modulo",
        "no scale",
        "unbiased variance",
        "no eps",
        "other gelu",
        "silu of up",
        "qk-norm after rope",
        "no 1 + scale",
        "flipped convolution",
        "summed loss",
        "distances from the other end",
        "no half",
        "no gate",
        "the other triangle",
        "no pair bias",
        "no window",
        "no decay",
        "both ways from the beginning",
        "no seam",
    };
    return names[m];
}

static void read_matrix(const matrix *m, double *out) {
    for (size_t i = 0; i < m->rows; i++)
        for (size_t j = 0; j < m->cols; j++)
            out[i * m->cols + j] = dtype_get(m->dtype, m->data, i * m->stride + j);
}

double layer_reference_forward(layer_reference *r, mistake m) {
    r->mistake = m;
    r->scratch_used = 0;
    double objective = 0;
    if (r->config.part == PART_LAYER)
        reference_part_layers(r);
    else
        objective = reference_part_ends(r, r->config.part == PART_MODEL ? r->config.depth : 0);
    for (size_t i = 0; i < r->count; i++)
        for (size_t j = 0; r->tensors[i].role == TENSOR_OUTPUT && j < r->tensors[i].rows * r->tensors[i].cols; j++)
            objective += r->tensors[i].value[j] * r->tensors[i].gradient[j];
    return objective;
}

bool layer_reference_differentiates(const reference_tensor *t) {
    static const char *const inputs[] = {"input.stream", "input.branch", "input.condition", "input.features"}; // 1, 2
    bool found = t->role == TENSOR_PARAMETER;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        found = found || strncmp(t->name, inputs[i], strlen(inputs[i])) == 0;
    return found;
}

// A central difference errs by h^2 f''' / 6 + u |f| / h, u = 2^-53; at the h = cbrt(u) where the two grow together it
// is of the order of h^2 = 2.4e-11 times |f| and f''', which are up to a few hundred here: four digits better than the
// f32 that it judges. x and h are moved to neighbours whose difference is exact.
void layer_reference_gradients(layer_reference *r, mistake m) {
    for (size_t i = 0; i < r->count; i++) {
        const reference_tensor *const t = &r->tensors[i];
        for (size_t j = 0; layer_reference_differentiates(t) && j < t->rows * t->cols; j++) {
            const double was = t->value[j], step = 5e-6 * fmax(1, fabs(was)), above = was + step, below = was - step;
            t->value[j] = above;
            const double high = layer_reference_forward(r, m);
            t->value[j] = below;
            const double low = layer_reference_forward(r, m);
            t->value[j] = was;
            t->gradient[j] = (high - low) / (above - below);
        }
    }
    (void)layer_reference_forward(r, m); // leaves the outputs of the inputs as they are
}

void layer_reference_keys(const layer_reference *r, const double **k, const double **v) {
    *k = r->k;
    *v = r->v;
}

size_t layer_reference_tensors(const layer_reference *r) { return r->count; }
const reference_tensor *layer_reference_at(const layer_reference *r, size_t index) { return &r->tensors[index]; }

const reference_tensor *layer_reference_named(const layer_reference *r, const char *name) {
    for (size_t i = 0; i < layer_reference_tensors(r); i++)
        if (strcmp(layer_reference_at(r, i)->name, name) == 0)
            return layer_reference_at(r, i);
    return NULL;
}

layer_reference *layer_reference_make(const layer *l, const layer_config *config, size_t arm) {
    layer_reference *const r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    size_t elements = 0;
    r->config = *config;
    r->op = config->arms[arm].op;
    r->count = layer_tensors(l);
    r->tensors = calloc(r->count, sizeof *r->tensors);
    for (size_t i = 0; r->tensors != NULL && i < r->count; i++) {
        const layer_tensor *const from = layer_tensor_at(l, i);
        reference_tensor *const to = &r->tensors[i];
        *to = (reference_tensor){.name = from->name, .role = from->role, from->value.rows, from->value.cols};
        to->value = calloc(2 * to->rows * to->cols, sizeof *to->value);
        if (to->value == NULL)
            goto failed;
        to->gradient = to->value + to->rows * to->cols;
        elements += to->rows * to->cols;
        if (to->role != TENSOR_OUTPUT)
            read_matrix(&from->value, to->value);
        else if (from->gradient.data != NULL)
            read_matrix(&from->gradient, to->gradient);
    }
    // No layer has more temporaries than a hundred times the elements of its tensors: each is at most as large as the
    // largest tensor of a model this small or as four of its inputs.
    r->scratch_size = 100 * elements;
    r->scratch = malloc(r->scratch_size * sizeof *r->scratch);
    if (r->tensors == NULL || r->scratch == NULL)
        goto failed;
    return r;
failed:
    layer_reference_free(r);
    return NULL;
}

void layer_reference_free(layer_reference *r) {
    for (size_t i = 0; r != NULL && r->tensors != NULL && i < r->count; i++)
        free(r->tensors[i].value);
    if (r != NULL) {
        free(r->tensors);
        free(r->scratch);
    }
    free(r);
}
