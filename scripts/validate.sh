#!/bin/sh
# SPDX-License-Identifier: MIT
# `make validate-aa`, `validate-power` and `validate-disturbed`: the gate, `normbench ab`, where the truth is known, again and again.
#     BUDGET=20m GATE=90s sh scripts/validate.sh PROGRAM aa|power|disturbed LIBRARIES [FOLDER]
# LIBRARIES is the folder of libnorm.a and libnorm.so. BUDGET is the time for all gates, GATE for one. FOLDER is results/MACHINE/validate-WHAT-TIME if none
# is given; one that is there is gone on with: an unfinished gate first, then more of them. What the gates found, `normbench validation` says.
set -eu

here=$(dirname "$0")
program=${1:?usage: sh scripts/validate.sh PROGRAM aa|power|disturbed LIBRARIES [FOLDER]}
what=${2:-}
libraries=${3:-}
name=validate
# shellcheck source=scripts/measuring.sh
. "$here/measuring.sh"
export NORMBENCH="$program"
seconds=$(seconds_of "${BUDGET:-20m}" 'BUDGET=20m or BUDGET=480s')
gate_s=$(seconds_of "${GATE:-90s}" 'GATE=90s or GATE=6m')
few="--form fused --level avx2"

# The kinds of gates, in the order in which they take turns.
case $what in
aa) kinds='relinked same relinked' ;;
power) kinds='power group power' ;;
disturbed) kinds='busy stopped moved' ;;
*) fail "\"$what\" is none of aa, power, disturbed" ;;
esac
for library in libnorm.a libnorm.so; do [ -f "$libraries/$library" ] || fail "there is no $library in \"$libraries\": run make lib"; done

# Selectors of gate NUMBER of a kind. Two gates of power tell the whole curve; those after them, what the goals of 3 and 5 % still want, which
# is far more of 5 %.
selectors_of() {
    case $1 in
    power)
        shape=16x768
        [ $(($2 % 2)) -eq 1 ] || shape=4x4096
        deal=3,5,5,5,5,5
        [ "$2" -gt 2 ] || deal=0.5,1,2,2,3,3,3,5,5,5,10,10
        echo "--form fused --shape $shape --group-threshold 50 --inject /=$deal"
        ;;
    group) echo "$few --inject /=1" ;;
    busy | stopped | moved) echo "--op dyt,rmsnorm $few" ;;
    esac
}

# ---- Disturbances, while process $1, a gate, is at work: they end with it.

# shellcheck disable=SC2317 # disturb calls them
busy() {
    loops=''
    for _ in $(seq "$(getconf _NPROCESSORS_ONLN)"); do
        nice -n 5 sh -c 'while :; do :; done' &
        loops="$loops $!"
    done
    while kill -0 "$1" 2>/dev/null; do sleep 1; done
    # shellcheck disable=SC2086 # numbers
    kill $loops
}
launch_of() { ps -A -o pid= -o ppid= | while read -r pid parent; do [ "$parent" -ne "$1" ] || echo "$pid"; done | tail -n 1; }
# shellcheck disable=SC2317
stopped() {
    while kill -0 "$1" 2>/dev/null; do
        sleep 3
        launch=$(launch_of "$1")
        [ -n "$launch" ] || continue
        kill -STOP "$launch" 2>/dev/null || continue
        sleep 2
        kill -CONT "$launch" 2>/dev/null || :
    done
}
# shellcheck disable=SC2317
moved() {
    while kill -0 "$1" 2>/dev/null; do
        for cpu in 1 0; do
            sleep 1
            launch=$(launch_of "$1")
            [ -z "$launch" ] || taskset -a -c -p "$((cpu % $(getconf _NPROCESSORS_ONLN)))" "$launch" >/dev/null 2>&1 || :
        done
    done
}

# The program ends as it does when it is interrupted, and is waited for.
child=''
# shellcheck disable=SC2317 # trap calls it
stop() {
    if [ -n "$child" ]; then
        kill -TERM "$child" 2>/dev/null || :
        wait "$child" || :
    fi
    exit 130
}

# gate KIND REPORT ARGUMENT...: runs the program with them, disturbed if the kind is called so; its report is new if it has come to an end.
gate() {
    kind=$1 report=$2 outcome=0
    shift 2
    "$program" ab "$@" </dev/null >"$report.part" 2>>"$folder/log" &
    child=$!
    case $kind in
    busy | stopped | moved)
        "$kind" "$child" &
        disturber=$!
        ;;
    *) disturber='' ;;
    esac
    wait "$child" || outcome=$?
    child=''
    [ -z "$disturber" ] || wait "$disturber" || :
    case $outcome in
    0 | 1 | 5 | 6) mv -f "$report.part" "$report" ;;
    *) rm -f "$report.part" ;;
    esac
    printf '%s ended with status %d\n' "${report##*/}" "$outcome" >>"$folder/log"
    [ "$outcome" -ne 130 ] || exit 130
    case $outcome in 0 | 1 | 5 | 6) ;; *) fail "${report%.json} ended with status $outcome: see $folder/log" 3 ;; esac
}

folder=$(folder_of "$program" "validate-$what" "${4:-}")
# Not by the name of a run, for histories and comparisons are of results/MACHINE/20*.
[ -n "${4:-}" ] || folder=${folder%/*}/validate-$what-$(date -u +%Y-%m-%dT%H%M%SZ)
mkdir -p "$folder" || fail "cannot make $folder: check its parent's permissions" 3
printf 'Validating takes about %d min %02d s. Results: %s\n' $((seconds / 60)) $((seconds % 60)) "$folder"
begin=$(date +%s)
longest=$gate_s
trap 'stop' INT TERM HUP

judged() { [ -f "$1/ab.csv" ] || [ -f "$1/ab.csv.gz" ]; } # as make publish leaves it

# Sets kind, number and out: of an unfinished gate, or else of the one whose turn it is.
next_gate() {
    turn=0
    for out in "$folder"/*-[0-9][0-9][0-9]; do
        [ -d "$out" ] || continue
        kind=${out##*/}
        number=${kind##*-}
        kind=${kind%-*}
        [ ! -f "$out/plan.csv" ] || return 0
        ! judged "$out" || turn=$((turn + 1))
    done
    # shellcheck disable=SC2086 # words
    set -- $kinds
    shift $((turn % $#))
    kind=$1
    number=1
    while judged "$folder/$kind-$(printf %03d $number)"; do number=$((number + 1)); done
    out=$folder/$kind-$(printf %03d $number)
}

while :; do
    now=$(date +%s)
    [ $((now - begin + longest)) -le "$seconds" ] || [ "$now" -eq "$begin" ] || break
    next_gate
    library=$libraries/libnorm.a
    [ "$kind" != same ] || library=$libraries/libnorm.so
    if [ -f "$out/plan.csv" ]; then
        gate "$kind" "$out.json" --resume "$out"
    else
        rm -rf "$out" # one that had not come to its plan
        # shellcheck disable=SC2046 # words
        gate "$kind" "$out.json" "$library" "$library" --every --format json --budget "${gate_s}s" $(selectors_of "$kind" "$number") --out "$out"
    fi
    took=$(($(date +%s) - now))
    [ "$took" -le "$longest" ] || longest=$took
done

# shellcheck disable=SC2317 # anew calls it
say() { "$program" validation --csv "$folder/validation.csv.part" --rows "$folder/validation_rows.csv.part" "$folder"; }
check_run "$folder"
rm -f "$folder/validation.csv.part" "$folder/validation_rows.csv.part"
anew "$folder/validation.txt" say || exit 3
for table in validation validation_rows; do mv -f "$folder/$table.csv.part" "$folder/$table.csv"; done
sh "$here/plots.sh" "$folder"
cat "$folder/validation.txt"
printf 'Tables: %s/validation.csv, validation_rows.csv\n' "$folder"
