#!/usr/bin/env bash
# Our figures with the incumbent beside us, in one run on one machine: the log to Kafka for a backlog of ROWS rows, and latency at RATE
# changes a second, from PostgreSQL and from MySQL. Every run is written down, the bad ones too, in docs/benchmarks/DATE-COMMIT.md. Run by
# `make bench`; nothing else should run on the machine. PARTS, RUNS, ROWS, RATE, SECONDS_OF_LOAD and INCUMBENT=0 (leave it out) change it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
parts=${PARTS:-pg_backlog my_backlog pg_latency my_latency}
runs=${RUNS:-3} rows=${ROWS:-1000000} rate=${RATE:-1000} load=${SECONDS_OF_LOAD:-12} incumbent=${INCUMBENT:-1}
cache=${TAILWATER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tailwater}
work=$(mktemp -d "${TMPDIR:-/tmp}/tailwater-bench.XXXXXX")
port=$((20000 + RANDOM % 10000))
pid=''
finish() {
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT

report=$root/docs/benchmarks/$(date -u +%Y-%m-%d)-$(git -C "$root" rev-parse --short HEAD).md
mkdir -p "$(dirname "$report")"
: >"$report"
. "$here/lib.sh"
. "$here/postgres.sh"
. "$here/mysql.sh"

make -s -C "$root" build
javac -cp "$TAILWATER_KAFKA_LIBS/*" -d "$work" "$here/TopicWatch.java"
(cd "$root" && go build -o "$work/latency" ./testdata/bench/latency)
[ "$incumbent" != 1 ] || install_incumbent
say "# $(date -u '+%Y-%m-%d %H:%M') UTC, tailwater $("$root/bin/tailwater" version --quiet 2>/dev/null | head -n 1)"
say ''
say "Machine: $(nproc) cores ($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)), $(awk '/MemTotal/ { printf "%d GiB", $2 / 1048576 }' /proc/meminfo), everything on it."
say "Servers: PostgreSQL $(server -c 'show server_version'), fsync $(server -c 'show fsync'), synchronous_commit $(server -c 'show synchronous_commit'); MySQL $(mysql_at '' <<<'select version(), ", sync_binlog ", @@sync_binlog, ", flush_log_at_trx_commit ", @@innodb_flush_log_at_trx_commit' | tr -d '\t'); Kafka one broker; Debezium 3.3.1 on Kafka Connect 4.1.1, cold, -Xmx1g."
say "Command: make bench (PARTS='$parts' RUNS=$runs ROWS=$rows RATE=$rate SECONDS_OF_LOAD=$load). Every run is below."
for part in $parts; do "$part"; done
echo "written to $report"
