// SPDX-License-Identifier: MIT
// layers_made.h: made-up samples of layers, whose answers are known beforehand.
#ifndef LAYERS_MADE_H
#define LAYERS_MADE_H

#include "report/layers_summary.h"

typedef struct {
    layers_plan plan;
    observations all;
    layers_summary summary;
} made;

enum { NATIVE, DYT, IDENTITY, ARMS, LAUNCHES = 9, ROUNDS = 2, STEPS = 2 };

// What a layer is made to take, ns: the norm of each arm, and the rest of the layer.
typedef struct {
    double norm[ARMS], rest[ARMS];
    double wobble; // of the rest, from launch to launch, relative
    double far;    // what norms take in every third launch, in which a line takes far_ns, as a factor; 0: no such
    double far_ns; // else it takes 40 to 48
} truth;

// NATIVE, DYT and IDENTITY, in LAUNCHES launches.
void made_make(made *m, const truth *t);
layers_arm *made_arms(layers_plan *p);

// Ends, one layer, and a model of DEPTH layers, of one norm; ns of each, and how far launches scatter about them.
enum { DEPTH = 12, COMPOSITION_ARMS = 3 };
typedef struct {
    double ns[COMPOSITION_ARMS], scatter, clock_ns;
    size_t launches;
} stack;

void made_stack(made *m, const stack *t);

void made_free(made *m);

#endif
