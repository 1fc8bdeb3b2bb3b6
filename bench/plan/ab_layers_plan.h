// SPDX-License-Identifier: MIT
// ab_layers_plan.h: what `normbench ab --layers` measures: rows, each a norm of both sides in the slots of a layer,
// where only the norms' own time, taken in place, is compared. As a plan of layers (layers_plan.h).
#ifndef AB_LAYERS_PLAN_H
#define AB_LAYERS_PLAN_H

#include "ab_plan.h"
#include "layers_plan.h"

// An item: what times layers takes its arm, which stands first. The slot names the side whose kernels it has.
typedef struct {
    layers_arm arm;
    ab_which which;
} ab_layers_item;
extern const schedule_kind ab_layers_kind;

// The models in `--layers default`, and the tokens of language models where none are asked for: layers of milliseconds,
// for what disturbs a shared machine spoils fewer of many short samples.
#define AB_LAYERS_MODELS "vit_s16,dit_b4,gpt2"
enum { AB_LAYERS_TOKENS = 128 };

// The rows of a selection, whose models are given: of each model its own norm and DyT where no op is. Every layer of
// which something is timed gets a sentinel: its own norm of the program itself, on both sides the same function. alone:
// how many norms only that side has, which are not compared. Else as ab_plan_make.
bool ab_layers_make(layers_plan *p, const selection *s, const layers_sizes *sizes, const topology *t,
                    ab_identical *identical, bool every, size_t alone[AB_SIDES]);
// As ab_plan_inject, by ab_layers_name.
size_t ab_layers_inject(layers_plan *p, const char *text, double pct);
// Deals out the rounds of so many launches, all of them with every row, that take so long; fewer launches, but
// REQUEST_MIN_LAUNCHES, where it is not enough for one round each.
void ab_layers_spend(schedule *s, double seconds, size_t *launches);

// In one word, as cell_name: "dyt/u2/fused/avx512/f32/gpt2/layer/prefill/1x128/2/cores".
const char *ab_layers_name(const layers_arm *a, char text[CELL_NAME_SIZE]);

#endif
