# shellcheck shell=bash
# What the demo's steps share: the servers' own clients, the process, and the comparison of two ends. Sourced by run.sh.

bold='' plain='' clear_line=''
if [ -z "${CHECK:-}" ] && [ -t 1 ]; then
	bold=$(printf '\033[1m') plain=$(printf '\033[0m') clear_line=$(printf '\r\033[K')
fi

say() { printf '%s%s== %s%s\n' "$clear_line" "$bold" "$*" "$plain"; }
note() { printf '%s   %s\n' "$clear_line" "$*"; }
fail() {
	printf '%sFAILED: %s\n' "$clear_line" "$*" >&2
	[ ! -f "$work/log" ] || tail -n 30 "$work/log" >&2
	exit 1
}

# psql_at URL SQL: unaligned text of the answer, by psql.
psql_at() { "$TAILWATER_PG15_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -d "$1" -c "$2"; }
source_sql() { psql_at "$source_url" "$1"; }

# database URL NAME: the Postgres server's URL with another database.
database() { printf '%s' "${1%/postgres\?*}/$2?${1#*\?}"; }

# my_at SERVER DATABASE SQL: SERVER is MYSQL97 or MARIADB10; the answer of the server's own client.
my_at() {
	local address=TAILWATER_$1 tool=TAILWATER_${1}_TOOL
	# shellcheck disable=SC2086 # a command and its arguments
	${!tool} mysql --no-defaults --protocol=tcp -h "${!address%:*}" -P "${!address##*:}" -u root -N -B -e "$3" "$2"
}

# at END SQL: END is a Postgres url, or SERVER/DATABASE.
at() {
	case $1 in
	postgres*) psql_at "$1" "$2" ;;
	*) my_at "${1%/*}" "${1#*/}" "$2" ;;
	esac
}

start_tailwater() {
	(cd "$work" && exec "$binary" run -c tailwater.yaml --quiet >>"$work/log" 2>&1) &
	pid=$!
}

# kill_tailwater WHEN: kill -9, and say how far the log of the source is ahead of what the process had saved.
kill_tailwater() {
	local behind
	behind=$(source_sql "select coalesce(sum(pg_current_wal_lsn() - confirmed_flush_lsn), 0)::bigint from pg_replication_slots")
	kill -9 "$pid" || fail "the process was gone before it could be killed"
	wait "$pid" 2>/dev/null || true
	kills=$((kills + 1))
	say "kill -9 $1 (both Postgres slots together: $behind bytes of log not confirmed); starting it again"
	start_tailwater
}

# until_true SECONDS WHAT COMMAND...: polls a condition.
until_true() {
	local end=$((SECONDS + $1)) what=$2
	shift 2
	until "$@"; do
		kill -0 "$pid" 2>/dev/null || fail "tailwater ended while the demo waited until $what"
		[ "$SECONDS" -lt "$end" ] || fail "gave up waiting until $what"
		sleep 0.2
	done
}

# rows END TABLE: how many rows stand there, 0 if there is no such table yet.
rows() {
	local schema=public
	case $1 in postgres*) ;; *) schema=${1#*/} ;; esac
	if [ "$(at "$1" "select count(*) from information_schema.tables where table_schema = '$schema' and table_name = '$2'")" = 0 ]; then
		echo 0
	else
		at "$1" "select count(*) from $2"
	fi
}

# fingerprint END ROW TABLE: the number of rows and a checksum over ROW, an SQL text of each, both computed by that server.
fingerprint() {
	case $1 in
	postgres*) psql_at "$1" "select concat(count(*), ' rows, checksum ', coalesce(sum(('x' || substr(encode(sha256(convert_to($2, 'UTF8')), 'hex'), 1, 15))::bit(60)::bigint), 0)) from $3" ;;
	*) at "$1" "select concat(count(*), ' rows, checksum ', coalesce(sum(cast(conv(substr(sha2($2, 256), 1, 15), 16, 10) as unsigned)), 0)) from $3" ;;
	esac
}

# compare WAY SOURCE TARGET ROW TABLE...: every table at both ends, row by row, as each server's own text. ROW is the function that gives a
# table's row text for an end.
compare() {
	local way=$1 source=$2 target=$3 row=$4 table here there
	shift 4
	for table in "$@"; do
		here=$(fingerprint "$source" "$("$row" "$source" "$table")" "$table")
		there=$(fingerprint "$target" "$("$row" "$target" "$table")" "$table")
		if [ "$here" != "$there" ]; then
			note "$way $table: source has $here, target has $there"
			unequal=1
		else
			note "$way $table: $here: equal"
		fi
	done
}
