#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2015 # fail never fails
# `normbench history` on made-up runs: which change is found, where and between which commits, what is none, histories of several machines, the
# figure, and what is refused. tests/test_changes.c has the method itself.
# independent of the compiler
set -u
: "${NORMBENCH:?must name the program, e.g. NORMBENCH=build/normbench}" "${OBJ:?must name the folder of test_schema, e.g. OBJ=build/gcc}"
. tests/expect.sh
. tests/made_runs.sh
program=$NORMBENCH

# told TEXT DIR...: history of these folders says so, and ends with 0.
told() {
    text=$1
    shift
    check_end 0 "$text" "$program" history "$@"
}

# ---- A step, with its commits

made_runs "$work/step" 1 10
made_runs "$work/step" 11 20 dyt=1.06
told '5 changes in 20 groups of 20 runs, in 1 history' "$work"/step/*
cp "$work/out" "$work/list"
[ "$(grep -c 'c0ffee000010\.\.c0ffee000011  2026-03-11T10:00:00Z' "$work/list")" -eq 5 ] || fail "not between these commits: $(cat "$work/list")"
grep -E '^ +1  dyt fused avx2 f32 forward L2 warm +[+](5|6)[.][0-9] %' "$work/list" >/dev/null || fail "no group and size: $(cat "$work/list")"
grep -q 'vit_s16 prefill norms' "$work/list" || fail "no norms of a layer: $(cat "$work/list")"
grep -q eager "$work/list" && fail 'what did not change is told as changed'
told '5 changes' "$work"/step/2* "$work"/step/1* "$work"/step/0* # in the order of their times, whatever that of the folders
cmp -s "$work/list" "$work/out" || fail 'the order of folders changes the list'

# ---- What is none: noise, a slow day, a slower machine from a day on, one bad run, too few runs, too small a change

made_runs "$work/still" 1 20
told '0 changes in 20 groups' "$work"/still/*
for setting in slow=1.5 dyt=1.5; do
    made_run "$work/still/10" 10 "$setting"
    told '0 changes' "$work"/still/*
done
made_run "$work/still/10" 10
made_runs "$work/still" 11 20 slow=1.3
told '0 changes' "$work"/still/*
made_runs "$work/still" 11 20 dyt=1.01
told '0 changes' "$work"/still/*
told '20 groups have too short a history to tell' "$work"/step/0[6-9] "$work"/step/1[0-7]
told '0 changes in 20 groups of 1 run, in 1 history' "$work/step/01"
# Too few runs after it.
made_runs "$work/late" 1 16
made_runs "$work/late" 17 20 dyt=1.1
told '0 changes' "$work"/late/*

# ---- A drift is told as such

mkdir "$work/drift"
for day in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    made_run "$work/drift/$(printf '%02d' "$day")" "$day" dyt="1$(awk "BEGIN { printf \"%.3f\", $day * 0.01 }" | sed 's/^0//')"
done
told 'a drift' "$work"/drift/*
grep -q '\.\.' "$work/out" && fail "a drift has steps: $(cat "$work/out")"

# ---- Another machine has a history of its own

made_runs "$work/other" 1 20 cpu=Other_CPU dyt=2 commit=feedbeef
for run in "$work"/other/*; do # other runs, too
    for file in "$run"/*; do sed 's/T100000Z/T110000Z/' "$file" >"$file.new" && mv "$file.new" "$file"; done
done
told '5 changes in 40 groups of 40 runs, in 2 histories' "$work"/step/* "$work"/other/*

# Rows that come and go change nothing of the others.
made_runs "$work/fewer" 1 10
made_runs "$work/fewer" 11 20 dyt=1.06 drop=rmsnorm
told '5 changes' "$work"/fewer/*

# ---- Formats, and the figure

mkdir "$work/folder"
told '5 changes' --csv "$work/folder/history.csv" "$work"/step/*
"$OBJ/test_schema" "$work/folder/history.csv" || fail 'history.csv is not what its columns say'
[ "$(wc -l <"$work/folder/history.csv")" -eq 401 ] || fail 'not a row for each group and run'
check_end 0 schema_version "$program" history --csv - "$work"/step/*
cmp -s "$work/out" "$work/folder/history.csv" || fail '--csv - writes another table'
check_end 0 '| 1 | dyt fused avx2 f32 backward L2 warm |' "$program" history --format markdown "$work"/step/*
check_end 0 '"kind": "steps"' "$program" history --format json "$work"/step/*
check_end 0 'table as normbench writes them' "$program" check "$work/folder"
sh scripts/plots.sh "$work/folder" >"$work/out" 2>"$work/err" || fail "plots.sh: $(cat "$work/err")"
[ ! -s "$work/err" ] || fail "plots.sh says: $(cat "$work/err")"
for text in 'dyt fused avx2 f32 forward, L2 warm' 'days since 2026-03-01' '5 steps, 0 drifts in 20 groups' '[+]5[.]\|[+]6[.]'; do
    grep -q -- "$text" "$work/folder/plots/history.svg" || fail "history.svg does not say $text"
done
[ "$(head -c 4 "$work/folder/plots/history.pdf")" = '%PDF' ] || fail 'history.pdf is no PDF'
told '0 changes' --csv "$work/folder/history.csv" "$work"/step/0*
sh scripts/plots.sh "$work/folder" >"$work/out" 2>"$work/err" || fail "plots.sh without changes: $(cat "$work/err")"
sed -n 1p "$work/folder/history.csv" >"$work/header" && cp "$work/header" "$work/folder/history.csv"
sh scripts/plots.sh "$work/folder" >"$work/out" 2>"$work/err" || fail "plots.sh without rows: $(cat "$work/err")"
grep -q 'figure history skipped' "$work/err" || fail 'a figure without data is not skipped'

# ---- What is refused

check_end 2 'which runs' "$program" history
check_end 2 'did you mean json' "$program" history --format jso "$work/step/01"
check_end 2 'are the same run' "$program" history "$work/step/01" "$work/step/01"
check_end 3 'cannot write' "$program" history --csv "$work/no/folder" "$work/step/01"
cp -r "$work/step/01" "$work/spoilt"
head -c 700 "$work/step/01/layers.csv" >"$work/spoilt/layers.csv"
check_end 2 'was cut off' "$program" history "$work/step/02" "$work/spoilt"
cp "$work/step/01/layers.csv" "$work/spoilt"
rm "$work/spoilt/meta.json"
told 'in 2 histories' "$work/step/02" "$work/spoilt" # nobody knows of which machine it is

finish
