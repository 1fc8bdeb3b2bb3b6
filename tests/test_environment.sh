#!/bin/sh
# SPDX-License-Identifier: MIT
# Variables that would bind threads elsewhere, change teams or describe another machine: each is ignored, said once, recorded, and changes
# neither a plan nor what is measured. What the affinity mask allows stands.
set -u
: "${NORMBENCH:=build/normbench}" "${CC:=cc}"
. tests/expect.sh

# Values that would do harm, of every variable in the list.
value() {
    case $1 in
    OMP_PROC_BIND*) echo true ;;
    OMP_PLACES* | GOMP_CPU_AFFINITY | HWLOC_CPUID_PATH | HWLOC_DUMPED_HWDATA_DIR) echo '{0}' ;;
    KMP_AFFINITY) echo 'granularity=fine,compact' ;;
    KMP_LIBRARY) echo serial ;;
    KMP_HW_SUBSET) echo 1c ;;
    OMP_DYNAMIC*) echo true ;;
    OMP_NESTED* | OMP_MAX_ACTIVE_LEVELS* | HWLOC_THISSYSTEM) echo 0 ;;
    HWLOC_XMLFILE) echo tests/data/hybrid.xml ;;
    HWLOC_SYNTHETIC) echo 'package:2 core:3 pu:1' ;;
    HWLOC_FSROOT) echo /nowhere ;;
    HWLOC_COMPONENTS) echo no_os,stop ;;
    *) echo 1 ;;
    esac
}
listed=$(sed -n 's/^ *X(\([A-Z_]*\), ENVIRONMENT_.*/\1/p' bench/machine/environment.h)
[ "$(echo "$listed" | wc -l)" -ge 20 ] || fail "the list of variables was not found: $listed"

"$NORMBENCH" plan >"$work/plan" 2>"$work/err"
[ -s "$work/err" ] && fail "plan in a clean environment says: $(cat "$work/err")"
set --
for name in $listed OMP_PROC_BIND_ALL OMP_PLACES_ALL; do
    set -- "$@" "$name=$(value "$name")"
    env "$name=$(value "$name")" "$NORMBENCH" plan >"$work/out" 2>"$work/err" || fail "$name: $(cat "$work/err")"
    cmp -s "$work/plan" "$work/out" || fail "$name changes the plan: $(cat "$work/out")"
    [ "$(grep -c "^normbench: ignored $name: .*" "$work/err")" -eq 1 ] || fail "$name is not said to be ignored once: $(cat "$work/err")"
    [ "$(wc -l <"$work/err")" -eq 1 ] || fail "$name has more said than that: $(cat "$work/err")"
done

# A machine of one PU has no more to show.
pus=$(awk '$2 == "compact"' "$work/plan" | wc -l)
last=$(awk '$2 == "compact" { pu = $4 } END { print pu }' "$work/plan")
env "$@" taskset -c "$last" "$NORMBENCH" plan --threads all --placement cores 2>"$work/err" | awk 'NR > 1 { print $1, $4 }' >"$work/out"
[ "$(cat "$work/out")" = "1 $last" ] || fail "the mask does not stand: $(cat "$work/out" "$work/err")"

# All of them at once: what was planned is what the threads are bound to, and every row is measured.
threads=$(( pus > 1 ? 2 : 1 ))
want=$(awk -v n=$threads '$1 == n && $2 == "cores" { printf "%s%s", sep, $4; sep = " " }' "$work/plan")
OMP_WAIT_POLICY=passive env "$@" "$NORMBENCH" kernels --op rmsnorm --level best --shape 16x64 --threads $threads --launches 2 --budget 0.1s --out "$work/run" \
    >"$work/out" 2>"$work/err" || fail "kernels: $(cat "$work/err")"
got=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "bound") at = i; next } { print $at }' "$work/run/samples.csv" | sort -u)
[ "$got" = "$want" ] || fail "bound to \"$got\", planned \"$want\""
[ "$(grep -c 'ignored OMP_PROC_BIND:' "$work/err")" -eq 1 ] || fail "not said once: $(cat "$work/err")"
sed -n '/"environment_ignored": {/,/^ *},*$/p' "$work/run/meta.json" | grep -q '"GOMP_CPU_AFFINITY": "{0}"' || fail 'meta.json does not have what was ignored'
"$NORMBENCH" kernels --op rmsnorm --level best --shape 16x64 --launches 2 --budget 0.1s --out "$work/clean" >"$work/out" 2>"$work/err"
id() { sed -n 's/^ *"machine_id": "\(.*\)",$/\1/p' "$1/meta.json" | head -1; }
[ -n "$(id "$work/run")" ] || fail 'meta.json has no machine_id'
[ "$(id "$work/run")" = "$(id "$work/clean")" ] || fail "filed under $(id "$work/run"), not $(id "$work/clean")"

OMP_WAIT_POLICY=passive env "$@" "$NORMBENCH" layers --model vit_s16 --op rmsnorm --tokens 4 --phase prefill --threads $threads --launches 2 --budget 0.5s \
    --out "$work/layers" >"$work/out" 2>"$work/err" || fail "layers: $(cat "$work/err")"

# A C library that starts OpenMP first: what its runtime has read is refused, the rest ignored.
cat >"$work/late.c" <<'EOT'
#include <stdio.h>
#include <string.h>
#undef __GLIBC__
#include "machine/environment.c"
int main(void) { return environment_begin() ? puts("begun") < 0 : 2; }
EOT
$CC -std=c17 -D_GNU_SOURCE -Ibench -o "$work/late" "$work/late.c" || fail 'environment.c is not compiled for another C library'
emulated=${NORMBENCH_EMULATOR:-} # several words, or none
# shellcheck disable=SC2086
{
    check_end 2 'unset OMP_PROC_BIND, which' env OMP_PROC_BIND=true $emulated "$work/late"
    check_end 0 begun env HWLOC_SYNTHETIC=pu:2 $emulated "$work/late"
    check_end 0 begun $emulated "$work/late"
}

finish
