#!/bin/sh
# SPDX-License-Identifier: MIT
# Proves on the built objects what run-time dispatch rests on: a levelled object shows the world its table and nothing else,
# and no object holds an instruction that the CPU features of its level do not include.
#
# Which instruction belongs to which feature is not listed here. The disassembly is assembled again for a CPU that has
# exactly the level's features, as kernels/levels.h names them, so GNU as is the judge and a new level needs no line here.
set -eu
cd "$(dirname "$0")/.."
: "${OBJ:?must name the folder of objects, e.g. OBJ=build/gcc}"
CC=${CC:-cc}

# The compiler's own, for it may compile for another architecture; as this shell knows them where it does not tell.
tool() { $CC -print-prog-name="$1" 2>/dev/null || echo "$1"; }
as=$(tool as) nm=$(tool nm) objdump=$(tool objdump)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
passed=0
failed=0

# result WHAT: counts the status of the command before it, whose findings are in $work/findings.
result() {
    if [ ! -s "$work/findings" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAIL %s\n' "$1"
        sed 's/^/     /' "$work/findings"
    fi
}

# ---- The checks. Each prints its findings and nothing if all is well. ----

# What a kernel may call: memory functions (with and without the distribution's fortification), its stack protector, and the tanhf of
# glibc, its vector one, SLEEF's, MKL's and SVML's, which are what the variants named `libm`, `mvec`, `sleef`, `mkl` and `svml_*` measure. sqrtf is not among them: a
# call would mean that the flags that make it one instruction are gone.
allowed_calls='tanhf _ZGV([bden]N(4|8|16)|sMx)v_tanhf Sleef_tanhf(4|8|16)_u10(sse2|avx2|avx512f|advsimd) mkl_tanhf svml_tanh mem(cpy|set|move)(_chk)? __mem(cpy|set|move)_chk __stack_chk_fail _GLOBAL_OFFSET_TABLE_'

# check_symbols OBJECT TABLE
check_symbols() {
    $nm -P -g --defined-only "$1" | awk -v table="$2" '
        $1 != table { print "defines " $1 ": a levelled object may define its table alone; make it static" }
        $1 == table && $2 !~ /^[RDV]$/ { print table " has type " $2 ", not data (R, D or V)" }
        $1 == table { found = 1 }
        END { if (!found) print "does not define " table }'
    $nm -P -u "$1" | awk -v calls="$allowed_calls" '
        BEGIN { gsub(/ /, "|", calls) }
        $1 !~ "^(" calls ")$" { print "needs " $1 ", which is not among the functions that a kernel may call" }'
}

# instructions OBJECT: its code as GNU as reads it, one instruction a line.
#   * Jumps and calls are left out: their targets are no symbols any more, and all of them are in the baseline.
#   * nop in its longer forms pads, and endbr64 is a nop to CPUs that do not know it.
#   * tzcnt is what objdump makes of `rep bsf`, which compilers write for every CPU: an old one runs it as bsf.
instructions() {
    $objdump -d --no-show-raw-insn "$1" | sed -n '
        s/^ *[0-9a-f]*:\t//
        t code
        d
        :code
        '"$comment"'
        / </d
        /nop[wl]* /d
        /^endbr64/d
        s/^tzcnt/rep bsf/
        p'
}

# check_features OBJECT FEATURE...: sse2 is in every x86-64 CPU, asimd in every 64-bit Arm, and a length of vectors is no matter of
# instructions; gcc and GNU as spell one feature differently.
check_features() {
    object=$1
    shift
    march=$baseline
    for feature; do
        case $feature in
        avx512bf16) feature=avx512_bf16 ;;
        asimd | sve[0-9]*) continue ;;
        esac
        march=$march+$feature
    done
    instructions "$object" >"$work/code.s"
    $as -march="$march" -o "$work/code.o" "$work/code.s" 2>"$work/as" || true
    # `code.s:LINE: Error: MESSAGE` becomes the instruction and the message.
    awk 'NR == FNR { code[FNR] = $0; next }
         split($0, part, ":") > 3 && part[3] ~ /Error/ { sub(/.*Error: */, ""); print code[part[2]] "   (" $0 ")"; next }
         / Error: / || /[Ff]atal/ { print }' "$work/code.s" "$work/as"
    # A table may be empty: where no kernel is of this level.
    [ -s "$work/code.s" ] || ! $nm "$object" | grep -q ' [Tt] ' || echo "has no instruction: objdump showed nothing that this test understands"
}

# check_scalar_arm OBJECT: the same of 64-bit Arm, whose scalars are the lowest lanes of vectors. Allowed are the scalar registers; bits of one
# number, which have no scalar form in these registers; whole registers to the stack and back, and pairs of them, as gcc copies structs.
check_scalar_arm() {
    instructions "$1" | awk '
        !/[ \t,{][vqz][0-9]+/ { next }
        $1 ~ /^(ld|st)u?[rp]$/ && /[ \t,]q[0-9]+/ && /\[(sp|x29)/ { next }
        $1 ~ /^(ld|st)1$/ && /\{v[0-9]+\.16b, v[0-9]+\.16b\}/ { next }
        $1 ~ /^(shl|ushr|movi|mvni|mov|and|orr|bic|eor|bit|bif|bsl)$/ && /v[0-9]+\.(2s|8b)/ && !/\.(4s|2d|8h|16b)/ { next }
        $1 == "movi" && /#0x0$/ { next }
        { print $0 "   (packed)" }'
}

# check_scalar OBJECT: nothing but scalar instructions on vector registers. Allowed are
#   * the scalar forms themselves, and movd and movq between the register files;
#   * a copy of a whole register, which is how a scalar is copied, also to the stack and back, where clang keeps it over a call;
#   * bitwise logic, of which SSE has no scalar form: it negates, takes absolute values, selects and clears; its constant comes
#     from read-only data beside the code, or from the stack where clang has no register left for it, and its sign from movmsk.
# No packed access to a tensor is among them, so a loop over several elements at once cannot hide behind these.
check_scalar() {
    instructions "$1" | awk '
        !/%[xyz]?mm[0-9]/ { next }
        { operands = $0; sub(/^[a-z0-9]+[ \t]*/, "", operands) }
        $1 ~ /^(mov|add|sub|mul|div|sqrt|min|max|u?comi|cmp[a-z]*)s[sd]$/ { next }
        $1 ~ /^cvt(ss2sd|sd2ss|si2s[sd][lq]?|t?s[sd]2si[lq]?)$/ { next }
        $1 ~ /^mov[dq]$/ { next }
        $1 ~ /^(movap[sd]|movdqa|movmskp[sd]|(and|andn|or|xor)p[sd]|pand|pandn|por|pxor)$/ &&
            operands ~ /^(%xmm[0-9]+|-?(0x)?[0-9a-f]*\(%r[isb]p\)),%[a-z0-9]+$/ { next }
        $1 ~ /^(movap[sd]|movdqa)$/ && operands ~ /^%xmm[0-9]+,-?(0x)?[0-9a-f]*\(%r[sb]p\)$/ { next }
        { print $0 "   (packed)" }'
}

# ---- The checks on the objects. ----

sh scripts/levels.sh >"$work/levels"
[ -s "$work/levels" ] || { echo "FAIL cannot read the list in kernels/levels.h" >&2 && exit 1; }
: "${UNITS:?make check tells which units are levelled}" "${ROW_UNITS:?}" "${SLEEF_UNITS:?}" "${SLEEF_LEVELS?}"
# What is compiled for, if its instructions are known here; `comment` is what objdump adds to one.
architecture=unknown baseline='' comment=''
case $($CC -dumpmachine) in
x86_64-*) architecture=x86 baseline=generic64 comment='s/ *#.*//' ;;
aarch64-*) architecture=arm baseline=armv8-a comment='s,[ \t]*//.*,,' ;;
esac

if $nm -u "$OBJ/${UNITS%% *}.scalar.o" 2>/dev/null | grep -qE '__(asan|ubsan|tsan|msan|hwasan)_|__sanitizer_'; then
    echo "skipped: $OBJ is built with a sanitizer, whose calls and instructions are not the kernels' own"
else
    # A kernel's table is norm_<unit>_<level>; that of another unit, <unit>_<level>.
    while read -r level features; do
        with=''
        case " $SLEEF_LEVELS " in
        *" $level "*) with=$SLEEF_UNITS ;;
        esac
        for unit in $UNITS $ROW_UNITS $with; do
            object=$OBJ/$unit.$level.o
            if [ ! -f "$object" ]; then
                echo "is not there: run make" >"$work/findings"
                result "$object"
                continue
            fi
            {
                case " $ROW_UNITS " in
                *" $unit "*) check_symbols "$object" "${unit##*/}_$level" ;;
                *) check_symbols "$object" "norm_${unit##*/}_$level" ;;
                esac
                # shellcheck disable=SC2086 # one word per feature
                [ $architecture = unknown ] || check_features "$object" $features
                case $architecture-$level in
                x86-scalar) check_scalar "$object" ;;
                arm-scalar) check_scalar_arm "$object" ;;
                esac
            } >"$work/findings"
            result "$object"
        done
    done <"$work/levels"

    # What runs before the CPU is known, and the reference: the baseline alone.
    for source in kernels/*.c; do
        unit=$(basename "$source" .c)
        [ $architecture != unknown ] || continue
        if [ -f "$OBJ/kernels/$unit.o" ]; then
            check_features "$OBJ/kernels/$unit.o" >"$work/findings"
        else
            echo "is not there: run make" >"$work/findings"
        fi
        result "$OBJ/kernels/$unit.o"
    done
fi

# ---- The checks on themselves: each must reject what it is there for, and must not cry wolf. ----

# assemble TEXT: into $work/sample.o
assemble() {
    printf '%b\n' "$1" >"$work/sample.s"
    $CC -c -o "$work/sample.o" "$work/sample.s"
}

# expect ok|rejected WHAT, after a check has left its findings
expect() {
    verdict=ok
    [ ! -s "$work/findings" ] || verdict=rejected
    if [ "$verdict" = "$1" ]; then
        : >"$work/findings"
    else
        echo "was $verdict, expected $1" >>"$work/findings"
    fi
    result "self-test: $2"
}

table='.globl norm_x_y\n.section .rodata\nnorm_x_y: .long 1\n'
while IFS='|' read -r verdict text; do
    assemble "$text"
    check_symbols "$work/sample.o" norm_x_y >"$work/findings"
    expect "$verdict" "symbols of: $text"
done <<EOF
ok|$table
ok|$table.text\n.long tanhf - .\n.long memcpy - .
rejected|$table.globl helper\nhelper: .long 2
rejected|$table.weak helper\nhelper: .long 2
rejected|.globl norm_x_y\n.text\nnorm_x_y: .long 1
rejected|.globl norm_x_z\n.section .rodata\nnorm_x_z: .long 1
rejected|$table.text\n.long sqrtf - .
rejected|$table.text\n.long xtanhf - .
EOF

if [ $architecture = x86 ]; then
    while IFS='|' read -r verdict level code; do
        assemble "$code"
        features=$(sed -n "s/^$level\( \|\$\)//p" "$work/levels")
        # shellcheck disable=SC2086 # one word per feature
        check_features "$work/sample.o" $features >"$work/findings"
        [ "$level" != scalar ] || check_scalar "$work/sample.o" >>"$work/findings"
        expect "$verdict" "$level: $code"
    done <<'EOF'
ok|scalar|addss (%rdi,%rax,4),%xmm0\nsqrtsd %xmm1,%xmm1\ncvtsi2ssq %rax,%xmm0\ncvttss2si %xmm0,%eax
ok|scalar|movaps %xmm1,%xmm2\nandps 16(%rip),%xmm1\nxorps %xmm0,%xmm0\npxor %xmm3,%xmm3\nmovmskps %xmm1,%eax
ok|scalar|1: jmp 1b\nendbr64\nrep bsf %rax,%rax\nnopw 0x0(%rax,%rax,1)\nret
ok|scalar|movaps %xmm0,0x70(%rsp)\nmovaps -16(%rbp),%xmm0\nandnps 0x80(%rsp),%xmm0
rejected|scalar|andps 16(%rdi),%xmm0
rejected|scalar|andps 16(%rsp,%rax),%xmm0
rejected|scalar|addps 16(%rsp),%xmm0
rejected|scalar|addps %xmm1,%xmm0
rejected|scalar|mulpd %xmm1,%xmm0
rejected|scalar|paddd %xmm1,%xmm0
rejected|scalar|movups (%rdi),%xmm0
rejected|scalar|movaps %xmm0,(%rdi,%rax)
rejected|scalar|movdqu (%rdi),%xmm0
rejected|scalar|andps (%rdi),%xmm0
rejected|scalar|cvtps2pd %xmm0,%xmm0
rejected|scalar|unpcklps %xmm0,%xmm0
rejected|scalar|shufps $0,%xmm0,%xmm0
rejected|scalar|roundss $0,%xmm0,%xmm0
rejected|scalar|vaddss %xmm0,%xmm0,%xmm0
ok|sse2|addps (%rdi),%xmm0\npackssdw %xmm1,%xmm1\nmovntps %xmm0,(%rdi)\nsfence
rejected|sse2|haddps %xmm0,%xmm0
rejected|sse2|movshdup %xmm0,%xmm0
rejected|sse2|pshufb %xmm0,%xmm0
rejected|sse2|blendvps %xmm0,%xmm1,%xmm2
rejected|sse2|ptest %xmm0,%xmm0
rejected|sse2|pmovzxwd (%rdi),%xmm0
rejected|sse2|popcnt %eax,%eax
rejected|sse2|lzcnt %eax,%eax
rejected|sse2|vaddps %xmm0,%xmm0,%xmm0
ok|avx2|vfmadd231ps (%rdi),%ymm1,%ymm0\nvpermq $8,%ymm0,%ymm0\nvcvtph2ps (%rdi),%ymm0\nvmaskmovps (%rdi),%ymm1,%ymm0\nvzeroupper
rejected|avx2|vaddps %zmm0,%zmm0,%zmm0
rejected|avx2|vaddps %ymm16,%ymm0,%ymm0
rejected|avx2|vmovups (%rdi),%ymm0{%k1}
rejected|avx2|kmovw %eax,%k1
rejected|avx2|vpternlogd $1,%xmm0,%xmm0,%xmm0
rejected|avx2|{vex} vpdpbusd %ymm0,%ymm0,%ymm0
rejected|avx2|shlx %rax,%rax,%rax
ok|avx512|vaddps (%rdi),%zmm17,%zmm0{%k1}{z}\nkmovd %eax,%k1\nvpermi2ps %zmm0,%zmm1,%zmm2\nvreduceps $0,%zmm0,%zmm0
rejected|avx512|vcvtneps2bf16 %zmm0,%ymm0
rejected|avx512|vcvtne2ps2bf16 %zmm0,%zmm1,%zmm2
rejected|avx512|vdpbf16ps %zmm0,%zmm1,%zmm2
rejected|avx512|vpdpbusd %zmm0,%zmm0,%zmm0
rejected|avx512|vpermb %zmm0,%zmm0,%zmm0
rejected|avx512|vpexpandw %zmm0,%zmm0
rejected|avx512|vplzcntd %zmm0,%zmm0
rejected|avx512|vaddph %zmm0,%zmm0,%zmm0
ok|avx512bf16|vcvtneps2bf16 %zmm0,%ymm0\nvaddps %zmm0,%zmm0,%zmm0
rejected|avx512bf16|vpdpwssd %zmm0,%zmm0,%zmm0
rejected|avx512bf16|vpermi2b %zmm0,%zmm0,%zmm0
rejected|avx512bf16|vaddsh %xmm0,%xmm0,%xmm0
rejected|auto_avx2|vaddps %zmm0,%zmm0,%zmm0
rejected|auto_avx512|vcvtneps2bf16 %zmm0,%ymm0
EOF
elif [ $architecture = arm ]; then
    while IFS='|' read -r verdict level code; do
        assemble ".arch armv8.6-a+sve2\n$code"
        features=$(sed -n "s/^$level\( \|\$\)//p" "$work/levels")
        # shellcheck disable=SC2086 # one word per feature
        check_features "$work/sample.o" $features >"$work/findings"
        [ "$level" != scalar ] || check_scalar_arm "$work/sample.o" >>"$work/findings"
        expect "$verdict" "$level: $code"
    done <<'EOF'
ok|scalar|fadd s0, s1, s2\nldr s0, [x0, x1, lsl #2]\nfsqrt d0, d1\nscvtf s0, x0\nfmov w0, s0\nfcsel s0, s1, s2, mi
ok|scalar|1: b 1b\ncbz x0, 1b\nmovi v0.2s, #0\nmovi v0.4s, #0\nmovi d0, #0\nstr q0, [sp, #16]\nldp q0, q1, [sp]\nret
ok|scalar|shl v0.2s, v0.2s, #16\nand v0.8b, v1.8b, v2.8b\nst1 {v0.16b, v1.16b}, [x0]
rejected|scalar|fadd v0.2s, v1.2s, v2.2s
rejected|scalar|shl v0.4s, v0.4s, #16
rejected|scalar|add v0.2s, v1.2s, v2.2s
rejected|scalar|ld1 {v0.4s}, [x0]
rejected|scalar|fadd v0.4s, v1.4s, v2.4s
rejected|scalar|ldr q0, [x0]
rejected|scalar|st1 {v0.4s}, [x0]
rejected|scalar|ldadd w0, w1, [x2]
ok|neon|fmla v0.4s, v1.4s, v2.4s\nuzp1 v0.4s, v1.4s, v2.4s\nfcvtl2 v0.2d, v1.4s
rejected|neon|bfcvtn v0.4h, v1.4s
rejected|neon|fadd v0.8h, v1.8h, v2.8h
rejected|neon|sdot v0.4s, v1.16b, v2.16b
rejected|neon|fadd z0.s, z1.s, z2.s
ok|neon_bf16|bfcvtn v0.4h, v1.4s\nfadd v0.4s, v1.4s, v2.4s
rejected|neon_bf16|fadd z0.s, z1.s, z2.s
rejected|neon_bf16|smmla v0.4s, v1.16b, v2.16b
ok|sve256|ptrue p0.s, vl8\nld1w z0.s, p0/z, [x0, x1, lsl #2]\nfmla z0.s, p0/m, z1.s, z2.s\nfadd v0.4s, v1.4s, v2.4s
rejected|sve256|bfcvt z0.h, p0/m, z1.s
rejected|sve256|tbx z0.b, z1.b, z2.b
rejected|auto_sve|sqrdmlah z0.s, z1.s, z2.s
rejected|auto_neon|fadd z0.s, z1.s, z2.s
EOF
else
    echo "neither x86-64 nor 64-bit Arm: only the symbols of the objects were checked, not their instructions"
fi

echo "test_objects: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
