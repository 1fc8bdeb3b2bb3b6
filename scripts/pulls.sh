#!/bin/sh
# SPDX-License-Identifier: MIT
# Two pull requests for `make validate-pulls`, in a clone that is thrown away afterwards:
#     sh scripts/pulls.sh FOLDER [COMMIT]
# FOLDER becomes a clone of this repository, without a working tree of its own, with the branch `base` at COMMIT (HEAD unless given), and upon
# that `slower`, in which every DyT does some 5 % more work (scripts/pulls/slower.patch), and `readme`, in which README.md has one more line.
# Of one COMMIT they are always the same commits, so that what was built of them is found again.
set -eu

name=pulls
fail() {
    printf '%s: %s\n' "$name" "$1" >&2
    exit "${2:-2}"
}

here=$(CDPATH='' cd -- "$(dirname "$0")" && pwd)
folder=${1:?usage: sh scripts/pulls.sh FOLDER [COMMIT]}
patch=$here/pulls/slower.patch
command -v git >/dev/null || fail 'git is not installed: install it by the system'\''s own means' 3
commit=$(git -C "$here" rev-parse --verify --quiet --end-of-options "${2:-HEAD}^{commit}") || fail "\"${2:-HEAD}\" is no commit of this repository"
[ ! -e "$folder" ] || fail "$folder is there already: name a folder that is not"
# Nobody's settings, and no time of day.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=normbench GIT_AUTHOR_EMAIL=normbench@localhost
export GIT_COMMITTER_NAME=normbench GIT_COMMITTER_EMAIL=normbench@localhost
GIT_AUTHOR_DATE="$(git -C "$here" show -s --format=%cI "$commit")"
GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
export GIT_AUTHOR_DATE GIT_COMMITTER_DATE
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

git clone -q --shared --no-checkout "$(git -C "$here" rev-parse --show-toplevel)" "$folder" || fail "cannot clone into $folder: see above" 3
cd "$folder"
git branch -q base "$commit"

# commit_on BRANCH MESSAGE COMMAND...: upon base, what the command leaves of it.
commit_on() {
    branch=$1 message=$2
    shift 2
    git checkout -q -f -b "$branch" base || fail "cannot check out $commit: see above" 3
    "$@"
    git commit -q -a -m "$message" || fail "cannot commit the pull request $branch: see above" 3
}
# shellcheck disable=SC2317 # commit_on calls them
slower() {
    git apply "$patch" || fail "$patch does not fit the kernels any more: make it anew, with some 5 % more work in every DyT" 3
}
# shellcheck disable=SC2317
readme() { printf '\nOne line more.\n' >>README.md; }
commit_on slower 'Keep tanh below 2, where it always is' slower
commit_on readme 'Say one thing more' readme
