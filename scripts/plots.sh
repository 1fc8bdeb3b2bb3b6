#!/bin/sh
# SPDX-License-Identifier: MIT
# Draws every figure of one run, from its CSV files and meta.json alone:
#     sh scripts/plots.sh results/MACHINE/RUN
# writes plots/NAME.svg, .png and .pdf into that folder, and figures of the paper into its folder paper/. The program (NORMBENCH names it,
# build/normbench if not) checks first what is in the folder. What figures there are is a matter of the files in scripts/figures.
# What has to be judged for a figure, the program judges.
set -eu

fail() {
    printf 'plots: %s\n' "$1" >&2
    exit "${2:-2}"
}

[ $# -eq 1 ] || fail 'usage: sh scripts/plots.sh RUN_DIR, where RUN_DIR is a folder such as results/MACHINE/RUN'
run=$1
here=$(dirname "$0")
# shellcheck source=scripts/folder.sh
. "$here/folder.sh"
figures=$here/figures
# shellcheck source=scripts/figures/figures.sh
. "$figures/figures.sh"
[ -d "$run" ] || fail "no folder $run: give a folder that normbench has made, such as results/MACHINE/RUN"
# Tables that stand for many runs, and have no machine of their own.
several=
for table in history validation law parity sharded; do
    [ ! -f "$run/$table.csv" ] || several=$table
done
[ -f "$run/layers.csv" ] || [ -f "$run/kernels.csv" ] || [ -n "$several" ] ||
    fail "cannot read $run/layers.csv or $run/kernels.csv: give a run's folder, or finish its run with normbench kernels --resume $run"
[ -f "$run/meta.json" ] || [ -n "$several" ] || fail "cannot read $run/meta.json: give a folder that normbench has made"
# What would change a figure from outside; start-up files are kept out by gnuplot -d.
unset GNUTERM GNUPLOT_LIB GNUPLOT_DEFAULT_GDFONT GDFONTPATH GNUPLOT_FONTPATH GNUPLOT_PS_DIR GNUPLOT_DRIVER_DIR GNUHELP FIT_LOG FIT_SCRIPT
command -v gnuplot >/dev/null || fail 'gnuplot is not installed: run sh scripts/setup.sh'
case $run in
/*) ;;
*) run=./$run ;; # gnuplot would take - for an option
esac
check_run "$run"

selected=$(mktemp)
vocabulary=$selected.words
trap 'rm -f "$selected" "$vocabulary"' EXIT
trap 'exit 130' INT TERM HUP
"$checker" list vocabulary >"$vocabulary" || fail "$checker does not say its words: run make, or name another in NORMBENCH" 3
status=0

# draw FIGURE PICTURE: one figure, in every format.
draw() {
    figure=$1 name=${2##*/} picture=$run/$2
    # A figure without data has the reason as the only line of its selection.
    figure_select "$figure" "$run" >"$selected" || fail "figure $name: not a CSV file of normbench, see above and results/README.md"
    if ! grep -q '<<' "$selected"; then
        rm -f "$picture.svg" "$picture.png" "$picture.pdf"
        printf 'plots: figure %s skipped: %s\n' "$name" "$(cat "$selected")" >&2
        return
    fi
    for format in svg png pdf; do
        rm -f "$picture.$format" # gnuplot would write through a link
        figure_draw "$figure" "$format" "$picture.$format" "$selected" || {
            rm -f "$picture.$format"
            printf 'plots: gnuplot could not draw %s.%s, see above\n' "$name" "$format" >&2
            status=3
        }
    done
}

make_folder() { mkdir -p "$1" || fail "cannot make $1: check the folder's permissions"; }

# judged TABLE WHAT OPTION...: a table that the program makes of the run, for figures.
judged() {
    made=$run/$1
    shift
    make_folder "${made%/*}"
    rm -f "$made" "$made.part"
    "${NORMBENCH:-$here/../build/normbench}" judge "$@" --csv "$made.part" "$run" >/dev/null || exit
    mv -f "$made.part" "$made"
}
[ ! -f "$run/layers.csv" ] || judged plots/natives.csv natives
[ ! -d "$run/paper" ] || judged paper/answers.csv questions --by "$here/../results/published/pairs.csv"

for figure in $(figure_names); do
    table=$(figure_table "$figure") picture=$(figure_picture "$figure")
    if [ -n "$table" ]; then
        [ -f "$run/$table.csv" ] || [ -f "$run/$table.csv.gz" ] || continue
        make_folder "$run/${picture%/*}"
    else
        [ -d "$run/${picture%/*}" ] || continue
    fi
    draw "$figure" "$picture"
done
exit "$status"
