# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the test_*.sh share, sourced from the project's root: a folder that is gone at the end, the count of what did not hold, and the look
# at how a command ended.
test_name=$(basename "$0" .sh)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
failures=0

# fail TEXT...: says so and goes on.
fail() {
    printf '%s: %s\n' "$test_name" "$*" >&2
    failures=$((failures + 1))
}

# check_end CODE TEXT COMMAND...: the exit code, and TEXT on stdout if CODE is 0, else on stderr; a usage error prints nothing on stdout. Leaves
# what the command printed in $work/out and $work/err.
check_end() {
    code=$1 text=$2 got=0
    shift 2
    "$@" >"$work/out" 2>"$work/err" || got=$?
    [ "$got" -eq "$code" ] || fail "$*: exit $got, expected $code: $(cat "$work/err")"
    stream=$work/err
    [ "$code" -ne 0 ] || stream=$work/out
    grep -qF -e "$text" "$stream" || fail "$*: no \"$text\" in: $(cat "$stream")"
    if [ "$code" -eq 2 ] && [ -s "$work/out" ]; then
        fail "$*: unexpected on stdout: $(cat "$work/out")"
    fi
}

# begin_until LINES FILE COMMAND...: begins the command, whose process is then $pid, and waits until the file has so many lines, a minute at most.
begin_until() {
    wanted=$1 watched=$2 patience=600
    shift 2
    "$@" >"$work/out" 2>"$work/err" &
    pid=$!
    while [ "$(wc -l 2>/dev/null <"$watched" || echo 0)" -lt "$wanted" ] && [ "$patience" -gt 0 ]; do
        sleep 0.1
        patience=$((patience - 1))
    done
}

# interrupt LINES FILE COMMAND...: and then ends it. Leaves its exit code in $got.
interrupt() {
    begin_until "$@"
    got=0
    kill -INT "$pid"
    wait "$pid" || got=$?
}

# needs_products PROGRAM: what runs whole layers is skipped where the oneDNN that is linked is refused.
needs_products() {
    refusal=$("$1" list implementations | sed -n '/ onednn .*DNNL_CPU_RUNTIME/{s/.*lacks //p;q;}')
    [ -z "$refusal" ] && return
    echo "$test_name: SKIPPED: products need $refusal"
    exit 77
}

# The last line of a test.
finish() {
    [ "$failures" -eq 0 ] || exit 1
    echo "$test_name: passed"
}
