#!/bin/sh
# SPDX-License-Identifier: MIT
# Compiles what includes hwloc.h against the declarations of its version 3, which no package has yet.
set -u
: "${CC:=cc}"
. tests/expect.sh

sources=$(grep -lE '#include (<hwloc.h>|"(machine/)?hwloc_api.h")' bench/*/*.c)
[ -n "$sources" ] || fail 'nothing includes hwloc.h'
for source in $sources; do
    $CC -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -fopenmp -isystem tests/stubs/hwloc3 -Ikernels -Imodels -Ibench "$source" \
        2>"$work/err" || fail "$source: $(cat "$work/err")"
done

finish
