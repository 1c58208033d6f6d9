# shellcheck shell=bash
# The parts of the bench whose source is PostgreSQL. Sourced by run.sh.

pg_fresh() { # pg_fresh NAME: an empty source database
	server -c "set client_min_messages = warning" -c "drop database if exists $1 with (force)" -c "create database $1"
	psql_at "$(database "$TAILWATER_PG15" "$1")" -f "$here/orders.sql"
}

pg_config() { # pg_config DATABASE STREAM [SINK]
	tailwater_config "$2" "$1" "${3:-}" <<-Y
		type: postgres
		url: "$(database "$TAILWATER_PG15" "$1")"
		slot: { name: $1, create: true }
		publication: { name: $1, create: true }
		tables: { include: ["public.orders"] }
	Y
}

pg_debezium_config() { # pg_debezium_config DATABASE, extra lines on stdin
	local address=${TAILWATER_PG15#*@}
	{
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
			snapshot.mode=no_data
		P
		cat
	} | debezium_worker "$1"
}

pg_debezium_reads() { # waits until it has the slot
	until [ "$(server -c "select count(*) from pg_replication_slots where slot_name = '$1' and active")" = 1 ]; do kill -0 "$pid" && sleep 0.2; done
}

# pg_debezium_prime DATABASE: one row through it, so that its offset is saved.
pg_debezium_prime() {
	debezium_start
	pg_debezium_reads "$1"
	psql_at "$(database "$TAILWATER_PG15" "$1")" -c "insert into orders values (-1, 0, 'new', 1, 'first')"
	until [ -s "$work/connect/offsets.$1" ]; do kill -0 "$pid" && sleep 0.2; done
	debezium_stop
}

drop_slot() {
	until [ "$(server -c "select count(*) from pg_replication_slots where slot_name = '$1' and active")" = 0 ]; do sleep 0.2; done
	server -c "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '$1'" >/dev/null
}

pg_backlog() {
	local i db
	say '' && say "## Postgres log to Kafka, a backlog of $rows rows in transactions of 100, 4 partitions" && say ''
	say '| who | rate | time | peak memory and CPU |' && say '|---|---|---|---|'
	for i in $(seq "$runs"); do
		db=bench_tailwater_$i
		pg_fresh "$db" && pg_config "$db" kafka && tailwater_once
		topic "$db.public.orders"
		psql_at "$(database "$TAILWATER_PG15" "$db")" -c "call load_orders($((rows / 100)))"
		drain tailwater "$db.public.orders"
		drop_slot "$db" && rm -rf "$work/state"
		[ "$incumbent" = 1 ] || continue
		db=bench_debezium_$i
		pg_fresh "$db" && topic "$db.public.orders" && pg_debezium_config "$db" </dev/null && pg_debezium_prime "$db"
		psql_at "$(database "$TAILWATER_PG15" "$db")" -c "call load_orders($((rows / 100)))"
		drain debezium "$db.public.orders"
		drop_slot "$db"
	done
}

pg_latency() {
	local i db target source
	say '' && say "## PostgreSQL, insert sent to record seen and to target row seen, $rate single-row transactions a second for $load s" && say ''
	for i in $(seq "$runs"); do
		for kind in kafka direct; do
			db=latency_$kind$i target=$(database "$TAILWATER_PG15" "latency_target_$kind$i") source=$(database "$TAILWATER_PG15" "latency_$kind$i")
			pg_fresh "$db" && target "latency_target_$kind$i"
			pg_config "$db" $kind "{ name: copy, type: postgres, url: \"$target\", schema: public }"
			tailwater_once && tailwater_start
			psql_at "$source" -c "insert into orders values (-1, 0, 'new', 1, 'warm')"
			warmed_up "$target"
			if [ $kind = kafka ]; then
				measure "$source" "tailwater kafka" -broker "$TAILWATER_KAFKA" -topic "$db.public.orders" -target "$target"
			else
				measure "$source" "tailwater direct" -target "$target"
			fi
			tailwater_stop && drop_slot "$db" && rm -rf "$work/state"
		done
		[ "$incumbent" = 1 ] || continue
		for interval in '' 5; do
			db=latency_debezium$interval$i
			pg_fresh "$db" && topic "$db.public.orders" && pg_debezium_config "$db" <<<"${interval:+poll.interval.ms=$interval}"
			pg_debezium_prime "$db" && debezium_start
			pg_debezium_reads "$db"
			measure "$(database "$TAILWATER_PG15" "$db")" "debezium${interval:+ poll.interval.ms=$interval}" -broker "$TAILWATER_KAFKA" -topic "$db.public.orders"
			debezium_stop && drop_slot "$db"
		done
	done
}
