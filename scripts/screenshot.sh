#!/bin/sh
# SPDX-License-Identifier: MIT
# `make screenshot`: the top of a run's page as a picture, by headless Chromium.
#     sh scripts/screenshot.sh PROGRAM RUN PICTURE.webp
# The page is made anew beside the run. The same run, Chromium and fonts make the same picture.
set -eu

fail() {
    printf 'screenshot: %s\n' "$1" >&2
    exit "${2:-2}"
}

usage='usage: sh scripts/screenshot.sh PROGRAM RUN PICTURE.webp'
program=${1:?$usage} run=${2:?$usage} picture=${3:?$usage}
[ -d "$run" ] || fail "no folder $run: give a run's, such as results/MACHINE/RUN"
case $picture in
*.webp | *.png | *.jpg) ;;
*) fail "$picture: the picture has to be a .webp, .png or .jpg" ;;
esac
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
    fail 'Chromium is not installed: run sh scripts/setup.sh --dev' 3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
"$program" report --out "$work/page.html" "$run" >/dev/null
timeout 60 "$browser" --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars --no-first-run --disable-background-networking \
    --user-data-dir="$work/profile" --window-size=860,640 --screenshot="$work/picture.${picture##*.}" "file://$work/page.html" \
    </dev/null >"$work/said" 2>&1 || fail "the browser ended with $?: $(tail -1 "$work/said")" 3
[ -s "$work/picture.${picture##*.}" ] || fail "the browser made no picture: $(tail -1 "$work/said")" 3
mv -f "$work/picture.${picture##*.}" "$picture" || fail "cannot write $picture: check the folder's permissions" 3
printf 'Picture: %s\n' "$picture"
