#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/setup.sh on systems that exist only here: a PATH of fake commands, fake distributions, a fake package manager that logs what
# it is told. Nothing is installed.
# independent of the compiler
set -u
. tests/expect.sh
sh=$(command -v sh)

# fake NAME [BODY]: a command of the fake system; its BODY sees $work as the folder of the logs.
fake() {
    printf '#!%s\nwork=%s\n%s\n' "$sh" "$work" "${2:-:}" >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}

# A bare system: no compiler, no make, root.
bare() {
    rm -rf "${work:?}/bin" "${work:?}/fonts" "${work:?}/log"
    mkdir "$work/bin"
    : >"$work/log"
    for real in cat env; do
        ln -s "$(command -v $real)" "$work/bin/$real"
    done
    fake id 'echo 0'
    fake uname 'echo x86_64'
}

# A system that has everything; `cc` lacks the headers named in the file `absent`.
whole() {
    bare
    for name in make nm objdump gnuplot git pkg-config clang clang-format shellcheck chromium; do
        fake "$name"
    done
    : >"$work/absent"
    mkdir -p "$work/fonts/truetype/any"
    : >"$work/fonts/truetype/any/any.ttf"
    # shellcheck disable=SC2016 # expanded by the fake
    fake cc 'while read -r line; do [ -s $work/absent ] && case $line in *include*) ;; "#"*) ;;
        *) while read -r name; do [ "$name" = "$line" ] && echo "$line"; done <$work/absent ;; esac; done; :'
}

distribution() {
    printf 'NAME="Some System"\nID=%s\n%s\n' "$1" "${2:+ID_LIKE=\"$2\"}" >"$work/os-release"
}

# expect CODE TEXT ARGUMENTS...: exit code of setup.sh, and TEXT (if any) in what it says.
expect() {
    code=$1 text=$2
    shift 2
    PATH="$work/bin" CC='' FONTS="$work/fonts" OS_RELEASE="$work/os-release" "$sh" scripts/setup.sh "$@" >"$work/said" 2>&1
    got=$?
    [ "$got" -eq "$code" ] || fail "$step: exit $got, expected $code: $(cat "$work/said")"
    [ -z "$text" ] || grep -qF -e "$text" "$work/said" || fail "$step: no \"$text\" in: $(cat "$work/said")"
}

said() { grep -qwF -e "$1" "$work/said" || fail "$step: no \"$1\" in: $(cat "$work/said")"; }
silent_about() { ! grep -qwF -e "$1" "$work/said" || fail "$step: unexpected \"$1\" in: $(cat "$work/said")"; }

step='MPI on Debian, and on Fedora'
whole
distribution debian
expect 0 'openmpi-bin' --mpi --dry-run
said libopenmpi-dev
said libsimgrid-dev
distribution fedora
expect 0 'openmpi-devel' --mpi --dry-run
said simgrid-devel
expect 0 '' --dry-run
silent_about simgrid-devel

step='bare Debian as root'
bare
distribution debian
expect 0 '+ apt-get update' --dry-run
said 'apt-get install -y --no-install-recommends'
for package in gcc libc6-dev make libhwloc-dev libjansson-dev zlib1g-dev libdnnl-dev libsleef-dev libcmocka-dev libmpfr-dev libkissfft-dev gnuplot-nox binutils git pkg-config \
    fonts-dejavu-core; do
    said "$package"
done
silent_about sudo
silent_about clang
silent_about shellcheck
[ "$(grep -o binutils "$work/said" | wc -l)" -eq 1 ] || fail "$step: binutils is named more than once"

step='bare Ubuntu through sudo, with --dev'
fake id 'echo 1000'
fake sudo
distribution ubuntu debian
expect 0 '+ sudo apt-get update' --dev --dry-run
for package in gcc libhwloc-dev clang libomp-dev clang-format shellcheck; do
    said "$package"
done
silent_about chromium

step='bare Debian, with --dev'
distribution debian
expect 0 '' --dev --dry-run
said chromium
distribution ubuntu debian

step='what emulates other architectures'
expect 0 'gcc-aarch64-linux-gnu qemu-user-static' --cross --dry-run
expect 0 '' --dry-run
silent_about qemu-user-static
fake uname 'echo aarch64'
expect 0 'qemu-user-static' --cross --dry-run
silent_about gcc-aarch64-linux-gnu
fake uname 'echo x86_64'

step='a derivative of Debian'
distribution something 'ubuntu debian'
expect 0 'apt-get install' --dry-run

step='bare Fedora'
distribution fedora
expect 0 '+ sudo dnf install -y' --dry-run
for package in gcc glibc-devel make hwloc-devel jansson-devel zlib-devel oneapi-dnnl-devel sleef-devel libcmocka-devel mpfr-devel kissfft-devel gnuplot binutils git \
    pkgconf-pkg-config dejavu-sans-fonts; do
    said "$package"
done
silent_about apt-get

step='bare Fedora on another architecture'
fake uname 'echo aarch64'
expect 0 'sleef-devel' --dry-run
fake uname 'echo riscv64'
expect 0 'oneapi-dnnl-devel' --dry-run
silent_about sleef-devel
fake uname 'echo x86_64'

step='neither root nor sudo'
rm "$work/bin/sudo"
distribution debian
expect 1 'takes root or sudo'
said 'apt-get update'
said libhwloc-dev
[ ! -s "$work/log" ] || fail "$step: something was run: $(cat "$work/log")"

step='an unknown system'
distribution plan9
expect 1 'none of Debian, Ubuntu and Fedora'
said hwloc
rm "$work/os-release"
expect 1 'none of Debian, Ubuntu and Fedora'

step='--check on a bare system'
distribution debian
expect 1 'sh scripts/setup.sh' --check
for need in cc hwloc.h jansson.h zlib.h dnnl.h make gnuplot; do
    said "$need"
done
[ "$(wc -l <"$work/said")" -eq 1 ] || fail "$step: more than one line: $(cat "$work/said")"

step='--check with everything there'
whole
expect 0 '' --check
silent_about hwloc.h

step='--check without a header'
echo jansson.h >"$work/absent"
expect 1 'missing: jansson.h' --check
silent_about hwloc.h

step='only what is missing is installed'
expect 0 libjansson-dev --dry-run
silent_about libhwloc-dev
silent_about gcc

step='--check without a tool that the build can do without'
whole
rm "$work/bin/gnuplot"
expect 0 gnuplot --check

step='an installation'
whole
echo hwloc.h >"$work/absent"
# shellcheck disable=SC2016 # expanded by the fake
fake apt-get 'echo "apt-get $*" >>$work/log; [ "$1" != install ] || : >$work/absent'
expect 0 'setup.sh: done'
grep -q '^apt-get update' "$work/log" || fail "$step: the package lists were not fetched"
grep -q '^apt-get install .*libhwloc-dev' "$work/log" || fail "$step: $(cat "$work/log")"

step='an installation that does not help'
whole
echo hwloc.h >"$work/absent"
fake apt-get
expect 1 'still not found: hwloc.h'

step='a package manager that fails'
fake apt-get 'exit 100'
expect 1 'package manager failed'

step='a compiler of the user'\''s that is not there'
whole
PATH="$work/bin" CC='clang-99 -O1' "$sh" scripts/setup.sh --check >"$work/said" 2>&1 && fail "$step: exit 0"
said clang-99

# The checkout's own build/onednn is another, so what is fetched goes nowhere: the fake pip has nothing to give.
step='a newer oneDNN'
whole
for real in rm mkdir tr dirname basename; do ln -s "$(command -v $real)" "$work/bin/$real"; done
fake python3 'exit 1'
expect 1 'takes python3 with pip: install it' --onednn
# shellcheck disable=SC2016 # expanded by the fake
fake python3 'case "$*" in *--version*) ;; *) echo "python3 $*" >>$work/log; exit 1 ;; esac'
expect 1 'pip failed' --onednn
said 'pip download onednn-cpu-gomp'
expect 0 'pip download onednn-devel-cpu-gomp' --onednn --dry-run
fake uname 'echo aarch64'
expect 1 'for x86-64 alone; elsewhere name another by make ONEDNN=PREFIX' --onednn

step="SVML"
expect 1 'for x86-64 alone; there are variants mvec and sleef elsewhere' --svml
fake uname 'echo x86_64'
expect 1 'pip failed' --svml
expect 0 'pip download intel-cmplr-lib-rt' --svml --dry-run

step='usage'
expect 0 'usage: sh scripts/setup.sh' --help
expect 2 'unknown option --nonsense' --nonsense

finish
