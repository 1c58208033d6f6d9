# shellcheck shell=bash
# What the parts of the bench share: the two programs, what they used, and the topics. Sourced by run.sh.

kafka_java=(java -cp "$TAILWATER_KAFKA_LIBS/*:$work")
say() { printf '%s\n' "$*" | tee -a "$report"; }

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

# tailwater_config STREAM PREFIX SINK: the source's keys come on stdin.
tailwater_config() {
	local stream="type: direct"
	[ "$1" = direct ] || stream="type: kafka, brokers: [\"$TAILWATER_KAFKA\"], tls: { mode: disable }, prefix: $2, partitions: 4"
	{
		cat <<-Y
			version: 1
			server: { listen: "127.0.0.1:$port", state_dir: $work/state }
			pipelines:
			  - name: bench
			    source:
			      snapshot: { mode: never }
		Y
		sed 's/^/      /'
		printf '    stream: { %s }\n    sinks: [%s]\n' "$stream" "${3:-}"
	} >"$work/tailwater.yaml"
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

# debezium_worker NAME: the Connect worker's settings; the connector's own come on stdin.
debezium_worker() {
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
	cat >"$work/connect/source.properties"
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

# install_incumbent: the jars of pom.xml; another pom.xml, another folder's worth.
install_incumbent() {
	local want
	want=$(cksum <"$here/pom.xml")
	[ "$(cat "$cache/debezium/pom.cksum" 2>/dev/null)" != "$want" ] || return 0
	rm -rf "$cache/debezium.tmp"
	mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$cache/debezium.tmp"
	printf '%s\n' "$want" >"$cache/debezium.tmp/pom.cksum"
	rm -rf "$cache/debezium"
	mv "$cache/debezium.tmp" "$cache/debezium"
}

# measure SOURCE WHO FLAGS...: the latency run, a line each end.
measure() { (cd "$root" && "$work/latency" -source "$1" -rate "$rate" -seconds "$load" "${@:3}") | sed "s/^/$2 /" | while read -r line; do say "    $line"; done; }

# target NAME: an empty Postgres database whose table orders tells each new row's note.
target() {
	server -c "create database $1"
	psql_at "$(database "$TAILWATER_PG15" "$1")" -f "$here/latency.sql"
}
database() { printf '%s' "${1%/postgres\?*}/$2?${1#*\?}"; }
psql_at() { "$TAILWATER_PG15_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -d "$1" "${@:2}"; }
server() { psql_at "$TAILWATER_PG15" "$@"; }

# warmed_up TARGET-URL: the sink's first group join is not measured.
warmed_up() { until [ "$(psql_at "$1" -c "select count(*) from orders")" = 1 ]; do kill -0 "$pid" && sleep 0.1; done; }
