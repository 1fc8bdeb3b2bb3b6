# SPDX-License-Identifier: MIT
# What the scripts that measure in several parts share; sourced by them. $name is the script's, in its messages.
# shellcheck shell=sh
# shellcheck disable=SC2154 # name and here are set by whoever sources this

# shellcheck source=scripts/folder.sh
. "$here/folder.sh"

fail() {
    printf '%s: %s\n' "$name" "$1" >&2
    exit "${2:-2}"
}

# seconds_of BUDGET EXAMPLE: a time such as 50m or 480s, in seconds.
seconds_of() {
    case $1 in
    '' | [ms] | 0* | *[!0-9]*[ms] | ????????*) fail "BUDGET=$1 is not a time, as in $2" ;;
    *m) echo $((${1%m} * 60)) ;;
    *s) echo "${1%s}" ;;
    *) fail "BUDGET=$1 is not a time, as in $2" ;;
    esac
}

# folder_of PROGRAM KIND FOLDER: the run's folder, results/MACHINE/TIME-KIND if FOLDER is empty, so that awk takes it for a path: not for an
# assignment or an option. One that is there is checked before anything is done in it.
folder_of() {
    folder=$3
    if [ -z "$folder" ]; then
        machine=$("$1" machine --json - | sed -n 's/^ *"machine_id": *"\([^"]*\)".*/\1/p' | head -n 1)
        [ -n "$machine" ] || fail "$1 machine does not name this machine" 3
        folder=results/$machine/$(date -u +%Y-%m-%dT%H%M%SZ)-$2
    fi
    case $folder in
    /*) ;;
    *) folder=./$folder ;;
    esac
    [ ! -d "$folder" ] || check_run "$folder"
    printf '%s\n' "$folder"
}

# is_measured FOLDER COMMAND: whether the command's run there is whole.
is_measured() { [ -f "$1/$2.csv" ] && [ ! -f "$1/plan.csv" ]; }

# measure_into FOLDER COMMAND ARGUMENT...: begins a run of the $program there, or goes on with it. Its status.
measure_into() {
    into=$1 command=$2
    shift 2
    if [ -f "$into/plan.csv" ]; then
        "$program" "$command" --resume "$into"
    else
        "$program" "$command" "$@" --out "$into"
    fi
}

# joined FOLDER TABLE: prints the rows of all parts, whose headers must be the same.
# shellcheck disable=SC2317 # anew calls it
joined() {
    header='' files=0
    for file in "$1"/parts/*/"$2.csv"; do
        [ -f "$file" ] || continue
        [ "$files" -eq 0 ] || [ "$(head -n 1 "$file")" = "$header" ] || fail "$file has other columns than the part before it" 3
        if [ "$files" -eq 0 ]; then
            header=$(head -n 1 "$file")
            cat "$file" || return
        else
            tail -n +2 "$file" || return
        fi
        files=$((files + 1))
    done
}

# join_parts FOLDER: makes the tables of a run in parts, and its meta.json, which is that of the last of them.
join_parts() {
    for table in layers steps; do
        anew "$1/$table.csv" joined "$1" "$table" || exit $?
        [ -s "$1/$table.csv" ] || rm "$1/$table.csv"
    done
    for meta in "$1"/parts/*/meta.json; do
        [ ! -f "$meta" ] || anew "$1/meta.json" cat "$meta"
    done
}
