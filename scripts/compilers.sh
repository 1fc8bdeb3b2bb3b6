#!/bin/sh
# SPDX-License-Identifier: MIT
# `make compilers`: how much longer each kernel takes when another compiler has made it.
#     CC=gcc OBJ=build/gcc MAKE=make BUDGET=6m RUN=DIR sh scripts/compilers.sh PROGRAM "gcc clang" [OPTION of normbench ab]...
# The first compiler of the list is the base. Only the kernels are the other's: everything else, and the link, stays with CC, whose OpenMP one
# process can have. `normbench ab` times both in turn, and BUDGET is its time for each compiler. An option given takes a default one's place.
# RUN is a new folder, results/MACHINE/TIME-compilers if none is given.
set -eu

here=$(dirname "$0")
program=${1:?usage: sh scripts/compilers.sh PROGRAM COMPILERS [OPTION]...}
compilers=${2:-}
shift 2
name=compilers
# shellcheck source=scripts/measuring.sh
. "$here/measuring.sh"
export NORMBENCH="$program"
: "${CC:?must name the compiler of the program, e.g. CC=gcc}" "${OBJ:?must name the folder of its objects, e.g. OBJ=build/gcc}"
seconds=$(seconds_of "${BUDGET:-6m}" 'BUDGET=6m or BUDGET=360s')

base='' others=''
for compiler in $compilers; do
    case $compiler in
    -* | *[!A-Za-z0-9._+/-]*) fail "COMPILERS=$compilers: \"$compiler\" is no name of a compiler, as in COMPILERS=\"gcc clang\"" ;;
    esac
    command -v "$compiler" >/dev/null || fail "COMPILERS=$compilers: there is no $compiler: install it, or leave it out"
    if [ -z "$base" ]; then base=$compiler; else others="$others $compiler"; fi
done
[ -n "$others" ] || fail "COMPILERS=$compilers: it takes two to compare, as in COMPILERS=\"gcc clang\""

# archive_of COMPILER: libnorm.a with its kernels.
archive_of() {
    if [ "$1" = "$CC" ]; then echo "$OBJ/libnorm.a"; else echo "build/kernels-$(basename "$1")/libnorm.a"; fi
}
for compiler in $compilers; do
    archive=$(archive_of "$compiler")
    [ "$compiler" != "$CC" ] || continue # as the program is built
    echo "Building the kernels with $compiler." >&2
    ${MAKE:-make} --no-print-directory CC="$CC" KERNEL_CC="$compiler" OBJ="${archive%/*}" "$archive" >&2 || fail "the kernels cannot be built with $compiler: see above" 3
done
version_of() { "$1" --version | head -n 1; }

folder=$(folder_of "$program" compilers "${RUN:-}")
[ ! -e "$folder" ] || fail "$folder is there already: give RUN= a new folder, or none"
mkdir -p "$folder" || fail "cannot make $folder: check its parent's permissions" 3
worst=0
for other in $others; do
    out=$folder/$(basename "$other")
    status=0
    "$program" ab "$(archive_of "$base")" "$(archive_of "$other")" --every --threshold 10 --group-threshold 10 --budget "${seconds}s" \
        --op layernorm,rmsnorm,dyt,derf --form fused --pass all --dtype f32,bf16 --level all --shape 64x768,16x4096 --threads 1 \
        "$@" --out "$out" </dev/null >"$folder/log" || status=$? # what it says at the end is about slower and faster
    case $status in
    0 | 1 | 5 | 6) ;; # verdicts of the gate, which here is only the measurement
    *)
        rm -f "$folder/log"
        rmdir "$folder" 2>/dev/null || : # unless something was measured
        exit "$status"
        ;;
    esac
    [ "$status" -ne 6 ] || worst=6
    printf 'Time of kernels by %s\nover those by      %s\n' "$(version_of "$other")" "$(version_of "$base")"
    awk -v table="$out/ab.csv" -f "$here/figures/csv.awk" -f "$here/compilers.awk"
    rm -f "$folder/log"
    printf 'Table: %s/ab.csv (columns: results/README.md)\n' "$out"
done
exit "$worst"
