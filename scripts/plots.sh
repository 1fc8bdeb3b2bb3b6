#!/bin/sh
# SPDX-License-Identifier: MIT
# Draws every figure of one run, from its CSV files and meta.json alone:
#     sh scripts/plots.sh results/MACHINE/RUN
# writes plots/NAME.svg, .png and .pdf into that folder, and figures of the paper into its folder paper/. The program (NORMBENCH names it,
# build/normbench if not) checks first what is in the folder. A figure is a pair of files here:
# fig_NAME.awk selects its rows and prints them as gnuplot variables and data blocks, fig_NAME.gp draws them. Those called layers_... are
# drawn from layers.csv and steps.csv, those called paper_... from the tables in paper/ and from what was published, all others from
# kernels.csv; what has to be judged for a figure, the program judges.
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
[ -d "$run" ] || fail "no folder $run: give a folder that normbench has made, such as results/MACHINE/RUN"
[ -f "$run/layers.csv" ] || [ -f "$run/kernels.csv" ] ||
    fail "cannot read $run/layers.csv or $run/kernels.csv: give a run's folder, or finish its run with normbench kernels --resume $run"
[ -f "$run/meta.json" ] || fail "cannot read $run/meta.json: give a folder that normbench has made"
# What would change a figure from outside; start-up files are kept out by gnuplot -d.
unset GNUTERM GNUPLOT_LIB GNUPLOT_DEFAULT_GDFONT GDFONTPATH GNUPLOT_FONTPATH GNUPLOT_PS_DIR GNUPLOT_DRIVER_DIR GNUHELP FIT_LOG FIT_SCRIPT
command -v gnuplot >/dev/null || fail 'gnuplot is not installed: run sh scripts/setup.sh'
case $run in
/*) ;;
*) run=./$run ;; # gnuplot would take - for an option
esac
check_run "$run"

selected=$(mktemp)
trap 'rm -f "$selected"' EXIT
trap 'exit 130' INT TERM HUP
status=0

# draw SCRIPT NAME TABLE FOLDER: one figure, in every format.
draw() {
    script=$1 name=$2 table=$3 folder=$4
    set -- -f "$here/csv.awk" -f "$here/plot.awk"
    case $name in layers_*) set -- "$@" -f "$here/plot_layers.awk" ;; esac
    # A figure without data has the reason as the only line of its selection.
    LC_ALL=C awk "$@" -f "${script%.gp}.awk" "$run" "$table" "$here/../results/published" >"$selected" ||
        fail "figure $name: not a CSV file of normbench, see above and results/README.md"
    if ! grep -q '<<' "$selected"; then
        rm -f "$folder/$name.svg" "$folder/$name.png" "$folder/$name.pdf"
        printf 'plots: figure %s skipped: %s\n' "$name" "$(cat "$selected")" >&2
        return
    fi
    for format in svg png pdf; do
        rm -f "$folder/$name.$format" # gnuplot would write through a link
        # The locale is one whose characters gnuplot can convert, whatever the user's is.
        LC_ALL=C.UTF-8 gnuplot -d -c "$script" "$format" "$folder/$name.$format" "$selected" "$here/style.gp" || {
            rm -f "$folder/$name.$format"
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

for script in "$here"/fig_*.gp; do
    name=${script##*/fig_}
    name=${name%.gp}
    case $name in
    layers_native) table=plots/natives folder=$run/plots ;;
    layers_*) table=layers folder=$run/plots ;;
    paper_*) table='' folder=$run/paper name=${name#paper_} ;;
    *) table=kernels folder=$run/plots ;;
    esac
    if [ -n "$table" ]; then
        [ -f "$run/$table.csv" ] || continue
        make_folder "$folder"
    else
        [ -d "$folder" ] || continue
    fi
    draw "$script" "$name" "$table" "$folder"
done
exit "$status"
