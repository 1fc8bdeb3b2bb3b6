#!/bin/sh
# SPDX-License-Identifier: MIT
# Draws every figure of one run, from its kernels.csv and meta.json alone:
#     sh scripts/plots.sh results/MACHINE/RUN
# writes results/MACHINE/RUN/plots/NAME.svg, .png and .pdf. A figure is a pair of files here: fig_NAME.awk selects its rows and
# prints them as gnuplot variables and data blocks, fig_NAME.gp draws them.
set -eu

fail() {
    printf 'plots: %s\n' "$1" >&2
    exit 2
}

[ $# -eq 1 ] || fail 'usage: sh scripts/plots.sh RUN_DIR, where RUN_DIR is a folder such as results/MACHINE/RUN'
run=$1
here=$(dirname "$0")
[ -d "$run" ] || fail "no folder $run: give a folder that normbench kernels has made, such as results/MACHINE/RUN"
for file in kernels.csv meta.json; do
    [ -r "$run/$file" ] || fail "cannot read $run/$file: give a run's folder, or finish its run with normbench kernels --resume $run"
done
command -v gnuplot >/dev/null || fail 'gnuplot is not installed: run sh scripts/setup.sh'
case $run in
/*) ;;
*) run=./$run ;; # awk would take a=b for an assignment, and - for an option
esac
mkdir -p "$run/plots" || fail "cannot make $run/plots: check the folder's permissions"

selected=$(mktemp)
trap 'rm -f "$selected"' EXIT
trap 'exit 130' INT TERM
status=0
for script in "$here"/fig_*.gp; do
    name=${script##*/fig_}
    name=${name%.gp}
    # A figure without data has the reason as the only line of its selection.
    LC_ALL=C awk -f "$here/plot.awk" -f "${script%.gp}.awk" "$run/meta.json" "$run/kernels.csv" >"$selected" ||
        fail "$run/kernels.csv: not a CSV file of normbench, see results/README.md"
    if ! grep -q '<<' "$selected"; then
        rm -f "$run/plots/$name.svg" "$run/plots/$name.png" "$run/plots/$name.pdf"
        printf 'plots: figure %s skipped: %s\n' "$name" "$(cat "$selected")" >&2
        continue
    fi
    for format in svg png pdf; do
        # The locale is one whose characters gnuplot can convert, whatever the user's is.
        LC_ALL=C.UTF-8 gnuplot -c "$script" "$format" "$run/plots/$name.$format" "$selected" "$here/style.gp" || {
            rm -f "$run/plots/$name.$format"
            printf 'plots: gnuplot could not draw %s.%s, see above\n' "$name" "$format" >&2
            status=3
        }
    done
done
exit "$status"
