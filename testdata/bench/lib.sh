# shellcheck shell=bash
# What the rows of the bench share: what is written down, our program, what a process has used, the topics. Sourced by run.sh.

kafka_java=(java -cp "$TAILWATER_KAFKA_LIBS/*:$work")
note() { printf '%s\n' "$*" >&2; }

# begin_row ROW: its file begins with where and how it was measured.
begin_row() {
	row=$1
	{
		printf '# machine\t%s cores (%s), %s, everything on it\n' "$(nproc)" "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)" "$(awk '/MemTotal/ { printf "%d GiB", $2 / 1048576 }' /proc/meminfo)"
		printf '# servers\tPostgreSQL %s, fsync %s, synchronous_commit %s; MySQL %s, sync_binlog %s, flush_log_at_trx_commit %s; Kafka %s, one broker, heap %s\n' \
			"$(server -c 'show server_version' | sed 's/ .*//')" "$(server -c 'show fsync')" "$(server -c 'show synchronous_commit')" \
			"$(mysql_at '' <<<'select version()')" "$(mysql_at '' <<<'select @@sync_binlog')" "$(mysql_at '' <<<'select @@innodb_flush_log_at_trx_commit')" \
			"$(basename "$(ls "$TAILWATER_KAFKA_LIBS"/kafka-clients-*.jar)" .jar | sed 's/kafka-clients-//')" "${TAILWATER_KAFKA_HEAP:-512m}"
		printf '# command\tmake bench ROW=%s%s (RUNS=%s ROWS=%s RATE=%s SECONDS_OF_LOAD=%s XMX=%s)\n' "$1" "${TAILWATER_DURABLE:+ DURABLE=1}" "$runs" "$rows" "$rate" "$load" "$heap"
		printf '# begun\t%s\n' "$(date -u '+%Y-%m-%d %H:%M') UTC"
		printf '# binary\t%s\n' "$(stat -c %s "$root/bin/tailwater" | awk '{ printf "%.1f MB", $1 / 1e6 }')"
		printf 'run\twho\trows\tseconds\trss_mb\tcpu_s\tp50_ms\tp99_ms\tmb\n'
	} >"$work/$row.tsv"
}

# result WHO ROWS SECONDS RSS CPU [P50 P99 MB]: one run's figures; - is none.
result() {
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$run" "$1" "$2" "$3" "$4" "$5" "${6:--}" "${7:--}" "${8:--}" | tee -a "$work/$row.tsv" >&2
}
run_of() { grep -q "^$run	" "$work/$1.tsv" || { note "run $run of $1 gave nothing"; exit 1; }; }

topic() { # topic NAME [PARTITIONS]
	"${kafka_java[@]}" org.apache.kafka.tools.TopicCommand --bootstrap-server "$TAILWATER_KAFKA" --create --topic "$1" --partitions "${2:-4}" >/dev/null 2>&1
}

cpu() { awk -v hz="$(getconf CLK_TCK)" '{ printf "%.1f", ($14 + $15) / hz }' "/proc/$1/stat"; }
peak() { awk '$1 == "VmHWM:" { printf "%.0f", $2 / 1024 }' "/proc/$1/status"; }

# alive PID: nobody waits for what has ended.
alive() { kill -0 "$1" 2>/dev/null || { note "process $1 has ended"; tail -n 20 "$work"/*.log "$work"/*.err >&2 || true; exit 1; }; }

# watch TOPIC COUNT [SKIP]: begins to watch a topic, or all that there are with TOPIC*; watched: waits, and sets seconds from the first record
# behind SKIP to the last.
watch() {
	fifo=$work/watch
	: >"$fifo" # else the last one's word may be read
	"${kafka_java[@]}" TopicWatch "$TAILWATER_KAFKA" "$1" "$2" "${3:-0}" "${patience:-600}" >"$fifo" 2>"$work/watch.err" &
	watcher=$!
	until grep -q watching "$fifo" 2>/dev/null; do alive $watcher && sleep 0.05; done
}
watched() {
	local ended
	if ! wait -n -p ended "$watcher" "$pid" || [ "${ended:-}" != "$watcher" ]; then
		kill "$watcher" 2>/dev/null || true
		note "$([ "${ended:-}" = "$watcher" ] && echo 'the watch' || echo 'what is measured') has ended too early"
		tail -n 20 "$work"/*.log "$work/watch.err" >&2 || true
		exit 1
	fi
	watcher=''
	seconds=$(tail -n 1 "$fifo")
}

# tailwater_config STREAM PREFIX [SINK [SNAPSHOT]]: the source's keys come on stdin.
tailwater_config() {
	local stream="type: direct"
	[ "$1" = direct ] || stream="type: kafka, brokers: [\"$TAILWATER_KAFKA\"], tls: { mode: disable }, prefix: $2, partitions: ${partitions:-4}"
	{
		cat <<-Y
			version: 1
			server: { listen: "127.0.0.1:$port", state_dir: $work/state }
			pipelines:
			  - name: $2
			    source:
			      snapshot: { mode: ${4:-never} }
		Y
		sed 's/^/      /'
		printf '    stream: { %s }\n    sinks: [%s]\n' "$stream" "${3:-}"
	} >"$work/tailwater.yaml"
}
tailwater_start() {
	"$root/bin/tailwater" run -c "$work/tailwater.yaml" --quiet "$@" >>"$work/tailwater.log" 2>&1 &
	pid=$!
}
tailwater_stop() {
	kill -TERM "$pid" && wait "$pid"
	pid=''
	rm -rf "$work/state"
}
tailwater_once() { "$root/bin/tailwater" run -c "$work/tailwater.yaml" --once --quiet >>"$work/tailwater.log" 2>&1; }
