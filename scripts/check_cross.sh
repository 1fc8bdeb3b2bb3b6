#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the program for another architecture and runs its tests in an emulator, once for each kind of CPU:
#     sh scripts/check_cross.sh [--short] ARCH [CPU...]
# aarch64 is compiled by Debian's cross compiler against packages of that architecture, unpacked into build/sysroot; x86_64 is this machine's
# own build, emulated as older CPUs. --short: of what differs between CPUs, what takes seconds. ONLY=name: that test. Installs nothing, which is for
# `sh scripts/setup.sh --cross`. Exits with 77 and the reason if compiler, packages or emulator cannot be had.
set -eu
cd "$(dirname "$0")/.."

# The CPUs of each architecture: a name, the emulator's own, and the levels that it must have.
cpus() {
    case $1 in
    aarch64)
        cat <<'TEXT'
neoverse-n1 neoverse-n1 scalar neon
no-sve max,sve=off scalar neon neon_bf16
sve128 max,sve-max-vq=1,sve-default-vector-length=16 scalar neon neon_bf16 sve128
sve256 max,sve-max-vq=2,sve-default-vector-length=32 scalar neon neon_bf16 sve256
sve512 max,sve-max-vq=4,sve-default-vector-length=64 scalar neon neon_bf16 sve512
sve1024 max,sve-max-vq=8,sve-default-vector-length=128 scalar neon neon_bf16 sve1024
sve2048 max,sve-max-vq=16,sve-default-vector-length=256 scalar neon neon_bf16 sve2048
TEXT
        ;;
    x86_64)
        cat <<'TEXT'
nehalem Nehalem scalar sse2
haswell Haswell-noTSX,-pcid,-x2apic,-tsc-deadline,-invpcid scalar sse2 avx2
TEXT
        ;;
    esac
}

# set_cpu NAME MODEL LEVEL...
set_cpu() {
    model=$2
    shift 2
    levels=$*
}

skip() {
    echo "SKIPPED: $*"
    exit 77
}
refuse() {
    echo "check_cross.sh: $*" >&2
    exit 2
}

short=no
[ "${1:-}" != --short ] || { short=yes && shift; }
arch=${1:-}
case $PWD in
*[!A-Za-z0-9/._+-]*) refuse "the path $PWD has to be plain, for it becomes part of a compiler's name: work in another folder" ;;
esac
case $arch in
aarch64) debian=arm64 triplet=aarch64-linux-gnu ;;
x86_64) debian='' triplet=x86_64-linux-gnu ;;
*) refuse "ARCH is \"$arch\", and can be aarch64 or x86_64" ;;
esac
shift
all=$(cpus "$arch" | sed 's/ .*//' | tr '\n' ' ')
for cpu; do
    case " $all" in
    *" $cpu "*) ;;
    *) refuse "there is no CPU \"$cpu\" of $arch; there are ${all% }" ;;
    esac
done
if [ $# -eq 0 ]; then
    # shellcheck disable=SC2086 # one word each
    case $short-$arch in
    yes-aarch64) set -- no-sve sve256 sve2048 ;;
    *) set -- $all ;;
    esac
fi

emulator=$(command -v "qemu-$arch-static" || command -v "qemu-$arch") ||
    skip "there is no emulator qemu-$arch: install it with \`sh scripts/setup.sh --cross\`"

# ---- The other architecture's C library and libraries

# As apt resolves them from Debian's own archive, in folders of its own: this system's packages stay as they are.
suite=bookworm
packages='libc6-dev libhwloc-dev libjansson-dev zlib1g-dev libdnnl-dev libsleef-dev libcmocka-dev libmpfr-dev libgomp1'
private_apt() {
    apt-get -qq -o APT::Architecture=$debian -o APT::Architectures=$debian -o Dir::State="$root/apt" -o Dir::State::status="$root/apt/status" \
        -o Dir::Cache="$root/apt" -o Dir::Etc::SourceList="$root/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 -o Acquire::Languages=none "$@"
}
make_sysroot() {
    command -v apt-get >/dev/null || skip "this is not Debian or a relative of it: there is no apt-get to download packages of $debian with"
    mirror=$(apt-get indextargets --format "\$(REPO_URI)" 'Created-By: Packages' 'Label: Debian' 'Component: main' | head -n 1)
    [ -n "$mirror" ] || skip "apt has no mirror of Debian's main archive among its sources"
    echo "Unpacking the libraries of $debian into $sysroot."
    root=$sysroot.part
    rm -rf "$root"
    mkdir -p "$root/apt/lists/partial" "$root/apt/archives/partial"
    : >"$root/apt/status"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$root/apt/sources.list"
    # shellcheck disable=SC2086 # one word each
    { private_apt update && private_apt install -y --no-install-recommends --download-only $packages; } >"$root/apt/log" 2>&1 </dev/null ||
        skip "packages of $debian cannot be downloaded: $(tail -n 1 "$root/apt/log")"
    for package in "$root"/apt/archives/*.deb; do
        dpkg -x "$package" "$root"
    done
    rm -rf "${root:?}/apt" "${root:?}/usr/share" "${root:?}/usr/bin"
    # Links that begin at the root of the file system begin at this one.
    find "$root" -type l -lname '/*' | while read -r link; do
        target=$(readlink "$link")
        ln -snf "$(realpath -m --relative-to="$(dirname "$link")" "$root$target")" "$link"
    done
    mv "$root" "$sysroot"
}

compiler=${CC:-gcc}
if [ -n "$debian" ]; then
    compiler=$triplet-gcc
    command -v "$compiler" >/dev/null || skip "there is no cross compiler $compiler: install it with \`sh scripts/setup.sh --cross\`"
    sysroot=$PWD/build/sysroot/$debian
    [ -d "$sysroot" ] || make_sysroot
    # One word, for who hands it on.
    printf '#!/bin/sh\nexec %s --sysroot=%s "$@"\n' "$compiler" "$sysroot" >"$sysroot/cc"
    chmod +x "$sysroot/cc"
    compiler=$sysroot/cc
    emulator="$emulator -L $sysroot"
    any=$sysroot/lib/ld-linux-aarch64.so.1
    objects=build/$triplet-gcc
else
    [ "$(uname -m)" = "$arch" ] || skip "programs for $arch are emulated where they are built, and this is $(uname -m)"
    objects=build/${compiler%% *}
    any=/bin/true
fi

# ---- The tests

# Of what computes with vectors, that which takes seconds in an emulator: these tests, every kernel of the CPU's levels against the reference,
# and the accuracy of tanh, erf and exp at some floats of each binade.
vectors='same_bits abi add_fused denormals dtype launch select'
short_check() {
    sh scripts/check.sh "$@" || return
    # shellcheck disable=SC2086 # several words
    set -- $NORMBENCH_EMULATOR "$objects/normbench" verify --shape 3x131 --threads 1 --level "$(echo "$levels" | tr ' ' ,)"
    echo "+ $*"
    "$@" >"$objects/verified" 2>&1 || { cat "$objects/verified" && return 1; }
    $NORMBENCH_EMULATOR "$objects/exhaustive" --stride 1000003
}
build() {
    echo "+ make CC=\"$compiler\" OBJ=$objects $*"
    make --no-print-directory -j"$(getconf _NPROCESSORS_ONLN)" CC="$compiler" OBJ="$objects" "$@"
}
# check: the tests in the emulator that the environment names, on a CPU that has these levels.
check() {
    if [ $short = no ]; then
        INDEPENDENT=no build ONLY="${ONLY:-}" check
    else
        set --
        for name in $vectors; do set -- "$@" "$objects/test_$name"; done
        build "$@" "$objects/normbench" "$objects/exhaustive" && short_check "$@"
    fi
}

failed=''
for cpu; do
    # shellcheck disable=SC2046 # one word each
    set_cpu $(cpus "$arch" | grep "^$cpu ")
    printf '\n== %s as %s\n' "$arch" "$cpu"
    said=$($emulator -cpu "$model" "$any" --version 2>&1) || {
        failed="$failed $cpu"
        printf 'check_cross.sh: %s refuses -cpu %s; choose another CPU of %s, or install a newer emulator. It says: %s\n' \
            "${emulator%% *}" "$model" "$all" "$said" >&2
        continue
    }
    (NORMBENCH_EMULATOR="$emulator -cpu $model" REQUIRE="$levels" && export NORMBENCH_EMULATOR REQUIRE && check) || failed="$failed $cpu"
done
if [ -n "$failed" ]; then
    echo "check_cross.sh: failed as$failed" >&2
    exit 1
fi
echo "check_cross.sh: passed as $*"
