#!/bin/sh
# SPDX-License-Identifier: MIT
# normbench dump: what it refuses, what it writes, and whether someone with nothing but the files comes to the same result.
# run by one compiler and by sanitizers
set -u
: "${NORMBENCH:=build/normbench}"
here=$(dirname "$0")
. tests/expect.sh
needs_products "$NORMBENCH"

# expect CODE TEXT ARGUMENTS...: the exit code, and TEXT on stderr; nothing on stdout.
expect() {
    code=$1 text=$2
    shift 2
    "$NORMBENCH" dump "$@" >"$work/out" 2>"$work/err"
    got=$?
    [ "$got" -eq "$code" ] || fail "$*: exit $got, expected $code: $(cat "$work/err")"
    grep -qF -e "$text" "$work/err" || fail "$*: no \"$text\" in: $(cat "$work/err")"
    [ -s "$work/out" ] && fail "$*: unexpected on stdout: $(cat "$work/out")"
}

# ---- Refusals. Each option is needed or known; nothing is ignored; nothing is written.

never=$work/never
expect 2 '--model is needed'
expect 2 '--op is needed' --model vit_s16
expect 2 '--phase is needed' --model vit_s16 --op dyt
expect 2 '--out is needed' --model vit_s16 --op dyt --phase train
expect 2 '--tokens is needed' --model vit_s16 --op dyt --phase train --out "$never"
expect 2 '"vit_b17" is no model; did you mean vit_b16? valid are llama_7b' --model vit_b17 --op dyt --phase train --tokens 4 --out "$never"
expect 2 'convnext_l' --model '' --op dyt --phase train --tokens 4 --out "$never"
expect 2 '"dty" is no op; did you mean dyt? valid are layernorm' --model vit_s16 --op dty --phase train --tokens 4 --out "$never"
expect 2 'is no phase; did you mean train? valid are prefill, decode, train' --model vit_s16 --op dyt --phase trian --tokens 4 --out "$never"
expect 2 'is no form; valid are fused, eager' --model vit_s16 --op dyt --phase train --tokens 4 --out "$never" --form x
expect 2 'is no dtype; valid are f32, bf16, f16' --model vit_s16 --op dyt --phase train --tokens 4 --out "$never" --dtype f64
for option in tokens batch; do
    for value in 0 -1 1.5 x '' 99999999999999999999; do
        expect 2 "--$option: \"$value\" is no whole number" --model vit_s16 --op dyt --phase train --tokens 4 --out "$never" --$option "$value"
    done
done
expect 2 '--seed: "-1"' --model vit_s16 --op dyt --phase train --tokens 4 --out "$never" --seed -1
expect 2 '--stage: 5 is beyond 4' --model convnext_b --op dyt --phase train --out "$never" --stage 5
expect 2 '--stage: 4 is beyond 3' --model mobilevit_s --op dyt --phase train --out "$never" --stage 4
expect 2 '--stage is for models with stages' --model vit_s16 --op dyt --phase train --tokens 4 --out "$never" --stage 1
expect 2 '--context is for' --model vit_s16 --op dyt --phase train --tokens 4 --out "$never" --context 8
expect 2 'one token per sequence' --model gpt2 --op dyt --phase decode --tokens 4 --out "$never"
expect 2 '--tokens: those of this model' --model convnext_b --op dyt --phase train --tokens 4 --out "$never"
for model in vit_s16 convnext_b dit_b4 wav2vec_base swin_t whisper_tiny; do
    expect 2 'no phase decode' --model $model --op dyt --phase decode --out "$never"
done
expect 2 'of memory' --model llama_70b --op dyt --phase train --tokens 1000000 --out "$never"
[ -e "$never" ] && fail "a refused dump made its folder"
: >"$work/file"
expect 2 "cannot make the folder $work/file/x: Not a directory" --model vit_s16 --op dyt --phase prefill --tokens 2 --out "$work/file/x"
expect 2 'cannot make the folder' --model vit_s16 --op dyt --phase prefill --tokens 2 --out ''
mkdir -p "$work/taken/input.stream.npy"
expect 3 "cannot write $work/taken/input.stream.npy: Is a directory" --model vit_s16 --op dyt --phase prefill --tokens 2 --out "$work/taken"
[ -e "$work/taken/manifest.json" ] && fail "a dump that failed has a manifest"

# Links in a folder that others may have filled lead nowhere.
mkdir "$work/sent"
echo precious >"$work/outside"
ln -s "$work/outside" "$work/sent/input.stream.npy"
expect 3 "cannot write $work/sent/input.stream.npy: a link, a pipe or a device stands there" --model vit_s16 --op dyt --phase prefill --tokens 2 \
    --out "$work/sent"
[ "$(cat "$work/outside")" = precious ] || fail 'a dump was written through a link'

# ---- The files: as many as the manifest names, with the header of the format.

folder=$work/deep/er/vit
expect 0 "wrote $folder/manifest.json" --model vit_s16 --op dyt --phase train --tokens 4 --out "$folder"
# .npy, version 1.0, and the length of the header in little endian, so that elements begin at a multiple of 64.
for file in "$folder"/*.npy; do
    magic=$(od -A n -t x1 -N 8 "$file" | tr -d ' \n')
    [ "$magic" = 934e554d50590100 ] || fail "$file begins with $magic"
    low=$(od -A n -t u1 -j 8 -N 1 "$file") high=$(od -A n -t u1 -j 9 -N 1 "$file")
    [ $(((10 + low + 256 * high) % 64)) -eq 0 ] || fail "$file: header of $((low + 256 * high)) bytes"
done
named=$(grep -c '"file":' "$folder/manifest.json") there=$(find "$folder" -name '*.npy' | wc -l)
[ "$named" -eq "$there" ] || fail "the manifest names $named files, there are $there"
# vit: two inputs, 12 tensors of products and norms with two alphas, two outputs, and as many gradients.
[ "$there" -eq 36 ] || fail "vit has $there files"
for file in input.stream output.branch layer0.attention.qkv.weight layer0.ffn.norm.alpha.gradient output.branch.gradient; do
    [ -s "$folder/$file.npy" ] || fail "there is no $file.npy"
done
# (4, 384) of f32 behind a header of 128 bytes.
[ "$(wc -c <"$folder/input.stream.npy")" -eq $((128 + 4 * 4 * 384)) ] || fail "input.stream.npy: $(wc -c <"$folder/input.stream.npy") bytes"
expect 0 wrote --model vit_s16 --op dyt --phase train --tokens 4 --out "$work/again"
diff -r "$folder" "$work/again" >/dev/null || fail "two dumps with the same seed differ"
expect 0 wrote --model vit_s16 --op dyt --phase train --tokens 4 --out "$work/again" --seed 2
cmp -s "$folder/input.stream.npy" "$work/again/input.stream.npy" && fail "another seed, the same input"

# Another format: the elements are those of the .npy behind its header, and what is no format is told.
expect 0 wrote --model vit_s16 --op dyt --phase prefill --tokens 4 --seed 2 --format raw --out "$work/raw"
tail -c +129 "$work/again/input.stream.npy" | cmp -s - "$work/raw/input.stream.raw" || fail 'raw and npy differ'
grep -q '"files": "the elements alone' "$work/raw/manifest.json" || fail 'the manifest does not say what the files are'
expect 2 'valid are npy, raw' --model vit_s16 --op dyt --phase prefill --tokens 4 --format rax --out "$work/rax"

# Decode adds a row of keys and one of values per sequence, which are outputs: 8 heads of 128 in f32, behind a header of 128 bytes.
expect 0 wrote --model qwen3_0.6b --op rmsnorm --phase decode --context 3 --batch 2 --out "$work/decode"
for which in k v; do
    file=layer0.attention.heads.cache.$which.added
    [ "$(wc -c <"$work/decode/$file.npy")" -eq $((128 + 2 * 8 * 128 * 4)) ] || fail "$file.npy is not two rows of 1024"
    grep -A 3 "\"name\": \"$file\"" "$work/decode/manifest.json" | grep -q '"role": "output"' || fail "$file is no output"
done

# Every tensor of every kind of model is explained.
hyena='--model hyena_dna_tiny --phase train --tokens 3'
if ! "$NORMBENCH" dump --model hyena_dna_tiny --op dyt --phase prefill --tokens 2 --out "$work/hyena" >"$work/out" 2>"$work/err"; then
    grep -q 'KissFFT' "$work/err" || fail "no word of what HyenaDNA lacks: $(cat "$work/err")"
    echo "test_dump: $(cat "$work/err"): SKIPPED"
    hyena=
fi
for arguments in '--model dit_b4 --phase train --tokens 3' '--model convnext_b --phase train --stage 4' \
    '--model wav2vec_base --phase train --tokens 3' '--model gpt2 --phase decode' '--model swin_t --phase train --stage 4' \
    '--model whisper_tiny --phase train --tokens 3' '--model conformer_s --phase train --tokens 3' \
    '--model pairformer --phase train --tokens 3' '--model caduceus --phase train --tokens 3' "$hyena"; do
    [ -n "$arguments" ] || continue
    # shellcheck disable=SC2086
    expect 0 wrote $arguments --op layernorm --out "$work/explained"
    grep -B 8 '"meaning": ""' "$work/explained/manifest.json" | grep '"name"' | while read -r line; do
        echo "test_dump: nobody wrote down what this is: $line"
    done >"$work/unexplained"
    [ -s "$work/unexplained" ] && fail "$(cat "$work/unexplained")"
    rm -rf "$work/explained"
done

# ---- The layer computed again from the files.

python=
for candidate in python3 /usr/bin/python3; do
    [ -z "$python" ] && "$candidate" -c 'import numpy' 2>/dev/null && python=$candidate
done
if [ -n "$python" ]; then
    recompute() {
        rm -rf "$work/layer"
        expect 0 wrote "$@" --out "$work/layer"
        "$python" "$here/dump_check.py" "$work/layer" || fail "$*: NumPy comes to another result"
    }
    "$python" "$here/dump_check.py" "$folder" || fail "NumPy comes to another result"
    for op in layernorm identity; do
        recompute --model vit_s16 --op $op --phase train --tokens 4 --batch 2
    done
    recompute --model vit_s16 --op layernorm --phase train --tokens 4 --form eager
    recompute --model vit_s16 --op dyt --phase prefill --tokens 5 --dtype bf16
    recompute --model wav2vec_base --op layernorm --phase prefill --tokens 5
    recompute --model esm2_8m --op layernorm --phase train --tokens 4 --batch 2
    recompute --model esm2_35m --op dyt --phase prefill --tokens 5
    recompute --model whisper_tiny --op layernorm --phase train --tokens 4 --batch 2
    recompute --model swin_t --op layernorm --phase train --stage 4
    recompute --model swin_t --op dyt --phase prefill --stage 1
    recompute --model conformer_s --op layernorm --phase train --tokens 9 --batch 2
    recompute --model conformer_s --op dyt --phase prefill --tokens 40
    recompute --model pairformer --op layernorm --phase train --tokens 5 --batch 2
    recompute --model pairformer --op dyt --phase prefill --tokens 24
    recompute --model mobilevit_s --op layernorm --phase train --stage 3
    recompute --model mobilevit_s --op dyt --phase prefill --stage 1
    recompute --model caduceus --op rmsnorm --phase train --tokens 9 --batch 2
    recompute --model caduceus --op dyt --phase train --tokens 70 --form eager
    recompute --model caduceus --op rmsnorm --phase prefill --tokens 40 --dtype bf16
    if [ -n "$hyena" ]; then
        recompute --model hyena_dna_tiny --op layernorm --phase train --tokens 9 --batch 2
        recompute --model hyena_dna --op dyt --phase prefill --tokens 40 --batch 2
        recompute --model hyena_dna_tiny --op rmsnorm --phase train --tokens 11 --dtype bf16 --form eager
    fi
    recompute --model gpt2 --op layernorm --phase decode --context 7 --batch 2
    recompute --model qwen3_0.6b --op rmsnorm --phase prefill --tokens 5
    recompute --model qwen3_0.6b --op dyt --phase decode --context 7 --batch 2 --dtype bf16
    # It would notice: an output, a gradient, and keys and values added to a cache, that are a tenth too large.
    for file in output.branch layer0.ffn.up.weight.gradient layer0.attention.heads.cache.k.added layer0.attention.heads.cache.v.added; do
        from=$folder
        [ -e "$from/$file.npy" ] || from=$work/layer # of the decode above
        cp -r "$from" "$work/spoilt"
        "$python" -c 'import numpy, sys; numpy.save(sys.argv[1], numpy.load(sys.argv[1]) * numpy.float32(1.1))' "$work/spoilt/$file.npy"
        "$python" "$here/dump_check.py" "$work/spoilt" >/dev/null && fail "a spoilt $file passes"
        rm -rf "$work/spoilt"
    done
else
    echo 'test_dump: NumPy is not there: SKIPPED the part that computes layers again from the files'
fi

finish
