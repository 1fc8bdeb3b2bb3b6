// SPDX-License-Identifier: MIT
#include "their_layernorm.h"

#include <math.h>

void their_layernorm(float *out, const float *inp, const float *weight, const float *bias, int rows, int cols,
                     float eps) {
    for (int r = 0; r < rows; r++) {
        const float *const x = inp + (long)r * cols;
        float *const y = out + (long)r * cols;
        double m = 0, v = 0;
        for (int i = 0; i < cols; i++)
            m += x[i];
        m /= cols;
        for (int i = 0; i < cols; i++)
            v += (x[i] - m) * (x[i] - m);
        const float s = (float)(1 / sqrt(v / cols + eps));
        for (int i = 0; i < cols; i++)
            y[i] = (float)(x[i] - m) * s * weight[i] + bias[i];
    }
}
