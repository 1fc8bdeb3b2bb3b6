#!/bin/sh
# SPDX-License-Identifier: MIT
# docs/adding.md is true: its op and its formats of dump and export, added to a copy of the tree as the page says, are
# there, correct, usable, and the op is in every figure that shows ops.
# independent of the compiler
set -u
. tests/expect.sh

tree=$work/tree
mkdir -p "$tree/results" # results/published is linked into the program
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
    /^## / { wanted = $0 == "## An op" || $0 == "## A format of dump" || $0 == "## A format of export" }
    !wanted { next }
    /^```c/ { inside = 1; block = ""; next }
    /^```/ { if (file != "") flush_block(); inside = 0; next }
    inside { block = block $0 "\n"; next }
    match($0, /A new file `[^`]*`/) { split(substr($0, RSTART, RLENGTH), part, "`"); file = part[2]; before = "" }
    match($0, /before the line `[^`]*` of `[^`]*`/) { split(substr($0, RSTART, RLENGTH), part, "`"); before = part[2]; file = part[4] }
    END { if (added != 9) print added " blocks of code were added, of 9" }
' docs/adding.md >"$work/said"
[ -s "$work/said" ] && fail "$(cat "$work/said")"

# As it is built where there is but one level, for the sake of time; the others compile the same lines.
for file in kernels/levels.h kernels/schedules.c bench/peers/mkl_tanh.c bench/peers/peers.c bench/peers/peers.h bench/peers/sleef.c bench/peers/svml_tanh.c; do
    sed 's/__x86_64__/NO_SUCH_ARCHITECTURE/' "$file" >"$tree/$file"
done
build() {
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CFLAGS -u WERROR make -s -j"$(getconf _NPROCESSORS_ONLN)" -C "$tree" CC=gcc LEVELS=scalar CPPFLAGS="-O0 -g0 -w" \
        OBJ=build/added build/added/normbench >"$work/log" 2>&1 && return
    tail -n 5 "$work/log"
    fail 'the tree with what docs/adding.md adds cannot be built'
    finish
}
build
program=$tree/build/added/normbench

check_end 0 'softsign' "$program" list ops
check_end 0 'softsign' "$program" verify --op softsign --shape 3x37,64x768 --pass forward,backward --threads 1,2
grep -q wrong "$work/out" && fail "$(cat "$work/out")"
check_end 0 'softsign' "$program" kernels --op softsign --shape 4x64 --launches 6 --budget 1s --csv -
"$program" dump --model vit_s16 --op softsign --phase prefill --tokens 2 --format f32 --out "$work/dump" 2>"$work/err" || fail "dump: $(cat "$work/err")"
[ "$(wc -c <"$work/dump/input.stream.f32")" -eq $((2 * 384 * 4)) ] || fail 'a dump in the new format is not its elements'

check_end 0 'dyt/u2/forward/fused/avx2/f32/64x768/1/cores/warm ' "$program" export --to lines tests/data/plots

# ---- The op is in every figure that shows ops

figures=$PWD/scripts/figures vocabulary=$work/vocabulary run=$work/run
. scripts/figures/figures.sh
"$program" list vocabulary >"$vocabulary"
[ "$(awk -F, '$1 == "op" { print $2 }' "$vocabulary" | tail -n 2 | tr '\n' ' ')" = 'softsign identity ' ] || fail "ops: $(cat "$vocabulary")"
mkdir "$run"
cp tests/data/plots/meta.json "$run"
# with_softsign TABLE: its rows, and those of rmsnorm once more as the new op's.
with_softsign() { sed 'p; /,rmsnorm,/!d; s/,rmsnorm,/,softsign,/' "$1"; }
with_softsign tests/data/plots/kernels.csv >"$run/kernels.csv"
for table in layers steps; do with_softsign "tests/data/paper/$table.csv" >"$run/$table.csv"; done
NORMBENCH=$program sh scripts/plots.sh "$run" >"$work/out" 2>"$work/err" || fail "plots.sh with another op: $(cat "$work/err")"
[ ! -s "$work/err" ] || fail "on stderr: $(cat "$work/err")"
seen=0
for figure in $(figure_names); do
    # What was published is of the ops that were published.
    case $figure in paper_*) continue ;; esac
    grep -q 'print_op_series\|print_op_axis\|print_pairs' "$figures/$figure.awk" || continue
    seen=$((seen + 1))
    grep -q 'softsign' "$run/$(figure_picture "$figure").svg" || fail "$figure does not show an op that was added to list.h"
done
[ "$seen" -ge 9 ] || fail "only $seen figures show ops"

# ---- An error in what was added is found: the check of the kernel is not vacuous

sed -i.old 's/v_mul(r, r)/r/' "$tree/kernels/ops/softsign.c"
build
check_end 3 'wrong: softsign' "$program" verify --op softsign --shape 3x37 --pass backward --threads 1 --form fused --dtype f32

finish
