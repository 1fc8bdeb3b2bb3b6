#!/bin/sh
# SPDX-License-Identifier: MIT
# Tables, figures and verdicts of a run that was measured; paper.sh ends with it, and it can be had again of any old run:
#     sh scripts/paper_report.sh results/MACHINE/RUN [CURVES]
# Reads layers.csv, steps.csv and kernels.csv (that of parts/kernels first), writes paper/ and plots/, and prints the verdicts. Without the
# program CURVES, figures 2, 3, 4 and 7 are drawn from what an earlier call left.
set -eu

fail() {
    printf 'paper_report: %s\n' "$1" >&2
    exit "${2:-2}"
}

here=$(dirname "$0")
# shellcheck source=scripts/folder.sh
. "$here/folder.sh"
published=$here/../results/published
run=${1:?usage: sh scripts/paper_report.sh RUN_DIR [CURVES]}
curves=${2:-}
case $run in
/*) ;;
*) run=./$run ;; # awk would take - for an option
esac
kernels=$run/parts/kernels/kernels.csv
[ -f "$kernels" ] || kernels=$run/kernels.csv
[ ! -d "$run" ] || check_run "$run"
mkdir -p "$run/paper" || fail "cannot make $run/paper: check the folder's permissions" 3

# report SCRIPT ARGUMENT...: one of the scripts here that compute with intervals.
# shellcheck disable=SC2317 # anew calls it
report() {
    script=$1
    shift
    LC_ALL=C awk -f "$here/csv.awk" -f "$here/numbers.awk" -f "$here/quantities.awk" -f "$here/$script" "$@"
}

# made NAME TABLE SCRIPT ARGUMENT...: the script's text as NAME, and as TABLE what it writes where its last argument says.
made() {
    text=$run/paper/$1 table=$run/paper/$2
    shift 2
    rm -f "$table.part"
    if anew "$text" report "$@" "$table.part"; then
        mv -f "$table.part" "$table"
    else
        rm -f "$table.part"
        return 1
    fi
}

status=0
[ -z "$curves" ] || "$curves" "$run/paper" || status=3
made efficiency.md comparison.csv paper_table.awk "$published/efficiency.csv" "$run/layers.csv" || status=3
made verdicts.txt verdicts.csv claims.awk "$published/claims.csv" "$run/layers.csv" "$kernels" || status=3
sh "$here/plots.sh" "$run" || status=3

cat "$run/paper/efficiency.md"
printf '\n### Published claims\n\n'
cat "$run/paper/verdicts.txt"
printf '\nTable:    %s/paper/efficiency.md, comparison.csv\nVerdicts: %s/paper/verdicts.txt, verdicts.csv\nFigures:  %s/paper, %s/plots\n' \
    "$run" "$run" "$run" "$run"
exit "$status"
