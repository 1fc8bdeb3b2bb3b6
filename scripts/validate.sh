#!/bin/sh
# SPDX-License-Identifier: MIT
# `make validate-aa` and its relatives: the gate, `normbench ab`, where the truth is known, again and again.
#     BUDGET=20m GATE=90s sh scripts/validate.sh PROGRAM aa|power|disturbed|pulls|layers LIBRARIES [FOLDER]
# LIBRARIES is the folder of libnorm.a and libnorm.so; pulls builds its own. BUDGET is the time for all gates, GATE for one. FOLDER is results/MACHINE/validate-WHAT-TIME if none
# is given; one that is there is gone on with: an unfinished gate first, then more of them. What the gates found, `normbench validation` says.
set -eu

here=$(dirname "$0")
program=${1:?usage: sh scripts/validate.sh PROGRAM aa|power|disturbed|pulls|layers LIBRARIES [FOLDER]}
what=${2:-}
libraries=${3:-}
name=validate
# shellcheck source=scripts/measuring.sh
. "$here/measuring.sh"
export NORMBENCH="$program"
seconds=$(seconds_of "${BUDGET:-20m}" 'BUDGET=20m or BUDGET=480s')
gate_s=$(seconds_of "${GATE:-90s}" 'GATE=90s or GATE=6m')
few="--form fused --level avx2"
# Two models, in layers of a millisecond or so of which norms are 1 to 4 %. Four ops share what a process costs.
layers="--layers vit_s16,gpt2 --tokens 16 --op layernorm,rmsnorm,dyt,derf"

# The kinds of gates, in the order in which they take turns.
case $what in
aa) kinds='relinked same relinked' ;;
power) kinds='power group power' ;;
disturbed) kinds='busy stopped moved' ;;
pulls) kinds='pull_slower pull_readme' ;;
layers) kinds='layers_slower layers_slower layers_same layers_slower' ;;
*) fail "\"$what\" is none of aa, power, disturbed, pulls, layers" ;;
esac
for library in libnorm.a libnorm.so; do
    [ "$what" = pulls ] || [ -f "$libraries/$library" ] || fail "there is no $library in \"$libraries\": run make lib"
done

# sides_of KIND: its two sides.
sides_of() {
    case $1 in
    pull_*) echo "git:base git:${1#pull_}" ;;
    same) echo "$libraries/libnorm.so $libraries/libnorm.so" ;;
    *) echo "$libraries/libnorm.a $libraries/libnorm.a" ;;
    esac
}

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
    layers_slower) echo "$layers --inject /=10" ;;
    layers_same) echo "$layers" ;;
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

# gate KIND REPORT ARGUMENT...: runs the program with them, disturbed if the kind is called so; its report is new if it has come to an end, and
# beside it stands how many seconds it has taken, with those before it was taken up.
gate() {
    kind=$1 report=$2 outcome=0 gate_began=$(date +%s)
    shift 2
    (cd "$where" && exec "$program" ab "$@") </dev/null >"$report.part" 2>>"$folder/log" &
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
    before=$(cat "${report%.json}.seconds" 2>/dev/null) || before=0
    echo $((before + $(date +%s) - gate_began)) >"${report%.json}.seconds"
    printf '%s ended with status %d\n' "${report##*/}" "$outcome" >>"$folder/log"
    [ "$outcome" -ne 130 ] || exit 130
    case $outcome in 0 | 1 | 5 | 6) ;; *) fail "${report%.json} ended with status $outcome: see $folder/log" 3 ;; esac
}

folder=$(folder_of "$program" "validate-$what" "${4:-}")
# Not by the name of a run, for histories and comparisons are of results/MACHINE/20*.
[ -n "${4:-}" ] || folder=${folder%/*}/validate-$what-$(date -u +%Y-%m-%dT%H%M%SZ)
mkdir -p "$folder" || fail "cannot make $folder: check its parent's permissions" 3
printf 'Validating takes about %d min %02d s. Results: %s\n' $((seconds / 60)) $((seconds % 60)) "$folder"
trap 'stop' INT TERM HUP
# Where gates are started, and from there the folder.
where=. gates=$folder

# The pull requests: of the commit that the first gate was of, for the lifetime of this script. What is built of them is built before any time counts.
if [ "$what" = pulls ]; then
    pulls=$(mktemp -d)
    trap 'rm -rf "$pulls"' EXIT
    [ -f "$folder/commit" ] || git rev-parse HEAD >"$folder/commit" || fail 'this is no repository of git, and so has no pull requests' 3
    sh "$here/pulls.sh" "$pulls/clone" "$(cat "$folder/commit")" || exit 3
    ln -s "$(cd "$folder" && pwd)" "$pulls/gates"
    where=$pulls/clone gates=../gates
    case $program in */*) program=$(cd "${program%/*}" && pwd)/${program##*/} ;; esac
    for kind in $kinds; do
        # shellcheck disable=SC2046 # words
        (cd "$where" && "$program" ab $(sides_of "$kind") --dry-run) >/dev/null 2>>"$folder/log" ||
            fail "the pull requests cannot be compared: see $folder/log" 3
    done
fi
begin=$(date +%s)
longest=$gate_s

# Packed, as make publish leaves it, or not.
judged() {
    for table in ab ab_layers; do
        [ ! -f "$1/$table.csv" ] && [ ! -f "$1/$table.csv.gz" ] || return 0
    done
    return 1
}

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
    if [ -f "$out/plan.csv" ]; then
        gate "$kind" "$out.json" --resume "$gates/${out##*/}"
    else
        rm -rf "$out" "$out.seconds" # one that had not come to its plan
        every=--every
        case $kind in pull_*) every='' ;; esac # as in everyday use
        # shellcheck disable=SC2046,SC2086 # words
        gate "$kind" "$out.json" $(sides_of "$kind") $every --format json --budget "${gate_s}s" $(selectors_of "$kind" "$number") --out "$gates/${out##*/}"
    fi
    took=$(($(date +%s) - now))
    [ "$took" -le "$longest" ] || longest=$took
done

# shellcheck disable=SC2317 # anew calls it
say() {
    "$program" validation --csv "$folder/validation.csv.part" --rows "$folder/validation_rows.csv.part" --gates "$folder/validation_gates.csv.part" "$folder"
}
check_run "$folder"
rm -f "$folder"/validation*.csv.part
anew "$folder/validation.txt" say || exit 3
for table in validation validation_rows validation_gates; do mv -f "$folder/$table.csv.part" "$folder/$table.csv"; done
sh "$here/plots.sh" "$folder"
cat "$folder/validation.txt"
printf 'Tables: %s/validation.csv, validation_rows.csv, validation_gates.csv\n' "$folder"
