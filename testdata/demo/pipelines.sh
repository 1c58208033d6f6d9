# shellcheck shell=bash
# The demo's pipelines, a function each that prints its part of the configuration, the load of each source, and how rows of each are
# compared. Sourced by run.sh. What a missing server takes away is left out and named.

pgbench_tables="pgbench_accounts pgbench_branches pgbench_tellers pgbench_history"
sysbench_tables="sbtest1 sbtest2"
has() { [ -n "${!1:-}" ]; }

kafka_stream() { printf '{ type: kafka, brokers: ["%s"], tls: { mode: disable }, prefix: %s, partitions: 4 }' "$TAILWATER_KAFKA" "$1"; }

pg_source() { # pg_source NAME
	cat <<-Y
		    source:
		      type: postgres
		      url: "$source_url"
		      slot: { name: $1, create: true }
		      publication: { name: $1, create: true }
		      tables: { include: ["public.pgbench_*"] }
		      snapshot: { mode: initial }
	Y
}

my_source() { # my_source TYPE ADDRESS
	cat <<-Y
		    source:
		      type: $1
		      url: "mysql://root@$2/"
		      tls: { mode: disable }
		      tables: { include: ["shop.sbtest*"] }
		      snapshot: { mode: initial }
	Y
}

pg_sink() { printf '{ name: %s, type: postgres, url: "%s", schema: public, create_tables: true }' "$1" "$2"; }
my_sink() { printf '{ name: %s, type: mysql, url: "mysql://root@%s/%s", tls: { mode: disable }, create_tables: true }' "$1" "$TAILWATER_MYSQL97" "$2"; }

configuration() {
	printf 'version: 1\nserver: { listen: "127.0.0.1:%s", state_dir: ./state }\npipelines:\n' "$port"
	printf '  - name: broker\n%s\n    stream: %s\n    sinks:\n      - %s\n' "$(pg_source demo_broker)" "$(kafka_stream demo)" "$(pg_sink copy "$kafka_url")"
	if has TAILWATER_MYSQL97; then printf '      - %s\n' "$(my_sink mysql from_postgres)"; fi
	printf '  - name: direct\n%s\n    stream: { type: direct }\n    sinks:\n      - %s\n' "$(pg_source demo_direct)" "$(pg_sink copy "$direct_url")"
	if has TAILWATER_MARIADB10; then
		printf '  - name: maria\n%s\n    stream: %s\n    sinks:\n      - %s\n' "$(my_source mariadb "$TAILWATER_MARIADB10")" "$(kafka_stream maria)" "$(pg_sink copy "$maria_url")"
	fi
	if has TAILWATER_MYSQL97; then
		printf '  - name: mysql\n%s\n    stream: { type: direct }\n    sinks:\n      - %s\n' "$(my_source mysql "$TAILWATER_MYSQL97")" "$(my_sink copy shop_copy)"
	fi
}

# sysbench_at SERVER ARGUMENT...: its OLTP workload against the database shop.
sysbench_at() {
	"$root/testdata/servers/sysbench" "${1,,}" shop oltp_read_write --tables=2 --table-size="$((scale * 4000))" --threads="$clients" "${@:2}"
}

# Every column of a row, as text. Where both ends are Postgres it is the row's own text; elsewhere the words are the ones that both engines
# write alike. A char's padding is no part of its value to either of them.
pg_row() { printf 'row(%s)::text' "$(source_sql "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute where attrelid = 'public.$2'::regclass and attnum > 0 and not attisdropped")"; }

pgbench_row() { # pgbench_row END TABLE
	local time="date_format(mtime, '%Y-%m-%d %H:%i:%s.%f')" filler="coalesce(rtrim(filler), 'NULL')"
	case $1 in postgres*) time="to_char(mtime, 'YYYY-MM-DD HH24:MI:SS.US')" ;; esac
	case $2 in
	pgbench_accounts) printf "concat_ws('|', aid, bid, abalance, %s)" "$filler" ;;
	pgbench_branches) printf "concat_ws('|', bid, bbalance, %s)" "$filler" ;;
	pgbench_tellers) printf "concat_ws('|', tid, bid, tbalance, %s)" "$filler" ;;
	pgbench_history) printf "concat_ws('|', tid, bid, aid, delta, %s, %s)" "$time" "$filler" ;;
	esac
}

sysbench_row() { printf "concat_ws('|', id, k, rtrim(c), rtrim(pad))"; }

compare_all() {
	compare "Postgres -> Kafka -> Postgres:" "$source_url" "$kafka_url" pg_row $pgbench_tables
	compare "Postgres -> direct -> Postgres:" "$source_url" "$direct_url" pg_row $pgbench_tables
	if has TAILWATER_MYSQL97; then
		compare "Postgres -> Kafka -> MySQL:" "$source_url" MYSQL97/from_postgres pgbench_row $pgbench_tables
		compare "MySQL -> direct -> MySQL:" MYSQL97/shop MYSQL97/shop_copy sysbench_row $sysbench_tables
	fi
	if has TAILWATER_MARIADB10; then
		compare "MariaDB -> Kafka -> Postgres:" MARIADB10/shop "$maria_url" sysbench_row $sysbench_tables
	fi
}
