#!/bin/sh
# SPDX-License-Identifier: MIT
# `normbench report` on small runs: what the page holds and that it is the same each time, that text of a file stays text, several machines,
# tables of an older version, and what is refused.
# independent of the compiler
set -eu
. tests/expect.sh
# shellcheck disable=SC2154 # work is set there
page=$work/page.html

# made FOLDER...: the page of these runs, in $page.
made() {
    "$NORMBENCH" report --out "$page" "$@" >"$work/out" 2>"$work/err" || fail "report $*: exit $?: $(cat "$work/err")"
    grep -qxF "Report:  $page" "$work/out" || fail "report $*: does not say where the page is: $(cat "$work/out")"
    [ ! -s "$work/err" ] || fail "report $*: says on stderr: $(cat "$work/err")"
}
has() { for text in "$@"; do grep -qF -e "$text" "$page" || fail "the page lacks: $text"; done; }
lacks() { for text in "$@"; do ! grep -qF -e "$text" "$page" || fail "the page has: $text"; done; }

# ---- Every kind of run

# data FIGURES...: of a run of tests/data; twice the same, and nothing in it from elsewhere.
while read -r data figures; do
    made "tests/data/$data"
    for figure in $figures; do has "id='$figure'"; done
    cp "$page" "$work/first"
    made "tests/data/$data"
    cmp -s "$page" "$work/first" || fail "two pages of tests/data/$data differ"
    [ "$(wc -c <"$page")" -lt 3000000 ] || fail "the page of tests/data/$data has more than 3 MB"
    if grep -oE "(src|href|url\(|@import|srcset)[= ]*['\"]?[a-z]+:[^'\")> ]*" "$page" | grep -v "data:,"; then
        fail "the page of tests/data/$data loads something"
    fi
    # Each row of each table is there once, and each mark leads to one of them.
    tr '>' '\n' <"$page" | sed -n "s/.*<tr id=\(t[0-9]*r[0-9]*\).*/\1/p" | sort >"$work/rows"
    [ "$(sort -u "$work/rows" | wc -l)" -eq "$(wc -l <"$work/rows")" ] || fail "tests/data/$data: two rows have one name"
    grep -o "href='#t[0-9]*r[0-9]*'" "$page" | sed "s/.*#\(.*\)'/\1/" | sort -u >"$work/links"
    [ -s "$work/links" ] || fail "tests/data/$data: no mark leads anywhere"
    comm -23 "$work/links" "$work/rows" >"$work/lost"
    [ ! -s "$work/lost" ] || fail "tests/data/$data: marks lead to no row: $(cat "$work/lost")"
done <<'RUNS'
plots figure-map figure-levels figure-times figure-tanh
paper figure-op-by-op figure-forms figure-threads figure-layers figure-share figure-claims figure-claims-ratios
peers figure-fused
RUNS
made tests/data/paper
has 'Does a whole layer get faster by it?' 'SCALED: ' 'weights are synthetic' 'Taken together' 'id=t0r1>' "class='mark "
rows=$(cat tests/data/paper/layers.csv tests/data/paper/kernels.csv tests/data/paper/steps.csv | wc -l)
[ "$(grep -c '<tr id=t' "$page")" -eq $((rows - 3)) ] || fail 'the page has not every row of its tables'
made tests/data/peers
has 'PyTorch 2' 'mark peer'

# In the folder of a run, unless it is said where; a page on stdout is told nowhere.
mkdir "$work/own"
cp tests/data/plots/kernels.csv tests/data/plots/meta.json "$work/own"
check_end 0 "Report:  $work/own/report.html" "$NORMBENCH" report "$work/own"
made "$work/own"
cmp -s "$page" "$work/own/report.html" || fail 'a page is another where it lies elsewhere'
"$NORMBENCH" report --out - "$work/own" >"$work/stdout"
cmp -s "$work/stdout" "$page" || fail 'a page on stdout is another'
check_end 0 '' "$NORMBENCH" check "$work/own"

# ---- Text stays text

hostile="$work/<b> a run's \"folder\""
mkdir "$hostile"
sed "2s|,ok,,|,ok,\"<script>alert(1)</script><img src=x onerror=alert(2)> \"\"'\",|" tests/data/plots/kernels.csv >"$hostile/kernels.csv"
sed 's,"cpu_model": *"[^"]*","cpu_model": "</style><svg onload=alert(3)>",' tests/data/plots/meta.json >"$hostile/meta.json"
made "$hostile"
lacks '<script>alert' '<img src=x' '<svg onload'
has '&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(2)&gt; &quot;&#39;' '&lt;/style&gt;&lt;svg onload=alert(3)&gt;'
[ "$(grep -c '</script>' "$page")" -eq 1 ] || fail 'there is more than one script on the page'

# ---- Several runs

mkdir "$work/other"
sed 's/made-up[-a-z0-9]*/made-up-2/g; s/^1,\([^,]*\),\([^,]*\),[^,]*,/1,other-run,\2,other-machine,/' tests/data/plots/kernels.csv >"$work/other/kernels.csv"
sed 's/"run_id": *"[^"]*"/"run_id": "other-run"/; s/"machine_id": *"[^"]*"/"machine_id": "other-machine"/' tests/data/plots/meta.json >"$work/other/meta.json"
made tests/data/plots "$work/other"
has other-machine "id='figure-levels'" 'chart many'
lacks "id='figure-times'" # no time of two machines on one axis
[ "$(grep -c 'class=answer' "$page")" -eq 2 ] || fail 'not each machine has an answer of its own'
made "$work/other" tests/data/paper # without layers, and without much else
has "id='figure-layers'" "id='figure-levels'"

# Of an older version: the last columns of the table are not there yet, and with them goes what needs them.
mkdir "$work/old"
grep -v '"' tests/data/plots/kernels.csv | cut -d , -f 1-26,31-32 >"$work/old/kernels.csv"
made "$work/old"
has 'id=t0r1>' 'there is no meta.json'
lacks "id='figure-levels'"
sed 's/^1,\([^,]*\),/1,older,/' "$work/old/kernels.csv" >"$work/old/new" && mv "$work/old/new" "$work/old/kernels.csv"
made tests/data/plots "$work/old"
has "id='figure-levels'" older

# ---- What is refused

mkdir "$work/none" "$work/cut" "$work/nometa"
check_end 2 "$work/none holds no kernels.csv, layers.csv, ab.csv or validation.csv: give a run's folder" "$NORMBENCH" report "$work/none"
check_end 2 "$work/nowhere holds no kernels.csv" "$NORMBENCH" report "$work/nowhere"
check_end 2 'which run? give its folder' "$NORMBENCH" report
check_end 2 'say where with --out FILE' "$NORMBENCH" report tests/data/plots tests/data/paper
check_end 2 'are the same run' "$NORMBENCH" report --out "$page" tests/data/plots tests/data/plots
head -c 2000 tests/data/plots/kernels.csv >"$work/cut/kernels.csv"
check_end 2 "$work/cut/kernels.csv: the last line has no end: it was cut off" "$NORMBENCH" report "$work/cut"
[ ! -e "$work/cut/report.html" ] || fail 'there is a page of a run that was refused'
cp tests/data/plots/kernels.csv "$work/nometa/kernels.csv"
head -c 60 tests/data/plots/meta.json >"$work/nometa/meta.json"
check_end 2 "$work/nometa/meta.json: line" "$NORMBENCH" report "$work/nometa"
cp tests/data/plots/meta.json "$work/nometa/meta.json"
printf 'op,verdict\nrmsnorm\n' >"$work/nometa/ab.csv"
check_end 2 "$work/nometa/ab.csv: line 2: 1 field, header has 2" "$NORMBENCH" report "$work/nometa"
check_end 3 'cannot write' "$NORMBENCH" report --out "$work/nowhere/page.html" tests/data/plots

# What had the name is still there if the disk is full.
echo precious >"$page"
(ulimit -f 8 && "$NORMBENCH" report --out "$page" tests/data/paper >"$work/out" 2>"$work/err") && fail 'a full disk was not told'
[ "$(cat "$page")" = precious ] || fail 'a page that could not be written has taken the place of another file'
set -- "$work"/page.html*
[ $# -eq 1 ] || fail "something is left beside the page: $*"
finish
