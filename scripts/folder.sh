# SPDX-License-Identifier: MIT
# What scripts do with the folder of a run, which may have come from anybody; sourced by them. $here is the folder of the scripts, fail() is
# theirs: fail MESSAGE [STATUS].
# shellcheck shell=sh
# shellcheck disable=SC2154 # here is set by whoever sources this

# check_run FOLDER: ends the script unless the program finds that the folder holds what it writes itself, in plain files.
check_run() {
    checker=${NORMBENCH:-$here/../build/normbench}
    command -v "$checker" >/dev/null || fail "there is no $checker, which checks what is in a folder: run make, or name it in NORMBENCH" 3
    "$checker" check "$1" >/dev/null ||
        fail "$1 holds what normbench does not write, see above and results/README.md; nothing was done with it"
}

# anew FILE COMMAND...: what the command prints, as a new file that gets its name when it is whole; what had the name is replaced, not written
# to, be it a link or a pipe. The command's status.
anew() {
    target=$1 outcome=0
    shift
    [ ! -d "$target" ] || fail "$target is a folder, where a file should be: remove it" 3
    rm -f "$target.part"
    (
        set -C # makes the file or fails
        "$@" >"$target.part"
    ) || outcome=$?
    if [ "$outcome" -eq 0 ]; then
        mv -f "$target.part" "$target"
    else
        rm -f "$target.part"
    fi
    return "$outcome"
}
