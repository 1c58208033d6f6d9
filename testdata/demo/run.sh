#!/usr/bin/env bash
# The demo: pgbench writes into PostgreSQL, sysbench into MariaDB and MySQL; one tailwater carries PostgreSQL through Kafka into another
# PostgreSQL and into MySQL, and directly into a third database, MariaDB through Kafka into PostgreSQL, and MySQL directly into MySQL. It is
# killed with -9 once in the middle of the snapshots and twice under load; at the end all ends are compared by the servers' own SQL, and
# the topics' order by Kafka's own consumer. Run by `make demo`; CHECK=1: no terminal, exit code only. SCALE, SECONDS_OF_LOAD and
# CLIENTS change its size.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/lib.sh"
. "$here/pipelines.sh"

scale=${SCALE:-5} load=${SECONDS_OF_LOAD:-15} clients=${CLIENTS:-2}
target_server=${TAILWATER_PG18:-$TAILWATER_PG15} # PostgreSQL 18 is NOT RUN where its mirror is gone
binary=$root/bin/tailwater
kills=0 unequal='' pid='' worst_lag=0

work=$(mktemp -d "${TMPDIR:-/tmp}/tailwater-demo.XXXXXX")
finish() {
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT

source_url=$(database "$TAILWATER_PG15" demo)
kafka_url=$(database "$target_server" demo_kafka)
direct_url=$(database "$target_server" demo_direct)
maria_url=$(database "$target_server" demo_maria)
port=$((20000 + RANDOM % 10000))

prepare() {
	make -s -C "$root" build
	psql_at "$TAILWATER_PG15" "create database demo"
	local name server
	for name in demo_kafka demo_direct demo_maria; do psql_at "$target_server" "create database $name"; done
	say "pgbench fills PostgreSQL $(source_sql 'show server_version'): scale $scale"
	"$TAILWATER_PG15_BIN/pgbench" -i -q -s "$scale" -d "$source_url" 2>&1 | tail -n 1
	for server in MYSQL97 MARIADB10; do
		if ! has "TAILWATER_$server"; then
			note "NOT RUN: $server isn't there, and so its pipelines"
			continue
		fi
		say "sysbench fills $(my_at $server '' 'select version()')"
		my_at $server '' "create database shop; create database shop_copy; create database from_postgres"
		sysbench_at $server prepare >"$work/sysbench" 2>&1 || fail "sysbench: $(tail -n 3 "$work/sysbench")"
	done
	configuration >"$work/tailwater.yaml"
	(cd "$work" && "$binary" lint tailwater.yaml)
}

snapshot_and_kill() {
	say "one tailwater starts: $(grep -c '^  - name:' "$work/tailwater.yaml") pipelines"
	start_tailwater
	local some=$((scale * 100000 / 10))
	until_true 60 "a tenth of the snapshot is in both Postgres targets" in_both "$some"
	kill_tailwater "in mid-snapshot, with $(rows "$kafka_url" pgbench_accounts) and $(rows "$direct_url" pgbench_accounts) of $((scale * 100000)) rows copied"
}

in_both() { [ "$(rows "$kafka_url" pgbench_accounts)" -ge "$1" ] && [ "$(rows "$direct_url" pgbench_accounts)" -ge "$1" ]; }

# tail_load SECONDS: what a person watches meanwhile.
tail_load() {
	local end=$((SECONDS + $1))
	while [ "$SECONDS" -lt "$end" ]; do
		kill -0 "$pid" 2>/dev/null || fail "tailwater ended under load"
		(cd "$work" && timeout 5 "$binary" status -c tailwater.yaml --no-color 2>/dev/null) >"$work/status" || true
		watch_lag
		sleep 1
	done
}

watch_lag() {
	local lag
	lag=$(source_sql "select coalesce(max(pg_current_wal_lsn() - confirmed_flush_lsn), 0)::bigint from pg_replication_slots")
	[ "$lag" -le "$worst_lag" ] || worst_lag=$lag
	[ -z "$clear_line" ] || printf '%s   %s' "$clear_line" "$(tr '\n' ' ' <"$work/status" | cut -c -150)"
}

load_and_kill() {
	local loads=() server
	say "pgbench (TPC-B) and sysbench (oltp_read_write) write for $load s with $clients clients each"
	"$TAILWATER_PG15_BIN/pgbench" -n -c "$clients" -j 2 -T "$load" -d "$source_url" >"$work/load.pgbench" 2>&1 &
	loads+=($!)
	for server in MYSQL97 MARIADB10; do
		has "TAILWATER_$server" || continue
		sysbench_at $server --time="$load" run >"$work/load.$server" 2>&1 &
		loads+=($!)
	done
	tail_load $((load / 3))
	kill_tailwater "under load"
	tail_load $((load / 3))
	kill_tailwater "under load, again"
	tail_load $((load / 6))
	for server in "${loads[@]}"; do wait "$server" || fail "a load failed: $(tail -n 3 "$work"/load.*)"; done
	note "pgbench: $(grep -E 'transactions actually' "$work/load.pgbench"), $(grep -E '^tps' "$work/load.pgbench")"
	for server in MYSQL97 MARIADB10; do
		! has "TAILWATER_$server" || note "sysbench on $server: $(sed -n 's/^ *transactions: *//p' "$work/load.$server")"
	done
}

catch_up() {
	say "all is written; SIGTERM, then run --once until all that was committed is applied"
	kill -TERM "$pid"
	wait "$pid" || fail "a graceful stop ended with exit code $?"
	pid=''
	local begun=$SECONDS
	(cd "$work" && timeout 120 "$binary" run -c tailwater.yaml --once --quiet >>"$work/log" 2>&1) || fail "run --once ended with exit code $?"
	note "caught up in $((SECONDS - begun)) s; the most log that a slot held back was $worst_lag bytes"
}

# topics: Kafka's own consumer reads what stands there; no key may go back.
topics() {
	local out=$work/topic topic records=0 n
	local all=()
	for topic in $pgbench_tables; do all+=("demo.public.$topic"); done
	! has TAILWATER_MARIADB10 || for topic in $sysbench_tables; do all+=("maria.shop.$topic"); done
	for topic in "${all[@]}"; do
		java -cp "$TAILWATER_KAFKA_LIBS/*" org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server "$TAILWATER_KAFKA" \
			--topic "$topic" --from-beginning --timeout-ms 4000 --formatter-property print.key=true \
			--formatter-property print.headers=true --formatter-property print.value=false >"$out" 2>/dev/null || true
		n=$(awk -f "$here/order.awk" "$out") || fail "topic $topic: $n"
		note "topic $topic: $n"
		records=$((records + ${n%% *}))
	done
	note "$records records in all topics, in order per key"
}

prepare
snapshot_and_kill
load_and_kill
catch_up
say "all ends, by checksums that each server computed over its own text of each row"
compare_all
say "the topics, read by Kafka's own consumer"
topics
[ -z "$unequal" ] || fail "the ends differ after $kills kills"
say "equal, after $kills kills -9, in $SECONDS s"
