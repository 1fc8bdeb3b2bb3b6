#!/bin/sh
# SPDX-License-Identifier: MIT
# What ends a run from outside, and limits that it meets: a hang-up, a parent that is killed, a file that may not grow, a disk that is full, a path
# that is too long, a system without /proc, a budget that nothing fits. No sample is lost, nothing is left running. No timing decides anything.
set -u
program=${NORMBENCH:?}
. tests/expect.sh
mkdir "$work/tmp"
export TMPDIR="$work/tmp"
long='--op dyt --shape 4x64 --threads 1 --launches 1000 --seed 1'
tiny='--op dyt --shape 4x64 --threads 1 --launches 1 --budget 1s'

# samples FOLDER: lines of the samples.csv that is in there.
samples() { find "$1" -name samples.csv -exec cat {} + 2>/dev/null | wc -l; }

# await FOLDER LINES: until there are so many.
await() {
    patience=600
    while [ "$(samples "$1")" -lt "$2" ] && [ "$patience" -gt 0 ]; do
        sleep 0.1
        patience=$((patience - 1))
    done
    [ "$patience" -gt 0 ] || fail "waited for $1 in vain"
}

# begin ARGUMENT...: a long run in the background, pid.
begin() {
    # shellcheck disable=SC2086
    "$program" kernels $long "$@" >"$work/out" 2>"$work/err" &
    pid=$!
}

# A hang-up is an interruption; under nohup it is nothing. A shell that was itself begun under nohup cannot undo that for its children.
if sed -n 's/^SigIgn:.*\(.\)$/\1/p' /proc/$$/status 2>/dev/null | grep -q '[13579bdf]'; then
    echo "$test_name: SKIPPED the hang-up: this shell was begun with SIGHUP ignored"
else
    begin --out "$work/hup"
    await "$work/hup" 20
    kill -HUP "$pid"
    wait "$pid"
    got=$?
    [ "$got" -eq 130 ] || fail "SIGHUP: exit $got: $(cat "$work/err")"
    grep -qF "normbench kernels --resume $work/hup" "$work/err" || fail "SIGHUP: $(cat "$work/err")"
    grep -q '"complete": false' "$work/hup/meta.json" || fail 'SIGHUP: no meta.json that says so'
    [ "$(wc -l <"$work/hup/kernels.csv")" -eq 4 ] || fail "SIGHUP: $(cat "$work/hup/kernels.csv")"
fi
trap '' HUP
begin --out "$work/nohup"
await "$work/nohup" 20
kill -HUP "$pid"
await "$work/nohup" $(($(samples "$work/nohup") + 300)) # the launch after the next
trap - HUP

# A parent that is killed takes its worker along.
children() { cat "/proc/$1/task/$1/children" 2>/dev/null || pgrep -P "$1"; }
child=$(children "$pid")
[ -n "$child" ] || fail 'there is no worker'
kill -KILL "$pid"
wait "$pid" 2>/dev/null
patience=50
for one in $child; do
    while kill -0 "$one" 2>/dev/null && [ "$patience" -gt 0 ]; do
        sleep 0.1
        patience=$((patience - 1))
    done
    ! kill -0 "$one" 2>/dev/null || { fail 'a worker outlives its parent'; kill -KILL "$one"; }
done

# With --csv alone, samples are kept, and the way on is said.
begin --csv "$work/own.csv"
await "$work/tmp" 20
kill -TERM "$pid"
wait "$pid"
got=$?
[ "$got" -eq 130 ] || fail "SIGTERM: exit $got: $(cat "$work/err")"
[ "$(wc -l <"$work/own.csv")" -eq 4 ] || fail "SIGTERM: no table in $work/own.csv"
kept=$(sed -n "s|^  normbench kernels --resume \\(.*\\) --csv $work/own.csv\$|\\1|p" "$work/err")
[ "$(wc -l <"$kept/samples.csv")" -ge 20 ] || fail "the samples of --csv alone are gone: $(cat "$work/err")"

# limited BLOCKS COMMAND...: where no file may grow beyond so many blocks of 512 bytes.
limited() { (ulimit -f "$1" && shift && exec "$@"); }

# Files that may not grow, to a limit below the first of them, but for the KiB that clang's OpenMP begins with; tables that exist stay whole.
for limit in 2 4; do
    # shellcheck disable=SC2086
    check_end 2 'ulimit -f' limited "$limit" "$program" kernels $tiny --out "$work/small$limit"
done
echo old >"$work/old.csv"
check_end 3 "cannot write $work/old.csv: the file may not grow" limited 8 \
    "$program" verify --op layernorm,rmsnorm --shape 1x64 --threads 1 --csv "$work/old.csv"
[ "$(cat "$work/old.csv")" = old ] || fail 'a table that could not be written has replaced another'

# shellcheck disable=SC2086
"$program" kernels $tiny --out "$work/whole" >"$work/out" 2>"$work/err" || fail "a tiny run: $(cat "$work/err")"

# A disk that is full, as far as one can be made.
mkdir "$work/disk"
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=128k none "$work/disk" 2>/dev/null; then
    trap 'umount "$work/disk"; rm -rf "$work"' EXIT
    cp "$work/whole/kernels.csv" "$work/disk/own.csv"
    head -c 200k /dev/zero >"$work/disk/fill" 2>/dev/null
    # shellcheck disable=SC2086
    check_end 3 "cannot write $work/disk/own.csv: No space left on device" "$program" kernels $tiny --csv "$work/disk/own.csv"
    cmp -s "$work/disk/own.csv" "$work/whole/kernels.csv" || fail 'a full disk: the old table is gone'
    [ "$(find "$work/disk" -type f | wc -l)" -eq 2 ] || fail "a full disk: left behind: $(ls "$work/disk")"
    umount "$work/disk"
    trap 'rm -rf "$work"' EXIT
else
    echo "$test_name: no disk that is full, for no file system can be mounted here"
fi

# A path that cannot be is refused, not cut.
letters=$(head -c 4800 /dev/zero | tr '\0' a)
deep=$(printf '%s' "$work/$letters" | sed 's|a\{100\}|&/|g')
for path in "$letters" "$deep"; do
    # shellcheck disable=SC2086
    {
        check_end 2 'characters, and ' "$program" kernels $tiny --out "$path"
        check_end 2 'characters, and ' "$program" kernels --resume "$path"
        check_end 2 'File name too long' "$program" dump --model vit_s16 --op dyt --phase prefill --tokens 2 --out "$path"
        check_end 2 'File name too long' "$program" kernels $tiny --csv "$path"
        check_end 2 'set TMPDIR' env TMPDIR="$path" "$program" kernels $tiny --csv -
    }
done
[ ! -e "$work/$(printf '%s' "$letters" | head -c 100)" ] || fail 'a folder of another name was made'

# A budget that cannot be kept is not silently another.
check_end 0 'launches: about' "$program" kernels --preset quick --budget .5s --dry-run
grep -q 'note: a budget of 0.5s is too small' "$work/err" || fail "a budget of half a second: $(cat "$work/err")"
check_end 0 'launches: about' "$program" kernels --preset quick --dry-run
grep -q 'note: a budget' "$work/err" && fail "the budget of a preset is too small: $(cat "$work/err")"

# Without /proc, as in some sandboxes. Nor what /dev/shm holds: clang's OpenMP leaves a file there for each process that was killed,
# and looks into /proc, or aborts, where a process has the number of one of them.
if [ -z "${SANITIZE:-}" ] && unshare -m true 2>/dev/null; then # the sanitizers themselves need it
    # shellcheck disable=SC2086,SC2016
    check_end 0 'schema_version,run_id' unshare -m sh -c 'mount -t tmpfs none /proc && mount -t tmpfs none /dev/shm && exec "$@"' sh "$program" kernels $tiny --csv -
else
    echo "$test_name: /proc cannot be hidden here"
fi

finish
