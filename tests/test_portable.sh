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

# look FLAGS LEVELS: compiles nothing, but says what is wrong.
look() {
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -k -j2 CC="$CC" OBJ="$work/objects" WERROR=1 CFLAGS='' LEVELS="$2" \
        CPPFLAGS="-fsyntax-only $1" objects >"$work/log" 2>&1
}

# The three headers of vectors, each once.
levels=scalar
case $($CC -dumpmachine) in x86_64-*) levels="sse2 avx2 avx512" ;; esac
look "-isystem tests/stubs -U__linux__ -U__gnu_linux__" "$levels" ||
    fail "does not compile elsewhere: $(grep -E '(error|warning):|[*]{3}' "$work/log" | head -n 20)"
finish
