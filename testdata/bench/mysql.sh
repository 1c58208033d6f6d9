# shellcheck shell=bash
# The parts of the bench whose source is MySQL. Sourced by run.sh.

mysql_at() { # mysql_at DATABASE, SQL on stdin
	# shellcheck disable=SC2086 # a command and its arguments
	$TAILWATER_MYSQL97_TOOL mysql --no-defaults --protocol=tcp -h "${TAILWATER_MYSQL97%:*}" -P "${TAILWATER_MYSQL97##*:}" -u root -N -B "$1"
}

my_fresh() { # my_fresh NAME: an empty source database
	mysql_at '' <<<"drop database if exists $1; create database $1"
	mysql_at "$1" <"$here/orders.mysql.sql"
}

my_config() { # my_config DATABASE STREAM [SINK]
	tailwater_config "$2" "$1" "${3:-}" <<-Y
		type: mysql
		url: "mysql://root@$TAILWATER_MYSQL97/"
		tls: { mode: disable }
		tables: { include: ["$1.orders"] }
	Y
}

my_debezium_config() { # my_debezium_config DATABASE, extra lines on stdin
	{
		cat <<-P
			name=$1
			connector.class=io.debezium.connector.mysql.MySqlConnector
			tasks.max=1
			database.hostname=${TAILWATER_MYSQL97%:*}
			database.port=${TAILWATER_MYSQL97##*:}
			database.user=root
			database.password=
			database.server.id=$((5000 + RANDOM))
			database.ssl.mode=disabled
			topic.prefix=$1
			database.include.list=$1
			table.include.list=$1.orders
			snapshot.mode=no_data
			schema.history.internal.kafka.bootstrap.servers=$TAILWATER_KAFKA
			schema.history.internal.kafka.topic=$1.history
			include.schema.changes=false
		P
		cat
	} | debezium_worker "$1"
}

my_debezium_reads() { # waits until the server sends it the log
	until mysql_at '' <<<"select count(*) from information_schema.processlist where command like 'Binlog Dump%'" | grep -qv '^0$'; do kill -0 "$pid" && sleep 0.2; done
}

# my_debezium_prime DATABASE: one row through it, so that its offset is saved.
my_debezium_prime() {
	debezium_start
	my_debezium_reads
	mysql_at "$1" <<<"insert into orders (id, customer_id, status, amount, note) values (-1, 0, 'new', 1, 'first')"
	until [ -s "$work/connect/offsets.$1" ]; do kill -0 "$pid" && sleep 0.2; done
	debezium_stop
}

my_backlog() {
	local i db
	say '' && say "## MySQL binlog to Kafka, a backlog of $rows rows in transactions of 100, 4 partitions" && say ''
	say '| who | rate | time | peak memory and CPU |' && say '|---|---|---|---|'
	for i in $(seq "$runs"); do
		db=bench_my_tailwater_$i
		my_fresh "$db" && my_config "$db" kafka && tailwater_once
		topic "$db.$db.orders"
		mysql_at "$db" <<<"call load_orders($((rows / 100)))"
		drain tailwater "$db.$db.orders"
		rm -rf "$work/state"
		[ "$incumbent" = 1 ] || continue
		db=bench_my_debezium_$i
		my_fresh "$db" && topic "$db.$db.orders" && my_debezium_config "$db" </dev/null && my_debezium_prime "$db"
		mysql_at "$db" <<<"call load_orders($((rows / 100)))"
		drain debezium "$db.$db.orders"
	done
}

my_latency() {
	local i db target source
	say '' && say "## MySQL, insert sent to record seen and to target row (PostgreSQL) seen, $rate single-row transactions a second for $load s" && say ''
	for i in $(seq "$runs"); do
		for kind in kafka direct; do
			db=latency_my_$kind$i target=$(database "$TAILWATER_PG15" "latency_my_target_$kind$i") source=mysql://root@$TAILWATER_MYSQL97/latency_my_$kind$i
			my_fresh "$db" && target "latency_my_target_$kind$i"
			my_config "$db" $kind "{ name: copy, type: postgres, url: \"$target\", schema: public }"
			tailwater_once && tailwater_start
			mysql_at "$db" <<<"insert into orders (id, customer_id, status, amount, note) values (-1, 0, 'new', 1, 'warm')"
			warmed_up "$target"
			if [ $kind = kafka ]; then
				measure "$source" "tailwater kafka" -broker "$TAILWATER_KAFKA" -topic "$db.$db.orders" -target "$target"
			else
				measure "$source" "tailwater direct" -target "$target"
			fi
			tailwater_stop && rm -rf "$work/state"
		done
		[ "$incumbent" = 1 ] || continue
		for interval in '' 5; do
			db=latency_my_debezium$interval$i
			my_fresh "$db" && topic "$db.$db.orders" && my_debezium_config "$db" <<<"${interval:+poll.interval.ms=$interval}"
			my_debezium_prime "$db" && debezium_start
			my_debezium_reads
			measure "mysql://root@$TAILWATER_MYSQL97/$db" "debezium${interval:+ poll.interval.ms=$interval}" -broker "$TAILWATER_KAFKA" -topic "$db.$db.orders"
			debezium_stop
		done
	done
}
