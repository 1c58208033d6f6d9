# shellcheck shell=bash
# Debezium on Kafka Connect, standalone, as its users run it, and its JDBC sink. Sourced by run.sh.
#
# It is warmed up with a fifth of the rows; then its tasks are stopped over Connect's REST interface while the backlog is written, and go on in the
# same, warm process. Compression and acks are as ours. "tuned" has what its documentation advises for throughput: larger batches and queue.

rest=http://127.0.0.1:$((port + 1))
tuned_capture='max.batch.size=8192
max.queue.size=32768
poll.interval.ms=5
producer.override.batch.size=524288
producer.override.linger.ms=5'

# debezium_worker NAME [VARIANT]: the Connect worker's settings; the connector's own come on stdin.
debezium_worker() {
	mkdir -p "$work/connect"
	cat >"$work/connect/worker.properties" <<-P
		bootstrap.servers=$TAILWATER_KAFKA
		key.converter=org.apache.kafka.connect.json.JsonConverter
		value.converter=org.apache.kafka.connect.json.JsonConverter
		key.converter.schemas.enable=false
		value.converter.schemas.enable=false
		connector.client.config.override.policy=All
		offset.storage.file.filename=$work/connect/offsets.$1
		offset.flush.interval.ms=1000
		listeners=$rest
		plugin.discovery=only_scan
	P
	{
		cat
		printf 'producer.override.compression.type=zstd\n'
		[ "${2:-}" != tuned ] || printf '%s\n' "$tuned_capture"
	} >"$work/connect/connector.properties"
}
debezium_start() {
	(cd "$work/connect" && exec java "-Xmx$heap" -cp "$cache/debezium/*" org.apache.kafka.connect.cli.ConnectStandalone worker.properties connector.properties >>"$work/debezium.log" 2>&1) &
	pid=$!
}
debezium_stop() {
	kill -TERM "$pid"
	wait "$pid" || true
	pid=''
}

# debezium_state NAME: what Connect says of the connector's one task.
debezium_state() { curl -sf "$rest/connectors/$1/status" | grep -o '"tasks":\[{[^}]*"state":"[A-Z]*"' | grep -o '[A-Z]*"$' | tr -d '"' || true; }
debezium_running() { until [ "$(debezium_state "$1")" = RUNNING ]; do alive "$pid" && sleep 0.1; done; }
debezium_idle() {
	curl -sf -X PUT "$rest/connectors/$1/stop"
	until curl -sf "$rest/connectors/$1/status" | grep -q '"tasks":\[\]'; do alive "$pid" && sleep 0.1; done
}
debezium_resume() { curl -sf -X PUT "$rest/connectors/$1/resume"; }

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
