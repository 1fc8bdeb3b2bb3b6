#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs tests (`make check` calls this): programs by name, *.sh with sh, JOBS of them at a time, each one's output in one piece when it has
# ended. A test that exits 77 was skipped and says why. Ends with one line of counts; exit 1 if any failed. INDEPENDENT=no leaves out, and
# says so, the scripts with the line "# independent of the compiler": who tests with several compilers runs those with one of them. By
# INDEPENDENT=neither those with "# run by one compiler and by sanitizers" are left out, too: commands from their arguments to their files,
# where compilers differ in code that the tests in C look at.
set -u
jobs=${JOBS:-2}
# Teams of tests share the cores with one another. A thread that waits by spinning, as OpenMP's do at first, holds the core that those it
# waits for want: test_graph then took 30 times its work. Which way they wait changes no result.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
# A program for another architecture is called through its emulator (check_cross.sh).
if [ -n "${NORMBENCH_EMULATOR:-}" ]; then
    for name in NORMBENCH CURVES; do
        eval "program=\${$name:-}"
        # shellcheck disable=SC2154 # by eval
        printf '#!/bin/sh\nexec %s "%s" "$@"\n' "$NORMBENCH_EMULATOR" "$program" >"$work/$name"
        chmod +x "$work/$name"
        export "$name=$work/$name"
    done
fi

# one TEST NAME: runs it, which leaves its output, its time and, last, its status.
one() {
    begin=$(date +%s)
    # shellcheck disable=SC2086 # several words, or none
    case $1 in
    *.sh) sh "$1" ;;
    *) ${NORMBENCH_EMULATOR:-} "$1" ;;
    esac >"$work/$2.out" 2>&1 </dev/null
    echo $? >"$work/$2.status.part"
    end=$(date +%s)
    times >"$work/$2.times"
    echo "$((end - begin)) $2" >>"$work/$2.times"
    mv "$work/$2.status.part" "$work/$2.status"
}

# slowest COUNT: the tests that took the most processor time, which neighbours on the machine change least.
slowest() {
    # The second line of `times` is of the processes below: by user and by system, each as 0m1.25s.
    awk 'FNR == 2 { split($0, t, /[ms ]+/) } FNR == 3 { printf "%10.1f %10d  %s\n", 60 * (t[1] + t[3]) + t[2] + t[4], $1, $2 }' \
        "$work"/*.times | sort -rn >"$work/slowest"
    awk '{ sum += $1 } END { printf "The slowest tests; all together took %.0f s of processor time.\n     CPU s  elapsed s  test\n", sum }' "$work/slowest"
    head -n "$1" "$work/slowest"
}

marks='independent of the compiler'
[ "${INDEPENDENT:-yes}" != neither ] || marks="$marks|run by one compiler and by sanitizers"
independent() { case $1 in *.sh) grep -qxE "# ($marks)" "$1" ;; *) false ;; esac }

passed=0 failed=0 skipped=0 left='' names='' skips='' running=''

# collect: takes note of every test that has ended since.
collect() {
    still=''
    for name in $running; do
        if [ ! -f "$work/$name.status" ]; then
            still="$still $name"
            continue
        fi
        printf '== %s\n' "$name"
        cat "$work/$name.out"
        case $(cat "$work/$name.status") in
        0) passed=$((passed + 1)) ;;
        77)
            skipped=$((skipped + 1))
            skips="$skips $name"
            ;;
        *)
            failed=$((failed + 1))
            names="$names $name"
            ;;
        esac
    done
    running=$still
}

# wait_below COUNT: until fewer than that many run.
wait_below() {
    collect
    # shellcheck disable=SC2086 # words
    while set -- "$1" $running && [ $(($# - 1)) -ge "$1" ]; do
        sleep 0.2
        collect
    done
}

for test in "$@"; do
    if [ "${INDEPENDENT:-yes}" != yes ] && independent "$test"; then
        left="$left $(basename "$test" .sh)"
        continue
    fi
    wait_below "$jobs"
    name=$(basename "$test" .sh)
    one "$test" "$name" &
    running="$running $name"
done
wait_below 1
[ $# -lt 2 ] || slowest "${SLOWEST:-10}"
[ -z "$left" ] || printf 'the same with every compiler, so left to the run with another:%s\n' "$left"
for name in $skips; do
    reason=$(sed -n "/SKIPPED/{s/^$name: //;p;q;}" "$work/$name.out")
    printf 'skipped: %s%s\n' "$name" "${reason:+: $reason}"
done
for name in $names; do
    printf 'failed: %s: it says why above, behind the line "== %s"; alone: make check ONLY=%s\n' "$name" "$name" "${name#test_}" >&2
done
if [ "$skipped" -gt 0 ]; then
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
else
    printf '%d passed, %d failed\n' "$passed" "$failed"
fi
[ "$failed" -eq 0 ]
