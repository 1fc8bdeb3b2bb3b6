#!/bin/sh
# SPDX-License-Identifier: MIT
# `make artifact`: ARTIFACT.md on stdout, its claims written anew by the program, with what the committed runs say of them.
#     NORMBENCH=build/normbench sh scripts/artifact.sh
set -eu
cd "$(dirname "$0")/.."

# Of a tarball, which git does not know, every run is a committed one.
committed() {
    git ls-files ':(glob)results/*/*/layers.csv' ':(glob)results/*/*/kernels.csv' 2>/dev/null || true
}
runs=$(committed)
[ -n "$runs" ] || runs=$(ls results/*/*/layers.csv results/*/*/kernels.csv)
runs=$(printf '%s\n' "$runs" | sed 's|/[^/]*$||' | LC_ALL=C sort -u)

sed '/^## Claims$/,$d' ARTIFACT.md
printf '## Claims\n\n'
# shellcheck disable=SC2086 # words
"${NORMBENCH:?must name the program, e.g. NORMBENCH=build/normbench}" list claims --format markdown $runs
