# shellcheck shell=bash disable=SC2154 # set by the recipe and lib.sh
# What the recipes of MySQL and MariaDB share. The recipe sets:
#   flavour  mysql or mariadb
#   root     the folder the server sees as / (empty: no chroot)
#   pristine a folder below root that the server's account can enter, for the data that each new server begins with
#   oldest   the version from which one serves, 9.7
#   name, env_name, first_port
# Where there is a chroot it has fill too (see chroot.sh).

bin=/usr/bin
uid=3306 # has no account, here or in the chroot, and no Debian package takes it
if [ "$flavour" = mysql ]; then
	server=/usr/sbin/mysqld client=mysql title=MySQL
else
	server=/usr/sbin/mariadbd client=mariadb title=MariaDB
fi

installed() {
	[ -x "$root$server" ] && [ -x "$root$bin/$client" ] && [ -d "$pristine/data" ]
}

# install_server: a killed run is gone on with where it was.
install_server() {
	if [ -n "$root" ]; then
		[ -x "$root$server" ] || build_chroot "$root"
	else
		[ -x "$server" ] && [ -x "$bin/$client" ] || "$recipes/packages" "$flavour"
		probe ""
	fi
	keep_pristine
	installed || die "the packages are installed, but $root$server or its client is not there"
	"$recipes/packages" sysbench || note "no sysbench, which only load tests need"
}

# version DIR: of the server below DIR, as it says.
version() { chroot "${1:-/}" "$server" --no-defaults --version | sed -n -E 's/.* Ver ([0-9.]+).*/\1/p'; }

# probe DIR: dies unless the server below DIR runs and is not older than wanted.
probe() {
	local found
	found=$(version "$1")
	[ "$(printf '%s\n' "$oldest" "$found" | sort -V | head -n 1)" = "$oldest" ] ||
		die "there is ${found:-no version} of $flavour, not $oldest or later"
}

# Data lies inside the chroot, in a folder of its own for each TAILWATER_SERVERS. Without one: the server's account
# can't enter a home folder such as /root; then it lies in /var/lib.
work_dir() {
	if [ -n "$root" ]; then
		printf '%s/srv/%s/%s\n' "$root" "$(servers_id)" "$name"
	elif (cd / && setpriv --reuid "$uid" --regid "$uid" --clear-groups test -x "$servers") 2>/dev/null; then
		printf '%s/%s/work\n' "$servers" "$name"
	else
		printf '/var/lib/tailwater-servers/%s/%s\n' "$(servers_id)" "$name"
	fi
}

# inside DIR: a folder of this machine as the server sees it.
inside() {
	case $1 in
	"$root"/*) printf '%s\n' "${1#"$root"}" ;;
	*) die "$1 is not below $root, where $name can see it" ;;
	esac
}

# launch PROGRAM ARG...: replaces this process with one of the server's programs, run as its user. None of env,
# setpriv and chroot forks, so the pid is the program's own.
launch() {
	local as=(setpriv --reuid "$uid" --regid "$uid" --clear-groups)
	if [ -n "$root" ]; then as=(chroot --userspec="$uid:$uid" --groups= "$root"); fi
	cd /
	exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TZ=UTC "${as[@]}" "$@"
}

# tool NAME ARG...: one of the server's programs. MariaDB's answer to MySQL's names too, which its packages dropped.
tool() {
	local tool=$1
	shift
	if [ "$flavour" = mariadb ]; then
		case $tool in
		mysql) tool=mariadb ;;
		mysql*) tool=mariadb-${tool#mysql} ;;
		esac
	fi
	launch "$bin/$tool" "$@"
}

# initialize DIR ARG...: the data of a new server in DIR/data, by the server's own program. Built beside and renamed:
# killed, it leaves none.
initialize() {
	local dir=$1
	shift
	rm -rf "$dir/data" "$dir/data.partial"
	mkdir -p "$dir/data.partial"
	# Root from everywhere and without a password, as "trust" is in Postgres.
	cat >"$dir/init.sql" <<-'SQL'
		flush privileges;
		create user 'root'@'%' identified by '';
		grant all privileges on *.* to 'root'@'%' with grant option;
	SQL
	chown "$uid:$uid" "$dir" "$dir/data.partial" "$dir/init.sql"
	if [ "$flavour" = mysql ]; then
		(launch "$server" --no-defaults --initialize-insecure --datadir="$(inside "$dir/data.partial")" \
			--init-file="$(inside "$dir/init.sql")" --secure-file-priv=NULL --innodb-redo-log-capacity=64M "$@")
	else
		(launch "$bin/mariadb-install-db" --no-defaults --datadir="$(inside "$dir/data.partial")" \
			--extra-file="$(inside "$dir/init.sql")" --auth-root-authentication-method=normal \
			--force --skip-test-db --skip-name-resolve --innodb-log-file-size=64M "$@")
	fi
	rm "$dir/init.sql"
	rm -f "$dir/data.partial/auto.cnf" # MySQL's server_uuid: each copy makes its own
	mv "$dir/data.partial" "$dir/data"
}

# keep_pristine: the data that each new server begins with as a copy, of the version that is installed now.
keep_pristine() {
	local found
	found=$(version "$root")
	if [ -d "$pristine/data" ] && [ "$(cat "$pristine/version" 2>/dev/null)" = "$found" ]; then return; fi
	initialize "$pristine"
	printf '%s\n' "$found" >"$pristine/version"
}

# prepare DIR PORT ARG...: a new server's data in DIR/data; ARGs, name=value, are for what holds from a server's birth
# (lower_case_table_names, innodb_page_size), which takes seconds instead of a copy.
prepare() {
	local dir=$1
	shift 2
	if [ $# -gt 0 ]; then
		initialize "$dir" "${@/#/--}"
		return
	fi
	rm -rf "$dir/data" "$dir/data.partial"
	mkdir -p "$dir"
	cp -a --sparse=always "$pristine/data" "$dir/data.partial"
	chown "$uid:$uid" "$dir"
	mv "$dir/data.partial" "$dir/data"
}

# run DIR PORT ARG...: becomes the server. Each ARG is a setting, name=value, and wins over those here; skip-log-bin
# and the like are settings too.
run() {
	local dir own=()
	dir=$(inside "$1")
	# A folder for temporary tables of its own: a MariaDB that starts removes those that it finds, whosever they are.
	mkdir -p "$1/tmp"
	chown "$uid:$uid" "$1/tmp"
	if [ "$flavour" = mysql ]; then
		own=(--mysqlx=OFF --secure-file-priv=NULL --gtid-mode=ON --enforce-gtid-consistency=ON --innodb-redo-log-capacity=64M)
	else
		own=(--binlog-format=ROW --innodb-log-file-size=64M)
	fi
	local port=$2 sync=0 flush=2
	[ -z "${TAILWATER_DURABLE:-}" ] || sync=1 flush=1
	shift 2
	launch "$server" --no-defaults --datadir="$dir/data" --tmpdir="$dir/tmp" --port="$port" --bind-address=127.0.0.1 --socket= \
		--pid-file="$dir/data/server.pid" --skip-name-resolve --server-id="$port" \
		--log-bin=bin --binlog-row-image=FULL --binlog-row-metadata=FULL --sync-binlog="$sync" \
		--innodb-flush-log-at-trx-commit="$flush" --innodb-buffer-pool-size=128M --innodb-log-buffer-size=8M \
		--performance-schema=OFF --max-connections=300 \
		--default-time-zone=+00:00 --character-set-server=utf8mb4 "${own[@]}" "${@/#/--}"
}

mysql_verb() {
	local verb=$1
	shift
	case $verb in
	install) install_server ;;
	installed) installed ;;
	version) printf '%s %s\n' "$title" "$(version "$root")" ;;
	prepare) prepare "$@" ;;
	run) run "$@" ;;
	tool) tool "$@" ;;
	ready) (tool "$client" --no-defaults -h127.0.0.1 -P"$1" -uroot -e 'select 1' >/dev/null) ;;
	first-port) printf '%s\n' "$first_port" ;;
	stop-signal) echo TERM ;;
	work-dir) work_dir ;;
	env-installed)
		printf 'export %s_ROOT=%q\nexport %s_BIN=%q\n' "$env_name" "$root" "$env_name" "$bin"
		printf 'export %s_TOOL=%q\n' "$env_name" "$recipes/$name tool"
		;;
	env-running) printf 'export %s=127.0.0.1:%s\n' "$env_name" "$1" ;;
	*) die "$name has no verb $verb" ;;
	esac
}
