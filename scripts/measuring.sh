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
