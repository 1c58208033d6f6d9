# shellcheck shell=bash
# What grows: the log to Kafka with more rows, tables, columns, bytes and transactions, each beside the base of the same run, and pipelines
# that have nothing to do. Sourced by run.sh, where the names are made: growth_PART_ENGINE.

for shape in rows topics6 topics1 columns wide single; do
	for engine in pg my; do eval "row_growth_${shape}_$engine() { grow $engine $shape; }"; done
done
row_growth_idle_pg() { idle pg 20; }
row_growth_idle_my() { idle my 100; }

# shape_of SHAPE: how many rows, of which kind, in transactions of how many, over how many tables with how many partitions. Without ROWS and QUICK
# that is 10,000,000 rows; 1,000 tables of 6 partitions and 10,000 of one; and so few of the large rows that all shapes carry some 100 MB or more.
shape_of() {
	count=$rows each=100 tables=1 partitions=6 kind=orders opened=100
	case $1 in
	rows) count=$((rows * 10)) ;;
	topics6) tables=$((rows / 1000)) opened=500 ;;
	topics1) tables=$((rows / 100)) partitions=1 opened=200 ;;
	columns) count=$((rows / 20)) kind=columns ;;
	wide) count=$((rows / 20)) kind=wide ;;
	single) each=1 ;;
	esac
}

# kind_of KIND: a table's columns, what is written to them, and how a table is made, in words that both engines know.
kind_of() {
	local i
	columns=id written=n
	case $1 in
	orders)
		columns='id, customer_id, status, amount, note' definition='like orders'
		written="n, n % 5000, 'new', (n % 10000) / 100.0, concat('note for order number ', n)"
		;;
	wide) # 10,240 bytes, of which a quarter is chance
		columns='id, body' definition='(id bigint primary key, body text)' written="n, concat($(seq -s , 80 | sed -E "s/([0-9]+)/repeat(sha2(concat(n, '.\1'), 256), 2)/g"))"
		;;
	columns)
		definition='(id bigint primary key'
		for i in $(seq 199); do
			columns+=", c$i"
			case $((i % 3)) in
			0) definition+=", c$i bigint" written+=", n * $i" ;;
			1) definition+=", c$i varchar(20)" written+=", concat('value ', n, ' of $i')" ;;
			2) definition+=", c$i decimal(12, 2)" written+=", (n % 10000) / 100.0 + $i" ;;
			esac
		done
		definition+=')'
		;;
	esac
}

pg_tables() { # pg_tables NAME: t0 to t{tables-1}, each in a transaction of its own
	psql_at "$(pg_url "$1")" -f "$here/growth.sql"
	local like=$definition
	[ "$kind" != orders ] || like='(like orders including all)'
	seq 0 $((tables - 1)) | sed "s/.*/create table t& $like;/" | psql_at "$(pg_url "$1")" -f -
}
my_tables() {
	mysql_at "$1" <"$here/growth.mysql.sql"
	seq 0 $((tables - 1)) | sed "s/.*/create table t& $definition;/" | mysql_at "$1"
}
pg_grow() { pg_sql "$1" "call load_growth($2, $3, $4, $tables, '$columns', \$q\$$written\$q\$)"; } # pg_grow NAME FIRST TRANSACTIONS EACH
my_grow() { my_sql "$1" "call load_growth($2, $3, $4, $tables, '$columns', \"$written\")"; }

# pg_bytes NAME: what a row's values have as text.
pg_bytes() { pg_sql "$1" 'select avg(octet_length(t::text)) from (select * from t0 order by id desc limit 1000) t'; }
my_bytes() {
	local all
	all=$(my_sql '' "set session group_concat_max_len = 100000; select group_concat(column_name) from information_schema.columns where table_schema = '$1' and table_name = 't0'")
	my_sql "$1" "select avg(octet_length(concat_ws(',', $all))) from (select * from t0 order by id desc limit 1000) t"
}

# pg_gone NAME: nothing of a shape stays to be carried by the next one, on the server or the broker.
pg_gone() {
	pg_done "$1"
	topics_gone "$1"
}
my_gone() {
	mysql_at '' <<<"drop database $1; flush binary logs; purge binary logs before now()"
	topics_gone "$1"
}
topics_gone() { "${kafka_java[@]}" org.apache.kafka.tools.TopicCommand --bootstrap-server "$TAILWATER_KAFKA" --delete --topic "$1\\..*" >/dev/null 2>&1; }

grow() {
	grown "$1" base
	grown "$1" "$2"
	[ "$2" != single ] || { limit_grown "$1" base && limit_grown "$1" single; }
}

# limit_grown ENGINE SHAPE: what the limit of the path makes of transactions of that size.
limit_grown() {
	local e=$1 name=${1}_limit_$2_$run count each tables partitions kind opened columns written definition
	shape_of "$2" && kind_of "$kind"
	"${e}_fresh" "$name" && "${e}_tables" "$name" && "${e}_limit_before" "$name" && "${e}_grow" "$name" 1 $((count / each)) "$each" && "${e}_limit" "$name" ", $2"
}

# grown ENGINE SHAPE: one row for each table makes its topic; then the backlog. Its first rows of each table are not measured: they open every
# partition, by a control record each, and bring it to the 4 KiB at which a broker first writes to its indexes, which waits for the disk. CPU is of
# all rows that were carried, put down by the share of those that are measured.
grown() {
	local e=$1 name=${1}_$2_$run patience=3600 all count each tables partitions kind opened columns written definition
	shape_of "$2" && kind_of "$kind"
	local skip=$((tables * opened))
	all=$((skip + count))
	"${e}_fresh" "$name" && "${e}_tables" "$name"
	"${e}_config" "$name" kafka && tailwater_once
	"${e}_grow" "$name" 1 "$tables" 1 && tailwater_once
	"${e}_grow" "$name" $((tables + 1)) $((all / each)) "$each"
	local topics
	topics=$("${e}_topic" "$name")
	watch "${topics%orders}*" "$count" $((skip + tables * partitions)) && tailwater_start && watched
	result "tailwater, $2" "$count" "$seconds" "$(peak "$pid")" "$(cpu "$pid" | awk -v a="$all" -v n="$count" '{ printf "%.2f", $1 * n / a }')" - - \
		"$("${e}_bytes" "$name" | awk -v n="$count" '{ printf "%.1f", $1 * n / 1e6 }')"
	tailwater_stop && "${e}_gone" "$name"
}

# idle ENGINE MANY: one pipeline and many in one process, each with a database and topics of its own, without a change for a minute.
idle() {
	local e=$1 many pause=60
	[ -z "$quick" ] || pause=5
	for many in 1 "$2"; do
		idle_config "$e" "$many" && tailwater_once && tailwater_start
		until curl -sf "http://127.0.0.1:$port/readyz" >/dev/null; do alive "$pid" && sleep 0.2; done
		sleep 5 # what a start leaves behind isn't idleness
		local before
		before=$(cpu "$pid") && sleep "$pause"
		result "tailwater, $many idle" "$many" "$pause" "$(awk '$1 == "VmRSS:" { printf "%.1f", $2 / 1024 }' "/proc/$pid/status")" \
			"$(awk -v a="$before" -v b="$(cpu "$pid")" 'BEGIN { printf "%.1f", b - a }')"
		tailwater_stop
		for i in $(seq "$many"); do "${e}_done" "${e}_idle_${run}_$i"; done
		topics_gone "${e}_idle_${run}_[0-9]*"
	done
}
idle_config() {
	local i
	: >"$work/pipelines"
	for i in $(seq "$2"); do
		"${1}_fresh" "${1}_idle_${run}_$i" && "${1}_config" "${1}_idle_${run}_$i" kafka
		sed '1,/^pipelines:/d' "$work/tailwater.yaml" >>"$work/pipelines"
	done
	sed -i '/^pipelines:/q' "$work/tailwater.yaml" && cat "$work/pipelines" >>"$work/tailwater.yaml"
}
