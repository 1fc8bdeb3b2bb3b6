#!/bin/sh
# SPDX-License-Identifier: MIT
# PyTorch's own ratio beside verdicts: tests/data/peers is a run with a peers.csv, and what is said of it, or why there is none; without
# one nothing is said of PyTorch, and one that is none is refused.
# run by one compiler and by sanitizers
set -eu
: "${NORMBENCH:?must name the program, e.g. NORMBENCH=build/normbench}"
: "${OBJ:?must name the folder of test_schema, e.g. OBJ=build/gcc}"

. tests/expect.sh
fixture=tests/data/peers
run=$work/run
mkdir "$run"
cp $fixture/kernels.csv $fixture/layers.csv $fixture/peers.csv "$run"

# judge WHAT TABLE NAME: leaves $work/NAME.txt and $work/NAME.csv.
judge() { "$NORMBENCH" judge "$1" --by "$fixture/$2" --csv "$work/$3.csv" "$run" >"$work/$3.txt"; }

# The pairs, the systems and the heap that are meant; and what PyTorch has not, with the reason: stores, parameters, a tanh, pairs, other
# threads, cold caches, training.
for what in questions=answers claims=verdicts; do
    name=${what#*=}
    judge "${what%=*}" "${what%=*}.csv" "$name"
    for kind in txt csv; do
        diff "$fixture/expected/$name.$kind" "$work/$name.$kind" >&2 || fail "judge ${what%=*} says something else of $fixture: $kind"
    done
    "$OBJ/test_schema" "$work/$name.csv" || fail "$name.csv is not what results/datapackage.json says"
done

# Whose norm it is held against is not said in a table of an earlier version: the same system's.
cut -d, -f1-21 $fixture/peers.csv | grep -v ',settled,rmsnorm,0,rmsnorm,' >"$run/peers.csv"
judge questions questions.csv earlier
diff "$work/answers.txt" "$work/earlier.txt" >&2 || fail 'a peers.csv of an earlier version says something else'

# A peers.csv that is none: SED, WORDS. One line in the message, exit code 2, and nothing is written.
refused() {
    sed "$1" $fixture/peers.csv >"$run/peers.csv"
    check_end 2 "peers.csv: $2" "$NORMBENCH" judge questions --csv "$work/refused.csv" "$run"
    [ ! -e "$work/refused.csv" ] || fail "$1: a table was written"
}
refused '1s/,heap,/,hep,/' 'has no column heap: it is no peers.csv, see results/README.md'
refused '1s/,pytorch,/,torch,/' 'has no column pytorch'
refused '1s/,machine_id,/,machine,/' 'has no column machine_id'
refused '3s/,0.51,0.5,/,0.51,0.7,/' 'line 3: ratio_lo95 is "0.7", expected no more than ratio_hi95, 0.52'
refused '3s/,0.51,/,-0.51,/' 'line 3: ratio is "-0.51", expected a number'
refused '2s/,2.55,/,2,55,/' 'line 2: 23 fields, header has 22'
refused '3s/,0.51,/,half,/' 'line 3: ratio is "half", expected a number'
refused '3s/,settled,/,setled,/' 'line 3: heap is "setled", expected what results/README.md says of it'
refused '3s/,rmsnorm,/,rmsnrm,/' 'line 3 is of no run that this program can judge: "rmsnrm" is no against; did you mean rmsnorm?'
refused '3s/,pytorch_eager,6/,torch,6/' 'line 3: system is "torch"'
refused '3s/,512,/,-512,/' 'line 3: rows is "-512", expected a whole number'
head -c 900 $fixture/peers.csv >"$run/peers.csv"
check_end 2 'peers.csv: the last line has no end: it was cut off; delete it and have make peers write it anew' "$NORMBENCH" judge questions "$run"

# What was measured on another machine is none of this run's.
sed 's/,m-2c-01234567,/,m-4c-76543210,/' $fixture/peers.csv >"$run/peers.csv"
judge questions questions.csv elsewhere
grep ' PyTorch ' "$work/elsewhere.txt" | grep -q -v ' none: ' && fail "another machine's PyTorch stands beside this one"

# None at all: the same, with nothing of PyTorch in it.
rm "$run/peers.csv"
for what in questions=answers claims=verdicts; do
    name=${what#*=}
    judge "${what%=*}" "${what%=*}.csv" none
    grep -v ' PyTorch ' $fixture/expected/"$name.txt" | diff - "$work/none.txt" >&2 || fail "without peers.csv judge ${what%=*} says something else"
    sed -E '1!s/(pytorch_eager|torch_compile)(,[^,]*){5}/,,,,,/' $fixture/expected/"$name.csv" | diff - "$work/none.csv" >&2 ||
        fail "without peers.csv $name.csv has something else"
done

# What `make peers` measured in a run is none of the run's own.
mkdir "$work/layers" "$work/layers/peers"
cp $fixture/layers.csv $fixture/peers.csv "$work/layers"
cp $fixture/kernels.csv "$work/layers/peers"
printf '{}\n' >"$work/layers/meta.json"
"$NORMBENCH" judge claims --by $fixture/claims.csv "$work/layers" >"$work/out"
grep -q '^  in PyTorch   -49 % \[-50, -48\], version 2.15.0, op by op, the norms alone, 512 rows, by peers.csv$' "$work/out" || fail 'no PyTorch beside layers'
[ "$(grep -c 'there is no kernels.csv' "$work/out")" -eq 3 ] || fail 'kernels of peers/ are taken for those of the run'

finish
