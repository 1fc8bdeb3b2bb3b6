#!/bin/sh
# SPDX-License-Identifier: MIT
# The page of `normbench report` in a browser, headless Chromium: no error on its console, every figure drawn, hover, links, sorting, filtering
# and the keyboard (tests/report_probe.js), in a wide window and in one of 400 pixels; and that it is light, dark, and not empty.
# independent of the compiler
set -eu
. tests/expect.sh
# shellcheck disable=SC2154 # work is set there
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$browser" ]; then
    echo "$test_name: SKIPPED: no Chromium opens the page: sh scripts/setup.sh --dev"
    exit 77
fi

# Into a page of its own, listened to from its beginning.
"$NORMBENCH" report --out "$work/page.html" tests/data/paper >/dev/null
"$NORMBENCH" report --out "$work/kernels.html" tests/data/plots >/dev/null
for run in plots peers; do # under names of their own
    mkdir "$work/$run"
    for file in "tests/data/$run"/*.csv "tests/data/$run"/*.json; do
        [ ! -f "$file" ] || sed "s/fixture/other-$run/g" "$file" >"$work/$run/${file##*/}"
    done
done
"$NORMBENCH" report --out "$work/several.html" tests/data/paper "$work/plots" "$work/peers" >/dev/null
listen='<script>window.pageErrors=[];addEventListener("error",(e)=>pageErrors.push(e.message));addEventListener("securitypolicyviolation",(e)=>pageErrors.push(e.violatedDirective));</script>'
for page in page kernels several; do
    { sed "s|</head><body>|</head><body>$listen|; \$d" "$work/$page.html" && echo '<script>' && cat tests/report_probe.js && echo '</script></body></html>'; } >"$work/$page.probe.html"
done

# open FILE OPTION...: what the browser does with it, in $work/out and $work/err. No other profile, and nothing from a network.
open_page() {
    file=$1
    shift
    timeout 60 "$browser" --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars --no-first-run --disable-background-networking \
        --user-data-dir="$work/profile" --enable-logging=stderr --virtual-time-budget=8000 "$@" "file://$file" </dev/null >"$work/out" 2>"$work/err" ||
        fail "the browser ends with $? at $file: $(tail -3 "$work/err")"
    ! grep 'CONSOLE' "$work/err" >"$work/console" || fail "$file: on the console: $(cat "$work/console")"
}
open_page "$work/page.html" --dump-dom
if ! grep -q 'id="card"' "$work/out"; then
    echo "$test_name: SKIPPED: this Chromium does not run here: $(tail -1 "$work/err")"
    exit 77
fi
while read -r page size; do
    open_page "$work/$page.probe.html" --window-size="$size" --dump-dom
    said=$(sed -n 's/.*<pre id="probe">\([^<]*\).*/\1/p' "$work/out")
    [ "$said" = 'all holds' ] || fail "$page at $size: ${said:-the probe did not come to its end}"
done <<'PAGES'
page 1280,900
page 400,800
kernels 1280,900
several 400,800
PAGES

# Light and dark are two pictures, neither of one colour: a PNG of that would be small.
open_page "$work/page.html" --window-size=900,900 --screenshot="$work/light.png"
open_page "$work/page.html" --window-size=900,900 --blink-settings=preferredColorScheme=0 --screenshot="$work/dark.png"
for picture in light dark; do
    if [ ! -f "$work/$picture.png" ] || [ "$(wc -c <"$work/$picture.png")" -lt 20000 ]; then
        fail "the $picture picture is missing or empty"
    fi
done
! cmp -s "$work/light.png" "$work/dark.png" || fail 'light and dark are the same'

# On paper: the same from a dark screen as from a light one, on several pages and no endless number of them, and an open table alone
# has wide ones.
pages_of() { grep -ac '/Type /Page$' "$1"; }
printed() { # PAGE NAME OPTION...
    page=$1 name=$2
    shift 2
    open_page "$work/$page.html" --no-pdf-header-footer --print-to-pdf="$work/$name.pdf" "$@"
    [ -s "$work/$name.pdf" ] || fail "$page is not printed"
    grep -av '^/\(Creation\|Mod\)Date' "$work/$name.pdf" >"$work/$name.plain"
}
sed 's/<details class=data/<details open class=data/g' "$work/page.html" >"$work/opened.html"
printed page print
printed page print_dark --blink-settings=preferredColorScheme=0
printed opened print_opened
cmp -s "$work/print.plain" "$work/print_dark.plain" || fail 'a dark screen prints another page than a light one'
count=$(pages_of "$work/print.pdf")
if [ "$count" -lt 2 ] || [ "$count" -gt 20 ]; then
    fail "$count pages are printed"
fi
wide='MediaBox \[0 0 1[12][0-9][0-9][0-9.]* 8[0-9][0-9]'
! grep -aqE "$wide" "$work/print.pdf" || fail 'wide pages without an open table'
grep -aqE "$wide" "$work/print_opened.pdf" || fail 'no wide pages for an open table'
finish
