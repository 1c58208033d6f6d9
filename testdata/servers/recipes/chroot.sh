# shellcheck shell=bash disable=SC2154 # set by lib.sh
# A chroot of Debian sid beside the system, for servers that Debian 12 hasn't got. The recipe has two functions:
#   fill DIR   installs the server in the unfinished chroot DIR
#   probe DIR  runs the server there for its version, and dies where it doesn't run

# build_chroot DIR: makes DIR, or leaves what was there. Built beside and renamed: a killed build leaves none.
build_chroot() {
	local dir=$1 partial=$1.partial
	[ "$(id -u)" = 0 ] || die "a chroot needs root"
	"$recipes/packages" debootstrap
	discard "$partial"
	mkdir -p "$(dirname "$dir")"
	debootstrap --variant=minbase sid "$partial" "$(mirror)"
	printf '#!/bin/sh\nexit 101\n' >"$partial/usr/sbin/policy-rc.d" # no package starts a server in here
	chmod +x "$partial/usr/sbin/policy-rc.d"
	in_chroot "$partial" apt-get -o Acquire::Check-Valid-Until=false update
	fill "$partial"
	in_chroot "$partial" apt-get clean
	rm -rf "$partial"/var/lib/apt/lists/*
	probe "$partial"
	discard "$dir"
	unmount_below "$partial"
	mv "$partial" "$dir"
}

# in_chroot DIR COMMAND...: as root, with nothing of our own environment but the proxy.
in_chroot() {
	local dir=$1
	shift
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		http_proxy="${http_proxy:-}" chroot "$dir" "$@"
}

# add_packages DIR PACKAGE...: a post-install step may fail in a bare chroot; whether the server runs is asked of the
# server itself, by probe.
add_packages() {
	local dir=$1
	shift
	in_chroot "$dir" apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold "$@" ||
		note "apt-get ended with an error; going by what it installed"
}

# discard DIR: a chroot, finished or not. debootstrap mounts /proc in it and, killed, leaves it there.
discard() {
	[ -e "$1" ] || return 0
	unmount_below "$1"
	rm -rf --one-file-system "$1"
}

unmount_below() {
	local mount mounts
	mounts=$(awk -v dir="$1/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r)
	for mount in $mounts; do umount -l "$mount"; done
}

mirror() {
	local uri
	uri=$(cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null |
		sed -n -E 's/^(URIs:|deb( \[[^]]*\])?)[[:space:]]+(https?:[^[:space:]]+).*/\3/p' | head -n 1)
	printf '%s\n' "${TAILWATER_DEBIAN_MIRROR:-${uri:-http://deb.debian.org/debian}}"
}
