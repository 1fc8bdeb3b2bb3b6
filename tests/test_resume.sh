#!/bin/sh
# SPDX-License-Identifier: MIT
# What --resume refuses to take up: every field of meta.json, plan.csv and samples.csv that is not what this program can have written there, a
# folder that another process writes to, names that are no plain files. Nothing that was refused is touched. No timing decides anything.
# run by one compiler and by sanitizers
set -u
program=${NORMBENCH:?}
. tests/expect.sh

# half COMMAND FOLDER SAMPLES ARGUMENT...: a run that is interrupted once it has a few samples.
half() {
    command=$1 folder=$2 samples=$3
    shift 3
    interrupt 20 "$folder/$samples" "$program" "$command" "$@" --seed 1 --threads 1 --out "$folder"
    [ -s "$folder/plan.csv" ] || fail "no interrupted run of $command: $(cat "$work/err")"
}
half kernels "$work/kernels" samples.csv --op dyt --shape 4x64 --launches 1000
half layers "$work/layers" layer_samples.csv --model vit_s16 --tokens 4 --op dyt --form fused --launches 40

# damaged FOLDER FILE EDIT: a copy of the run in which the awk program EDIT has changed FILE. NF fields by commas; `row` is the third line's number,
# `set(NAME, VALUE)` changes a column of it.
damaged() {
    rm -rf "$work/copy"
    cp -r "$work/$1" "$work/copy"
    awk -F, -v OFS=, -v row=3 '
        function set(name, value) { if (NR == row) $(at[name]) = value }
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
        '"$3" "$work/$1/$2" >"$work/copy/$2"
    if cmp -s "$work/$1/$2" "$work/copy/$2"; then fail "$1/$2: nothing was changed by $3"; fi
}

# refused CODE TEXT FOLDER: the run there cannot be taken up, and stays as it is.
refused() {
    (cd "$work/copy" && cksum ./*.csv meta.json) >"$work/sums" 2>/dev/null
    check_end "$1" "$2" timeout 20 "$program" "$3" --resume "$work/copy"
    (cd "$work/copy" && cksum ./*.csv meta.json) 2>/dev/null | cmp -s - "$work/sums" || fail "$3, $2: what was refused was changed"
}

# A row each: folder, file, what is done to it, what is said. Of a column that --resume reads, what no sample can have there.
while IFS='|' read -r folder file edit text; do
    damaged "$folder" "$file" "$edit"
    refused 2 "$text" "$folder"
done <<'EOT'
kernels|samples.csv|{ if (NR == row) sub(/T/, "T\""); print }|samples.csv: line 3: a quote inside a field
kernels|samples.csv|{ set("bound", "\"0"); print }|samples.csv: line 3: a quoted field that is never closed
kernels|samples.csv|{ set("schema_version", 2); print }|samples.csv: line 3: schema_version is "2"
kernels|samples.csv|{ set("run_id", "another"); print }|samples.csv: line 3: run_id is "another"
kernels|samples.csv|{ set("op", "nonsense"); print }|samples.csv: line 3 is not a sample of this program
kernels|samples.csv|{ set("rows", 8); print }|samples.csv: line 3 is not a sample of this run's plan
kernels|samples.csv|{ set("launch", 1000); print }|samples.csv: line 3: launch is "1000", expected a whole number from 0 to 999
kernels|samples.csv|{ set("launch", -1); print }|samples.csv: line 3: launch is "-1"
kernels|samples.csv|{ set("sample", 99999); print }|samples.csv: line 3: sample is "99999"
kernels|samples.csv|{ set("order", "1e3"); print }|samples.csv: line 3: order is "1e3"
kernels|samples.csv|{ set("calls", 0); print }|samples.csv: line 3: calls is "0"
kernels|samples.csv|{ set("calls", $at["calls"] + 1); print }|samples.csv: line 3: calls is
kernels|samples.csv|{ set("time_ns", -5); print }|samples.csv: line 3: time_ns is "-5"
kernels|samples.csv|{ set("time_ns", 0); print }|samples.csv: line 3: time_ns is "0"
kernels|samples.csv|{ set("time_ns", "INF"); print }|samples.csv: line 3: time_ns is "INF"
kernels|samples.csv|{ set("time_ns", "nan"); print }|samples.csv: line 3: time_ns is "nan"
kernels|samples.csv|{ set("time_ns", ""); print }|samples.csv: line 3: time_ns is ""
kernels|samples.csv|{ set("time_ns", "1e300"); print }|samples.csv: line 3: time_ns is "1e300"
kernels|samples.csv|{ set("preempted", 2); print }|samples.csv: line 3: preempted is "2"
kernels|samples.csv|{ set("clock_ghz", -1); print }|samples.csv: line 3: clock_ghz is "-1"
kernels|samples.csv|{ set("peak_gflops", "x"); print }|samples.csv: line 3: peak_gflops is "x"
kernels|samples.csv|{ set("cycles", -3); print }|samples.csv: line 3: cycles is "-3"
kernels|samples.csv|{ print } NR == row|samples.csv: line 4 is the sample of line 3 once more
kernels|samples.csv|{ if (NR == row) NF--; print }|samples.csv: line 3:
kernels|samples.csv|{ print substr($0, 1, NR == 1 ? 20 : 999) }|samples.csv: line 2:
kernels|samples.csv|NR > 1|there is no column
kernels|plan.csv|{ set("calls", "9223372036854775808"); print }|plan.csv: line 3: calls is "9223372036854775808"
kernels|plan.csv|{ set("calls", 16000000); set("pilot_ns", "1e9"); print }|plan.csv: line 3: calls is "16000000", expected fewer
kernels|plan.csv|{ set("rounds", 1000000000); print }|plan.csv: line 3: rounds is "1000000000"
kernels|plan.csv|{ set("pilot_ns", -1); print }|plan.csv: line 3: pilot_ns is "-1"
kernels|plan.csv|{ set("max_error", "x"); print }|plan.csv: line 3: max_error is "x"
kernels|plan.csv|{ set("wrong", 7); print }|plan.csv: line 3: wrong is "7"
kernels|plan.csv|{ set("wrong", 1); print }|is not a sample of this run's plan
kernels|plan.csv|{ set("threads", 100000000); print }|plan.csv: line 3 is not a cell of this program
kernels|plan.csv|{ set("level", "moon1"); print }|plan.csv: line 3 is not a cell of this program
kernels|plan.csv|{ printf "%s%s", (NR > 1 ? "\n" : ""), $0 }|plan.csv: line 4 has no end
kernels|plan.csv|NR == 1|plan.csv: line 2 has no end
kernels|meta.json|{ sub(/"launches": 1000/, "\"launches\": -1"); print }|meta.json: launches is -1, expected a whole number from 1 to 1000
kernels|meta.json|{ sub(/"launches": 1000/, "\"launches\": 1000000000000000"); print }|meta.json: launches is 1000000000000000
kernels|meta.json|{ sub(/"launches": 1000/, "\"launches\": \"6\""); print }|meta.json: launches is no whole number
kernels|meta.json|{ sub(/"seed": "1"/, "\"seed\": \"2\""); print }|are not those that the run was begun with
kernels|meta.json|{ sub(/"seed": "1"/, "\"seed\": \"-1\""); print }|meta.json: seed is "-1"
kernels|meta.json|{ sub(/"preset": ""/, "\"preset\": \"full\""); print }|are not those that the run was begun with
kernels|meta.json|{ sub(/normbench kernels --op/, "normbench kernels --form eager --op"); print }|are not those that the run was begun with
kernels|meta.json|{ sub(/"run_id": "2/, "\"run_id\": \"3"); print }|line 2: run_id is
kernels|meta.json|{ sub(/"begun_with": "./, "\"begun_with\": \"x"); print }|are not those that the run was begun with
kernels|meta.json|{ sub(/"piloted": true/, "\"piloted\": \"yes\""); print }|meta.json: piloted is neither true nor false
kernels|meta.json|{ sub(/"budget_s": 0.0/, "\"budget_s\": -1"); print }|meta.json: budget_s is no number of seconds
kernels|meta.json|{ sub(/"budget_s": 0.0/, "\"budget_s\": 60"); print }|are not those that the run was begun with
kernels|meta.json|{ sub(/"schema_version": 1/, "\"schema_version\": 9"); print }|meta.json: schema_version is 9
kernels|meta.json|{ sub(/"run_id": "/, "\"run_id\": \"a\\n"); print }|meta.json: run_id is not a text
kernels|meta.json|{ print } /"run_id"/|cannot read
layers|layer_samples.csv|{ set("time_ns", -5); print }|layer_samples.csv: line 3: time_ns is "-5"
layers|layer_samples.csv|{ set("launch", 40); print }|layer_samples.csv: line 3: launch is "40"
layers|layer_samples.csv|{ set("run_id", "another"); print }|layer_samples.csv: line 3: run_id is "another"
layers|layer_samples.csv|{ sub(/ /, "", $at["step_ns"]); print }|: step_ns is
layers|layer_samples.csv|{ set("step_ns", "1"); print }|layer_samples.csv: line 3: step_ns is "1"
layers|layer_samples.csv|{ set("clock_ns", "x"); print }|layer_samples.csv: line 3: clock_ns is "x"
layers|layer_samples.csv|{ print } NR == row|layer_samples.csv: line 4 is the sample of line 3 once more
layers|plan.csv|{ set("group", "1000000000000000"); print }|plan.csv: line 3: group is "1000000000000000"
layers|plan.csv|{ set("calls", "9223372036854775808"); print }|plan.csv: line 3: calls is
layers|plan.csv|{ set("launches", 100000); print }|plan.csv: line 3: launches is "100000"
layers|plan.csv|{ set("stage", 9); print }|plan.csv: line 3 is not a layer of this program
layers|plan.csv|{ set("tokens", 99999999999); print }|plan.csv: line 3 is not a layer of this program
layers|plan_steps.csv|{ set("index", 7); print }|plan_steps.csv: line 3: index is "7"
layers|plan_steps.csv|{ set("kind", "x"); print }|plan_steps.csv: line 3: kind is "x"
layers|plan_steps.csv|{ set("flops", "nan"); print }|plan_steps.csv: line 3: flops is "nan"
layers|plan_steps.csv|{ set("page_faults", "-1"); print }|plan_steps.csv: line 3: page_faults is "-1"
EOT

# Another program than the one that began it, and one that left no mark: named, and not comparable.
commit=$(sed -n 's/^ *"git_commit": "\(.*\)",/\1/p' "$work/kernels/meta.json" | head -1)
damaged kernels meta.json '{ sub(/"program": "./, "\"program\": \"x"); print }'
refused 4 "was begun by normbench $commit (build x" kernels
damaged kernels meta.json '!/"program"/ { sub(/"git_commit": "[^"]*"/, "\"git_commit\": \"0123456789ab\""); print }'
refused 4 "was begun by normbench 0123456789ab (build unknown), this is $commit" kernels

# What is no plain file is neither followed nor waited for.
echo precious >"$work/outside"
for file in samples.csv plan.csv meta.json; do
    for kind in link pipe missing; do
        rm -rf "$work/copy"
        cp -r "$work/kernels" "$work/copy"
        rm "$work/copy/$file"
        case $kind in
        link) ln -s "$work/outside" "$work/copy/$file" ;;
        pipe) mkfifo "$work/copy/$file" ;;
        esac
        check_end 2 "cannot read $work/copy/$file" timeout 20 "$program" kernels --resume "$work/copy"
        [ "$kind" != link ] || grep -q 'remove it' "$work/err" || fail "$file: a link: $(cat "$work/err")"
    done
done
# The same of what it writes, also into a folder that is new to it; --csv is the user's own affair.
tiny='--op dyt --shape 4x64 --threads 1 --launches 1 --budget 1s'
for file in samples.csv topology.xml plan.csv kernels.csv new.part; do
    for kind in link pipe; do
        rm -rf "$work/trap"
        mkdir "$work/trap"
        if [ "$kind" = link ]; then ln -s "$work/outside" "$work/trap/$file"; else mkfifo "$work/trap/$file"; fi
        # shellcheck disable=SC2086
        check_end 2 'a link, a pipe or a device stands there' timeout 20 "$program" kernels $tiny --out "$work/trap"
    done
done
[ "$(cat "$work/outside")" = precious ] || fail 'a file outside was written to'
rm -f "$work"/trap/*
# shellcheck disable=SC2086
{
    check_end 0 "Results: $work/trap" "$program" kernels $tiny --out "$work/trap" # a folder that is there and empty
    ln -s "$work/real.csv" "$work/own.csv"
    check_end 0 '' "$program" kernels $tiny --csv "$work/own.csv"
    [ "$(wc -l <"$work/real.csv")" -eq 4 ] || fail 'the target of a link of the user was not written'
}

# One writer at a time: of two that take up a run one is told to wait, and samples stay unique.
"$program" kernels --resume "$work/kernels" >"$work/first" 2>&1 &
pid=$! before=$(wc -l <"$work/kernels/samples.csv") patience=600
while [ "$(wc -l <"$work/kernels/samples.csv")" -le "$before" ] && [ "$patience" -gt 0 ]; do
    sleep 0.1
    patience=$((patience - 1))
done
check_end 2 'another normbench is writing there' "$program" kernels --resume "$work/kernels"
# shellcheck disable=SC2086
check_end 2 'another normbench is writing there' "$program" kernels $tiny --out "$work/kernels"
kill -INT "$pid"
wait "$pid"
[ "$?" -eq 130 ] || fail "the first of two: $(cat "$work/first")"

# A last line that was cut off is dropped, and said to be; to see the end of it, the rest of the launches is waived.
samples=$work/kernels/samples.csv
cp "$samples" "$work/before"
printf '1,2026' >>"$samples"
last=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } END { print $at["launch"] }' "$work/before")
sed "s/\"launches\": 1000/\"launches\": $((last + 1))/" "$work/kernels/meta.json" >"$work/meta" && cp "$work/meta" "$work/kernels/meta.json"
check_end 0 "Results: $work/kernels" "$program" kernels --resume "$work/kernels"
grep -q "note: dropped line $(($(wc -l <"$work/before") + 1)) of $samples" "$work/err" || fail "no word about the line: $(cat "$work/err")"
head -c "$(wc -c <"$work/before")" "$samples" | cmp -s - "$work/before" || fail 'samples from before are gone'
cut -d, -f3-15 "$samples" | sort | uniq -d | grep -q . && fail "a sample was taken twice"

finish
