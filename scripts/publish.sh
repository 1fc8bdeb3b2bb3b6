#!/bin/sh
# SPDX-License-Identifier: MIT
# `make publish RUN=...`: makes a run's folder ready for git:
#     sh scripts/publish.sh results/MACHINE/RUN
# Checks what is in it, compresses its samples and, once it is complete, its steps (samples.csv becomes samples.csv.gz, which every reader
# here and --resume take as well), with no time stamp in it, so that the same rows are the same bytes, and removes pictures that `make plots`
# makes again: PNG and PDF beside an SVG, and the page that `make report` makes again. Of a validation each gate's table, facts and report are compressed, and the rest goes:
# samples, of which validation.csv has what was made, and what every gate has alike.
# What is left says how large it is. A second time there is nothing to do.
set -eu

fail() {
    printf 'publish: %s\n' "$1" >&2
    exit "${2:-2}"
}

[ $# -eq 1 ] || fail 'usage: sh scripts/publish.sh RUN_DIR, where RUN_DIR is a folder such as results/MACHINE/RUN'
here=$(dirname "$0")
# shellcheck source=scripts/folder.sh
. "$here/folder.sh"
run=$1
case $run in
/*) ;;
*) run=./$run ;; # gzip would take - for an option
esac
[ -f "$run/meta.json" ] || [ -f "$run/validation.csv" ] ||
    fail "cannot read $run/meta.json: give a folder that normbench has made, such as results/MACHINE/RUN"
command -v gzip >/dev/null || fail 'gzip is not installed: install it by the system'\''s own means' 3
check_run "$run"
# As the program holds a folder that it writes to; where there is no flock, whoever calls this knows what runs.
if command -v flock >/dev/null; then
    exec 9<"$run"
    flock -n 9 || fail "normbench is writing in $run: wait until it is done, or stop it"
fi
[ ! -f "$run/plan.csv" ] || printf 'publish: %s is unfinished: go on with it by --resume, which unpacks the samples\n' "$run" >&2

# pack FILE: gives FILE.gz its name once it is whole and holds the same; only then FILE goes.
# shellcheck disable=SC2317 # anew calls it
packed() { gzip -9 -n -c "$1"; }
pack() {
    if anew "$1.gz" packed "$1" && gzip -dc "$1.gz" | cmp -s - "$1"; then
        rm -f "$1"
    else
        rm -f "$1.gz"
        fail "cannot compress $1: see above, and whether the disk is full; it is still there" 3
    fi
}

# each NAME COMMAND: the command with every file of that name, one after another, whatever folders are called.
list=$(mktemp)
trap 'rm -f "$list"' EXIT
trap 'exit 130' INT TERM HUP
each() {
    find "$run" -type f -name "$1" >"$list"
    while IFS= read -r file; do "$2" "$file"; done <"$list"
}
# shellcheck disable=SC2317 # each calls it
drop_twin() { [ ! -f "${1%.*}.svg" ] || rm -f "$1"; }

# shellcheck disable=SC2317
drop() { rm -f "$1"; }
# Whoever goes on with a run writes its steps anew, where none may lie compressed.
# shellcheck disable=SC2317
pack_complete() { [ -f "$(dirname "$1")/plan.csv" ] || pack "$1"; }

if [ -f "$run/validation.csv" ]; then
    each 'ab*samples.csv*' drop
    for name in log topology.xml sides.csv validation.txt; do each "$name" drop; done
    each 'ab*.csv' pack
    each '*.json' pack
    each validation_rows.csv pack
fi
each '*samples.csv' pack
each steps.csv pack_complete
for format in png pdf; do each "*.$format" drop_twin; done
rm -f "$run/report.html"
printf '%s: %s KiB; git add -f takes it\n' "$1" "$(du -sk "$run" | cut -f 1)"
