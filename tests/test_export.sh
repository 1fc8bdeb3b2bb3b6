#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2015 # fail never fails
# `normbench export`: every format against its definition and the tables that it is made from, by a strict reader, and by the reader of the
# tool itself where that is installed; that numbers and names are what they should be; and what is refused.
# independent of the compiler
set -u
: "${NORMBENCH:?must name the program, e.g. NORMBENCH=build/normbench}"
. tests/expect.sh
. tests/made_runs.sh
program=$NORMBENCH

made_runs "$work/runs" 1 6
made_runs "$work/runs" 7 14 dyt=1.2
first=$work/runs/01
formats=$(sed -n 's/^ *X([a-z_]*, "\([a-z-]*\)", .*/\1/p' bench/report/exports.h)
[ "$(echo "$formats" | wc -l)" -ge 6 ] || fail "only these formats are found: $formats"

python=$(command -v python3 || true)
if [ -z "$python" ]; then
    echo "$test_name: SKIPPED: python3 is not installed: what is exported is not read back"
    exit 77
fi

# export FORMAT FILE DIR...
export_to() {
    format=$1 file=$2
    shift 2
    "$program" export --to "$format" --out "$file" "$@" 2>"$work/err" || fail "export --to $format: $(cat "$work/err")"
    [ ! -s "$work/err" ] || fail "export --to $format says: $(cat "$work/err")"
}

# ---- Each format, of whatever a run may lack

mkdir "$work/kernels" "$work/layers" "$work/bare"
cp "$first"/kernels.csv "$first"/samples.csv "$first"/meta.json "$work/kernels"
cp "$first"/layers.csv "$first"/meta.json "$work/layers"
cp "$first"/kernels.csv "$work/bare"
for format in $formats; do
    "$program" export --help | tr -s ' \n' ' ' | grep -q " $format," || fail "export --help does not list $format"
    for run in "$first" "$work/kernels" "$work/layers" "$work/bare"; do
        export_to "$format" "$work/out.$format" "$run"
        "$python" tests/export_check.py "$format" "$work/out.$format" "$run" || fail "$format of $run"
        "$program" export --to "$format" "$run" >"$work/stdout" || fail "export --to $format to stdout"
        cmp -s "$work/stdout" "$work/out.$format" || fail "export --to $format writes another thing to stdout"
    done
    case $format in
    otava* | benchstat)
        export_to "$format" "$work/all.$format" "$work"/runs/1* "$work"/runs/0* # whatever their order
        "$python" tests/export_check.py "$format" "$work/all.$format" "$work"/runs/* || fail "$format of all runs"
        ;;
    *) check_end 2 'of one run' "$program" export --to "$format" "$first" "$work/runs/02" ;;
    esac
done

# The reader can tell: a value that is off by a digit, a name that is not there.
median=$(awk -F, 'NR == 2 { print $20 }' "$first/kernels.csv")
wrong=$((median + 1))
for format in $formats; do
    for change in "s/$median/$wrong/g" 's/onepass/twopass/g'; do
        export_to "$format" "$work/out.$format" "$first"
        sed "$change" "$work/out.$format" >"$work/changed"
        cmp -s "$work/changed" "$work/out.$format" && continue # launches alone
        "$python" tests/export_check.py "$format" "$work/changed" "$first" >/dev/null 2>&1 && fail "$format with $change passes"
    done
done

# Compressed samples are samples; rows that were measured twice are told apart.
mkdir "$work/packed" "$work/twice" "$work/twice/parts" "$work/twice/parts/a" "$work/twice/parts/b"
cp "$first"/kernels.csv "$first"/meta.json "$work/packed"
gzip -c "$first/samples.csv" >"$work/packed/samples.csv.gz"
export_to google-benchmark "$work/packed.json" "$work/packed"
export_to google-benchmark "$work/plain.json" "$work/kernels"
cmp -s "$work/packed.json" "$work/plain.json" || fail 'compressed samples are others'
cp "$first/kernels.csv" "$work/twice/parts/a"
cp "$work/runs/02/kernels.csv" "$work/twice/parts/b"
export_to bencher "$work/twice.json" "$work/twice"
[ "$(grep -c latency "$work/twice.json")" -eq 40 ] && [ "$(grep -c '/warm/again2"' "$work/twice.json")" -eq 20 ] ||
    fail 'rows of two parts are not told apart'

# A row that only some runs have is left out of what has to be whole, and that is said.
made_run "$work/less/15" 15 drop=dyt.*eager
"$program" export --to otava --out "$work/less.csv" "$first" "$work/less/15" 2>"$work/err" || fail 'otava of unequal runs'
grep -q '4 times are left out' "$work/err" || fail "nothing is said of what is left out: $(cat "$work/err")"
grep -q eager "$work/less.csv" && fail 'a column has empty fields'

# ---- By the tools themselves

if command -v otava >/dev/null; then
    (cd "$work" && cp all.otava normbench.csv && cp all.otava-config otava.yaml &&
        otava analyze --config-file otava.yaml normbench >otava.out 2>&1) || fail "otava: $(tail -n 3 "$work/otava.out")"
    grep -qE '[+](19|20|21)[.][0-9]%' "$work/otava.out" || fail 'otava does not find the change'
else
    echo "$test_name: SKIPPED in part: Apache Otava (apache-otava) is not installed"
fi
compare=/usr/share/benchmark/compare.py
if [ -f "$compare" ] && "$python" -c 'import scipy' 2>/dev/null; then
    for day in 01 10; do export_to google-benchmark "$work/$day.json" "$work/runs/$day"; done
    "$python" "$compare" --no-color benchmarks "$work/01.json" "$work/10.json" >"$work/compared" 2>&1 || fail "compare.py: $(tail -n 3 "$work/compared")"
    grep -qE '^dyt/u2/forward/fused/avx2/f32/64x768/1/cores/warm_median .*[+]0[.](19|20|21)' "$work/compared" || fail 'compare.py does not find the change'
    grep -qE '^dyt/u2/forward/fused/avx2/f32/64x768/1/cores/warm_pvalue +0[.]00' "$work/compared" || fail 'compare.py has no repetitions to test'
else
    echo "$test_name: SKIPPED in part: Google Benchmark's compare.py (libbenchmark-tools, python3-scipy) is not installed"
fi
if command -v benchstat >/dev/null; then
    for day in 01 10; do export_to benchstat "$work/$day.txt" "$work/runs/$day"; done
    benchstat "$work/01.txt" "$work/10.txt" >"$work/compared" 2>&1 || fail "benchstat: $(tail -n 3 "$work/compared")"
    grep -q 'op=dyt/variant=u2/pass=forward' "$work/compared" || fail 'benchstat does not show the rows'
else
    echo "$test_name: SKIPPED in part: benchstat is not installed"
fi
if command -v py.test-benchmark >/dev/null; then
    for day in 01 10; do export_to pytest-benchmark "$work/00${day}_run.json" "$work/runs/$day"; done
    (cd "$work" && py.test-benchmark compare --columns=median,ops --csv=compared.csv ./0001_run.json ./0010_run.json) >"$work/compared" 2>&1 ||
        fail "py.test-benchmark: $(tail -n 3 "$work/compared")"
    grep -q '^dyt/u2/forward/fused/avx2/f32/64x768/1/cores/warm' "$work/compared.csv" || fail 'py.test-benchmark does not show the rows'
else
    echo "$test_name: SKIPPED in part: py.test-benchmark (pytest-benchmark) is not installed"
fi
if "$python" -c 'import asv' 2>/dev/null; then
    export_to asv "$work/1.json" "$first"
    "$python" - "$work/1.json" <<'END' >"$work/compared" 2>&1 || fail "asv: $(tail -n 3 "$work/compared")"
import sys
from asv.results import Results

found = Results.load(sys.argv[1])
names = sorted(found.get_all_result_keys())
assert len(names) > 10, names
for name in names:
    assert found.get_result_value(name, [])[0] > 0, name
    assert found.get_result_stats(name, []) is not None, name
END
else
    echo "$test_name: SKIPPED in part: asv is not installed"
fi

# ---- What is refused

check_end 2 'did you mean bencher' "$program" export --to benchr "$first"
check_end 2 '--to is needed' "$program" export "$first"
check_end 2 'which run' "$program" export --to bencher
mkdir "$work/empty"
check_end 2 'holds no kernels.csv and no layers.csv' "$program" export --to bencher "$work/empty"
check_end 2 'holds no kernels.csv' "$program" export --to bencher "$work/nothing"
check_end 3 'cannot write' "$program" export --to bencher --out "$work/no/folder" "$first"
spoil() {
    rm -rf "$work/spoilt"
    cp -r "$first" "$work/spoilt"
}
spoil && head -c 1500 "$first/kernels.csv" >"$work/spoilt/kernels.csv"
check_end 2 'was cut off' "$program" export --to bencher "$work/spoilt"
spoil && sed '3s/,/,,/' "$first/kernels.csv" >"$work/spoilt/kernels.csv"
check_end 2 'line 3' "$program" export --to bencher "$work/spoilt"
spoil && sed '3s/,5[0-9]*,ok,/,fast,ok,/; 3s/,6[0-9]*,ok,/,fast,ok,/' "$first/kernels.csv" >"$work/spoilt/kernels.csv"
check_end 2 'line 3' "$program" export --to bencher "$work/spoilt"
spoil && head -c 300 "$first/meta.json" >"$work/spoilt/meta.json"
check_end 2 'meta.json: line' "$program" export --to bencher "$work/spoilt"
spoil && sed '4s/,[^,]*,0$/,never,0/' "$first/samples.csv" >"$work/spoilt/samples.csv"
check_end 2 'samples.csv: line 4' "$program" export --to benchstat "$work/spoilt"
check_end 2 'samples.csv: line 4' "$program" export --to google-benchmark --out "$work/never.json" "$work/spoilt"
[ ! -e "$work/never.json" ] || fail 'half a file is left behind'
spoil && head -c 2000 "$first/samples.csv" >"$work/spoilt/samples.csv" # a run that is being written
check_end 0 BenchmarkNorm "$program" export --to benchstat "$work/spoilt"
spoil && sed 's/2026-03-01T/of-old-/' "$first/meta.json" >"$work/spoilt/meta.json"
check_end 2 'no time is told' "$program" export --to otava "$work/spoilt"
check_end 2 'are the same run' "$program" export --to otava "$first" "$work/runs/02" "$first"

finish
