#!/bin/sh
# SPDX-License-Identifier: MIT
# Tables, figures and verdicts of a run that was measured; paper.sh ends with it, and it can be had again of any old run:
#     sh scripts/paper_report.sh results/MACHINE/RUN [CURVES]
# Has the program (NORMBENCH names it, build/normbench if not) judge layers.csv and kernels.csv, writes paper/ and plots/, and prints the
# verdicts. Without the program CURVES, figures 2, 3, 4 and 7 are drawn from what an earlier call left.
set -eu

fail() {
    printf 'paper_report: %s\n' "$1" >&2
    exit "${2:-2}"
}

here=$(dirname "$0")
# shellcheck source=scripts/folder.sh
. "$here/folder.sh"
run=${1:?usage: sh scripts/paper_report.sh RUN_DIR [CURVES]}
curves=${2:-}
case $run in
/*) ;;
*) run=./$run ;; # awk would take - for an option
esac
[ ! -d "$run" ] || check_run "$run"
mkdir -p "$run/paper" || fail "cannot make $run/paper: check the folder's permissions" 3

# made NAME TABLE WHAT: what the program says of the run by WHAT, as NAME and as TABLE.
made() {
    text=$run/paper/$1 table=$run/paper/$2
    rm -f "$table.part"
    if anew "$text" "${NORMBENCH:-$here/../build/normbench}" judge "$3" --csv "$table.part" "$run"; then
        mv -f "$table.part" "$table"
    else
        rm -f "$table.part"
        return 1
    fi
}

status=0
[ -z "$curves" ] || "$curves" "$run/paper" || status=3
made efficiency.md comparison.csv efficiency || status=3
made verdicts.txt verdicts.csv claims || status=3
sh "$here/plots.sh" "$run" || status=3

cat "$run/paper/efficiency.md"
printf '\n### Published claims\n\n'
cat "$run/paper/verdicts.txt"
printf '\nTable:    %s/paper/efficiency.md, comparison.csv\nVerdicts: %s/paper/verdicts.txt, verdicts.csv\nFigures:  %s/paper, %s/plots\n' \
    "$run" "$run" "$run" "$run"
"${NORMBENCH:-$here/../build/normbench}" report "$run" || status=3
exit "$status"
