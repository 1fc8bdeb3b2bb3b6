#!/bin/sh
# SPDX-License-Identifier: MIT
# `normbench tune`, and what goes by its file: rows name their schedule, a file that is not this machine's, not whole or edited is ignored
# with a word on how to mend that, and what is tuned is not compared with what is not. No verdict depends on how long anything takes.
# run by one compiler and by sanitizers
set -u
program=${NORMBENCH:?}
. tests/expect.sh
here=$work/here
mkdir "$here"
cd "$here" || exit 1

# What a program of any level can tune; the file is then edited, so that no time decides.
check_end 0 'Tuned:' "$program" tune --op dyt,rmsnorm --pass forward --dtype f32 --budget 1s --csv made.csv --seed 1
check_end 0 'as normbench writes them' "$program" check "$here"
[ "$(wc -l <made.csv)" -ge 2 ] || fail "nothing was tuned: $(cat made.csv)"

# Two tunings held together: the same, and one in which a class goes by another schedule and takes half the time.
classes=$(($(wc -l <made.csv) - 1))
check_end 0 "$classes of $classes classes have the same schedule in both; in $classes " "$program" tune --compare made.csv made.csv
awk -F, -v OFS=, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } NR == 2 { $(at["schedule"]) = "fetch128"; $(at["ratio"]) = 0.5 } { print }' made.csv >other.csv
check_end 0 "$((classes - 1)) of $classes classes have the same schedule in both; in $((classes - 1)) " "$program" tune --compare made.csv other.csv
check_end 2 'is no tune.csv' "$program" tune --compare made.csv "$OLDPWD/results/published/goals.csv"
check_end 2 'two files' "$program" tune --compare made.csv
check_end 2 'missing.csv: ' "$program" tune --compare missing.csv made.csv
rm other.csv

machine=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } NR == 2 { print $(at["machine_id"]) }' made.csv)
place=results/$machine/tune.csv
mkdir -p "results/$machine"

# make_tune AWK: the machine's file, in which the awk program AWK has changed each row; set(NAME, VALUE) changes a column.
make_tune() {
    awk -F, -v OFS=, '
        function set(name, value) { $(at[name]) = value }
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; print; next }
        '"$1"'
        { print }' "$work/whole.csv" >"$place"
}

# schedule_of ARGUMENT...: what a run of dyt at 64x768 says in the column; its folder is $here/run.
schedule_of() {
    rm -rf run
    "$program" kernels --op dyt --shape 64x768 --launches 1 --budget 1s --seed 1 --out run "$@" >"$work/out" 2>"$work/err" ||
        fail "kernels $*: exit $?: $(cat "$work/err")"
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } $(at["op"]) == "dyt" { print $(at["schedule"]) }' run/kernels.csv
}
# expect SCHEDULE ARGUMENT...
expect() {
    wanted=$1
    shift
    got=$(schedule_of "$@")
    [ "$got" = "$wanted" ] || fail "dyt goes by \"$got\", expected \"$wanted\": $(cat "$work/err")"
}

# One row for the class of 64x768, whatever the caches are, of the first row's kernel.
awk -F, -v OFS=, '
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; print; next }
    $(at["op"]) == "dyt" && !done {
        $(at["entry"]) = $(at["entries"]) = 1; $(at["schedule"]) = "tile64x2"; $(at["streams"]) = 0
        $(at["l1_bytes"]) = 4096; $(at["l2_bytes"]) = 1000000; $(at["l3_bytes"]) = 10000000
        $(at["size"]) = "l2"; $(at["width"]) = "narrow"; done = 1; print
    }' made.csv >"$work/whole.csv"
[ "$(wc -l <"$work/whole.csv")" -eq 2 ] || fail "no row of dyt in: $(cat made.csv)"

expect default
make_tune ''
expect tile64x2
grep -q '"schedules": "tuned ' run/meta.json || fail "meta.json does not say that it was tuned"
cmp -s run/tune.csv "$place" || fail "the run has no copy of what it went by"
mv run tuned
expect default --no-tune
grep -q '"schedules": "default"' run/meta.json || fail "meta.json says that it was tuned"
[ ! -e run/tune.csv ] || fail "a run that was not tuned has a tune.csv"
check_end 0 'as normbench writes them' "$program" check "$here"

# Tuned and untuned are not held together.
sed -i 's/T[0-9]*Z/T000000Z/' run/meta.json run/kernels.csv # another run of an earlier day
sed -i 's/20[0-9][0-9]-/2001-/' run/meta.json run/kernels.csv
check_end 4 'schedules: ' "$program" compare run tuned

# Whoever takes a run up goes by its own copy, which has to be what it was begun with.
interrupt 20 half/samples.csv "$program" kernels --op dyt --shape 64x768 --launches 1000 --seed 1 --out half
sed -i 's/tile64x2/tile64x4/' half/tune.csv
check_end 2 'begun with' "$program" kernels --resume half

# What is no file of this machine, build and version, whole and as it was written, is ignored, and how to mend it said.
while IFS='|' read -r edit text; do
    make_tune "$edit"
    expect default
    grep -q 'warning: .*normbench tune' "$work/err" || fail "$edit: no word on how to mend it: $(cat "$work/err")"
    grep -qF -e "$text" "$work/err" || fail "$edit: no \"$text\" in: $(cat "$work/err")"
done <<'EOT'
{ set("schedule", "tile0x64") }|is no schedule
{ set("schedule", "warp9") }|is no schedule
{ set("machine_id", "another-2c-00000000") }|is of the machine another-2c-00000000
{ set("cpu", "Another 1") }|is of the CPU
{ set("build", "gcc 1.0 1") }|is of the build
{ set("schema_version", 2) }|version
{ set("entries", 2) }|cut off or edited
{ set("op", "dyz") }|there is no op
EOT
make_tune ''
truncate -s -5 "$place"
expect default
grep -q 'cut off.*normbench tune' "$work/err" || fail "a file that was cut off: $(cat "$work/err")"
check_end 0 '' "$program" verify --op dyt --variant u2 --shape 4x64 --threads 1 --level scalar
grep -q 'cut off' "$work/err" || fail "verify takes a file that was cut off"
check_end 0 '' "$program" verify --op dyt --variant u2 --shape 4x64 --threads 1 --level scalar --no-tune
! grep -q 'cut off' "$work/err" || fail "verify --no-tune looks at the file: $(cat "$work/err")"

check_end 2 'nothing to measure' "$program" tune --op identity --csv none.csv
check_end 2 'no-tune' "$program" kernels --resume half --no-tune
finish
