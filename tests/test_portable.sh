#!/bin/sh
# SPDX-License-Identifier: MIT
# Every file compiles, without a warning, for a C library and a kernel that are not this machine's: one that is not glibc on one that is
# not Linux, with the names that C23 and glibc 2.43 add. tests/stubs/ stands for them; what they take away, a file must not need.
# scripts/check_portable.sh does the same with the real headers of others.
set -u
: "${CC:=cc}"
. tests/expect.sh
if [ -n "${SANITIZE:-}" ]; then
    echo 'test_portable: SKIPPED: sanitizers change nothing that is looked at here'
    exit 77
fi

# look LEVELS TARGET...: compiles nothing, but says what is wrong.
look() {
    levels=$1
    shift
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -k -j2 CC="$CC" OBJ="$work/objects" WERROR=1 CFLAGS='' LEVELS="$levels" \
        CPPFLAGS="-fsyntax-only -isystem tests/stubs -U__linux__ -U__gnu_linux__" "$@" >"$work/log" 2>&1 ||
        fail "does not compile elsewhere: $(grep -E '(error|warning):|[*]{3}' "$work/log" | head -n 20)"
}

# Each file at one level, and what its level alone decides, the headers of vectors and of SLEEF, at the others.
case $($CC -dumpmachine) in
x86_64-*)
    look sse2 objects
    others=
    for level in avx2 avx512; do
        for unit in kernels/ops/dyt kernels/ops/eager models/math/pointwise_rows bench/machine/peak_loop bench/peers/dyt_sleef; do
            others="$others $work/objects/$unit.$level.o"
        done
    done
    # shellcheck disable=SC2086 # several words
    look 'avx2 avx512' $others
    ;;
*) look scalar objects ;;
esac

# A C library that says nothing of itself is called what it can only be, and no version is made up for it.
cat >"$work/libc.c" <<'END'
#include <stdio.h>
#include "machine/facts.h"
int main(void) {
    char text[FACTS_LIBC_TEXT];
    return puts(facts_libc_text(text)) < 0 || facts_libc_version() != NULL;
}
END
case $($CC -dumpmachine) in
"$(uname -m)"-*linux*)
    $CC -std=c17 -D_GNU_SOURCE -isystem tests/stubs -Ibench -o "$work/libc" "$work/libc.c" bench/machine/facts.c bench/machine/cgroup.c \
        bench/base/parse.c >"$work/log" 2>&1 || fail "facts.c does not build elsewhere: $(cat "$work/log")"
    [ "$("$work/libc")" = musl ] || fail "another C library is called $("$work/libc")"
    ;;
esac
finish
