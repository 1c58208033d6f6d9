# shellcheck shell=bash
# The log to Kafka, and a snapshot to Kafka: ours, the incumbent as it comes and tuned, and the limit. Sourced by run.sh.

row_pg_kafka() { capture pg; }
row_my_kafka() { capture my; }
row_pg_snapshot() { snapshot pg; }
row_my_snapshot() { snapshot my; }

# capture ENGINE: a backlog in the log, in transactions of 100 rows. The broker has compiled what it needs when ours is measured, for an earlier
# process of ours has carried a fifth, as it has when the incumbent is, whose own process has carried one.
capture() {
	local e=$1 name=${1}_kafka_$run before
	"${e}_fresh" "$name" && "${e}_config" "$name" kafka && tailwater_once
	topic "$("${e}_topic" "$name")"
	"${e}_load" "$name" 1 "$warm" && tailwater_once
	"${e}_load" "$name" $((warm + 1)) "$rows"
	watch "$("${e}_topic" "$name")" "$rows" && tailwater_start && watched
	result tailwater "$rows" "$seconds" "$(peak "$pid")" "$(cpu "$pid")"
	tailwater_stop && "${e}_done" "$name"

	name=${e}_limit_$run
	"${e}_fresh" "$name" && "${e}_limit_before" "$name" && "${e}_load" "$name" 1 "$rows" && "${e}_limit" "$name"

	[ "$incumbent" = 1 ] || return 0
	local variant
	for variant in plain tuned; do
		name=${e}_dbz_${variant}_$run
		"${e}_fresh" "$name" && topic "$("${e}_topic" "$name")"
		"${e}_debezium" "$name" no_data | debezium_worker "$name" "$variant"
		watch "$("${e}_topic" "$name")" "$warm"
		debezium_start && debezium_running "$name" && sleep 2 # its task says RUNNING a moment before it reads
		"${e}_load" "$name" 1 "$warm" && watched
		debezium_idle "$name"
		"${e}_load" "$name" $((warm + 1)) "$rows"
		watch "$("${e}_topic" "$name")" "$rows" && before=$(cpu "$pid") && debezium_resume "$name" && watched
		result "debezium $variant" "$rows" "$seconds" "$(peak "$pid")" "$(awk -v a="$before" -v b="$(cpu "$pid")" 'BEGIN { printf "%.1f", b - a }')"
		debezium_stop && "${e}_done" "$name"
	done
}

# snapshot ENGINE: a table as it stands. The first fifth of the records only warms up whoever writes them.
snapshot() {
	local e=$1 name=${1}_snapshot_$run
	"${e}_fresh" "$name" && "${e}_load" "$name" 1 $((rows + warm)) && topic "$("${e}_topic" "$name")"
	"${e}_config" "$name" kafka '' initial
	watch "$("${e}_topic" "$name")" "$rows" "$warm" && tailwater_start && watched
	result tailwater "$rows" "$seconds" "$(peak "$pid")" "$(cpu "$pid")"
	tailwater_stop && "${e}_done" "$name"

	[ "$incumbent" = 1 ] || return 0
	name=${e}_snapshot_dbz_$run
	"${e}_fresh" "$name" && "${e}_load" "$name" 1 $((rows + warm)) && topic "$("${e}_topic" "$name")"
	"${e}_debezium" "$name" initial | debezium_worker "$name" tuned
	watch "$("${e}_topic" "$name")" "$rows" "$warm" && debezium_start && watched
	result 'debezium tuned' "$rows" "$seconds" "$(peak "$pid")" "$(cpu "$pid")"
	debezium_stop && "${e}_done" "$name"
}
