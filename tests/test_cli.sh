#!/bin/sh
# SPDX-License-Identifier: MIT
# normbench from the outside: the program itself, `list` and `verify`; messages, exit codes, and where what is written.
# run by one compiler and by sanitizers
set -u
: "${NORMBENCH:=build/normbench}"
. tests/expect.sh

# expect CODE TEXT ARGUMENTS...: as `check_end`, of the program.
expect() {
    code=$1 text=$2
    shift 2
    check_end "$code" "$text" "$NORMBENCH" "$@"
}

# The program.
expect 0 'usage: normbench COMMAND' --help
expect 0 'normbench ' --version
expect 2 'usage: normbench COMMAND'
expect 2 '"bench" is no command; valid are machine, list, plan, verify, kernels' bench
expect 2 'did you mean kernels?' kernel
expect 2 'is no command' ''
for command in machine list plan verify kernels dump check; do
    expect 0 "usage: normbench $command" "$command" --help
    [ -s "$work/err" ] && fail "$command --help: unexpected on stderr: $(cat "$work/err")"
    expect 2 'is no option; ' "$command" --nonsense
    "$NORMBENCH" --help | grep -q "^  $command " || fail "--help does not name $command"
done

# The options of a command: both spellings, no abbreviations, values where they belong.
expect 2 'did you mean topology?' plan --topolgy x
expect 2 '--threads needs a value' plan --threads
expect 0 'threads placement' plan --threads=1
expect 2 'valid are' plan --thread 1
expect 2 'unexpected argument "-x"' plan -x
expect 2 'unexpected argument "4"' verify 4

# list: one item a line, name first.
for what in ops variants forms levels dtypes placements models inputs implementations columns; do
    expect 0 '' list "$what"
    [ -s "$work/out" ] || fail "list $what is empty"
    [ -s "$work/err" ] && fail "list $what: unexpected on stderr: $(cat "$work/err")"
    grep -q '^ \|^$' "$work/out" && fail "list $what: a line without a name"
done
for name in layernorm rmsnorm dyt identity; do
    "$NORMBENCH" list ops | grep -q "^$name " || fail "list ops has no $name"
done
for name in scalar $("$NORMBENCH" list levels | awk '{print $1}'); do
    "$NORMBENCH" list implementations | awk '{print $4}' | grep -qx "$name" || fail "nothing has level $name"
done
fields=$("$NORMBENCH" list implementations | awk 'NF < 8' | wc -l)
[ "$fields" -eq 0 ] || fail "list implementations: $fields lines with columns missing"
# Where bf16's denormals are lost is said of levels and of implementations alike.
losing=$("$NORMBENCH" list levels | awk '/denormal results are zero/ {print $1}')
[ "$losing" = "$("$NORMBENCH" list implementations | awk '/denormal results are zero/ {print $4}' | sort -u)" ] ||
    fail "level '$losing' loses denormals, but its implementations do not say so"
"$NORMBENCH" list levels | grep -q '^avx512bf16' && [ "$losing" != avx512bf16 ] && fail 'avx512bf16 does not say that denormals become zero'
twice=$("$NORMBENCH" list implementations | awk '{print $1, $2, $3, $4, $5}' | sort | uniq -d)
[ -z "$twice" ] || fail "implementations listed twice: $twice"
expect 2 'valid are ops, variants' list
expect 2 '"model" is no list; did you mean models? valid are ops, variants, forms, levels, dtypes, placements, models' list model
expect 0 'ViT-B/16' list models
expect 2 'did you mean levels?' list level
expect 2 'one list at a time' list ops levels
# The columns of every table, in every form that they are printed in.
expect 0 'kernels.op ' list columns
"$NORMBENCH" list columns | grep -v '^[a-z_]*\.[a-z0-9_]*  *\(string\|integer\|number\) ' | grep -q . && fail 'list columns: a line that is no column'
expect 0 'table,column,type,unit,required,least,most,words,pattern,meaning' list columns --format csv
expect 0 '"profile": "data-package"' list columns --format=json
"$NORMBENCH" list columns --format json | cmp -s - results/datapackage.json || fail 'results/datapackage.json is not what list columns prints; make columns'
[ "$("$NORMBENCH" list columns --table steps --format markdown | head -1)" = '## steps.csv' ] || fail 'list columns --table steps has another table first'
[ "$("$NORMBENCH" list columns --table steps --format markdown | grep -c '^## ')" -eq 1 ] || fail 'list columns --table steps has other tables'
expect 2 '"xml" is no format; valid are text, csv, json, markdown' list columns --format xml
expect 2 '"kernel" is no table; did you mean kernels? valid are' list columns --table kernel
expect 2 '"" is no format' list columns --format ''
expect 2 'list columns' list ops --format csv
expect 2 'unexpected argument "x": one list at a time' list columns x

# verify: every selector knows its names.
for selector in op variant pass form level dtype placement cache; do
    expect 2 "--$selector: \"nonsense\" is no $selector; valid are" verify --$selector nonsense
    expect 2 'valid are' verify --$selector ''
done
expect 2 'did you mean dyt?' verify --op dty
expect 2 'best, all' verify --level avx1024
for value in '' 0 -1 x 1x 99999999999999999999; do
    expect 2 '--threads' verify --threads "$value"
done
expect 2 'the most is' verify --threads 100000
for value in '' 0x4 4x0 4 4x -1x4 4x4x4 99999999999999999999x1 1x18446744073709551616; do
    expect 2 '--shape' verify --shape "$value"
done
for value in '' -1 1.5 x 18446744073709551616; do
    expect 2 '--seed' verify --seed "$value"
done
expect 2 'no implementation' verify --op rmsnorm --variant u2

# Refused by size alone, within the address space or not, before anything is allocated.
expect 2 'GB of memory' verify --op rmsnorm --level scalar --shape 10000000x1000000
expect 2 'GB are available' verify --op rmsnorm --level scalar --shape 1x1000000000000
expect 2 'more memory than can be addressed' verify --shape 18446744073709551615x18446744073709551615
expect 2 'more memory than can be addressed' verify --shape 1x18446744073709551615

# A small run: table, CSV, both. Duplicates count once.
quick='verify --op rmsnorm,dyt,rmsnorm --variant std,u2 --form fused --level scalar --dtype f32 --shape 3x37,3x37 --threads 1'
# shellcheck disable=SC2086
{
    expect 0 'dgamma' $quick
    [ "$(grep -c . "$work/out")" -eq 9 ] || fail "verify printed: $(cat "$work/out")"
    awk 'NR > 1 && ($12 != "ok" || $10 + 0 > $11 + 0) { exit 1 }' "$work/out" || fail "not ok: $(cat "$work/out")"
    expect 0 'dgamma' $quick --csv "$work/verify.csv"
    expect 0 'op,variant,pass,form,level,dtype,output,cases' $quick --csv -
    grep -q '^rmsnorm,std,forward,fused,scalar,f32,y,' "$work/out" || fail "no row for rmsnorm: $(cat "$work/out")"
    [ "$(grep -c . "$work/out")" -eq 9 ] || fail "--csv - printed more than the CSV: $(cat "$work/out")"
    cmp -s "$work/out" "$work/verify.csv" || fail "--csv FILE and --csv - differ"
    expect 0 ',7,ok,' $quick --csv - --seed 7
    expect 0 'backward' $quick --pass backward
    grep -q forward "$work/out" && fail "--pass backward printed a forward row"
    expect 0 'rmsnorm' $quick --cache cold --placement cores
}
columns=$(head -1 "$work/verify.csv" | tr -d '\r')
[ "$columns" = 'op,variant,pass,form,level,dtype,output,cases,max_ulp,max_error,rows,cols,seed,status,bound,params,streams,base,libc,affine_dtype' ] ||
    fail "columns of verify.csv: $columns"

# Where it cannot write. Nothing is computed for a file that cannot be opened.
# shellcheck disable=SC2086
{
    expect 2 "cannot write $work/missing/verify.csv: No such file" $quick --csv "$work/missing/verify.csv"
    expect 2 'Is a directory' $quick --csv "$work"
    if [ -w /dev/full ]; then
        expect 3 'cannot write /dev/full: No space left' $quick --csv /dev/full
        for arguments in --help --version 'list implementations' 'list --help' "$quick" "$quick --csv -"; do
            "$NORMBENCH" $arguments >/dev/full 2>"$work/err"
            got=$?
            [ "$got" -eq 3 ] || fail "$arguments on a full disk: exit $got, expected 3"
            grep -q 'cannot write' "$work/err" || fail "$arguments on a full disk: $(cat "$work/err")"
        done
    fi
}

# What happens on a lesser CPU, and when a kernel is wrong: the same program, linked to believe so.
: "${OBJ:=build/gcc}" "${CC:=cc}"
cat >"$work/believe.c" <<'EOF'
#include "norm.h"
const char *__wrap_norm_level_missing(norm_level level);
const char *__wrap_norm_level_missing(norm_level level) { return level == NORM_LEVEL_SCALAR ? NULL : "moon1"; }
double __wrap_norm_error_bound(const norm_impl *impl, norm_output output, size_t rows, size_t cols);
double __wrap_norm_error_bound(const norm_impl *impl, norm_output output, size_t rows, size_t cols) {
    return impl->op == NORM_RMSNORM && output == NORM_OUT_DX && rows == 3 ? 1e-9 : 100.0 * (double)cols;
}
EOF
# shellcheck disable=SC2086
if $CC ${SANITIZE:+-fsanitize=$SANITIZE -no-pie} -Ikernels -Wl,--wrap=norm_level_missing,--wrap=norm_error_bound \
    -o "$work/normbench" "$work/believe.c" $LINKED "$OBJ/libnorm.a" $LIBS; then
    NORMBENCH=$work/normbench
    expect 3 'wrong: rmsnorm std fused scalar f32, 3x37, 1 threads, input' verify --op rmsnorm --shape 2x37,3x37 --threads 1 \
        --level scalar --form fused --dtype f32 --csv "$work/wrong.csv" --pass forward,backward
    cut -d, -f7,14 "$work/wrong.csv" | grep -q '^dx,wrong' || fail "no wrong row: $(cat "$work/wrong.csv")"
    cut -d, -f7,14 "$work/wrong.csv" | grep -q '^y,ok' || fail "y is not ok: $(cat "$work/wrong.csv")"
    other=$("$NORMBENCH" list levels | awk '$2 == "lacks" { print $1; exit }')
    if [ -n "$other" ]; then
        expect 0 'lacks moon1' list levels
        expect 0 'lacks moon1' list implementations
        expect 2 'this CPU or its system lacks moon1' verify --level "$other" --shape 1x1
        expect 0 'skipped this CPU lacks moon1' verify --op identity --level "scalar,$other" --shape 1x1
        expect 0 ',skipped,' verify --op identity --level "scalar,$other" --shape 1x1 --csv -
        expect 0 ',scalar,' verify --op identity --level best --shape 1x1 --csv -
        grep -q skipped "$work/out" && fail "--level best skipped something: $(cat "$work/out")"
    fi
else
    fail "cannot link the program anew"
fi

finish
