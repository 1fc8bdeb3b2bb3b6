#!/bin/sh
# SPDX-License-Identifier: MIT
# What `make lint` runs: the layout of C files, the rooms they stand in, their lengths, the names of files in comments, the shell scripts, and
# cppcheck where it is installed. Every finding is an error; all checks run even if one fails.
set -eu
cd "$(dirname "$0")/.."

# The verdict of clang-format on one text changes from release to release; the tree is laid out by this one.
layout_version=14

status=0
need() {
    command -v "$1" >/dev/null && return
    echo "lint: $1 is not there: install it with \`sh scripts/setup.sh --dev\`" >&2
    status=1
    return 1
}
# What git tracks, and new files that it does not ignore.
files() { git ls-files --cached --others --exclude-standard -- "$@"; }

major() { "$1" --version | sed 's/.*version \([0-9]*\).*/\1/'; }
format=clang-format-$layout_version
command -v "$format" >/dev/null || format=clang-format
if need "$format"; then
    if [ "$(major "$format")" -eq "$layout_version" ]; then
        files '*.c' '*.h' | xargs "$format" --dry-run -Werror || status=1
    else
        echo "lint: layout NOT checked: it is that of clang-format $layout_version, and here is $(major "$format")" >&2
    fi
fi

files '*.c' '*.h' | xargs awk -f scripts/rooms.awk scripts/rooms.txt || status=1
files '*.c' '*.h' '*.sh' '*.awk' '*.py' .ci/run | xargs awk -f scripts/lengths.awk || status=1
files ':!CHANGELOG.md' | xargs awk -f scripts/names.awk || status=1

if need shellcheck; then
    files '*.sh' .ci/run | xargs shellcheck || status=1
fi

# System headers are not read, so a library's statement macros are unknown to it: no finding. Nor is a cast that cuts a block of bytes
# into tensors: buffers of several dtypes are what this project is about.
if command -v cppcheck >/dev/null; then
    files '*.c' | xargs cppcheck -j "$(getconf _NPROCESSORS_ONLN)" --quiet --error-exitcode=1 --enable=warning,portability \
        --inline-suppr --std=c11 --suppress=missingIncludeSystem --suppress=unknownMacro --suppress=invalidPointerCast -D__x86_64__ -Ikernels -Ibench -Imodels || status=1
fi

[ "$status" -eq 0 ] && echo "lint: no findings"
exit "$status"
