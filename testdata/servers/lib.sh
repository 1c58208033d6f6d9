# shellcheck shell=bash disable=SC2034
# Shared by the verbs and the recipes in this folder: where things live, pid files, ports, the NOT RUN list.
# Sourced, never run. Callers set -euo pipefail themselves.

SERVER_NAMES="pg15 pg18 kafka mysql97 mariadb10 mariadb118 readers registry"

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
recipes=$here/recipes
cache=${TAILWATER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tailwater}
servers=${TAILWATER_SERVERS:-$cache/servers}
not_run_file=$cache/not-run
env_file=$servers/env
chroot_dir=$cache/sid
export here recipes cache servers not_run_file env_file chroot_dir

# PATH of a cron job or a systemd unit lacks the sbin folders, where debootstrap, chroot and ip are.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

note() { printf '%s\n' "$*" >&2; }

die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# servers_id: a short name of this TAILWATER_SERVERS, for folders that have to lie elsewhere.
servers_id() { printf %s "$servers" | cksum | cut -d' ' -f1; }

is_server() {
	case " $SERVER_NAMES " in *" $1 "*) return 0 ;; *) return 1 ;; esac
}

# wanted ARG...: the servers named, or all of them.
wanted() {
	local name
	# shellcheck disable=SC2086 # a list of words
	[ $# -gt 0 ] || set -- $SERVER_NAMES
	for name in "$@"; do
		is_server "$name" || die "no server is called $name (there are: $SERVER_NAMES)"
	done
	printf '%s\n' "$@"
}

# One install, start or stop at a time. The lock is the open file, so it dies with its holder; children
# that outlive the script must be started with 9>&-.
lock() {
	mkdir -p "$(dirname "$1")"
	exec 9>"$1"
	flock -w 900 9 || die "another script holds $1 for 15 minutes"
}

# started PID: the start time of the process in clock ticks since boot. With the pid it names one process
# for ever; the pid alone may belong to a stranger by now.
started() {
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	stat=${stat##*) } # the command's name may hold spaces and parentheses
	# shellcheck disable=SC2086 # fields
	set -- $stat
	[ "$1" != Z ] || return 1
	printf '%s\n' "${20}"
}

# live NAME: prints the pid if the server we started still runs.
live() {
	local pid born now
	read -r pid born 2>/dev/null <"$servers/$1/pid" || return 1
	now=$(started "$pid") || return 1
	[ "$now" = "$born" ] || return 1
	printf '%s\n' "$pid"
}

record_pid() {
	local born
	born=$(started "$2") || return 1
	printf '%s %s\n' "$2" "$born" >"$servers/$1/pid.new"
	mv "$servers/$1/pid.new" "$servers/$1/pid"
}

port_taken() {
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# free_port FIRST: the first port from FIRST that nobody listens on. Below 32768, so that no outgoing
# connection of this machine takes it in between.
free_port() {
	local port=$1
	while port_taken "$port"; do
		port=$((port + 1))
		[ "$port" -lt 32768 ] || die "no free port from $1 to 32767"
	done
	printf '%s\n' "$port"
}

forget_not_run() {
	[ -f "$not_run_file" ] || return 0
	grep -v "^NOT RUN $1: " "$not_run_file" >"$not_run_file.new" || true
	mv "$not_run_file.new" "$not_run_file"
}

mark_not_run() {
	forget_not_run "$1"
	printf 'NOT RUN %s: %s\n' "$1" "$2" >>"$not_run_file"
}

# print_env: the export lines of the servers that run and the programs that are installed.
print_env() {
	local name
	printf 'export TAILWATER_RECIPES=%q\n' "$recipes"
	printf 'export TAILWATER_NOT_RUN=%q\n' "$not_run_file"
	for name in $SERVER_NAMES; do
		"$recipes/$name" installed || continue
		"$recipes/$name" env-installed
		if live "$name" >/dev/null; then
			"$recipes/$name" env-running "$(cat "$servers/$name/port")"
		fi
	done
}

write_env_file() {
	mkdir -p "$servers"
	print_env >"$env_file.new"
	mv "$env_file.new" "$env_file"
}
