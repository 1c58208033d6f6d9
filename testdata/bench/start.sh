# shellcheck shell=bash
# From exec to the first change in Kafka with 1,000 tables, of which one has a change that waits in the log. Sourced by run.sh.

row_start() {
	local e name
	for e in pg my; do
		name=${e}_start_$run
		"${e}_fresh" "$name"
		"${e}_sql" "$name" "$(for i in $(seq 999); do printf 'create table t%d (id int primary key, note text);' "$i"; done)"
		"${e}_config" "$name" kafka && tailwater_once && topic "$("${e}_topic" "$name")"
		"${e}_sql" "$name" "insert into orders (id, customer_id, status, amount, note) values (1, 0, 'new', 1, 'first')"
		result "tailwater, $e" 1 "$("$work/gauge" start -broker "$TAILWATER_KAFKA" -topic "$("${e}_topic" "$name")" -- \
			"$root/bin/tailwater" run -c "$work/tailwater.yaml" --quiet)" - -
		rm -rf "$work/state" && "${e}_done" "$name"
	done
}
