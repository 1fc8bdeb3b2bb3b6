#!/bin/sh
# SPDX-License-Identifier: MIT
# The library as another program sees it: installed into a folder of its own, found through pkg-config, linked both ways, called by name,
# from C++ too; opened and closed while the program runs; told to use fewer threads; installed again elsewhere.
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

int main(int argc, char **argv) {
    (void)argv;
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
    if (argc > 1 && norm_run(impl, NORM_FORWARD, &args, 3) != NORM_NO_TEAM)
        return 4;
    puts("called by name");
    return 0;
}
EOF

# pkg-config itself is not needed to build normbench, so its file is read as the shell would.
pc=$work/prefix/lib/pkgconfig/norm.pc
prefix=$work/prefix
field() { sed -n "s|^$1: ||p" "$pc" | sed "s|\${prefix}|$prefix|g"; }
failed=0
fail() {
    failed=1
    echo "test_lib: $*"
}
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

# Fewer threads allowed than asked for.
check env LD_LIBRARY_PATH="$work/prefix/lib" OMP_THREAD_LIMIT=2 "$work/shared" limited

# Opened, called on a team and closed, again and again: the threads that stay do so in code that does.
cat >"$work/plugin.c" <<'EOF'
#include <dlfcn.h>
#include <norm.h>
#include <stdio.h>

int main(int argc, char **argv) {
    static float x[4 * 768], y[4 * 768], gamma[768], beta[768];
    const norm_args args = {.rows = 4, .cols = 768, .x_stride = 768, .y_stride = 768, .x = x, .y = y,
                            .gamma = gamma, .beta = beta, .alpha = 0.5f};
    for (int i = 0; argc > 1 && i < 20; i++) {
        void *const library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
        if (library == NULL)
            return puts(dlerror());
        const norm_impl *(*find)(const char *, const char *, const char *, const char *, const char *);
        norm_error (*run)(const norm_impl *, norm_pass, const norm_args *, int);
        *(void **)&find = dlsym(library, "norm_find");
        *(void **)&run = dlsym(library, "norm_run");
        if (run(find("dyt", "u2", "fused", "best", "f32"), NORM_FORWARD, &args, 1 + i % 3) != NORM_OK)
            return 1;
        dlclose(library);
    }
    return puts("called by name") < 0;
}
EOF
# shellcheck disable=SC2046
$CC -std=c17 $(field Cflags) -o "$work/plugin" "$work/plugin.c" -ldl
check "$work/plugin" "$work/prefix/lib/libnorm.so"

# A plug-in is built with what was installed alone.
# shellcheck disable=SC2046
$CC -std=c17 -fopenmp-simd -fPIC -shared $(field Cflags) -o "$work/rmsnorm.so" examples/plugin/rmsnorm.c -lm
"$work/prefix/bin/normbench" list variants --plugin "$work/rmsnorm.so" | grep -q '^plain  *rmsnorm' ||
    fail 'the example plug-in is not built from the installed headers, or not taken'

# C++ reads the header.
if command -v "${CXX:-c++}" >/dev/null; then
    cat >"$work/user.cpp" <<'EOF'
#include <norm.h>
#include <cstdio>

int main() {
    norm_args args = {};
    args.batch_invariant = true;
    const norm_impl *impl = norm_find("rmsnorm", "std", "fused", "best", "f32");
    return norm_run(impl, NORM_FORWARD, &args, NORM_MOST_THREADS) != NORM_BAD_ARGUMENT || std::puts("called by name") < 0;
}
EOF
    # shellcheck disable=SC2046
    "${CXX:-c++}" -std=c++11 -Wall -Wextra -Wpedantic -Werror $(field Cflags) -o "$work/cpp" "$work/user.cpp" \
        -L"$work/prefix/lib" -lnorm
    check env LD_LIBRARY_PATH="$work/prefix/lib" "$work/cpp"
fi

# A program asks for the library by the name that stands for what it was linked against, which another link of the same folder leads to.
name=$(readelf -d "$work/prefix/lib/libnorm.so" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
case $name in
libnorm.so.[0-9]*) ;;
*) fail "libnorm.so has the name '$name', not libnorm.so.NUMBER" ;;
esac
readelf -d "$work/shared" | grep -q "NEEDED.*\[$name\]" || fail "a program linked against libnorm.so does not ask for $name"
[ -L "$work/prefix/lib/libnorm.so" ] || fail 'libnorm.so is no link'
[ -f "$work/prefix/lib/$name" ] || fail "$name is not beside libnorm.so"

# Another PREFIX, with what a shell would take apart, after the library has been built for the first.
make -s install CC="$CC" OBJ="$OBJ" DESTDIR="$work/it's" PREFIX="/an other" >"$work/log" 2>&1 || {
    cat "$work/log"
    fail 'make install into "/an other" failed'
}
grep -qx 'prefix=/an other' "$work/it's/an other/lib/pkgconfig/norm.pc" || fail 'norm.pc keeps the PREFIX of an earlier make'
[ -f "$work/it's/an other/lib/$name" ] || fail 'the library is not where the second PREFIX says'

# What the shared library shows is what norm.h declares, and nothing else.
nm -D --defined-only "$work/prefix/lib/libnorm.so" | awk '{print $3}' | sort >"$work/shown"
{ grep -oE '\bnorm_[a-z0-9_]+\(' kernels/norm.h && grep -oE 'extern const unsigned norm_[a-z]+' kernels/norm.h; } | sed 's/.* //; s/(//' | sort -u >"$work/declared"
if ! cmp -s "$work/shown" "$work/declared"; then
    failed=1
    echo 'test_lib: libnorm.so and norm.h differ:'
    diff "$work/declared" "$work/shown" || true
fi
[ "$failed" -eq 0 ] && echo 'test_lib: passed'
exit "$failed"
