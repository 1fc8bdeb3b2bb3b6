#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2015,SC2086 # fail never fails; a baseline is several folders
# `normbench compare` on made-up runs: what is suspect and what is not, what a verdict takes, which machines are the same, and what is refused.
# independent of the compiler
set -u
: "${NORMBENCH:?must name the program, e.g. NORMBENCH=build/normbench}" "${OBJ:?must name the folder of test_schema, e.g. OBJ=build/gcc}"
. tests/expect.sh
. tests/made_runs.sh
program=$NORMBENCH

made_runs "$work/base" 1 12
base="$work/base/*"

# ends CODE TEXT SETTING...: the run of day 13 with these settings ends so against the baseline, and says the text somewhere.
ends() {
    want=$1 text=$2 got=0
    shift 2
    rm -rf "$work/new"
    made_run "$work/new" 13 "$@"
    "$program" compare $base "$work/new" >"$work/out" 2>"$work/err" || got=$?
    [ "$got" -eq "$want" ] || fail "$*: exit $got, expected $want: $(cat "$work/out" "$work/err")"
    grep -qF -e "$text" "$work/out" "$work/err" || fail "$*: no \"$text\" in: $(cat "$work/out" "$work/err")"
}
suspects() { grep -c '^suspect ' "$work/out"; }

# ---- Verdicts

ends 0 '20 not suspect, 5 sentinel, 25 rows in all'
ends 5 '5 suspect' dyt=1.1
[ "$(suspects)" -eq 5 ] || fail 'not each slower row is suspect'
grep '^suspect' "$work/out" | grep -qvE ' [+](9|10)[.][0-9] %' && fail "the change is not what was made: $(cat "$work/out")"
grep -q '^  normbench ab git:c0ffee000012 git:c0ffee000013 --op dyt --variant u2 --pass forward --form fused --level avx2 --dtype f32 --shape 64x768 --threads 1 --placement cores --cache warm$' "$work/out" ||
    fail "no command settles it: $(cat "$work/out")"
grep -q '^  normbench ab git:c0ffee000012 git:c0ffee000013 --layers vit_s16 --op dyt .*--phase prefill --tokens 196' "$work/out" || fail 'no command settles a layer'
ends 0 '20 not suspect' dyt=1.03 # within what days differ by
ends 0 '20 not suspect' dyt=0.7  # faster is no regression
ends 0 'sentinels moved by +29.' slow=1.3
ends 5 '5 suspect' slow=1.3 dyt=1.1
ends 5 'c0ffee000012 CANDIDATE' dyt=1.1 commit=unknown
ends 5 'git:abc ' dyt=1.1 commit=abc-dirty

# Days that differ by more let more pass: the same 10 % over runs that scatter by 3 %.
made_runs "$work/loud" 1 12 noise=0.03
base="$work/loud/*"
ends 0 'not suspect' dyt=1.1
"$program" compare --format csv --out "$work/loud.csv" $base "$work/new" 2>/dev/null

# ---- What a verdict takes

base="$work/base/0*"
ends 5 '9 baseline runs on 9 days; a verdict takes 10 runs on 3 days' dyt=1.1
[ "$(suspects)" -eq 0 ] && grep -q '^cannot tell *[+]1' "$work/out" || fail 'ratios are not shown, or are judged'
base="$work/base/01"
ends 5 '1 baseline run on 1 day' dyt=1.1
mkdir "$work/close" # twelve runs, on two days
for day in 01 02 03 04 05 06 07 08 09 10 11 12; do
    cp -r "$work/base/$day" "$work/close/$day"
    of=02
    [ "$day" -lt 7 ] || of=03
    for file in "$work/close/$day"/*; do
        sed "s/2026-03-${day}T10/2026-03-${of}T$day/" "$file" >"$file.new" && mv "$file.new" "$file"
    done
done
base="$work/close/*"
ends 5 '12 baseline runs on 2 days; a verdict takes' dyt=1.1
base="$work/base/*"
mkdir "$work/old"
for day in 01 02 03 04; do # more than 30 days before
    cp -r "$work/base/$day" "$work/old/$day"
    for file in "$work/old/$day"/*; do
        sed "s/2026-03-$day/2026-01-$day/" "$file" >"$file.new" && mv "$file.new" "$file"
    done
done
base="$work/base/0[1-8] $work/old/*"
ends 4 '4 baseline runs left out, for 30 days' dyt=1.1
base="$work/base/* $work/old/*"
ends 5 '5 suspect' dyt=1.1
base="$work/base/*"

# Rows that are gone; rows that are new; rows without a sentinel.
ends 6 '2 missing' drop=rmsnorm.*x768
grep -q '^missing .*rmsnorm' "$work/out" || fail 'what is missing is not named'
ends 6 'missing' drop=dyt.*fused.*x768 dyt=1.1
made_runs "$work/without" 1 12 drop=rmsnorm
base="$work/without/*"
ends 0 '4 new'
made_runs "$work/lone" 1 12 drop=identity.*forward.*64x768
base="$work/lone/*"
ends 0 'cannot tell' drop=identity.*forward.*64x768
base="$work/base/*"

# ---- The same machine, and another

# differs CODE SETTING TEXT: the difference is named, with both values.
differs() {
    ends "$1" "$3" "$2"
    [ "$1" -ne 4 ] || [ ! -s "$work/out" ] || fail "$2: numbers of another machine: $(cat "$work/out")"
}
differs 4 cpu=Other_CPU '  CPU: Made_up_CPU; now Other_CPU'
differs 4 stepping=2 '  CPU stepping: 1; now 2'
differs 4 flag=avx512f '  CPU flags: fma; now avx512f'
differs 4 flags=-O3 '  compiler flags: -O2; now -O3'
differs 4 kernel=6.2.12-made '  kernel series: Linux 6.1; now Linux 6.2'
differs 0 kernel=6.1.13-made '  kernel: Linux 6.1.12-made; now Linux 6.1.13-made'
differs 0 load=0.9 '  load of others: little; now more than half of the cores'
ends 0 'twice as much is let pass' load=0.9 dyt=1.08
ends 5 '5 suspect' dyt=1.08

# ---- Formats

ends 5 '5 suspect' dyt=1.1
"$program" compare --format csv --out "$work/compare.csv" $base "$work/new" 2>/dev/null
"$OBJ/test_schema" "$work/compare.csv" || fail 'compare.csv is not what its columns say'
# The limit is 6.3 spreads, of 12 runs, to a few percent.
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["limit"] != "" { s = $at["spread_pct"] / 100; t = 6.32 * s; t = exp(t > log(1.05) ? t : log(1.05))
        if ($at["limit"] < t * 0.98 || $at["limit"] > t * 1.02) print $at["row"], $at["limit"], t; seen++; wide += t > 1.051 }
    END { if (seen != 20 || wide < 10) print seen + 0, "limits,", wide + 0, "of them wide" }' "$work/loud.csv" >"$work/wrong"
[ ! -s "$work/wrong" ] || fail "limits: $(cat "$work/wrong")"
[ "$(grep -c ',suspect,' "$work/compare.csv")" -eq 5 ] && [ "$(wc -l <"$work/compare.csv")" -eq 26 ] || fail 'compare.csv lacks rows'
"$program" compare --format json $base "$work/new" >"$work/out" 2>/dev/null
[ "$(grep -c '"verdict": "suspect"' "$work/out")" -eq 5 ] && grep -q '"limit": null' "$work/out" || fail "json: $(head -n 30 "$work/out")"
"$program" compare --format markdown $base "$work/new" >"$work/out" 2>/dev/null
[ "$(grep -c '^| suspect | dyt/' "$work/out")" -eq 5 ] && grep -q '^### 2026-03-13T' "$work/out" || fail "markdown: $(cat "$work/out")"

# ---- What is refused

check_end 2 'baseline runs and, last' "$program" compare
check_end 2 'baseline runs and, last' "$program" compare "$work/base/01"
check_end 2 'the new run comes last' "$program" compare "$work/base/02" "$work/base/01"
check_end 2 'are the same run' "$program" compare "$work/base/01" "$work/base/01" "$work/base/02"
check_end 2 'did you mean json' "$program" compare --format jsn "$work/base/01" "$work/base/02"
check_end 3 'cannot write' "$program" compare --out "$work/no/folder" "$work/base/01" "$work/base/02"
cp -r "$work/base/02" "$work/spoilt"
rm "$work/spoilt/meta.json"
check_end 2 'has no meta.json' "$program" compare "$work/base/01" "$work/spoilt"
head -c 200 "$work/base/02/meta.json" >"$work/spoilt/meta.json"
check_end 2 'meta.json: line' "$program" compare "$work/base/01" "$work/spoilt"
cp "$work/base/02/meta.json" "$work/spoilt"
head -c 1500 "$work/base/02/kernels.csv" >"$work/spoilt/kernels.csv"
check_end 2 'was cut off' "$program" compare "$work/base/01" "$work/spoilt"
rm "$work/spoilt/kernels.csv" "$work/spoilt/layers.csv"
check_end 2 'one that was cut off goes on with' "$program" compare "$work/base/01" "$work/spoilt"
# A run that was stopped: its tables are whole, and say what they lack.
sed '4s/,ok,$/,missing,not measured before the run ended/; 4s/,8,16,100,[^,]*,[^,]*,[^,]*,[^,]*,/,,,100,,,,,/' "$work/base/12/kernels.csv" >"$work/spoilt/kernels.csv"
sed 's/"complete": true/"complete": false/' "$work/base/12/meta.json" >"$work/spoilt/meta.json"
check_end 6 'was not finished: 1 of its rows' "$program" compare "$work"/base/0* "$work/base/10" "$work/base/11" "$work/spoilt"

finish
