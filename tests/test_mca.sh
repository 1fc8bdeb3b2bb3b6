#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/mca.py finds the loops of the kernels of this build, and says of everything that it is predicted.
set -u
. tests/expect.sh
: "${OBJ:?must name the folder of objects, e.g. OBJ=build/gcc}"
for tool in python3 llvm-mca gnuplot; do
    if ! command -v $tool >/dev/null; then
        echo "test_mca: SKIPPED: $tool is not installed"
        exit 77
    fi
done
if [ -n "${SANITIZE:-}" ]; then
    echo "test_mca: SKIPPED: the loops of a sanitizer's build are no kernel's"
    exit 77
fi
case $(${CC:-cc} -dumpmachine) in
x86_64-*) core=skylake-avx512 level=avx512 ;;
aarch64-*) core=neoverse-n1 level=neon ;;
*)
    echo 'test_mca: SKIPPED: no core of this architecture is listed'
    exit 77
    ;;
esac

printf 'op,variant,form,level,dtype,threads,pass,cache,cycles_per_element\r\nrmsnorm,std,fused,%s,f32,1,forward,warm,1.5\r\nrmsnorm,std,fused,%s,f32,1,forward,warm,1.25\r\n' \
    $level $level >"$work/kernels.csv"
check_end 0 'nothing of it was measured' python3 scripts/mca.py --objects "$OBJ" --cores $core --measured "$work" --out "$work/mca"
grep -q PREDICTED "$work/mca/mca.svg" || fail 'a figure that does not say that it is predicted'
tr -d '\r' <"$work/mca/mca.csv" | awk -F, -v level=$level '
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    function value(name) { return $(at[name]) }
    { what = value("op") " " value("form") " " value("level") " " value("dtype") }
    value("status") != "predicted" { if (value("level") == level && value("op") != "identity") { print what ": " value("status"); wrong = 1 } next }
    { seen[value("op"), value("form"), value("dtype")] = 1 }
    value("cycles_per_element") <= 0 || value("cycles_per_element") > 40 || value("over_port") < 0.98 { print what ": " $0; wrong = 1 }
    what == "rmsnorm fused " level " f32" && value("measured_cycles_per_element") != 1.25 { print what ": measured " value("measured_cycles_per_element"); wrong = 1 }
    END {
        split("layernorm rmsnorm dyt derf hardtanh sigmoid isru", ops, " ")
        for (i in ops)
            if (!((ops[i], "fused", "f32") in seen) || !((ops[i], "add_fused", "f16") in seen)) { print ops[i] ": no loop was found"; wrong = 1 }
        exit wrong
    }' >"$work/wrong" || fail "$(cat "$work/wrong")"
check_end 2 'knows no core pdp11' python3 scripts/mca.py --objects "$OBJ" --cores pdp11 --out "$work/never"
check_end 2 'build first' python3 scripts/mca.py --objects "$work" --out "$work/never"
[ ! -e "$work/never" ] || fail 'what was refused left a folder'
finish
