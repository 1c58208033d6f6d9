# shellcheck shell=bash
# Kafka to a target's table by upsert, and source to target without Kafka. Sourced by run.sh.

row_kafka_pg() { sink pg; }
row_kafka_my() { sink my; }
row_pg_direct() { direct pg; }
row_my_direct() { direct my; }

# table_watch ENGINE NAME: table_watched waits until the table has all rows, and sets seconds from the first that stood there.
table_watch() {
	fifo=$work/watch
	: >"$fifo" # else the last one's word may be read
	"$work/gauge" table -target "$("${1}_url" "$2")" -rows "$rows" >"$fifo" 2>"$work/watch.err" &
	watcher=$!
	until grep -q watching "$fifo" 2>/dev/null; do alive $watcher && sleep 0.02; done
}

# sink ENGINE: a topic of PostgreSQL's that holds all rows; each run has a target and a group of its own.
sink() {
	local e=$1 from=pg_filled_$1 name=${1}_sink_$run
	if [ "$run" = 1 ]; then
		pg_fresh "$from" && pg_config "$from" kafka && tailwater_once
		topic "$(pg_topic "$from")" && pg_load "$from" 1 "$rows"
		watch "$(pg_topic "$from")" "$rows" && tailwater_start && watched && tailwater_stop && pg_done "$from"
	fi
	"${e}_fresh" "$name" && pg_config "$from" kafka "$("${e}_sink" "$name")"
	table_watch "$e" "$name" && tailwater_start --role apply && watched
	result tailwater "$rows" "$seconds" "$(peak "$pid")" "$(cpu "$pid")"
	tailwater_stop

	name=${e}_upsert_$run
	"${e}_fresh" "$name"
	result 'bare driver' "$rows" "$("$work/gauge" upsert -target "$("${e}_url" "$name")" -rows "$rows")" - -

	[ "$incumbent" = 1 ] || return 0
	jdbc "$e" "pg_dbz_filled_$e"
}

# jdbc ENGINE SOURCE: the incumbent's sink, from a topic that the incumbent has filled, for it needs a schema in each record.
jdbc() {
	local e=$1 from=$2 name=${1}_jdbc_$run
	if [ "$run" = 1 ]; then
		pg_fresh "$from" && topic "$(pg_topic "$from")"
		pg_debezium "$from" no_data | debezium_worker "$from" tuned
		sed -i 's/schemas.enable=false/schemas.enable=true/' "$work/connect/worker.properties"
		watch "$(pg_topic "$from")" "$rows" && debezium_start && debezium_running "$from" && sleep 2
		pg_load "$from" 1 "$rows" && watched && debezium_stop && pg_done "$from"
	fi
	"${e}_fresh" "$name"
	{
		cat <<-P
			name=$name
			connector.class=io.debezium.connector.jdbc.JdbcSinkConnector
			topics=$(pg_topic "$from")
			insert.mode=upsert
			delete.enabled=true
			primary.key.mode=record_key
			schema.evolution=none
			collection.name.format=orders
			batch.size=2000
			consumer.override.max.poll.records=2000
			consumer.override.auto.offset.reset=earliest
			tasks.max=2
		P
		"${e}_jdbc" "$name"
	} | debezium_worker "$name"
	sed -i 's/schemas.enable=false/schemas.enable=true/' "$work/connect/worker.properties"
	table_watch "$e" "$name" && debezium_start && watched
	result 'debezium jdbc' "$rows" "$seconds" "$(peak "$pid")" "$(cpu "$pid")"
	debezium_stop
}

# direct ENGINE: a backlog in the log of a database, to another database of the same server.
direct() {
	local e=$1 name=${1}_direct_$run target=${1}_copy_$run
	"${e}_fresh" "$name" && "${e}_fresh" "$target"
	"${e}_config" "$name" direct "$("${e}_sink" "$target")" && tailwater_once
	"${e}_load" "$name" 1 "$rows"
	table_watch "$e" "$target" && tailwater_start && watched
	result tailwater "$rows" "$seconds" "$(peak "$pid")" "$(cpu "$pid")"
	tailwater_stop && "${e}_done" "$name"
}
