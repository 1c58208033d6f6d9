# shellcheck shell=bash
# Insert sent to record seen and to target row (PostgreSQL) seen, single-row transactions at a steady rate. Each process, and the broker, is
# warmed up by as much of the same load as is then measured. What captures alone is what the incumbent beside it does; with a sink the target's
# work is on the same two cores. What the broker takes without source and capture is the limit, and below that what the machine
# gives: how long 0.7 ms of arithmetic takes, with nothing beside it. Sourced by run.sh.

row_pg_latency() { latency pg; }
row_my_latency() { latency my; }

# measure SOURCE WHO FLAGS...
measure() {
	local end rest p50 p99
	"$work/latency" -source "$1" -rate "$rate" -seconds "$load" -warm "$load" "${@:3}" >"$work/measured"
	while read -r end rest; do
		p50=$(grep -o 'p50=[0-9.]*' <<<"$rest") p99=$(grep -o 'p99=[0-9.]*' <<<"$rest")
		result "$2, $end" $((rate * load)) "$load" "$([ -z "$pid" ] && echo - || peak "$pid")" "$([ -z "$pid" ] && echo - || cpu "$pid")" "${p50#*=}" "${p99#*=}"
	done <"$work/measured"
}

latency() {
	local e=$1 kind name target variant
	name=${e}_lat_capture_$run
	"${e}_fresh" "$name" && topic "$("${e}_topic" "$name")"
	"${e}_config" "$name" kafka && tailwater_once && tailwater_start
	measure "$("${e}_url" "$name")" 'tailwater, capture' -broker "$TAILWATER_KAFKA" -topic "$("${e}_topic" "$name")"
	tailwater_stop && "${e}_done" "$name"
	topic "${e}_lat_broker_$run" 1
	measure '' 'broker alone' -broker "$TAILWATER_KAFKA" -topic "${e}_lat_broker_$run"
	measure '' machine
	for kind in kafka direct; do
		name=${e}_lat_${kind}_$run target=${e}_lat_${kind}_copy_$run
		"${e}_fresh" "$name"
		server -c "set client_min_messages = warning" -c "drop database if exists $target with (force)" -c "create database $target"
		psql_at "$(pg_url "$target")" -f "$here/latency.sql"
		"${e}_config" "$name" $kind "$(pg_sink "$target")" && tailwater_once && tailwater_start
		"${e}_sql" "$name" "insert into orders (id, customer_id, status, amount, note) values (-1, 0, 'new', 1, 'first')"
		until [ "$(pg_sql "$target" 'select count(*) from orders')" = 1 ]; do alive "$pid" && sleep 0.1; done
		if [ $kind = kafka ]; then
			measure "$("${e}_url" "$name")" 'tailwater, kafka' -broker "$TAILWATER_KAFKA" -topic "$("${e}_topic" "$name")" -target "$(pg_url "$target")"
		else
			measure "$("${e}_url" "$name")" 'tailwater, direct' -target "$(pg_url "$target")"
		fi
		tailwater_stop && "${e}_done" "$name"
	done
	[ "$incumbent" = 1 ] || return 0
	for variant in plain tuned; do
		name=${e}_lat_dbz_${variant}_$run
		"${e}_fresh" "$name" && topic "$("${e}_topic" "$name")"
		"${e}_debezium" "$name" no_data | debezium_worker "$name"
		[ $variant = plain ] || echo 'poll.interval.ms=5' >>"$work/connect/connector.properties"
		debezium_start && debezium_running "$name" && sleep 2
		measure "$("${e}_url" "$name")" "debezium $variant" -broker "$TAILWATER_KAFKA" -topic "$("${e}_topic" "$name")"
		debezium_stop && "${e}_done" "$name"
	done
}
