#!/usr/bin/env bash
# The examples of docs/examples as they stand, against servers at the very addresses that they name. Everything runs in a network namespace
# of its own, so the ports are free whatever runs on this machine. The roles are made by what `tailwater grants` prints and have no
# more; the publication is made by the tables' owner, and create: true adopts it. Two examples run again with a source role that is
# no superuser, the one with its table named, the other with a pattern. Run by `make examples`, as root.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
if [ "${1:-}" != inside ]; then
	make -s -C "$root" build
	"$root/testdata/servers/install" pg15 kafka mysql97
	exec unshare --net --pid --mount-proc --fork --kill-child "${BASH_SOURCE[0]}" inside
fi

ip link set lo up
recipes=$root/testdata/servers/recipes
export TAILWATER_SERVERS
TAILWATER_SERVERS=$(mktemp -d "${TMPDIR:-/tmp}/tailwater-examples.XXXXXX")
work=$TAILWATER_SERVERS count=0
chmod 755 "$work"
pids=() folders=()
finish() {
	[ ${#pids[@]} -eq 0 ] || kill -9 "${pids[@]}" 2>/dev/null || true
	wait 2>/dev/null || true
	rm -rf "$work" "${folders[@]}"
}
trap finish EXIT
export MYSQL_PASSWORD=to-the-log PG_PASSWORD=to-the-warehouse

serve() { # serve NAME PORT
	local dir
	dir=$("$recipes/$1" work-dir)
	mkdir -p "$dir"
	folders+=("$dir")
	"$recipes/$1" prepare "$dir" "$2" >"$work/$1.log" 2>&1
	setsid "$recipes/$1" run "$dir" "$2" >>"$work/$1.log" 2>&1 &
	pids+=($!)
	until "$recipes/$1" ready "$2" 2>/dev/null; do
		kill -0 $! || { tail -n 20 "$work/$1.log"; exit 1; }
		sleep 0.1
	done
}
sql() { "$recipes/pg15" tool psql -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -U postgres -c "set client_min_messages = warning" "$@"; }
mysql() { "$recipes/mysql97" tool mysql --no-defaults --protocol=tcp -h 127.0.0.1 -u root -N -B "$@"; }
fail() {
	echo "FAILED: $*" >&2
	tail -n 20 "$work/log" >&2 || true
	exit 1
}
tailwater() { # tailwater DIR WHAT VERB...: its output goes to the log
	(cd "$1" && "$root/bin/tailwater" "${@:3}" >"$work/log" 2>&1) || fail "$2, exit code $?"
}

# Each source has the table orders with rows in it; then something of everything happens to them.
row="g, g, 'new', g / 100.0"
changes="update orders set status = 'paid' where id % 3 = 0; delete from orders where id % 7 = 0; update orders set id = id + 100000 where id % 11 = 0"
pg_filled() { # pg_filled DATABASE
	sql -d "$1" -c "drop table if exists orders; drop procedure if exists load_orders" -f - \
		-c "insert into orders select $row, 'before', now(), now() from generate_series(1, 1000) g" <"$root/testdata/bench/orders.sql" # psql's user may not read it
}
pg_changed() { sql -d "$1" -c "insert into orders select $row, 'beside', now(), now() from generate_series(1001, 1100) g" -c "$changes"; }
my_filled() {
	mysql -e "create database shop"
	mysql shop <"$root/testdata/bench/orders.mysql.sql"
	mysql shop -e "set cte_max_recursion_depth = 10000; insert into orders with recursive s (g) as (select 1 union all select g + 1 from s where g < 1000) select $row, 'before', now(6), now(6) from s;
		create table tmp_upload (id int primary key); insert into tmp_upload values (1)"
}
my_changed() {
	mysql shop -e "insert into orders with recursive s (g) as (select 1001 union all select g + 1 from s where g < 1100) select $row, 'beside', now(6), now(6) from s; $changes"
}

# Both ends in the words that both engines write alike.
columns="id, customer_id, status, amount, note"
pg_rows() { sql -d "$1" -c "select count(*) || ' rows, ' || encode(sha256(convert_to(string_agg(concat_ws(',', $columns, to_char(created_at at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS.US'), to_char(updated_at at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS.US')), '|' order by id), 'UTF8')), 'hex') from $2"; }
my_rows() { mysql -e "set group_concat_max_len = 1 << 30; set time_zone = '+00:00'; select concat(count(*), ' rows, ', sha2(group_concat(concat_ws(',', $columns, date_format(created_at, '%Y-%m-%d %H:%i:%s.%f'), date_format(updated_at, '%Y-%m-%d %H:%i:%s.%f')) order by id separator '|'), 256)) from $1"; }
equal() { [ "$2" = "$3" ] || fail "$1: the ends differ: $2, $3"; }

# life NAME DIR CONFIG: doctor, a first run, changes, a second run; the source's changes are made by the function "changed".
life() {
	tailwater "$2" "$1: doctor" doctor -c "$3"
	tailwater "$2" "$1: run --once" run -c "$3" --once
	changed
	tailwater "$2" "$1: run --once, again" run -c "$3" --once
}
drop_pipeline() { # drop_pipeline NAME DIR CONFIG
	tailwater "$2" "$1: drop" drop "$(sed -n 's/^  - name: //p' "$3" | head -n 1)" -c "$3" --yes
	count=$((count + 1))
	echo "ok  $1"
}
grants() { "$root/bin/tailwater" grants "$1" -c "$config" || fail "the grants of $name for its $1"; }

example() { # example NAME: sets name, config and dir
	name=$1 config=$root/docs/examples/$1.yaml dir=$work/$1
	mkdir -p "$dir"
}
again() { # again SED-SCRIPT: the same with something else in it
	sed -e "$1" "$config" >"$work/again.yaml"
	name="$name with $1" config=$work/again.yaml dir=$dir-again
	mkdir -p "$dir"
}

postgres_example() { # postgres_example SOURCE-DATABASE TARGET-SCHEMA: to Postgres, or to nobody
	local source=$1 target=$2
	pg_filled "$source"
	[ -z "$target" ] || grants sink | sql -d target -f -
	grants source | sql -d "$source" -f -
	changed() { pg_changed "$source"; }
	life "$name" "$dir" "$config"
	[ -z "$target" ] || equal "$name" "$(pg_rows "$source" orders)" "$(pg_rows target "$target.orders")"
	drop_pipeline "$name" "$dir" "$config"
	[ -z "$target" ] || sql -d target -c "drop schema $target cascade"
	sql -d "$source" -c "drop publication $(sed -n 's/.*publication: { name: \([a-z_]*\),.*/\1/p' "$config")"
}

postgres_to_mysql() {
	pg_filled app
	grants sink | mysql
	mysql -e "alter user writer@'%' account unlock"
	grants source | sql -d app -f -
	changed() { pg_changed app; }
	life "$name" "$dir" "$config"
	equal "$name" "$(pg_rows app orders)" "$(my_rows copy.orders)"
	drop_pipeline "$name" "$dir" "$config"
}

mysql_to_postgres() {
	my_filled
	grants sink | sql -d dw -f -
	grants source | mysql | grep '^GRANT' | mysql # a pattern of tables is a query that prints the grants for those there are
	mysql -e "alter user cdc@'%' identified by '$MYSQL_PASSWORD' account unlock"
	changed() { my_changed; }
	life "$name" "$dir" "$config"
	equal "$name" "$(my_rows shop.orders)" "$(pg_rows dw shop.orders)"
	[ "$(sql -d dw -c "select count(*) from pg_tables where tablename = 'tmp_upload'")" = 0 ] || fail "$name: an excluded table was copied"
	drop_pipeline "$name" "$dir" "$config"
}

for config in "$root"/docs/examples/*.yaml; do tailwater "$work" "lint $config" lint "$config"; done
serve pg15 5432
serve mysql97 3306
serve kafka 9092
for database in bench target app dw; do
	sql -d postgres -c "create database $database"
	sql -d $database -c "revoke all on schema public from public" -c "revoke all on database $database from public"
done

example postgres-kafka && postgres_example bench ''
example postgres-kafka-postgres && postgres_example bench copy
example postgres-direct-postgres && postgres_example bench copy
example postgres-kafka-postgres && again 's/copy/again/; s,//postgres@,//cdc@,' && postgres_example bench again
example postgres-direct-postgres && again 's,//postgres@,//cdc@,; s/public.orders/public.*/' && postgres_example bench copy
example postgres-direct-mysql && postgres_to_mysql
example mysql-kafka-postgres && mysql_to_postgres
echo "$count examples ran as they stand"
