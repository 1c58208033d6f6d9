# shellcheck shell=bash
# MySQL as a source and as a target, by the functions of postgres.sh. Sourced by run.sh.

mysql_at() { # mysql_at DATABASE, SQL on stdin
	# shellcheck disable=SC2086 # a command and its arguments
	$TAILWATER_MYSQL97_TOOL mysql --no-defaults --protocol=tcp -h "${TAILWATER_MYSQL97%:*}" -P "${TAILWATER_MYSQL97##*:}" -u root -N -B "$1"
}
my_url() { printf 'mysql://root@%s/%s' "$TAILWATER_MYSQL97" "$1"; }
my_sql() { mysql_at "$1" <<<"$2"; }
my_topic() { printf '%s.%s.orders' "$1" "$1"; }

my_fresh() {
	mysql_at '' <<<"drop database if exists $1; create database $1"
	mysql_at "$1" <"$here/orders.mysql.sql"
}
my_load() { my_sql "$1" "call load_orders($2, $(($3 / 100)))"; }
my_sink() { printf '{ name: %s, type: mysql, url: "%s", tls: { mode: disable } }' "$1" "$(my_url "$1")"; }

my_config() { # my_config NAME STREAM [SINK [SNAPSHOT]]
	tailwater_config "$2" "$1" "${3:-}" "${4:-}" <<-Y
		type: mysql
		url: "mysql://root@$TAILWATER_MYSQL97/"
		tls: { mode: disable }
		tables: { include: ["$1.*"] }
	Y
}
my_done() { :; }

my_debezium() {
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
		snapshot.mode=$2
		schema.history.internal.kafka.bootstrap.servers=$TAILWATER_KAFKA
		schema.history.internal.kafka.topic=$1.history
		include.schema.changes=false
	P
}
my_jdbc() {
	printf 'connection.url=jdbc:mysql://%s/%s?rewriteBatchedStatements=true&sslMode=DISABLED&allowPublicKeyRetrieval=true\nconnection.username=root\nconnection.password=\n' "$TAILWATER_MYSQL97" "$1"
}

# my_limit NAME [SHAPE]: the binlog decoded by go-mysql, row by row, and thrown away.
my_limit_before() { my_sql '' 'show binary log status' | cut -f 1,2 --output-delimiter=: >"$work/limit.from"; }
my_limit() {
	result "go-mysql${2:-}" "$rows" "$("$work/gauge" decode -addr "$TAILWATER_MYSQL97" -from "$(cat "$work/limit.from")" -rows "$rows")" - -
}
