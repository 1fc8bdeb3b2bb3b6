#!/bin/sh
# SPDX-License-Identifier: MIT
# docs/adding.md is true: its op and its format of dump, added to a copy of the tree as the page says, are there, correct and usable.
# independent of the compiler
set -u
. tests/expect.sh

tree=$work/tree
mkdir -p "$tree/results"
cp -r kernels models bench scripts Makefile "$tree" && cp -r results/published "$tree/results" || exit 1

# Does what the page says: a sentence names a new file, or the line of a file before which the block that follows goes.
awk -v tree="$tree" '
    function flush_block(    path, line, done, copy) {
        path = tree "/" file
        if (before == "")
            printf "%s", block > path
        else {
            copy = ""
            while ((getline line < path) > 0) {
                if (!done && index(line, before)) {
                    copy = copy block
                    done = 1
                }
                copy = copy line "\n"
            }
            close(path)
            if (!done)
                print "no line \"" before "\" in " file
            printf "%s", copy > path
        }
        close(path)
        added++
        file = before = ""
    }
    /^## / { wanted = $0 == "## An op" || $0 == "## A format of dump" }
    !wanted { next }
    /^```c/ { inside = 1; block = ""; next }
    /^```/ { if (file != "") flush_block(); inside = 0; next }
    inside { block = block $0 "\n"; next }
    match($0, /A new file `[^`]*`/) { split(substr($0, RSTART, RLENGTH), part, "`"); file = part[2]; before = "" }
    match($0, /before the line `[^`]*` of `[^`]*`/) { split(substr($0, RSTART, RLENGTH), part, "`"); before = part[2]; file = part[4] }
    END { if (added != 7) print added " blocks of code were added, of 7" }
' docs/adding.md >"$work/said"
[ -s "$work/said" ] && fail "$(cat "$work/said")"

# One level, for the sake of time; the others compile the same lines.
sed 's/^#if defined(__x86_64__)$/#if 0/' kernels/levels.h >"$tree/kernels/levels.h"
(cd "$tree" && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u WERROR make -j"$(getconf _NPROCESSORS_ONLN)" LEVELS=scalar SLEEF_UNITS= OBJ=build/added build/normbench) >"$work/log" 2>&1 || fail "$(tail -20 "$work/log")"
program=$tree/build/normbench

check_end 0 'softsign' "$program" list ops
check_end 0 'softsign' "$program" verify --op softsign --shape 3x37,64x768 --pass forward,backward --threads 1,2
grep -q wrong "$work/out" && fail "$(cat "$work/out")"
check_end 0 'softsign' "$program" kernels --op softsign --shape 4x64 --launches 6 --budget 1s --csv -
check_end 0 '' "$program" dump --model vit_s16 --op softsign --phase prefill --tokens 2 --format f32 --out "$work/dump"
[ "$(wc -c <"$work/dump/input.stream.f32")" -eq $((2 * 384 * 4)) ] || fail 'a dump in the new format is not its elements'

# An error in what was added is found: the check of the kernel is not vacuous.
sed -i.old 's/v_mul(r, r)/r/' "$tree/kernels/ops/softsign.c"
(cd "$tree" && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u WERROR make LEVELS=scalar SLEEF_UNITS= OBJ=build/added build/normbench) >"$work/log" 2>&1 || fail "$(tail -20 "$work/log")"
check_end 3 'wrong: softsign' "$program" verify --op softsign --shape 3x37 --pass backward --threads 1 --form fused --dtype f32

finish
