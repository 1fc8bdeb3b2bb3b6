#!/bin/sh
# SPDX-License-Identifier: MIT
# `make peers`: times PyTorch's norms, op by op and compiled, and ours in PyTorch's process, where a run timed ours, and draws both side by side.
#     LIBNORM=build/gcc/libnorm_peers.so PYTHON=python3 LAUNCHES=6 ROUNDS=5 FAULTS=1 PASS=forward,backward sh scripts/peers.sh PROGRAM [RUN]
# RUN is the folder of a run of kernels, of layers or of `make paper`; if none is given, ours and oneDNN's are timed first, at a few shapes, in
# a minute. The samples go to
# RUN/peers, a run of its own (PyTorch's: level library, variants torch_eager and torch_compile), in several processes, and PROGRAM sums them
# up. LAYERS=1: norms in place in layers of LLaMA 7B and ViT-B/16 as well, three minutes more. FAULTS=0: in RUN/peers_kept, with memory that is kept for the next output, so that no call meets a page fault; FAULTS=all: in RUN/peers_fresh,
# with every output of 128 KiB or more mapped anew. Between them is a settled heap, as in any process that has freed a block of 32 MiB: larger
# outputs are mapped anew in each call, others kept. What the samples say of DyT over RMSNorm and LayerNorm goes to RUN/peers.csv as well,
# where `normbench judge` finds it; what it says of RUN with PyTorch beside comes last, and is written to RUN/paper where there is one.
set -eu

here=$(dirname "$0")
program=${1:?usage: sh scripts/peers.sh PROGRAM [RUN]}
name=peers
# shellcheck source=scripts/measuring.sh
. "$here/measuring.sh"
export NORMBENCH="$program"
python=${PYTHON:-python3}
launches=${LAUNCHES:-6}
case $launches in
'' | 0* | *[!0-9]* | ?????*) fail "LAUNCHES=$launches is not a number of processes, as in LAUNCHES=6" ;;
esac
run=${2:-}
# tables: the tables of the run that say what to time, each as a line; a paper's kernels are one of its parts.
tables() {
    for table in "$run"/kernels.csv "$run"/parts/*/kernels.csv "$run"/layers.csv; do
        [ ! -r "$table" ] || printf '%s\n' "$table"
    done
}
[ -z "$run" ] || [ -n "$(tables)" ] || fail "cannot read $run/kernels.csv or $run/layers.csv: give the folder of a run of normbench, or none"
faults=${FAULTS:-1} kept=
case $faults in
0) kept=_kept ;;
1) ;; # settled: peers.py says what each is
all) kept=_fresh ;;
*) fail "FAULTS=$faults is neither 1, outputs as a settled heap has them, nor 0, in memory that is kept, nor all, in fresh memory each" ;;
esac
case ${PASS:-forward,backward} in
forward | backward | forward,backward | backward,forward) ;;
*) fail "PASS=$PASS is not forward, backward or forward,backward" ;;
esac
case ${LAYERS:-0} in
0 | 1) ;;
*) fail "LAYERS=$LAYERS is neither 0 nor 1, layers of LLaMA 7B and ViT-B/16 as well" ;;
esac
LIBNORM=${LIBNORM:-$(dirname "$program")/libnorm_peers.so}
export LIBNORM
[ -r "$LIBNORM" ] || fail "there is no $LIBNORM: run make peers, or name the library, as in LIBNORM=build/gcc/libnorm_peers.so" 3
command -v "$python" >/dev/null || fail "there is no $python: install it, or name another, as in PYTHON=/path/to/python3" 3
found=$("$python" "$here/peers.py" --check) || fail "$python has no PyTorch, which is optional and nothing else needs; nothing was measured.
Install it and name that Python:
  python3 -m venv build/torch && build/torch/bin/pip install torch
  make peers PYTHON=build/torch/bin/python3" 3
version=$(printf '%s\n' "$found" | head -n 1) openmp=$(printf '%s\n' "$found" | sed -n 2p)

# PyTorch may have a libgomp of its own: by this name libnorm asks for it, so that both run on the same threads.
links=$(mktemp -d)
trap 'rm -rf "$links"' EXIT
trap 'exit 130' INT TERM
case $openmp in
*/libgomp*) ln -s "$openmp" "$links/libgomp.so.1" ;;
esac
on_one_openmp() { LD_LIBRARY_PATH=$links${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "$python" "$here/peers.py" "$@"; }

run=$(folder_of "$program" peers "$run")
if [ -z "$(tables)" ]; then
    "$program" kernels --op layernorm,rmsnorm,dyt --variant onepass,std,u2,lp,onednn --level best,library --form fused --dtype f32,bf16 \
        --shape 64x768,512x4096,4096x4096 --threads 1,cores --pass forward --launches 6 --budget 40s --out "$run" >&2
fi
out=$run/peers$kept
[ ! -e "$out/kernels.csv" ] || [ -e "$out/plan.csv" ] || fail "$out is complete; delete it to time PyTorch again"
rm -f "$out/plan.csv" "$out/samples.csv" "$out/samples.csv.gz" "$out/meta.json" # of one that was interrupted
machine=$("$program" machine --json - | sed -n 's/^ *"machine_id": *"\([^"]*\)".*/\1/p' | head -n 1)
printf 'PyTorch %s in %d processes, at the shapes, dtypes and threads of %s\n' "$version" "$launches" "$run" >&2
set -- plan "$out" "$machine"
while read -r table; do
    set -- "$@" "$table"
done <<EOT
$(tables)
EOT
LAUNCHES=$launches FAULTS=$faults on_one_openmp "$@" || exit 3
launch=0
while [ "$launch" -lt "$launches" ]; do
    printf 'launch %d of %d\n' $((launch + 1)) "$launches" >&2
    FAULTS=$faults on_one_openmp launch "$out" "$launch" || fail "launch $launch of PyTorch failed; what is in $out is no result" 3
    launch=$((launch + 1))
done

# Every round is there, so that nothing is left to time: resuming sums up.
status=0
"$program" kernels --resume "$out" >/dev/null || status=$?
on_one_openmp table "$out"
FAULTS=$faults on_one_openmp csv "$run" "$version" "$out"
on_one_openmp compare "$run"
if [ "${LAYERS:-0}" = 1 ]; then
    cores=$("$program" plan --threads cores --placement cores | awk 'END { print $1 }')
    forms=$("$program" list forms | awk '$1 == "fused" || $1 == "eager" || $1 == "framework" { printf "%s%s", n++ ? "," : "", $1 }')
    for model in 'llama_7b --op rmsnorm,dyt --dtype bf16 --tokens 512' 'vit_b16 --op layernorm,dyt --dtype f32'; do
        # shellcheck disable=SC2086
        "$program" layers --phase prefill --part layer --threads cores --form "$forms" --launches 6 --budget 40s --csv - --model $model
    done | awk 'NR == 1 || !/^schema_version/' >"$links/layers.csv"
    FAULTS=$faults on_one_openmp layers "$links/layers.csv" "$cores"
fi
if [ -d "$run/paper" ]; then
    sh "$here/paper_report.sh" "$run" >/dev/null || [ "$status" -ne 0 ] || status=$?
    cat "$run/paper/verdicts.txt"
else
    sh "$here/plots.sh" "$run" || [ "$status" -ne 0 ] || status=$?
    "$program" judge questions "$run" || [ "$status" -ne 0 ] || status=$?
fi
printf 'Table: %s/kernels.csv, %s/peers.csv\n' "$out" "$run"
[ ! -e "$run/plots/libraries.png" ] || printf 'Plot:  %s/plots/libraries.png\n' "$run"
exit "$status"
