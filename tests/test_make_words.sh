#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2015,SC2016 # fail never fails; payloads are no code of this script
# Every variable of the Makefile that somebody sets, with a value that would run a command if the shell or make took it for more than a word:
# it arrives whole, or is refused with a message; and a checkout in a folder whose name needs quoting.
# independent of the compiler
set -eu
cd "$(dirname "$0")/.."
: "${CC:=cc}" "${OBJ:?must name the folder of the objects, e.g. OBJ=build/gcc}"
if [ -n "${SANITIZE:-}" ]; then
    echo 'test_make_words: SKIPPED: the Makefile is the same for every compiler, and was tested without a sanitizer'
    exit 77
fi
. tests/expect.sh
cat >"$work/python" <<'EOT'
#!/bin/sh
echo "the python of $0" >&2
exit 1
EOT
mkdir "$work/a b'c \$(touch T) \`touch T\`"
folder=$(echo "$work"/a*)
cp "$work/python" "$folder/python" && chmod +x "$folder/python"

# What is built is built already, and stays so, for other tests run it: the same compiler, folder, sanitizer and commit.
commit=$(cat "$OBJ/commit")
make_here() { env -u RUN make -s --no-print-directory CC="$CC" OBJ="$OBJ" SANITIZE= GIT="$commit" "$@"; }

# refused STATUS TEXT ARGUMENT...: make ends with 2, whatever the script did, and the message is on stderr.
refused() {
    text=$1
    shift
    check_end 2 "$text" make_here "$@"
    for made in TOUCHED T; do
        [ ! -e "$made" ] || { fail "a command was run: $*" && rm -f "$made"; }
    done
}
# What follows a word: for recipes without quotes or with double ones, and for make; and for recipes with single ones.
for more in '; touch TOUCHED; `touch TOUCHED` $(touch TOUCHED) $(shell touch TOUCHED)' "'; touch TOUCHED; '"; do
    refused "plots: no folder x$more: " plots RUN="x$more"
    refused "--preset x$more: expected quick" bench PRESET="x$more"
    refused 'is no claim; near are' claim ID="x$more"
    refused "--budget 5$more: expected a time" claim ID=libm_dyt_slower_on_cpu BUDGET="5$more"
    refused "--budget 5$more: expected a time" map BUDGET="5$more"
    refused "--tokens 5$more: expected a number" claim ID=libm_dyt_slower_on_cpu TOKENS="5$more"
    refused 'make reproduce needs RUN=results/MACHINE/RUN' reproduce RUN="x$more"
    refused "TOKENS=5$more is not a number" paper TOKENS="5$more"
    refused "BUDGET=5$more is not a time" limits BUDGET="5$more"
    refused "LAUNCHES=5$more is not a number" peers LAUNCHES="5$more"
    refused "there is no x$more: install it" peers PYTHON="x$more"
    for name in REQUIRE ONLY CC OBJ SANITIZE; do
        check_end 2 "$name=x$more holds a " make -s "$name=x$more"
        [ ! -e TOUCHED ] || { fail "a command was run: $name=x$more" && rm -f TOUCHED; }
    done
done
refused 'no test is called nothing: ' check ONLY=nothing
refused 'has to be one line' plots RUN="$(printf 'a\nb')"
refused 'needs RUN=results/MACHINE/RUN' plots
refused 'make claim needs ID=NAME' claim
RUN='x`touch TOUCHED`$(shell touch TOUCHED)' check_end 2 'no folder x`touch TOUCHED`$(shell' make -s --no-print-directory CC="$CC" OBJ="$OBJ" \
    SANITIZE= GIT="$commit" plots
[ ! -e TOUCHED ] || fail 'a command of the environment was run'
refused "the python of $folder/python" peers PYTHON="$folder/python"

# Folders of any name work.
cp -r tests/data/plots "$folder/run"
head -n 1 tests/data/plots/kernels.csv >"$folder/run/kernels.csv"
make_here plots RUN="$folder/run" 2>"$work/err" || fail "plots in $folder/run: $(cat "$work/err")"
grep -q 'figure map skipped' "$work/err" || fail "no word of the figures of $folder/run: $(cat "$work/err")"
make_here install DESTDIR="$folder" PREFIX=/prefix 2>"$work/err" >&2 || fail "install into $folder: $(cat "$work/err")"
for file in bin/normbench include/normbench/norm.h lib/libnorm.a lib/pkgconfig/norm.pc; do
    [ -f "$folder/prefix/$file" ] || fail "$file was not installed into $folder"
done
# Another prefix is shown alone: test_lib installs from the same folder of objects at the same time.
make_here -n install DESTDIR=/d PREFIX="/a b'\$c" >"$work/out" 2>&1
grep -qF "install -d '/d/a b'\''\$c'/bin " "$work/out" || fail "PREFIX is not one word: $(grep 'install -d' "$work/out")"
# So does a checkout in one: its tests get the program's path.
mkdir "$folder/tree"
ln -s "$PWD"/* "$folder/tree"
(cd "$folder/tree" && make_here check ONLY=limits) >"$work/out" 2>&1 || fail "check in $folder/tree: $(cat "$work/out")"
grep -qx '1 passed, 0 failed' "$work/out" || fail "not one test ran in $folder/tree: $(cat "$work/out")"
[ ! -e T ] && [ ! -e "$folder/tree/T" ] || fail 'the name of a folder was run'

finish
