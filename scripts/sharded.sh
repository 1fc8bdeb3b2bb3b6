#!/bin/sh
# SPDX-License-Identifier: MIT
# `make sharded`: norms whose tensor lies on two ranks of this machine, at three shapes, and simulated for many hosts on slow and fast networks:
#     sh scripts/sharded.sh PROGRAM FOLDER [HOSTS]
# makes FOLDER/sharded.csv of both, and its figure. HOSTS: how many, as in 4,64; those up to 1024 if none are given.
set -eu

here=$(dirname "$0")
program=${1:?usage: sh scripts/sharded.sh PROGRAM FOLDER [HOSTS]}
name=sharded
# shellcheck source=scripts/measuring.sh
. "$here/measuring.sh"
export NORMBENCH="$program"
folder=$(folder_of "$program" sharded "${2:?usage: sh scripts/sharded.sh PROGRAM FOLDER [HOSTS]}")
hosts=${3:-4,16,64,256,1024}
parts=$(mktemp -d)
trap 'rm -rf "$parts"' EXIT
trap 'exit 130' INT TERM HUP

part=0
# measured OPTION...: a table of its own, and what it says.
measured() {
    part=$((part + 1))
    mkdir -p "$parts/parts/$part"
    "$program" sharded "$@" --csv "$parts/parts/$part/sharded.csv" || exit
}
for shape in 16x4096 64x4096 1024x4096; do
    measured --shape "$shape" --ranks 2
done
measured --shape 1024x4096 --hosts "$hosts" --latency 500ns,1us,5us --bandwidth 12.5,50
mkdir -p "$folder" || fail "cannot make $folder: check the permissions of the folder above" 3
anew "$folder/sharded.csv" joined "$parts" sharded
sh "$here/plots.sh" "$folder"
printf '\nTable: %s/sharded.csv\nFigure: %s/plots/sharded.svg\n' "$folder" "$folder"
