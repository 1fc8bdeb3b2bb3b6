#!/bin/sh
# SPDX-License-Identifier: MIT
# `make claim` and `make reproduce`: runs what a claim needs and judges it, or has a run again and holds it against that, pattern by pattern.
#     BUDGET=40s TOKENS=512 sh scripts/reproduce.sh PROGRAM CLAIM|OLD [FOLDER]
# What is run, and what becomes of it, the program decides. BUDGET is the time for all measuring, TOKENS the length of a claim's sequence; both
# as the program has them unless given. FOLDER is results/MACHINE/RUN if none is given; an unfinished one is gone on with.
set -eu

here=$(dirname "$0")
program=${1:?usage: sh scripts/reproduce.sh PROGRAM CLAIM|OLD [FOLDER]}
what=${2:?usage: sh scripts/reproduce.sh PROGRAM CLAIM|OLD [FOLDER]}
name=reproduce
# shellcheck source=scripts/measuring.sh
. "$here/measuring.sh"
export NORMBENCH="$program"
case $what in
-*) fail "$what is no claim and no folder: see normbench list claims" ;;
esac

[ ! -d "$what" ] || check_run "$what"
needs=$(mktemp)
trap 'rm -f "$needs"' EXIT
trap 'exit 130' INT TERM HUP
"$program" reproduce ${BUDGET:+--budget "$BUDGET"} ${TOKENS:+--tokens "$TOKENS"} "$what" >"$needs"

kind=$what
[ ! -d "$what" ] || kind=reproduce
run=$(folder_of "$program" "$kind" "${3:-}")
begun=$(date +%s)
printf 'Results: %s\n' "$run"

worst=0
while read -r part command arguments; do
    into=$run/$part
    [ "$part" != . ] || into=$run
    is_measured "$into" "$command" && continue
    mkdir -p "$(dirname "$into")" || fail "cannot make $(dirname "$into"): check its parent's permissions" 3
    status=0
    # shellcheck disable=SC2086 # words
    measure_into "$into" "$command" $arguments </dev/null >/dev/null || status=$?
    case $status in
    0 | 6) ;; # rows that are missing are said in the verdict
    130)
        printf 'reproduce: what was measured is kept; the same command with this folder goes on: %s\n' "$run" >&2
        exit 130
        ;;
    *) worst=$status ;;
    esac
done <"$needs"
[ ! -d "$run/parts" ] || join_parts "$run"
[ "$worst" -eq 0 ] || fail "measuring ended with status $worst, see above; what there is lies in $run" "$worst"

measured=$(($(date +%s) - begun)) status=0
"$program" reproduce "$what" "$run" || status=$?
printf 'Time: %d s of measuring. Disk: %d KiB, in %s\n' "$measured" "$(du -sk "$run" | cut -f1)" "$run"
exit "$status"
