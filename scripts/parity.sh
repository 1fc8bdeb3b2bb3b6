#!/bin/sh
# SPDX-License-Identifier: MIT
# `make parity`: trains small models that differ in their norms alone, and draws what they reach. docs/parity.md says how.
#     TASK=digits,text QUICK=1 PYTHON=python3 sh scripts/parity.sh PROGRAM FOLDER
# goes on in a folder where it was interrupted. QUICK=1: thirty steps each, into FOLDER/quick, only to see that it works.
set -eu

here=$(dirname "$0")
program=${1:?usage: sh scripts/parity.sh PROGRAM FOLDER}
name=parity
# shellcheck source=scripts/measuring.sh
. "$here/measuring.sh"
export NORMBENCH="$program"
python=${PYTHON:-python3}
folder=$(folder_of "$program" parity "${2:?usage: sh scripts/parity.sh PROGRAM FOLDER}")
quick=
case ${QUICK:-0} in
0) ;;
1) quick=--quick folder=$folder/quick ;;
*) fail "QUICK=$QUICK is neither 0 nor 1, thirty steps each" ;;
esac
command -v "$python" >/dev/null || fail "there is no $python: install it, or name another, as in PYTHON=/path/to/python3" 3
# shellcheck disable=SC2086 # quick is one option or none
"$python" "$here/parity.py" "$folder" --task "${TASK:-digits,text}" $quick
sh "$here/plots.sh" "$folder"
printf '\nTables: %s/parity.csv, %s/parity_runs.csv\nFigure: %s/plots/parity.svg\n' "$folder" "$folder" "$folder"
