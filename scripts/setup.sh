#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what building, testing and plotting need and this machine lacks. What is there is found by trying it, not by asking the
# package manager, so hand-installed compilers and libraries count. Knows Debian, Ubuntu and Fedora; elsewhere it names what is needed.
set -u

usage() {
    cat <<'TEXT'
usage: sh scripts/setup.sh [--dev] [--cross] [--mpi] [--check | --dry-run] [--onednn | --svml]
Installs what normbench needs and this machine lacks, as root or through sudo.

  --dev       also clang, clang-format and shellcheck, for `make lint`, and chromium, in which a test opens a page
  --cross     also the compiler and the emulators of `make check-cross`
  --mpi       also MPI and SimGrid, for `make sharded`
  --onednn    put a newer oneDNN than the system's into build/onednn, from PyPI, where make finds it: x86-64 alone, and nothing else
              is looked at. Where products are slow it changes what norms seem to take of a layer
  --svml      put the vector functions of Intel's compilers into build/svml, from PyPI, where the program finds them: variants svml_* of dyt.
              x86-64 alone, likewise; Intel's licence, which lies beside them, is not ours
  --check     install nothing; one line naming what is missing. Exit 1 if the build or the tests lack something
  --dry-run   print the commands instead of running them
  --help      this text

CC names the compiler to look for (default: cc, as make's), CPPFLAGS where else it looks for headers.
OS_RELEASE names the file that tells the distribution (default: /etc/os-release).
FONTS names the folder where fonts are (default: /usr/share/fonts).
TEXT
}

dev=no cross=no mpi=no fetched='' mode=install
while [ $# -gt 0 ]; do
    case $1 in
    --dev) dev=yes ;;
    --cross) cross=yes ;;
    --mpi) mpi=yes ;;
    --onednn | --svml) fetched=${1#--} ;;
    --check) mode=check ;;
    --dry-run) mode=dry ;;
    --help) usage && exit 0 ;;
    *)
        echo "setup.sh: unknown option $1; valid are --dev, --cross, --mpi, --onednn, --svml, --check, --dry-run and --help" >&2
        exit 2
        ;;
    esac
    shift
done

have() { command -v "$1" >/dev/null 2>&1; }

# As make: $CC, which may hold options.
compiler=${CC:-cc}
fonts=${FONTS:-/usr/share/fonts}

# The headers of its arguments that the compiler does not find, in one run of the preprocessor.
missing_headers() {
    # shellcheck disable=SC2086 # words, as make has them
    for header in "$@"; do
        printf '#if !__has_include(<%s>)\n%s\n#endif\n' "$header" "$header"
    done | $compiler ${CPPFLAGS:-} -E -P -x c - 2>/dev/null
}

has_font() {
    for file in "$fonts"/*/*.[ot]t[fc] "$fonts"/*/*/*.[ot]t[fc]; do
        [ -e "$file" ] && return 0
    done
    return 1
}

# Needs are named by what is tried: a command, a header, or `font`. `needed` stops the build or the tests, `useful` only the rest.
# A browser that opens pages without a screen, for tests/test_report_browser.sh. Ubuntu's is a snap, which a container cannot have.
has_browser() { have chromium || have chromium-browser || have google-chrome; }
# shellcheck disable=SC1090 # whichever file tells
is_ubuntu() { file=${OS_RELEASE:-/etc/os-release} && [ -r "$file" ] && [ "$(. "$file" && echo "${ID:-}")" = ubuntu ]; }

find_missing() {
    needed='' useful='' sleef=''
    # Its vectors are used on these alone.
    case $(uname -m) in x86_64 | aarch64 | arm64) sleef=sleef.h ;; esac
    if have "${compiler%% *}"; then
        # shellcheck disable=SC2086 # one word each
        needed=$(missing_headers stdio.h omp.h hwloc.h jansson.h zlib.h dnnl.h $sleef cmocka.h mpfr.h)
        # Loaded where a model needs it; its header tells that it is there.
        useful=$(missing_headers kissfft/kiss_fftr.h)
    else
        useful=kissfft/kiss_fftr.h
        needed="${compiler%% *} stdio.h hwloc.h jansson.h zlib.h dnnl.h $sleef cmocka.h mpfr.h"
    fi
    for tool in make nm objdump; do
        have "$tool" || needed="$needed $tool"
    done
    for tool in gnuplot git pkg-config; do
        have "$tool" || useful="$useful $tool"
    done
    has_font || useful="$useful font"
    if [ "$dev" = yes ]; then
        for tool in clang clang-format shellcheck; do
            have "$tool" || useful="$useful $tool"
        done
        has_browser || is_ubuntu || useful="$useful chromium"
    fi
    if [ "$cross" = yes ]; then
        [ "$(uname -m)" = aarch64 ] || have aarch64-linux-gnu-gcc || useful="$useful aarch64-linux-gnu-gcc"
        have qemu-aarch64-static || have qemu-aarch64 || useful="$useful qemu-user-static"
    fi
    if [ "$mpi" = yes ]; then
        for tool in mpicc mpirun smpicc; do
            have "$tool" || useful="$useful $tool"
        done
    fi
    # shellcheck disable=SC2086 # one word each, one space between
    { set -- $needed && needed="$*"; set -- $useful && useful="$*"; }
}

# The package of a need in Debian and Ubuntu, and in Fedora. gcc only recommends the C library's headers, so they are named; clang's
# OpenMP is a package of its own.
debian_package() {
    case $1 in
    cc) echo gcc ;;
    stdio.h) echo libc6-dev ;;
    omp.h) echo libomp-dev ;;
    hwloc.h) echo libhwloc-dev ;;
    jansson.h) echo libjansson-dev ;;
    zlib.h) echo zlib1g-dev ;;
    dnnl.h) echo libdnnl-dev ;;
    sleef.h) echo libsleef-dev ;;
    kissfft/kiss_fftr.h) echo libkissfft-dev ;;
    cmocka.h) echo libcmocka-dev ;;
    mpfr.h) echo libmpfr-dev ;;
    nm | objdump) echo binutils ;;
    gnuplot) echo gnuplot-nox ;;
    font) echo fonts-dejavu-core ;;
    clang) echo clang libomp-dev ;;
    aarch64-linux-gnu-gcc) echo gcc-aarch64-linux-gnu ;;
    mpicc) echo libopenmpi-dev ;;
    mpirun) echo openmpi-bin ;;
    smpicc) echo libsimgrid-dev ;;
    *) echo "$1" ;;
    esac
}

fedora_package() {
    case $1 in
    cc) echo gcc ;;
    stdio.h) echo glibc-devel ;;
    omp.h) echo libomp-devel ;;
    hwloc.h) echo hwloc-devel ;;
    jansson.h) echo jansson-devel ;;
    zlib.h) echo zlib-devel ;;
    dnnl.h) echo oneapi-dnnl-devel ;;
    sleef.h) echo sleef-devel ;;
    kissfft/kiss_fftr.h) echo kissfft-devel ;;
    cmocka.h) echo libcmocka-devel ;;
    mpfr.h) echo mpfr-devel ;;
    nm | objdump) echo binutils ;;
    pkg-config) echo pkgconf-pkg-config ;;
    font) echo dejavu-sans-fonts ;;
    clang) echo clang libomp-devel ;;
    aarch64-linux-gnu-gcc) echo gcc-aarch64-linux-gnu ;;
    clang-format) echo clang-tools-extra ;;
    shellcheck) echo ShellCheck ;;
    mpicc | mpirun) echo openmpi-devel ;;
    smpicc) echo simgrid-devel ;;
    *) echo "$1" ;;
    esac
}

# The packages of all that is missing, each once. $1: debian or fedora.
packages_of() {
    list=''
    for need in $needed $useful; do
        for package in $("$1_package" "$need"); do
            case " $list " in
            *" $package "*) ;;
            *) list="$list $package" ;;
            esac
        done
    done
    echo "${list# }"
}

# debian, fedora or unknown.
find_family() {
    file=${OS_RELEASE:-/etc/os-release}
    ids=unknown
    # shellcheck disable=SC1090 # whichever file tells
    [ -r "$file" ] && ids=$(. "$file" && echo "${ID:-unknown} ${ID_LIKE:-}")
    case " $ids " in
    *" debian "* | *" ubuntu "*) echo debian ;;
    *" fedora "*) echo fedora ;;
    *) echo unknown ;;
    esac
}

# What Intel has on PyPI, as packages for pip, which are archives of zip. $1: the folder of build, $2: what else can be done than on x86-64;
# the packages. Leaves their files in $part.
fetch() {
    python=${PYTHON:-python3} part=build/$1.part elsewhere=$2
    shift 2
    [ "$(uname -m)" = x86_64 ] || { echo "setup.sh: PyPI has this for x86-64 alone; $elsewhere" >&2; exit 1; }
    "$python" -m pip --version >/dev/null 2>&1 || { echo "setup.sh: --$fetched takes $python with pip: install it, as by apt-get install python3-pip" >&2; exit 1; }
    trap 'rm -rf "$part"' EXIT # but what has become build's
    rm -rf "$part" && mkdir -p "$part" || exit 1
    for package in "$@"; do
        echo "+ $python -m pip download $package"
        [ "$mode" != dry ] || continue
        "$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$part" "$package" || { echo "setup.sh: pip failed; its message is above" >&2; exit 1; }
        "$python" -m zipfile -e "$part/$(echo "$package" | tr - _)"-*.whl "$part" || exit 1
    done
    [ "$mode" != dry ] || exit 0
    for data in "$part"/*.data/data; do cp -r "$data/." "$part/" || exit 1; done
    rm -rf "$part"/*.whl "$part"/*.data
}

# oneDNN as Intel builds it for gcc's OpenMP: the library and its headers.
get_onednn() {
    fetch onednn 'elsewhere name another by make ONEDNN=PREFIX' onednn-cpu-gomp onednn-devel-cpu-gomp
    # The wheel has three copies of the library.
    library=$(basename "$(printf '%s\n' "$part"/lib/libdnnl.so.*.* | tail -n 1)")
    for name in libdnnl.so "${library%.*}"; do ln -sf "$library" "$part/lib/$name" || exit 1; done
    { [ -f "$part/include/dnnl.h" ] && [ -f "$part/lib/$library" ]; } || { echo "setup.sh: what pip gave holds no oneDNN" >&2; exit 1; }
    rm -rf build/onednn && mv "$part" build/onednn || exit 1
    echo "setup.sh: build/onednn holds ${library#libdnnl.so.}; make takes it, and make ONEDNN= the system's"
}

# Of the compilers' run-time libraries SVML, and what it is linked to.
get_svml() {
    fetch svml 'there are variants mvec and sleef elsewhere' intel-cmplr-lib-rt
    if ! { mkdir -p "$part/svml/lib" && mv "$part"/lib/libsvml.so "$part"/lib/libintlc.so.5 "$part/svml/lib" && cp "$part"/*.dist-info/LICENSE.txt "$part/svml"; }; then
        echo "setup.sh: what pip gave holds no SVML" >&2
        exit 1
    fi
    rm -rf build/svml && mv "$part/svml" build/svml || exit 1
    echo "setup.sh: build/svml holds SVML; build/normbench finds it, another program by LD_LIBRARY_PATH=build/svml/lib"
}
if [ -n "$fetched" ]; then
    "get_$fetched"
    exit 0
fi

find_missing
missing="$needed${needed:+${useful:+ }}$useful"

if [ "$mode" = check ]; then
    [ -z "$missing" ] || echo "missing: $missing; install with \`sh scripts/setup.sh\`" >&2
    [ -z "$needed" ]
    exit
fi
if [ -z "$missing" ]; then
    echo "setup.sh: nothing is missing"
    exit 0
fi
echo "setup.sh: missing: $missing"

family=$(find_family)
packages=$(packages_of "$family" 2>/dev/null)
case $family in
debian)
    update="apt-get update"
    install="env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages"
    ;;
fedora)
    update=''
    install="dnf install -y $packages"
    ;;
*)
    cat >&2 <<'TEXT'
setup.sh: this system is none of Debian, Ubuntu and Fedora. Install by its own means what is missing of these:
  to build   a C17 compiler with OpenMP and the C library's headers, GNU make, binutils,
             the development files of hwloc (2.4 or later), oneDNN (2.6 or later), jansson and zlib
  to test    the development files of cmocka and MPFR
  to plot    gnuplot with cairo terminals, and a font such as DejaVu Sans
  besides    git, pkg-config, KissFFT in single precision (for the models hyena_dna and hyena_dna_tiny)
TEXT
    exit 1
    ;;
esac

if [ "$(id -u)" -eq 0 ]; then
    sudo=''
elif have sudo; then
    sudo=sudo
else
    echo "setup.sh: installing takes root or sudo, and this is neither. As root, run:" >&2
    [ -z "$update" ] || echo "  $update" >&2
    echo "  $install" >&2
    exit 1
fi

run_as_root() {
    echo "+${sudo:+ $sudo} $*"
    [ "$mode" = dry ] || $sudo "$@"
}

# shellcheck disable=SC2086 # words, not file names
if ! { [ -z "$update" ] || run_as_root $update; } || ! run_as_root $install; then
    echo "setup.sh: the package manager failed; its message is above" >&2
    exit 1
fi
[ "$mode" = dry ] && exit 0

find_missing
if [ -n "$needed$useful" ]; then
    echo "setup.sh: installed, but still not found: $needed $useful" >&2
    exit 1
fi
echo "setup.sh: done"
