#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2012,SC2015,SC2016 # names are plain, fail never fails, and backquotes are text here
# scripts/publish.sh, and what reads a run that went through it: check, --resume, the scripts. What is cut off, damaged or there twice is
# refused with what to do, and nothing is lost.
# run by one compiler and by sanitizers
set -u
program=${NORMBENCH:?}
. tests/expect.sh

publish() { NORMBENCH=$program sh scripts/publish.sh "$@"; }
sums() { (cd "$1" && find . -type f -exec cksum {} + | sort -k 3); }

# ---- A run that is complete, in a folder whose name needs quoting, with parts and pictures

run="$work/a run's \"folder\""
"$program" kernels --op dyt,rmsnorm --shape 4x64 --threads 1 --launches 1 --budget 1s --out "$run" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
mkdir -p "$run/plots" "$run/parts/one"
cp "$run/samples.csv" "$run/meta.json" "$run/parts/one"
for file in map.svg map.png map.pdf alone.png; do echo picture >"$run/plots/$file"; done
cp -r "$run" "$work/whole"
check_end 0 'KiB; git add -f takes it' publish "$run"
[ ! -s "$work/err" ] || fail "on stderr: $(cat "$work/err")"
for folder in "$run" "$run/parts/one"; do
    [ ! -e "$folder/samples.csv" ] || fail 'the plain samples are still there'
    gzip -dc "$folder/samples.csv.gz" | cmp -s - "$work/whole/samples.csv" || fail 'other samples than before'
done
[ "$(ls "$run/plots" | tr '\n' ' ')" = 'alone.png map.svg ' ] || fail "pictures: $(ls "$run/plots")"
check_end 0 'tables as normbench writes them' "$program" check "$run"
[ "$("$program" check "$run")" = "$("$program" check "$work/whole")" ] || fail 'not as many tables as before'
before=$(sums "$run")
check_end 0 'KiB' publish "$run"
[ "$before" = "$(sums "$run")" ] || fail 'a second time something changes'
touch -d '2001-02-03' "$work/whole/samples.csv"
cp -r "$work/whole" "$work/again"
check_end 0 'KiB' publish "$work/again"
cmp -s "$run/samples.csv.gz" "$work/again/samples.csv.gz" || fail 'the same samples are not the same bytes'
check_end 2 'the run is complete' "$program" kernels --resume "$run"

# Steps of layers are compressed with a run that is complete, and stay plain in one that goes on and would write them anew.
cp -r "$work/whole" "$work/layers"
rm -r "$work/layers/plots"
cp tests/data/paper/layers.csv tests/data/paper/steps.csv "$work/layers"
mkdir "$work/layers/parts/two"
cp tests/data/paper/steps.csv "$work/layers/meta.json" "$work/layers/parts/two"
: >"$work/layers/parts/two/plan.csv"
check_end 0 'KiB' publish "$work/layers"
gzip -dc "$work/layers/steps.csv.gz" | cmp -s - tests/data/paper/steps.csv || fail 'other steps than before'
[ ! -e "$work/layers/steps.csv" ] || fail 'the plain steps are still there'
cmp -s "$work/layers/parts/two/steps.csv" tests/data/paper/steps.csv || fail 'steps of an unfinished run were compressed'

# Bad input, to which nothing happens.
check_end 2 'usage:' publish
check_end 2 'give a folder that normbench has made' publish "$work/nowhere"
cp -r "$work/whole" "$work/odd"
printf 'op\ndyt\n' >"$work/odd/kernels.csv"
before=$(sums "$work/odd")
check_end 2 'holds what normbench does not write' publish "$work/odd"
[ "$before" = "$(sums "$work/odd")" ] || fail 'something was done to a folder that was refused'

# ---- What can be wrong with samples.csv.gz: a word, how it comes about in $1, what is said

# shellcheck disable=SC2317 # called by name
{
    cut_off() { head -c "$(($(wc -c <"$work/gz") / 2))" "$work/gz" >"$1/samples.csv.gz"; }
    empty() { : >"$1/samples.csv.gz"; }
    damaged() { { head -c 20 "$work/gz" && printf 'damaged' && tail -c +28 "$work/gz"; } >"$1/samples.csv.gz"; }
    no_gzip() { cp "$work/plain" "$1/samples.csv.gz"; }
    twice() { cp "$work/plain" "$1/samples.csv"; }
}
texts='cut_off|samples.csv.gz is cut off: copy it anew from where it is whole, or keep what is left of it: gzip -dc samples.csv.gz >samples.csv
empty|samples.csv.gz is cut off
damaged|samples.csv.gz is damaged, or no gzip file: copy it anew
no_gzip|samples.csv.gz is damaged, or no gzip file: copy it anew
twice|samples.csv.gz stands beside it: remove one of the two; `gzip -dc samples.csv.gz | cmp - samples.csv` says'
python=$(command -v python3 || true)
# refused_in FOLDER COMMAND...: so it ends for each of them.
refused_in() {
    folder=$1
    shift
    gzip -dc "$folder/samples.csv.gz" >"$work/plain"
    cp "$folder/samples.csv.gz" "$work/gz"
    printf '%s\n' "$texts" >"$work/texts"
    while IFS='|' read -r word text more; do
        rm -rf "$work/copy"
        cp -r "$folder" "$work/copy"
        "$word" "$work/copy"
        before=$(sums "$work/copy")
        check_end 2 "$text${more:+|$more}" "$@" "$work/copy" </dev/null
        [ "$before" = "$(sums "$work/copy")" ] || fail "$*, $word: what was refused was changed"
        if [ -n "$python" ]; then
            "$python" scripts/peers.py table "$work/copy" >"$work/out" 2>"$work/err" && fail "peers.py reads what is $word"
            grep -q '^peers: .*\(cut off or damaged\|beside it\)' "$work/err" || fail "peers.py, $word: $(tail -n 1 "$work/err")"
        fi
    done <"$work/texts"
}
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
rm -r "$run/parts"
refused_in "$run" "$program" check
cp "$work/whole/samples.csv" "$run/samples.csv"
check_end 2 'holds what normbench does not write' publish "$run"
rm "$run/samples.csv"
if [ -n "$python" ]; then
    "$python" scripts/peers.py table "$work/whole" >"$work/plain" && "$python" scripts/peers.py table "$run" | cmp -s - "$work/plain" || fail 'peers.py reads other samples'
fi

# ---- A run that is not complete goes on, with the samples that it had

begin_until 20 "$work/half/samples.csv" "$program" kernels --op dyt --shape 4x64 --launches 1000 --seed 1 --threads 1 --out "$work/half"
if command -v flock >/dev/null; then
    check_end 2 'normbench is writing in' publish "$work/half"
fi
kill -INT "$pid"
wait "$pid"
cp "$work/half/samples.csv" "$work/before"
check_end 0 'KiB' publish "$work/half"
grep -q 'is unfinished: go on with it by --resume' "$work/err" || fail "no word about an unfinished run: $(cat "$work/err")"
[ ! -e "$work/half/samples.csv" ] || fail 'the samples of an unfinished run were not compressed'
refused_in "$work/half" "$program" kernels --resume
last=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } END { print $at["launch"] }' "$work/before")
sed "s/\"launches\": 1000/\"launches\": $((last + 2))/" "$work/half/meta.json" >"$work/meta" && cp "$work/meta" "$work/half/meta.json"
check_end 0 "Results: $work/half" "$program" kernels --resume "$work/half"
[ ! -e "$work/half/samples.csv.gz" ] || fail 'the compressed samples are still there'
head -c "$(wc -c <"$work/before")" "$work/half/samples.csv" | cmp -s - "$work/before" || fail 'samples from before are gone'
[ "$(wc -l <"$work/half/samples.csv")" -gt "$(wc -l <"$work/before")" ] || fail 'it did not go on'

# Nothing is measured into a folder where samples of another run lie compressed.
mkdir "$work/other"
cp "$run/samples.csv.gz" "$work/other"
check_end 2 'stands there compressed, as .gz: remove it' "$program" kernels --op dyt --shape 4x64 --threads 1 --launches 1 --budget 1s --out "$work/other"

# ---- What git has of results went through it, and a checkout is small

if git ls-files --error-unmatch Makefile >/dev/null 2>&1; then
    git ls-files 'results/*/*/*' | grep -E '(samples|/steps)\.csv$|\.(png|pdf)$' >&2 && fail 'not published: make publish RUN=...'
    for folder in $(git ls-files 'results/*/*/meta.json' | grep -v '/parts/' | sed 's/meta.json$//'); do
        check_end 0 'as normbench writes them' "$program" check "$folder"
    done
    size=$(git ls-files -z | xargs -0 cat 2>/dev/null | wc -c)
    [ "$size" -lt 15000000 ] || fail "a checkout is $size bytes: publish runs, and leave to git's history what newer ones replace"
fi

finish
