# shellcheck shell=bash
# PostgreSQL as a source and as a target. mysql.sh has the same functions by the other prefix. Sourced by run.sh.

psql_at() { "$TAILWATER_PG15_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -d "$1" "${@:2}"; }
server() { psql_at "$TAILWATER_PG15" "$@"; }
pg_url() { printf '%s' "${TAILWATER_PG15%/postgres\?*}/$1?${TAILWATER_PG15#*\?}"; }
pg_sql() { psql_at "$(pg_url "$1")" -c "$2"; }
pg_topic() { printf '%s.public.orders' "$1"; }

pg_fresh() { # pg_fresh NAME: an empty database with the table
	server -c "set client_min_messages = warning" -c "drop database if exists $1 with (force)" -c "create database $1"
	psql_at "$(pg_url "$1")" -f "$here/orders.sql"
}
pg_load() { pg_sql "$1" "call load_orders($2, $(($3 / 100)))"; } # pg_load NAME FIRST ROWS
pg_sink() { printf '{ name: %s, type: postgres, url: "%s", schema: public }' "$1" "$(pg_url "$1")"; }

pg_config() { # pg_config NAME STREAM [SINK [SNAPSHOT]]
	tailwater_config "$2" "$1" "${3:-}" "${4:-}" <<-Y
		type: postgres
		url: "$(pg_url "$1")"
		slot: { name: $1, create: true }
		publication: { name: $1, create: true }
		tables: { include: ["public.*"] }
	Y
}
pg_done() { # pg_done NAME: gives up its slot and the database, which autovacuum would come to while something else is measured
	until [ "$(server -c "select count(*) from pg_replication_slots where slot_name = '$1' and active")" = 0 ]; do sleep 0.1; done
	server -c "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '$1'" \
		-c "set client_min_messages = warning" -c "drop database if exists $1 with (force)" -c checkpoint >/dev/null
}

pg_debezium() { # pg_debezium NAME SNAPSHOT-MODE
	local address=${TAILWATER_PG15#*@}
	cat <<-P
		name=$1
		connector.class=io.debezium.connector.postgresql.PostgresConnector
		tasks.max=1
		database.hostname=${address%%:*}
		database.port=$(sed -E 's|.*:([0-9]+)/.*|\1|' <<<"$address")
		database.user=postgres
		database.dbname=$1
		topic.prefix=$1
		plugin.name=pgoutput
		slot.name=$1
		publication.name=$1
		publication.autocreate.mode=filtered
		table.include.list=public.orders
		snapshot.mode=$2
	P
}
pg_jdbc() { # the JDBC sink's address of a database
	local address=${TAILWATER_PG15#*@}
	printf 'connection.url=jdbc:postgresql://%s/%s\nconnection.username=postgres\nconnection.password=\n' "${address%%/*}" "$1"
}

# pg_limit NAME [SHAPE]: the log read by pg_recvlogical, with the plugin that we use, to /dev/null. Its slot is older than the backlog.
pg_limit_before() {
	pg_sql "$1" "create publication $1 for all tables" >/dev/null
	pg_sql "$1" "select pg_create_logical_replication_slot('$1', 'pgoutput')" >/dev/null
}
pg_limit() {
	local end begun
	end=$(pg_sql "$1" "select pg_current_wal_flush_lsn()") begun=$(date +%s.%N)
	"$TAILWATER_PG15_BIN/pg_recvlogical" -d "$(pg_url "$1")" -S "$1" --start --no-loop -f /dev/null -o proto_version=1 -o publication_names="$1" --endpos="$end"
	result "pg_recvlogical${2:-}" "$rows" "$(awk -v a="$begun" -v b="$(date +%s.%N)" 'BEGIN { printf "%.2f", b - a }')" - -
	pg_done "$1"
}
