#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints every level of this architecture with the CPU features it needs, one level a line, as kernels/levels.h has them:
#     avx2 avx2 fma f16c
# The C preprocessor reads the list, so that no script has one of its own.
set -eu
cd "$(dirname "$0")/.."

cat <<'EOF' | ${CC:-cc} -E -P -Ikernels -x c - | tr '\n@' ' \n' | tr -d '"' | awk 'NF { $1 = $1; print }'
#include "levels.h"
#define FEATURE(name) name
#define LEVEL(ID, name, features) @ name features(FEATURE)
NORM_LEVEL_LIST(LEVEL)
EOF
