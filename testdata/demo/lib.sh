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

# source_sql, kafka_sql, direct_sql SQL: unaligned text of the answer, by psql.
psql_at() { "$TAILWATER_PG15_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -d "$1" -c "$2"; }
source_sql() { psql_at "$source_url" "$1"; }
kafka_sql() { psql_at "$kafka_url" "$1"; }
direct_sql() { psql_at "$direct_url" "$1"; }

# database URL NAME: the server's URL with another database.
database() { printf '%s' "${1%/postgres\?*}/$2?${1#*\?}"; }

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
	say "kill -9 $1 (both slots together: $behind bytes of log not confirmed); starting it again"
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

# rows URL TABLE: how many rows stand there, 0 if there is no such table yet.
rows() {
	psql_at "$1" "select case when to_regclass('public.$2') is null then 0 else (xpath('/row/c/text()', query_to_xml('select count(*) as c from public.$2', false, true, '')))[1]::text::bigint end"
}

# fingerprint URL TABLE: the number of rows and a checksum of their text, computed by that server, over the source's columns.
fingerprint() {
	psql_at "$1" "select count(*) || ' rows, checksum ' || coalesce(sum(('x' || substr(md5(row($(columns "$2"))::text), 1, 15))::bit(60)::bigint), 0) from public.$2"
}

columns() {
	source_sql "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute where attrelid = 'public.$1'::regclass and attnum > 0 and not attisdropped"
}

# compare NAME URL: every table at both ends, row by row, as each server's own text.
compare() {
	local table here there
	for table in $tables; do
		here=$(fingerprint "$source_url" "$table")
		there=$(fingerprint "$2" "$table")
		if [ "$here" != "$there" ]; then
			note "$1 $table: source has $here, target has $there"
			unequal=1
		else
			note "$1 $table: $here: equal"
		fi
	done
}
