# SPDX-License-Identifier: MIT
# The figures, found by their files; sourced by whoever draws them. $figures is this folder. A figure is a pair of files: NAME.awk selects
# its rows and prints them as gnuplot variables and data blocks, NAME.gp draws them. Those called layers_... are drawn from layers.csv,
# steps.csv and what the program judges of them, those called paper_... from the tables in a run's paper/ and from what was published, all
# others from kernels.csv; history, law, parity, sharded and those called validation_... are drawn from the tables that the commands of these names write.
# shellcheck shell=sh
# shellcheck disable=SC2154 # figures and vocabulary are set by whoever sources this

# figure_names: one a line.
figure_names() {
    for script in "$figures"/*.gp; do
        name=$(basename "$script" .gp)
        [ ! -f "$figures/$name.awk" ] || printf '%s\n' "$name"
    done
}

# figure_table NAME: the table of the run that the figure is drawn from; nothing where it reads its own.
figure_table() {
    case $1 in
    layers_native) echo plots/natives ;;
    layers_*) echo layers ;;
    history) echo history ;;
    law) echo law ;;
    parity | sharded) echo "$1" ;;
    validation_changes) echo validation_rows ;;
    validation_*) echo validation ;;
    paper_*) ;;
    *) echo kernels ;;
    esac
}

# figure_picture NAME: the picture in a run's folder, without what its format adds.
figure_picture() {
    case $1 in
    paper_*) echo "paper/${1#paper_}" ;;
    *) echo "plots/$1" ;;
    esac
}

# figure_select NAME RUN: with the words in the file $vocabulary, which `normbench list vocabulary` has printed, what the figure draws of a
# run, for gnuplot; where there is nothing, one line that says why. awk's status.
figure_select() (
    table=$(figure_table "$1") name=$1 run_of=$2
    set -- -f "$figures/csv.awk" -f "$figures/plot.awk"
    case $name in layers_*) set -- "$@" -f "$figures/plot_layers.awk" ;; esac
    LC_ALL=C awk "$@" -f "$figures/$name.awk" "$run_of" "$table" "$figures/../../results/published" "$vocabulary"
)

# figure_draw NAME FORMAT PICTURE SELECTED: the locale is one whose characters gnuplot can convert, whatever the user's is.
figure_draw() {
    LC_ALL=C.UTF-8 gnuplot -d -c "$figures/$1.gp" "$2" "$3" "$4" "$figures/style.gp" || return
    [ "$2" != svg ] || { LC_ALL=C awk -f "$figures/lean.awk" "$3" >"$4.lean" && cat "$4.lean" >"$3" && rm -f "$4.lean"; }
}
