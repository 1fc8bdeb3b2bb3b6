#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a command of the README in a bare Debian 12 (no compiler, no make), so that a missing install step shows:
#     sh scripts/check_bare.sh 'sh scripts/setup.sh && make check'
# The root file system is made in a temporary folder by debootstrap from this machine's own apt mirror and holds a fresh
# clone of HEAD. REQUIRE and WERROR, if set, are set there too. KEEP, if set, names the folder that build/ there becomes in the end.
# Exits with the command's status, or with 77 and the reason if no such system can be made here.
set -eu
cd "$(dirname "$0")/.."

suite=bookworm
command=${1:?must be the command to run, e.g. 'sh scripts/setup.sh && make check'}

skip() {
    echo "SKIPPED: $*"
    exit 77
}

[ "$(id -u)" -eq 0 ] || skip "only root can make a root file system; run it as root"
command -v apt-get >/dev/null || skip "this is not Debian or a relative of it: there is no apt-get to take a mirror from"
if ! command -v debootstrap >/dev/null; then
    echo "Installing debootstrap."
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends debootstrap; } </dev/null >/dev/null ||
        skip "debootstrap is not there and cannot be installed"
fi
unshare --mount true 2>/dev/null || skip "this machine does not let root mount anything (a container without CAP_SYS_ADMIN)"

# The mirror is asked of apt, which understands every way of writing a source. On Ubuntu there is none of Debian's.
mirrors() {
    apt-get indextargets --format "\$(REPO_URI)" 'Created-By: Packages' 'Label: Debian' 'Component: main' | head -n 1
}
mirror=$(mirrors)
if [ -z "$mirror" ]; then # not before the first update
    apt-get update -qq </dev/null || true
    mirror=$(mirrors)
fi
[ -n "$mirror" ] || skip "apt has no mirror of Debian's main archive among its sources"

# wget, which debootstrap downloads with, reads a proxy from the environment only.
proxy=$(apt-config shell proxy Acquire::http::Proxy)
eval "$proxy"
case ${proxy:-DIRECT} in
DIRECT | false) ;;
*) export http_proxy="${http_proxy:-$proxy}" https_proxy="${https_proxy:-$proxy}" ;;
esac

work=$(mktemp -d)
root=$work/root
# Mounts are made in a namespace of their own and are gone with it, so removing the folder cannot reach through them.
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM

echo "Making a bare Debian ($suite) in $root."
if ! debootstrap --variant=minbase "$suite" "$root" "$mirror" </dev/null >"$work/log" 2>&1; then
    tail -n 5 "$work/log"
    skip "debootstrap failed (its last lines are above)"
fi

# How this machine reaches the mirror holds in there too: proxies, retries and names, but no hooks, whose programs are not there.
apt-config dump | grep -E '^Acquire::(http|https|ftp|Retries|ForceIPv|Check-Valid-Until)' >"$root/etc/apt/apt.conf.d/00mirror" || true
# It is thrown away: nobody reads descriptions of packages there, nor waits for a disk.
echo 'Acquire::Languages "none";' >>"$root/etc/apt/apt.conf.d/00mirror"
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
for file in /etc/resolv.conf /etc/hosts; do
    [ ! -e "$file" ] || cp -L "$file" "$root$file"
done
git clone --quiet --no-hardlinks . "$root/normbench"

echo "Running there: $command"
status=0
# shellcheck disable=SC2016 # expanded by the inner shell
unshare --mount --propagation private sh -c '
    root=$1
    mount -t proc proc "$root/proc" && mount --rbind /sys "$root/sys" && mount --rbind /dev "$root/dev" || exit 77
    shift
    exec chroot "$root" /usr/bin/env -i "$@"' sh "$root" \
    HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
    ${REQUIRE:+"REQUIRE=$REQUIRE"} ${WERROR:+"WERROR=$WERROR"} \
    ${http_proxy:+"http_proxy=$http_proxy"} ${https_proxy:+"https_proxy=$https_proxy"} ${no_proxy:+"no_proxy=$no_proxy"} \
    sh -c "cd /normbench && $command" </dev/null || status=$?
[ "$status" -ne 77 ] || skip "/proc, /sys and /dev cannot be mounted in the new root"
# By their times make knows which objects are newer than what they are made of.
[ -z "${KEEP:-}" ] || [ ! -d "$root/normbench/build" ] || mv "$root/normbench/build" "$KEEP"
exit "$status"
