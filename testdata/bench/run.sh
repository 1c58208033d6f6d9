#!/usr/bin/env bash
# Our figures with the incumbent beside us, in one run on one machine: the Postgres log to Kafka for a backlog of ROWS rows, and latency at
# RATE changes a second. Every run is written down, the bad ones too, in docs/benchmarks/DATE-COMMIT.md. Run by `make bench`; nothing
# else should run on the machine. RUNS, ROWS, RATE, SECONDS_OF_LOAD and INCUMBENT=0 (leave it out) change it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
runs=${RUNS:-3} rows=${ROWS:-1000000} rate=${RATE:-1000} load=${SECONDS_OF_LOAD:-12} incumbent=${INCUMBENT:-1}
cache=${TAILWATER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tailwater}
work=$(mktemp -d "${TMPDIR:-/tmp}/tailwater-bench.XXXXXX")
pid=''
finish() {
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT

port=$((20000 + RANDOM % 10000))
kafka_java=(java -cp "$TAILWATER_KAFKA_LIBS/*:$work")
database() { printf '%s' "${1%/postgres\?*}/$2?${1#*\?}"; }
psql_at() { "$TAILWATER_PG15_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -d "$1" "${@:2}"; }
server() { psql_at "$TAILWATER_PG15" "$@"; }
say() { printf '%s\n' "$*" | tee -a "$report"; }

report=$root/docs/benchmarks/$(date -u +%Y-%m-%d)-$(git -C "$root" rev-parse --short HEAD).md
mkdir -p "$(dirname "$report")"
: >"$report"

fresh() { # fresh NAME: an empty source database, and its topic with as many partitions as ours has
	server -c "set client_min_messages = warning" -c "drop database if exists $1 with (force)" -c "create database $1"
	psql_at "$(database "$TAILWATER_PG15" "$1")" -f "$here/orders.sql"
}

topic() {
	"${kafka_java[@]}" org.apache.kafka.tools.TopicCommand --bootstrap-server "$TAILWATER_KAFKA" --create --topic "$1" --partitions 4 >/dev/null 2>&1
}

# used PID: peak resident memory in MB and CPU seconds so far.
used() {
	awk -v hz="$(getconf CLK_TCK)" 'FNR == NR { if ($1 == "VmHWM:") mb = $2 / 1024; next } { printf "%.0f MB peak RSS, %.1f CPU s", mb, ($14 + $15) / hz }' "/proc/$1/status" "/proc/$1/stat"
}

# drain NAME TOPIC: starts the command given by NAME_start, waits until the backlog stands in the topic, prints the figures, stops it.
drain() {
	local fifo=$work/watch seconds
	"${kafka_java[@]}" TopicWatch "$TAILWATER_KAFKA" "$2" "$rows" 300 >"$fifo" 2>"$work/watch.err" &
	local watch=$!
	until grep -q watching "$fifo" 2>/dev/null; do kill -0 $watch && sleep 0.05; done
	"$1_start"
	wait $watch || { tail -n 20 "$work/$1.log" "$work/watch.err"; exit 1; }
	seconds=$(tail -n 1 "$fifo")
	say "| $1 | $(awk -v n="$rows" -v s="$seconds" 'BEGIN { printf "%d", n / s }') rows/s | ${seconds} s | $(used "$pid") |"
	"$1_stop"
}

tailwater_config() { # DATABASE PREFIX
	cat >"$work/tailwater.yaml" <<-Y
		version: 1
		server: { listen: "127.0.0.1:$port", state_dir: $work/state }
		pipelines:
		  - name: bench
		    source:
		      type: postgres
		      url: "$(database "$TAILWATER_PG15" "$1")"
		      slot: { name: $1, create: true }
		      publication: { name: $1, create: true }
		      tables: { include: ["public.orders"] }
		      snapshot: { mode: never }
		    stream: { type: ${3:-kafka}$([ "${3:-kafka}" = direct ] || echo ", brokers: [\"$TAILWATER_KAFKA\"], tls: { mode: disable }, prefix: $2, partitions: 4") }
		    sinks: [${4:-}]
	Y
}
tailwater_start() {
	"$root/bin/tailwater" run -c "$work/tailwater.yaml" --quiet >>"$work/tailwater.log" 2>&1 &
	pid=$!
}
tailwater_stop() {
	kill -TERM "$pid" && wait "$pid"
	pid=''
}
tailwater_once() { "$root/bin/tailwater" run -c "$work/tailwater.yaml" --once --quiet >>"$work/tailwater.log" 2>&1; }

debezium_config() { # DATABASE PREFIX, extra lines on stdin
	local address=${TAILWATER_PG15#*@}
	mkdir -p "$work/connect"
	cat >"$work/connect/worker.properties" <<-P
		bootstrap.servers=$TAILWATER_KAFKA
		key.converter=org.apache.kafka.connect.json.JsonConverter
		value.converter=org.apache.kafka.connect.json.JsonConverter
		key.converter.schemas.enable=false
		value.converter.schemas.enable=false
		offset.storage.file.filename=$work/connect/offsets.$1
		offset.flush.interval.ms=1000
		listeners=http://127.0.0.1:$((port + 1))
		plugin.discovery=only_scan
	P
	{
		cat <<-P
			name=$1
			connector.class=io.debezium.connector.postgresql.PostgresConnector
			tasks.max=1
			database.hostname=${address%%:*}
			database.port=$(sed -E 's|.*:([0-9]+)/.*|\1|' <<<"$address")
			database.user=postgres
			database.dbname=$1
			topic.prefix=$2
			plugin.name=pgoutput
			slot.name=$1
			publication.name=$1
			publication.autocreate.mode=filtered
			table.include.list=public.orders
			snapshot.mode=no_data
		P
		cat
	} >"$work/connect/source.properties"
}
debezium_start() {
	(cd "$work/connect" && exec java -Xmx1g -cp "$cache/debezium/*" org.apache.kafka.connect.cli.ConnectStandalone worker.properties source.properties >>"$work/debezium.log" 2>&1) &
	pid=$!
}
debezium_stop() {
	kill -TERM "$pid"
	wait "$pid" || true
	pid=''
}

# debezium_prime DATABASE TOPIC: one row through it, so that its offset is saved.
debezium_prime() {
	debezium_start
	until [ "$(server -c "select count(*) from pg_replication_slots where slot_name = '$1' and active")" = 1 ]; do kill -0 "$pid" && sleep 0.2; done
	psql_at "$(database "$TAILWATER_PG15" "$1")" -c "insert into orders values (-1, 0, 'new', 1, 'first')"
	until [ -s "$work/connect/offsets.$1" ]; do kill -0 "$pid" && sleep 0.2; done
	debezium_stop
}

drop_slot() {
	until [ "$(server -c "select count(*) from pg_replication_slots where slot_name = '$1' and active")" = 0 ]; do sleep 0.2; done
	server -c "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '$1'" >/dev/null
}

install_incumbent() {
	[ -d "$cache/debezium" ] && return
	rm -rf "$cache/debezium.tmp"
	mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$cache/debezium.tmp"
	mv "$cache/debezium.tmp" "$cache/debezium"
}

backlog() {
	local i db
	say '' && say "## Postgres log to Kafka, a backlog of $rows rows in transactions of 100, 4 partitions" && say ''
	say '| who | rate | time | peak memory and CPU |' && say '|---|---|---|---|'
	for i in $(seq "$runs"); do
		db=bench_tailwater_$i
		fresh "$db" && tailwater_config "$db" "$db" && tailwater_once
		topic "$db.public.orders"
		psql_at "$(database "$TAILWATER_PG15" "$db")" -c "call load_orders($((rows / 100)))"
		drain tailwater "$db.public.orders"
		drop_slot "$db" && rm -rf "$work/state"
		[ "$incumbent" = 1 ] || continue
		db=bench_debezium_$i
		fresh "$db" && topic "$db.public.orders" && debezium_config "$db" "$db" </dev/null && debezium_prime "$db"
		psql_at "$(database "$TAILWATER_PG15" "$db")" -c "call load_orders($((rows / 100)))"
		drain debezium "$db.public.orders"
		drop_slot "$db"
	done
}

measure() { (cd "$root" && "$work/latency" -source "$1" -rate "$rate" -seconds "$load" "${@:3}") | sed "s/^/$2 /" | while read -r line; do say "    $line"; done; }

latency() {
	local i db target
	say '' && say "## Latency, insert sent to record seen and to target row seen, $rate single-row transactions a second for $load s" && say ''
	(cd "$root" && go build -o "$work/latency" ./testdata/bench/latency)
	for i in $(seq "$runs"); do
		for kind in kafka direct; do
			db=latency_$kind$i target=$(database "$TAILWATER_PG15" "latency_target_$kind$i")
			fresh "$db" && server -c "create database latency_target_$kind$i" && psql_at "$target" -f "$here/latency.sql"
			tailwater_config "$db" "$db" $kind "{ name: copy, type: postgres, url: \"$target\", schema: public }"
			tailwater_once && tailwater_start
			if [ $kind = kafka ]; then
				topic "$db.public.orders" || true
				psql_at "$(database "$TAILWATER_PG15" "$db")" -c "insert into orders values (-1, 0, 'new', 1, 'warm')"
				until [ "$(psql_at "$target" -c "select count(*) from orders")" = 1 ]; do kill -0 "$pid" && sleep 0.1; done
				measure "$(database "$TAILWATER_PG15" "$db")" "tailwater kafka" -broker "$TAILWATER_KAFKA" -topic "$db.public.orders" -target "$target"
			else
				measure "$(database "$TAILWATER_PG15" "$db")" "tailwater direct" -target "$target"
			fi
			tailwater_stop && drop_slot "$db" && rm -rf "$work/state"
		done
		[ "$incumbent" = 1 ] || continue
		for interval in '' 5; do
			db=latency_debezium$interval$i
			fresh "$db" && topic "$db.public.orders" && debezium_config "$db" "$db" <<<"${interval:+poll.interval.ms=$interval}"
			debezium_prime "$db" && debezium_start
			until [ "$(server -c "select count(*) from pg_replication_slots where slot_name = '$db' and active")" = 1 ]; do kill -0 "$pid" && sleep 0.2; done
			measure "$(database "$TAILWATER_PG15" "$db")" "debezium${interval:+ poll.interval.ms=$interval}" -broker "$TAILWATER_KAFKA" -topic "$db.public.orders"
			debezium_stop && drop_slot "$db"
		done
	done
}

make -s -C "$root" build
javac -cp "$TAILWATER_KAFKA_LIBS/*" -d "$work" "$here/TopicWatch.java"
[ "$incumbent" != 1 ] || install_incumbent
say "# $(date -u '+%Y-%m-%d %H:%M') UTC, tailwater $("$root/bin/tailwater" version --quiet 2>/dev/null | head -n 1)"
say ''
say "Machine: $(nproc) cores ($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)), $(awk '/MemTotal/ { printf "%d GiB", $2 / 1048576 }' /proc/meminfo), everything on it."
say "Servers: PostgreSQL $(server -c 'show server_version'), fsync $(server -c 'show fsync'), synchronous_commit $(server -c 'show synchronous_commit'); Kafka one broker; Debezium 3.3.1 on Kafka Connect 4.1.1, cold, -Xmx1g."
say "Command: make bench (RUNS=$runs ROWS=$rows RATE=$rate SECONDS_OF_LOAD=$load). Every run is below."
for part in ${PARTS:-backlog latency}; do "$part"; done
echo "written to $report"
