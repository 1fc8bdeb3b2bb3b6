#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2015,SC2016 # fail never fails; what stands in single quotes is to be read by nobody
# What a claim needs, what has to be run for a run to be had again, and `normbench reproduce` on made-up runs: what agrees, what differs, what
# cannot be told, on which machines, and what is refused. Then the driver, with a program that measures nothing.
# independent of the compiler
set -u
: "${NORMBENCH:?must name the program, e.g. NORMBENCH=build/normbench}" "${OBJ:?must name the folder of test_schema, e.g. OBJ=build/gcc}"
. tests/expect.sh
program=$NORMBENCH
claims=results/published/claims.csv

# ---- Claims

"$program" list claims --format csv >"$work/needs.csv" || fail "list claims: exit $?"
"$OBJ/test_schema" "$work/needs.csv" || fail 'list claims --format csv is not what its columns say'
[ "$(wc -l <"$work/needs.csv")" -eq "$(wc -l <$claims)" ] || fail 'list claims has not one row for each claim'
"$program" list claims >"$work/needs"
sed -n '/^[a-z]/p' "$work/needs" >"$work/ids"
cut -d, -f1 $claims | tail -n +2 | cmp -s - "$work/ids" || fail 'list claims has other ids than claims.csv'
# Each command is one that the program takes, and plans what it names.
refusal=$("$program" list implementations | sed -n '/ onednn .*DNNL_CPU_RUNTIME/{s/.*lacks //p;q;}')
while read -r id; do
    command=$("$program" reproduce "$id") || fail "reproduce $id: exit $?"
    grep -qF "normbench ${command#. }" "$work/needs" || fail "$id: reproduce and list claims name different commands"
    grep -A 3 -x "$id" "$work/needs" | grep -q 'cannot be judged here' && continue
    [ -z "$refusal" ] || case $command in *' layers '*) continue ;; esac
    # shellcheck disable=SC2086 # words
    "$program" ${command#. } --dry-run >"$work/plan" 2>&1 || fail "$id: $command: $(tail -n 1 "$work/plan")"
done <"$work/ids"

# needs ID COMMAND: what a claim needs.
needs() {
    got=$("$program" reproduce "$1")
    [ "$got" = ". $2" ] || fail "$1 needs: $got"
}
needs vector_tanh_turns_it 'kernels --op dyt,rmsnorm --variant u2,std --form fused --level best --dtype f32 --shape 4096x4096 --pass forward --threads cores --placement cores --cache warm --launches 17 --no-tune --budget 60s'
needs eager_dyt_slower_than_layernorm 'kernels --op dyt,layernorm --variant u2,onepass --form eager,fused --level best --dtype bf16 --shape 4096x4096 --pass forward --threads cores --placement cores --cache warm --launches 17 --no-tune --budget 60s'
needs faster_vit_b16_train 'layers --model vit_b16 --phase train --part layer --op dyt,layernorm --form fused --dtype f32 --batch 1 --no-tune --budget 60s'
needs faster_convnext_b_prefill 'layers --model convnext_b --phase prefill --part layer --op dyt,layernorm --form fused --dtype f32 --batch 1 --stage 1 --no-tune --budget 60s'
needs eager_baseline_slow 'kernels --op rmsnorm --variant std --form eager,fused --level best --dtype bf16 --shape 4096x4096 --pass forward --threads cores --placement cores --cache warm --launches 17 --no-tune --budget 60s'
case $("$program" reproduce share_fused_rmsnorm_train) in
'. layers --model llama_7b --phase train --part layer,ends --op rmsnorm --form fused --dtype bf16 --batch 1 --tokens 512 --no-tune --budget '*s) ;;
*) fail "share_fused_rmsnorm_train needs: $("$program" reproduce share_fused_rmsnorm_train)" ;;
esac
check_end 0 ' --context 64 --no-tune --budget 40s' "$program" reproduce --tokens 64 --budget 40s faster_llama_7b_decode
check_end 0 ' --tokens 4096 ' "$program" reproduce --tokens 99999 eager_norms_prefill_size
# More tokens take longer, training longer than inference.
seconds() { "$program" reproduce "$@" | sed 's/.*--budget \([0-9]*\)s$/\1/'; }
[ "$(seconds --tokens 4096 eager_norms_prefill_size)" -gt "$(seconds eager_norms_prefill_size)" ] || fail 'minutes do not grow with tokens'
[ "$(seconds eager_model_train_size)" -gt "$(seconds eager_model_prefill_size)" ] || fail 'training is given no more time than inference'
[ "$(sort -t, -k5 "$work/needs.csv" | grep -c ',1,[01],')" -gt 0 ] || fail 'no claim takes one minute'

# With a run, what it says of them stands beside.
cp -r tests/data/paper "$work/paper"
check_end 0 'fixture-machine, cannot tell: -42 % [-44, -40]' "$program" list claims --only eager_norms_train_size "$work/paper"
check_end 0 'DOES NOT HOLD' "$program" reproduce vector_tanh_turns_it "$work/paper"
grep -q 'because .*outside what the claim allows' "$work/out" && [ "$(grep -c '^  because ' "$work/out")" -eq 1 ] || fail 'not one claim alone is judged'
"$program" reproduce libm_dyt_slower_on_cpu "$work/paper" >"$work/out" 2>&1 && fail 'a claim that cannot be told ends with 0'

check_end 2 '"eager_norms_prefil" is no claim; near are eager_norms_prefill_faster, eager_norms_prefill_size, ' "$program" reproduce eager_norms_prefil
check_end 2 'near are vector_tanh_turns_it' "$program" reproduce vector_tahn_turns_it
check_end 2 '`normbench list claims` names all' "$program" list claims --only nonsense
check_end 2 'is of `normbench list claims` alone' "$program" list columns --only dyt
check_end 2 'is of `normbench list columns` alone' "$program" list claims --table kernels
check_end 2 'one list at a time' "$program" list ops models
check_end 2 'holds no kernels.csv and no layers.csv' "$program" list claims "$work/none"
check_end 2 'what? give a claim' "$program" reproduce
check_end 2 'expected a time such as' "$program" reproduce --budget 0 vector_tanh_turns_it
check_end 2 'expected a number from 1' "$program" reproduce --tokens 0 vector_tanh_turns_it

# ---- Two runs

columns='schema_version,run_id,git_commit,machine_id,op,variant,pass,form,level,dtype,rows,cols,threads,placement,cache,launches,samples,calls_per_sample,time_ns_min,time_ns_median,time_ns_lo95,time_ns_hi95,ns_per_element,bytes_per_element,gbytes_per_s,ceiling_fraction,ratio_to_rmsnorm,ratio_lo95,ratio_hi95,max_error,status,reason'

# kernels FOLDER LEVEL THREADS DYT...: a run of dyt and rmsnorm at 64, 128, 256 and so on rows of 64; each DYT is dyt's ratio with how far its
# interval reaches to either side, as 0.9/0.05; its row is missing for a `-`. CPU is the machine's, LEVELS what it runs.
kernels() {
    folder=$1 level=$2 threads=$3 rows=64
    shift 3
    rm -rf "$folder"
    mkdir "$folder"
    id=2026-03-01T100000Z-$(basename "$folder")
    {
        echo "$columns"
        for ratio; do
            if [ "$ratio" != - ]; then
                awk -v id="$id" -v level="$level" -v threads="$threads" -v rows="$rows" -v ratio="$ratio" 'BEGIN {
                    split(ratio, r, "/")
                    begin = "1," id ",c0ffee,made,"
                    end = "," level ",f32," rows ",64," threads ",cores,warm,8,16,100,"
                    printf "%srmsnorm,std,forward,fused%s98,100,99,101,,,,,1,1,1,,ok,\n", begin, end
                    printf "%sidentity,std,forward,fused%s48,50,49,51,,,,,,,,,ok,\n", begin, end
                    printf "%sdyt,u2,forward,fused%s%g,%g,%g,%g,,,,,%g,%g,%g,,ok,\n", begin, end, 98 * r[1], 100 * r[1], 100 * r[1] - 100 * r[2],
                        100 * r[1] + 100 * r[2], r[1], r[1] - r[2], r[1] + r[2]
                }'
            fi
            rows=$((rows * 2))
        done
    } >"$folder/kernels.csv"
    levels='"scalar": {"runs": true}, "avx2": {"runs": true}, "avx512": {"runs": '$([ "${LEVELS:-avx2}" = avx512 ] && echo true || echo false)'}'
    cat >"$folder/meta.json" <<META
{"schema_version": 1, "run_id": "$id", "machine_id": "made", "git_commit": "c0ffee", "complete": true,
 "experiment": {"command": "normbench kernels --op dyt --shape 64x64,128x64 --budget 90s --seed 7 --out $folder", "budget_s": 90},
 "machine": {"cpu": {"CPUModel": "${CPU:-one}", "levels": {$levels}}, "topology": {"cores": $threads}}}
META
}

# holds CODE TEXT: the runs old and new end so, with this text.
holds() {
    got=0
    "$program" reproduce "$work/old" "$work/new" >"$work/out" 2>"$work/err" || got=$?
    [ "$got" -eq "$1" ] || fail "$2: exit $got, expected $1: $(cat "$work/out" "$work/err")"
    grep -q -e "$2" "$work/out" || fail "no \"$2\" in: $(cat "$work/out" "$work/err")"
}
# counts KIND AGREES DIFFERS CANNOT: of what was held last.
counts() {
    got=$(awk -v kind="$1" '$1 == kind && NF == 5 { print $2, $3, $4 }' "$work/out")
    [ "$got" = "$2 $3 $4" ] || fail "$1: $got instead of $2 $3 $4: $(cat "$work/out")"
}

# Intervals decide: below 1 in both, above 1 in both; one across 1 is no agreement, though its median lies on the same side.
kernels "$work/old" avx2 2 0.8/0.05 0.8/0.05 1.2/0.05 1.2/0.05 0.9/0.2
kernels "$work/new" avx2 2 0.9/0.05 0.8/0.05 1.3/0.05 1.02/0.05 0.9/0.05
holds 0 'the same machine and build; tolerance 2 %'
counts side 3 0 2
counts order 4 0 1
counts crossing 1 0 0
grep -q '^8 of the 8 patterns that both runs tell agree, 100.0 %; of the 10 that the old run tells, 80.0 %' "$work/out" || fail "sums: $(cat "$work/out")"
# The opposite, further apart than the tolerance; and nearer.
kernels "$work/new" avx2 2 1.2/0.05 0.8/0.05 1.3/0.05 1.3/0.05 0.9/0.05
holds 1 'DIFFERS *side .*dyt/u2/forward/fused/avx2/f32/64x64/2/cores/warm over rmsnorm'
counts side 3 1 1
grep -q 'DIFFERS *order' "$work/out" && grep -q 'DIFFERS *crossing' "$work/out" || fail "order and crossing do not differ: $(cat "$work/out")"
kernels "$work/old" avx2 2 0.985/0.01 0.8/0.05 1.2/0.05
kernels "$work/new" avx2 2 1.015/0.01 0.8/0.05 1.2/0.05
holds 0 'no further apart than the tolerance'
counts side 2 0 1
# The same pair on another machine has a wider tolerance, by its strongest level.
kernels "$work/old" avx2 2 0.93/0.01 0.8/0.05 1.2/0.05
kernels "$work/new" avx2 2 1.03/0.01 0.8/0.05 1.2/0.05
holds 1 'tolerance 2 %'
CPU=two kernels "$work/new" avx2 2 1.02/0.01 0.8/0.05 1.2/0.05
holds 1 'the same strongest SIMD level; tolerance 5 %'
CPU=two LEVELS=avx512 kernels "$work/new" avx2 2 1.02/0.01 0.8/0.05 1.2/0.05
holds 0 'another kind, .*; tolerance 10 %'
# There, the strongest level is held against the strongest, and all cores against all.
CPU=two LEVELS=avx512 kernels "$work/new" avx512 8 0.7/0.01 0.8/0.05 1.2/0.05
holds 0 'tolerance 10 %'
counts side 3 0 0
kernels "$work/new" avx512 8 0.7/0.01 0.8/0.05 1.2/0.05
CPU=one kernels "$work/old" avx512 4 0.7/0.01 0.8/0.05 1.2/0.05
sed -i 's/"cores": 8/"cores": 4/' "$work/new/meta.json"
holds 5 'patterns are about rows that the new run lacks'
# A crossing that moved: by a size beyond those around it, of the same machine and of another kind.
kernels "$work/old" avx2 2 0.8/0.05 0.8/0.05 1.2/0.05 1.2/0.05 1.2/0.05
kernels "$work/new" avx2 2 0.8/0.05 0.8/0.05 0.8/0.05 0.8/0.05 1.2/0.05
holds 1 'crossing  *dyt/u2/forward/fused/avx2/f32/Nx64'
grep -q 'was below 1, above between 128 and 256; is below 1, above between 512 and 1024: at 256' "$work/out" || fail "crossing: $(cat "$work/out")"
CPU=two LEVELS=avx512 kernels "$work/new" avx2 2 0.8/0.05 0.8/0.05 0.8/0.05 0.8/0.05 1.2/0.05
"$program" reproduce "$work/old" "$work/new" >"$work/out"
counts crossing 1 0 0
# Where the old run says nothing itself, what lies on both sides of it does.
kernels "$work/old" avx2 2 0.8/0.05 1/0.05 0.8/0.05
kernels "$work/new" avx2 2 0.8/0.05 1.2/0.05 0.8/0.05
holds 1 'at 128 on the other side'
# Rows that are gone; nothing that can be told.
kernels "$work/old" avx2 2 0.8/0.05 0.8/0.05 1.2/0.05
kernels "$work/new" avx2 2 - - 1.2/0.05
holds 5 '^5 patterns are about rows that the new run lacks'
kernels "$work/new" avx2 2 0.8/0.05 0.8/0.05 1.2/0.05
sed -i 's/"complete": true/"complete": false/' "$work/new/meta.json"
holds 6 '100.0 %'
kernels "$work/old" avx2 2 1/0.05
kernels "$work/new" avx2 2 1/0.05
sed -i '/identity/d' "$work/old/kernels.csv" "$work/new/kernels.csv" # whose place is told
holds 5 'nothing can be said'

# Claims and layers: of the paper's fixture, and one in which DyT takes more.
rm -rf "$work/old" "$work/new"
cp -r tests/data/paper "$work/old"
cp -r tests/data/paper "$work/new"
holds 6 'AGREES *claim *eager_norms_prefill_size' # it has rows that were not measured
grep -q '^CANNOT TELL claim *eager_norms_train_size' "$work/out" || fail 'a claim across its bound is told'
# Two runs that show no difference that matters agree.
for run in old new; do
    awk -F, -v OFS=, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
        $at["op"] == "dyt" && $at["model"] == "vit_b16" { $at["norm_delta_pct"] = -0.001; $at["norm_delta_lo95"] = -0.003; $at["norm_delta_hi95"] = 0.002 }
        { print }' tests/data/paper/layers.csv >"$work/$run/layers.csv"
done
holds 6 'AGREES *claim *faster_vit_b16_prefill'
grep -A 1 'faster_vit_b16_prefill' "$work/out" | grep -q 'no difference that matters' || fail "no word that nothing matters: $(cat "$work/out")"
awk -F, -v OFS=, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
    NR > 1 && $at["op"] == "dyt" { for (k = -1; k < 2; k++) $(at["norm_change_pct"] + k) = ""; n = split("norm_time_ns_median norm_time_ns_lo95 norm_time_ns_hi95", c, " ")
        for (k = 1; k <= n; k++) $at[c[k]] *= 9 }
    { print }' tests/data/paper/layers.csv >"$work/new/layers.csv"
holds 1 'DIFFERS *claim *eager_norms_prefill_faster'
rm "$work/new/kernels.csv" # without kernels, or layers, what there is is held
holds 1 'the new run has no such row'

# Formats.
"$program" reproduce --format csv --out "$work/patterns.csv" "$work/old" "$work/new"
"$OBJ/test_schema" "$work/patterns.csv" || fail 'patterns.csv is not what its columns say'
"$program" reproduce --format json "$work/old" "$work/new" | grep -q '"outcome": "differs"' || fail 'no json'
"$program" reproduce --format markdown "$work/old" "$work/new" | grep -q '^| DIFFERS | claim | eager_norms' || fail 'no markdown'

# ---- What is refused

kernels "$work/old" avx2 2 0.8/0.05
mkdir "$work/empty"
check_end 2 'no kernels.csv and no layers.csv' "$program" reproduce "$work/old" "$work/empty"
check_end 2 'no kernels.csv and no layers.csv' "$program" reproduce "$work/none" "$work/old"
check_end 2 'did you mean json' "$program" reproduce --format jsn "$work/old" "$work/old"
check_end 2 'unexpected argument' "$program" reproduce "$work/old" "$work/old" "$work/old"
check_end 3 'cannot write' "$program" reproduce --out "$work/no/folder" "$work/old" "$work/old"
cp -r "$work/old" "$work/later"
sed -i '2,$s/^1,/2,/' "$work/later/kernels.csv"
check_end 2 'is of version 2 of the tables, and this program knows version 1' "$program" reproduce "$work/old" "$work/later"
cp "$work/old/kernels.csv" "$work/later"
sed -i 's/"schema_version": 1/"schema_version": 9/' "$work/later/meta.json"
check_end 2 'is of version 9 of the tables' "$program" reproduce "$work/later" "$work/old"
check_end 2 'is of version 9 of the tables' "$program" reproduce "$work/later"

# ---- What has to be run again

# The folder and the seed of the run are not kept; what its rows have and its command lacks, as earlier programs recorded it, is added.
[ "$("$program" reproduce "$work/old")" = '. kernels --op dyt,rmsnorm --shape 64x64,128x64 --budget 90s' ] || fail "to run again: $("$program" reproduce "$work/old")"
cp tests/data/paper/layers.csv "$work/empty"
sed 's|"command": "[^"]*"|"command": "normbench layers --op rmsnorm --form=fused --variant std --phase prefill --tokens 512"|' "$work/old/meta.json" >"$work/empty/meta.json"
check_end 0 ' --op rmsnorm,dyt,layernorm --form fused,eager,add_fused --variant std,u2,lp,twopass --phase prefill,train,decode --tokens 512 --budget 90s' "$program" reproduce "$work/empty"
rm "$work/empty/layers.csv"
check_end 0 ' --budget 30s' "$program" reproduce --budget 30s "$work/old"
# again COMMAND TEXT: the run of such a command is refused so.
again() {
    sed "s|\"command\": \"[^\"]*\"|\"command\": \"$1\"|" "$work/old/meta.json" >"$work/empty/meta.json"
    check_end 2 "$2" "$program" reproduce "$work/empty"
}
again 'normbench kernels --plugin /tmp/evil.so' 'a plug-in, which is not loaded by a run'
again 'normbench ab a b' 'of no run of normbench kernels, layers'
again 'reboot' 'of no run of normbench kernels, layers'
for word in ';reboot' '$(reboot)' '`reboot`' '*' "a'b"; do
    again "normbench kernels --op dyt $word" 'which is no selector'
done
rm "$work/empty/meta.json"
check_end 2 'give the folder of a whole run' "$program" reproduce "$work/empty"
# A run in parts: each, and the budget as it was shared out.
for part in first:30 second:10; do
    mkdir -p "$work/parts/parts/${part%:*}"
    sed "s/\"budget_s\": 90/\"budget_s\": ${part#*:}/" "$work/old/meta.json" >"$work/parts/parts/${part%:*}/meta.json"
done
cat >"$work/expected" <<'TEXT'
parts/first kernels --op dyt --shape 64x64,128x64 --budget 75s
parts/second kernels --op dyt --shape 64x64,128x64 --budget 25s
TEXT
"$program" reproduce --budget 100s "$work/parts" | cmp -s - "$work/expected" || fail "parts: $("$program" reproduce --budget 100s "$work/parts")"

# ---- The driver

cat >"$work/normbench" <<'PROGRAM'
#!/bin/sh
# kernels ... --out DIR, or --resume DIR: the run in $made; interrupted where $work/stop is.
case $1 in check | judge | list | reproduce) exec "$real" "$@" ;; esac
[ "$1" != machine ] || { echo '{'; echo '  "machine_id": "imaginary-2c",'; echo '}'; exit 0; }
echo "$*" >>"$work/calls"
for word; do out=$word; done
mkdir -p "$out"
[ ! -f "$work/stop" ] || { : >"$out/plan.csv"; exit 130; }
rm -f "$out/plan.csv"
cp "$made"/kernels.csv "$made"/meta.json "$out"
PROGRAM
chmod +x "$work/normbench"
real=$program made=$work/old
export work real made
kernels "$work/old" avx2 2 0.8/0.05 0.8/0.05 1.2/0.05
# drive CODE TEXT WHAT FOLDER: the driver ends so.
drive() {
    rm -f "$work/calls"
    code=$1 text=$2
    shift 2
    got=0
    sh scripts/reproduce.sh "$work/normbench" "$@" >"$work/out" 2>"$work/err" || got=$?
    [ "$got" -eq "$code" ] || fail "reproduce.sh $*: exit $got, expected $code: $(cat "$work/out" "$work/err")"
    grep -qe "$text" "$work/out" "$work/err" || fail "reproduce.sh $*: no \"$text\" in: $(cat "$work/out" "$work/err")"
}
: >"$work/stop"
BUDGET=20s drive 130 'what was measured is kept' "$work/old" "$work/again"
grep -qF -- "kernels --op dyt,rmsnorm --shape 64x64,128x64,256x64 --budget 20s --out $work/again" "$work/calls" || fail "the driver ran: $(cat "$work/calls")"
rm "$work/stop"
drive 0 '^Time: [0-9]* s of measuring. Disk: [0-9]* KiB, in ' "$work/old" "$work/again"
[ "$(cat "$work/calls")" = "kernels --resume $work/again" ] || fail "going on ran: $(cat "$work/calls")"
grep -q '100.0 %; of the' "$work/out" || fail "no verdict: $(cat "$work/out")"
drive 0 'agree, 100.0 %' "$work/old" "$work/again" # which was measured already
[ ! -f "$work/calls" ] || fail "a whole run was measured again: $(cat "$work/calls")"
made=tests/data/paper
drive 0 '^DOES NOT HOLD .*vectorised tanh' vector_tanh_turns_it "$work/claim"
grep -q -- '^kernels .* --budget 60s --out ' "$work/calls" || fail "the claim ran: $(cat "$work/calls")"
drive 2 'is no claim; near are' vector_tanh "$work/none"
drive 2 'is no claim and no folder' --help "$work/none"
cp -r "$work/old" "$work/foreign"
ln -s /etc/passwd "$work/foreign/samples.csv"
drive 2 'holds what normbench does not write' "$work/foreign" "$work/none"
[ ! -e "$work/none" ] || fail 'a folder was made for nothing'

# ---- ARTIFACT.md

NORMBENCH=$program sh scripts/artifact.sh >"$work/artifact" || fail "artifact.sh: exit $?"
cmp -s "$work/artifact" ARTIFACT.md || fail "ARTIFACT.md is not what the claims and the committed runs say; make artifact: $(diff "$work/artifact" ARTIFACT.md | head -n 6)"
while read -r id; do
    [ "$(grep -c "^| \`$id\` |" ARTIFACT.md)" -eq 2 ] && grep -qx "# $id" ARTIFACT.md || fail "ARTIFACT.md lacks $id"
done <"$work/ids"
for word in DOI MIT Hardware Software Disk Time; do
    grep -q "$word" ARTIFACT.md || fail "ARTIFACT.md says nothing of $word"
done

finish
