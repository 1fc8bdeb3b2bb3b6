// SPDX-License-Identifier: MIT
// ab_norms.h: norms in layers as `normbench ab` compares them: by their time in place, of which follows what the whole
// layer gains or loses as long as the rest of it, whose code is the same, takes the same time. That is tested, too.
#ifndef AB_NORMS_H
#define AB_NORMS_H

#include "ab_judge.h"

extern const ab_compared ab_norms; // of a layers_plan whose items are ab_layers_item

// What a row's change comes to in its layer, in words that follow it; "" of a row without a layer.
const char *ab_norms_text(const ab_row *r, char text[AB_TEXT]);

#endif
