#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2015 # fail never fails
# scripts/reframe/normbench.py under ReFrame's local scheduler: rows become performance variables, an earlier run a reference that holds or
# does not, and a command that fails fails the test with its status.
# independent of the compiler
set -u
program=${NORMBENCH:?}
. tests/expect.sh
if ! command -v reframe >/dev/null; then
    echo 'test_fleet: SKIPPED: there is no reframe: pip install ReFrame-HPC, in an environment of its own'
    exit 77
fi

# fleet NAME SETTING...: that test, by this program.
fleet() {
    test=$1
    shift
    TMPDIR=$work RFM_COLORIZE=0 reframe --prefix "$work/fleet" --keep-stage-files -c scripts/reframe/normbench.py -n "$test" -r -S program="$program" "$@"
}
little='--op dyt,rmsnorm --variant std,u2 --shape 64x768 --level scalar --dtype f32 --pass forward --threads 1 --launches 6'
stage=$work/fleet/stage/generic/default/builtin

check_end 0 'Ran 1/1 test case(s) from 1 check(s) (0 failure(s)' fleet NormbenchKernels -S budget=2s -S options="$little"
grep -q '^P: dyt/u2/forward/fused/scalar/f32/64x768/1/cores/warm: [0-9.]* of rmsnorm' "$work/out" || fail "no ratio of dyt: $(cat "$work/out")"
check_end 0 'tables as normbench writes them' "$program" check "$stage/NormbenchKernels/run"

# A run in which DyT was ten times as fast is a reference that this one cannot hold; one that was as fast within all doubt, it holds.
cp -r "$stage/NormbenchKernels/run" "$work/before"
edit() {
    awk -F, -v OFS=, -v factor="$1" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
        NR > 1 && $(at["op"]) == "dyt" { $(at["ratio_to_rmsnorm"]) *= factor; $(at["ratio_lo95"]) *= factor; $(at["ratio_hi95"]) *= factor }
        { print }' "$stage/NormbenchKernels/run/kernels.csv" >"$work/before/kernels.csv"
}
edit 1
check_end 0 '(0 failure(s)' fleet NormbenchKernels -S budget=2s -S options="$little" -S reference_run="$work/before" -S tolerance=100
edit 0.1
! fleet NormbenchKernels -S budget=2s -S options="$little" -S reference_run="$work/before" >"$work/out" 2>&1 || fail 'a tenth of the ratio is no difference'
grep -q 'failed to meet reference.*dyt/u2' "$work/out" || fail "another reason: $(cat "$work/out")"

! fleet NormbenchKernels -S options='--op nothing' >"$work/out" 2>&1 || fail 'a command that failed is no failure'
grep -q 'normbench ended with 2, expected one of \[0\]' "$work/out" || fail "another reason: $(cat "$work/out")"
finish
