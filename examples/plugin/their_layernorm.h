// SPDX-License-Identifier: MIT
// their_layernorm.h: stands for somebody else's function, which knows nothing of normbench.
#ifndef THEIR_LAYERNORM_H
#define THEIR_LAYERNORM_H

void their_layernorm(float *out, const float *inp, const float *weight, const float *bias, int rows, int cols,
                     float eps);

#endif
