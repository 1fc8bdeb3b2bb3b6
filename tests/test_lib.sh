#!/bin/sh
# SPDX-License-Identifier: MIT
# The library as another program sees it: installed into a folder of its own, found through pkg-config, linked both ways, called by name.
set -eu
cd "$(dirname "$0")/.."
: "${OBJ:?must name the folder of the objects, e.g. OBJ=build/gcc}" "${CC:=cc}"
if [ -n "${SANITIZE:-}" ]; then
    echo 'test_lib: SKIPPED: a sanitized library wants its users sanitized too'
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

make -s install CC="$CC" OBJ="$OBJ" DESTDIR="$work" PREFIX=/prefix >"$work/log" 2>&1 || {
    cat "$work/log"
    echo 'test_lib: make install failed'
    exit 1
}

cat >"$work/user.c" <<'EOF'
#include <math.h>
#include <norm.h>
#include <stdio.h>

int main(void) {
    enum { ROWS = 3, COLS = 37 };
    float x[ROWS * COLS], y[ROWS * COLS], gamma[COLS], beta[COLS];
    for (int i = 0; i < ROWS * COLS; i++)
        x[i] = (float)(i % 17) - 8.0f;
    for (int i = 0; i < COLS; i++) {
        gamma[i] = 2.0f;
        beta[i] = -1.0f;
    }
    const norm_args args = {.rows = ROWS, .cols = COLS, .x_stride = COLS, .y_stride = COLS, .x = x, .y = y,
                            .gamma = gamma, .beta = beta, .alpha = 0.5f, .eps = 1e-5f};
    const norm_impl *const impl = norm_find("dyt", "u2", "fused", "best", "f32");
    if (impl == NULL || norm_run(impl, NORM_FORWARD, &args, 2) != NORM_OK)
        return 1;
    for (int i = 0; i < ROWS * COLS; i++)
        if (fabs((double)y[i] - (2.0 * tanh(0.5 * (double)x[i]) - 1.0)) > 1e-6)
            return 2;
    if (norm_find("dyt", "u2", "fused", "best", "f64") != NULL || norm_run(impl, NORM_FORWARD, &args, 0) != NORM_BAD_ARGUMENT)
        return 3;
    puts("called by name");
    return 0;
}
EOF

# pkg-config itself is not needed to build normbench, so its file is read as the shell would.
pc=$work/prefix/lib/pkgconfig/norm.pc
prefix=$work/prefix
field() { sed -n "s|^$1: ||p" "$pc" | sed "s|\${prefix}|$prefix|g"; }
failed=0
check() {
    if ! "$@" >"$work/out" 2>&1 || [ "$(cat "$work/out")" != 'called by name' ]; then
        failed=1
        echo "test_lib: $* did not work:"
        cat "$work/out"
    fi
}
# shellcheck disable=SC2046 # the fields are lists of words
$CC -std=c17 $(field Cflags) -o "$work/shared" "$work/user.c" $(field Libs) -lm
check env LD_LIBRARY_PATH="$work/prefix/lib" "$work/shared"
# shellcheck disable=SC2046
$CC -std=c17 $(field Cflags) -o "$work/static" "$work/user.c" "$work/prefix/lib/libnorm.a" -fopenmp -lm
check "$work/static"

# What the shared library shows is what norm.h declares, and nothing else.
nm -D --defined-only "$work/prefix/lib/libnorm.so" | awk '{print $3}' | sort >"$work/shown"
grep -oE '\bnorm_[a-z0-9_]+\(' kernels/norm.h | tr -d '(' | sort -u >"$work/declared"
if ! cmp -s "$work/shown" "$work/declared"; then
    failed=1
    echo 'test_lib: libnorm.so and norm.h differ:'
    diff "$work/declared" "$work/shown" || true
fi
[ "$failed" -eq 0 ] && echo 'test_lib: passed'
exit "$failed"
