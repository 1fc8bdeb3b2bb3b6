#!/bin/sh
# SPDX-License-Identifier: MIT
# Compiles every file for other systems without a warning, with a newer clang and their own headers, all of which one package of PyPI has:
#     sh scripts/check_portable.sh [TARGET...]
# by default the newest glibc, musl and macOS. No object is written. ZIG names the command if it is there already. Exits with 77 and the
# reason if the package cannot be had.
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
skip() {
    echo "SKIPPED: $*"
    exit 77
}

if [ -z "${ZIG:-}" ]; then
    command -v python3 >/dev/null || skip "there is no python3 to install ziglang with"
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$work/zig" ziglang >"$work/log" 2>&1 ||
        skip "pip cannot install ziglang: $(tail -n 1 "$work/log")"
    ZIG=$work/zig/ziglang/zig
fi

# The headers of the libraries, which are the same everywhere, apart from this system's C library.
mkdir "$work/include"
for header in omp hwloc jansson zlib dnnl dnnl_debug sleef cmocka mpfr gmp; do
    echo "#include <$header.h>" | ${CC:-cc} -include stdarg.h -include stddef.h -include stdint.h -include setjmp.h -M -x c - 2>/dev/null
done | grep -oE '/[^ ]+\.h\b' | grep -E '/(omp|hwloc|jansson|zlib|zconf|dnnl|oneapi|sleef|cmocka|mpfr|gmp)[^/]*(\.h|/.*\.h)$' | sort -u >"$work/headers"
while read -r header; do
    place=${header#*/include/}
    place=$(echo "$place" | sed 's|^[a-z0-9_]*-linux-gnu[a-z0-9]*/||')
    mkdir -p "$work/include/$(dirname "$place")"
    cp "$header" "$work/include/$place"
done <"$work/headers"

cat >"$work/cc" <<TEXT
#!/bin/sh
exec $ZIG cc -target \$TARGET_OF_CC -Wno-unused-command-line-argument "\$@"
TEXT
chmod +x "$work/cc"

[ $# -gt 0 ] || set -- x86_64-linux-gnu x86_64-linux-musl aarch64-macos
status=0
vectors='sse2 avx2 avx512 avx512bf16' # for the first target that has them: a C library is not in their headers
for target in "$@"; do
    levels=scalar
    case $target in x86_64-*) levels="scalar $vectors" vectors='' ;; esac
    # The cmocka of Debian has a macro of GNU's.
    if TARGET_OF_CC=$target make -s -k -j2 CC="$work/cc" OBJ="$work/$target" LEVELS="$levels" WERROR=1 CFLAGS='' \
        CPPFLAGS="-fsyntax-only -isystem $work/include -Wno-gnu-zero-variadic-macro-arguments" objects >"$work/log" 2>&1; then
        echo "$target: no findings"
    else
        status=1
        echo "$target:"
        grep -E '(error|warning|note):|\*\*\*' "$work/log" || cat "$work/log"
    fi
done
exit "$status"
