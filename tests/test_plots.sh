#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/plots.sh on a small hand-written run: every figure in every format, what it says, and what it refuses.
# independent of the compiler
set -eu
. tests/expect.sh
figures=scripts/figures
. scripts/figures/figures.sh
vocabulary=$work/vocabulary
"$NORMBENCH" list vocabulary >"$vocabulary"
# The figures of kernels.csv, which the fixture has data for.
names=$(for name in $(figure_names); do [ "$(figure_table "$name")" != kernels ] || echo "$name"; done)
[ "$(echo "$names" | wc -l)" -ge 9 ] || fail "only these figures are found: $names"

# expect_exit STATUS PATTERN ARGUMENT...: plots.sh must end so and say so on stderr; with no pattern, say nothing.
expect_exit() {
    want=$1 pattern=$2
    shift 2
    got=0
    sh scripts/plots.sh "$@" >"$work/stdout" 2>"$work/stderr" || got=$?
    [ "$got" -eq "$want" ] || fail "exit $got instead of $want for: $*"
    [ ! -s "$work/stdout" ] || fail "something on stdout for: $*"
    if [ -z "$pattern" ]; then
        [ ! -s "$work/stderr" ] || fail "unexpected on stderr: $(cat "$work/stderr")"
        return
    fi
    grep -q "$pattern" "$work/stderr" || fail "no \"$pattern\" on stderr for: $*; but $(cat "$work/stderr")"
}

# A folder whose name needs quoting everywhere.
run="$work/a run's \"folder\""
mkdir "$run"
cp tests/data/plots/kernels.csv tests/data/plots/meta.json "$run"
expect_exit 0 '' "$run"

for name in $names; do
    for format in svg png pdf; do
        file="$run/plots/$name.$format"
        if [ ! -f "$file" ] || [ "$(wc -c <"$file")" -lt 4000 ]; then
            fail "$name.$format is missing or too small to hold a figure"
        fi
    done
    [ "$(head -c 4 "$run/plots/$name.pdf")" = '%PDF' ] || fail "$name.pdf is no PDF"
    [ "$(head -c 4 "$run/plots/$name.png" | tail -c 3)" = 'PNG' ] || fail "$name.png is no PNG"
    grep -q "Imaginary CPU 'X' at 3 GHz, cc 9[.]8[.]7\|Imaginary CPU &apos;X&apos; at 3 GHz, cc 9[.]8[.]7" "$run/plots/$name.svg" ||
        fail "$name.svg does not name the CPU and the compiler"
    grep -q 'placement cores\|, cores, warm\|1 thread, warm' "$run/plots/$name.svg" || fail "$name.svg does not name the placement"
done

# expect_text FIGURE TEXT...: the SVG must hold each text.
expect_text() {
    figure=$1
    shift
    for text; do
        grep -q -- "$text" "$run/plots/$figure.svg" || fail "$figure.svg does not say \"$text\""
    done
}
expect_text levels 'ns per element' 'SIMD level' auto_avx2 'off the lines: plain loops' 'dyt (u2)' 'dyt (libm)' 'identity' '64x768' '1 thread' '[*] unstable'
expect_text sizes 'ns per element' 'working set' 'L2' 'MiB' 'avx2'
expect_text threads 'elements per ns' 'threads' '4096x4096'
expect_text narrow 'columns' 'f32, 48 Ki elements: ns per element' "f32, 48 Ki elements: time over rmsnorm's" 'avx2' 'dyt (u2)'
expect_text map 'rows (tokens)' 'columns (hidden size)' '0[.]80' '1[.]01' '#cccccc\|#CCCCCC\|rgb(204, *204, *204)'
expect_text forms 'ns per element' 'fused' 'eager' '64x4096' 'dyt without beta / rmsnorm = 0[.]54 \[0[.]52, 0[.]56\]'
expect_text tanh 'ns per element' 'largest error' 'u2' 'libm' '64x768'
expect_text libraries 'ns per element' 'oneDNN' '64x768, forward, f32, 1 thread, warm' '0[.]35' '0[.]17' 'here'
grep -q PyTorch, "$run/plots/libraries.svg" && fail 'libraries.svg names PyTorch, which was not measured'
expect_text stores 'ns per element' 'regular stores' 'past the caches' '4096x4096, forward, f32, 1 thread, warm' '0[.]51' '0[.]68'
expect_text roofline 'operations per byte' 'operations per ns' 'forward, 1 thread' 'forward, 2 threads' 'FMA peak 96' 'FMA peak 190' 'dyt' 'memory' 'avx2'
# The point of rmsnorm in L2: 4 operations and 8 bytes in 0.168 ns; its ceiling there is identity's 8 bytes in 0.112 ns.
figure_select roofline "$run" >"$work/roofline"
grep -qx '0.5 23.8095 2 0' "$work/roofline" || fail "no rmsnorm in L2 in the roofline: $(cat "$work/roofline")"
grep -qx 'bandwidth\[2\] = 71.4286' "$work/roofline" || fail 'no bandwidth of L2 in the roofline'
# In memory, with results past the caches: 8 operations in 0.82 ns under 8 bytes in 0.31 ns.
grep -qx '1 9.7561 3 0' "$work/roofline" || fail 'no layernorm in memory in the roofline'
grep -qx 'bandwidth\[3\] = 25.8065' "$work/roofline" || fail 'no bandwidth of memory in the roofline'
grep -q 'unstable' "$run/plots/map.svg" && fail 'map.svg has a note about unstable rows but no such row'

# The skipped row of the fixture is data of no figure.
grep -q 'avx512' "$run/plots/levels.svg" && fail 'levels.svg shows a level that was not measured'

# Which parameters and stores a variant has, its columns say, not its name.
awk -F, -v OFS=, '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == "variant") at = i; print $0, "params", "streams", "base"; next }
    {
        base = $at
        streams = sub(/_nt$/, "", base)
        bare = sub(/_noaffine$/, "", base)
        no_beta = sub(/_nobeta$/, "", base)
        params = $(at - 1) == "identity" ? "" : $(at - 1) == "layernorm" ? "gamma beta" : $(at - 1) == "rmsnorm" ? "gamma" : "gamma beta alpha"
        if (bare) gsub(/gamma ?|beta ?/, "", params)
        if (no_beta) sub(/ ?beta/, "", params)
        $at = base "_" bare no_beta streams
        print $0, params, streams, base
    }' "$run/kernels.csv" >"$work/columns.csv"
mkdir "$work/columns"
cp "$run/meta.json" "$work/columns"
mv "$work/columns.csv" "$work/columns/kernels.csv"
for name in $names; do
    figure_select "$name" "$run" >"$work/by_name"
    figure_select "$name" "$work/columns" | sed 's/_000//g' >"$work/by_columns"
    cmp -s "$work/by_name" "$work/by_columns" || fail "$name: by columns $(cat "$work/by_columns")"
done

# The same input gives the same picture.
cp "$run/plots/map.svg" "$work/first.svg"
expect_exit 0 '' "$run"
cmp -s "$work/first.svg" "$run/plots/map.svg" || fail 'map.svg changes from one drawing to the next'

# Nor do the user's start-up files and gnuplot's environment change it.
mkdir -p "$work/home/gnuplot"
printf 'set border 0\nset xzeroaxis\nset format y "%%%%.9f"\n' >"$work/home/.gnuplot"
cp "$work/home/.gnuplot" "$work/home/gnuplot/gnuplotrc" # where gnuplot 6 looks, under XDG_CONFIG_HOME
cp -r "$run/plots" "$work/first"
rm -rf "$run/plots"
got=0
env HOME="$work/home" XDG_CONFIG_HOME="$work/home" GNUTERM=qt GNUPLOT_LIB="$work/home" GDFONTPATH="$work" GNUPLOT_DEFAULT_GDFONT=none \
    sh scripts/plots.sh "$run" >"$work/stdout" 2>"$work/stderr" || got=$?
[ "$got $(cat "$work/stderr")" = '0 ' ] || fail "with the user's own settings: exit $got: $(head -n 5 "$work/stderr")"
for name in $names; do
    cmp -s "$work/first/$name.svg" "$run/plots/$name.svg" || fail "$name.svg is another with the user's own settings"
done

# Figures without data are named and leave no file, not even an old one; the others are drawn.
cp "$run/kernels.csv" "$work/all.csv"
grep -v ',eager,' "$work/all.csv" >"$run/kernels.csv"
expect_exit 0 'figure forms skipped: nothing was measured in form eager' "$run"
[ ! -e "$run/plots/forms.svg" ] || fail 'forms.svg was left over from the run before'
[ -e "$run/plots/map.svg" ] || fail 'map.svg was not drawn'
head -n 1 "$work/all.csv" >"$run/kernels.csv"
expect_exit 0 'figure levels skipped: ' "$run"
for name in $names; do
    grep -q "figure $name skipped: " "$work/stderr" || fail "figure $name is not skipped without data"
done
[ -z "$(ls "$run/plots")" ] || fail 'pictures without data'

# A run from before the roofline's columns has no such figure, and says so.
sed "1s/operations_per_element/another/" "$work/all.csv" >"$run/kernels.csv"
expect_exit 0 'figure roofline skipped: no row has operations_per_element' "$run"

# Columns are found by name: appended ones and another order change nothing.
awk -F, -v OFS=, '{ if (!/"/) print "0" OFS $0 OFS "new" }' "$work/all.csv" | sed '1s/^0,/first,/' >"$run/kernels.csv"
expect_exit 0 '' "$run"
[ -e "$run/plots/levels.svg" ] || fail 'levels.svg was not drawn from a file with more columns'

# A relative path that awk or gnuplot could take for an option or an assignment.
here=$PWD
cp "$work/all.csv" "$run/kernels.csv"
mv "$run" "$work/-run=1"
run="$work/-run=1"
got=0
(cd "$work" && sh "$here/scripts/plots.sh" -run=1) || got=$?
[ "$got" -eq 0 ] || fail "exit $got for a folder called -run=1"
[ -e "$run/plots/forms.svg" ] || fail 'a folder called -run=1 was not drawn'

# Bad input.
expect_exit 2 'usage:'
expect_exit 2 'usage:' a b
expect_exit 2 'no folder .*give a folder' "$work/nowhere"
printf 'op,rows\ndyt,1\n' >"$run/kernels.csv"
expect_exit 2 'lacks the column schema_version: it is not a CSV file of normbench' "$run"
{ cat "$work/all.csv" && printf '1,fixture\n'; } >"$run/kernels.csv"
expect_exit 2 'kernels.csv: line 58: 2 fields, header has' "$run"
cp "$work/all.csv" "$run/kernels.csv"
NORMBENCH="$work/none" expect_exit 3 "there is no $work/none, .*: run make" "$run"
printf '' >"$run/meta.json"
cp "$work/all.csv" "$run/kernels.csv"
expect_exit 0 '' "$run" # a picture that names no CPU is better than none
rm "$run/kernels.csv"
expect_exit 2 'cannot read .*kernels.csv: .*--resume' "$run"
cp "$work/all.csv" "$run/kernels.csv"
rm "$run/meta.json"
expect_exit 2 'cannot read .*meta.json' "$run"

finish
