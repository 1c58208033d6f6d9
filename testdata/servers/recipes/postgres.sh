# shellcheck shell=bash disable=SC2154 # set by the recipe and lib.sh
# What both PostgreSQL recipes share. The recipe sets:
#   root  the folder the server sees as / (empty: no chroot)
#   bin   the folder of its programs, as seen from inside root
#   user  the account it runs as, inside root
#   name, env_name  pg15 and TAILWATER_PG15

# inside DIR: a folder of this machine as the server sees it.
inside() {
	case $1 in
	"$root"/*) printf '%s\n' "${1#"$root"}" ;;
	*) die "$1 is not below $root, where $name can see it" ;;
	esac
}

# launch TOOL ARG...: replaces this process with one of the server's programs, run as its user. None of env,
# setpriv and chroot forks, so the pid is the program's own.
launch() {
	local tool=$1 as=(setpriv --reuid "$user" --regid "$user" --init-groups)
	shift
	if [ -n "$root" ]; then as=(chroot --userspec="$user:$user" "$root"); fi
	cd /
	exec env -i PATH="$bin:/usr/sbin:/usr/bin:/sbin:/bin" LANG=C.UTF-8 TZ=UTC \
		"${as[@]}" "$bin/$tool" "$@"
}

# prepare DIR: a new, empty cluster in DIR/data. Built beside and renamed: a killed initdb leaves none.
prepare() {
	local dir=$1
	rm -rf "$dir/data.partial"
	mkdir -p "$dir/data.partial"
	own "$dir" "$dir/data.partial"
	(launch initdb --no-sync --auth=trust --username=postgres --encoding=UTF8 --locale=C.UTF-8 \
		-D "$(inside "$dir/data.partial")")
	mv "$dir/data.partial" "$dir/data"
}

own() {
	if [ -n "$root" ]; then
		local path
		for path in "$@"; do chroot "$root" chown "$user:$user" "$(inside "$path")"; done
	else
		chown "$user:$user" "$@"
	fi
}

# run DIR PORT ARG...: becomes the server. Settings go on the command line, so that the data folder is
# as initdb made it and a test's own -c, which comes later, wins.
run() {
	local dir=$1 port=$2 fsync=off
	[ -z "${TAILWATER_DURABLE:-}" ] || fsync=on
	shift 2
	launch postgres -D "$(inside "$dir/data")" -p "$port" \
		-c listen_addresses=127.0.0.1 -c unix_socket_directories= \
		-c wal_level=logical -c max_wal_senders=60 -c max_replication_slots=60 \
		-c max_connections=300 -c max_prepared_transactions=20 \
		-c fsync=$fsync -c synchronous_commit=on -c timezone=UTC -c log_timezone=UTC \
		-c log_checkpoints=off "$@"
}

postgres_verb() {
	local verb=$1
	shift
	case $verb in
	install) install_server ;;
	installed) installed ;;
	version) (launch postgres --version) ;;
	prepare) prepare "$@" ;;
	run) run "$@" ;;
	tool) launch "$@" ;;
	ready) (launch pg_isready -q -h 127.0.0.1 -p "$1" -U postgres -d postgres) ;;
	first-port) printf '%s\n' "$first_port" ;;
	stop-signal) echo INT ;; # a fast shutdown; TERM would wait for every client to leave
	work-dir) work_dir ;;
	env-installed)
		printf 'export %s_ROOT=%q\nexport %s_BIN=%q\nexport %s_USER=%q\n' \
			"$env_name" "$root" "$env_name" "$bin" "$env_name" "$user"
		printf 'export %s_TOOL=%q\n' "$env_name" "$recipes/$name tool"
		;;
	env-running)
		printf 'export %s=%q\n' "$env_name" "postgres://postgres@127.0.0.1:$1/postgres?sslmode=disable"
		;;
	*) die "$name has no verb $verb" ;;
	esac
}
