#!/usr/bin/env bash
# The examples of docs/examples as they stand, against servers at the very addresses that they name. Everything runs in a network namespace
# of its own, so the ports are free whatever runs on this machine. The roles get no more than `tailwater grants` prints; the
# publication is made by the tables' owner, and create: true adopts it. Run by `make examples`, as root.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
if [ "${1:-}" != inside ]; then
	make -s -C "$root" build
	"$root/testdata/servers/install" pg15 kafka
	exec unshare --net --pid --mount-proc --fork --kill-child "${BASH_SOURCE[0]}" inside
fi

ip link set lo up
recipes=$root/testdata/servers/recipes
work=$(mktemp -d "${TMPDIR:-/tmp}/tailwater-examples.XXXXXX")
chmod 755 "$work"
pids=()
finish() {
	[ ${#pids[@]} -eq 0 ] || kill -9 "${pids[@]}" 2>/dev/null || true
	wait 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT

serve() { # serve NAME PORT
	mkdir -p "$work/$1"
	"$recipes/$1" prepare "$work/$1" "$2" >"$work/$1.log" 2>&1
	setsid "$recipes/$1" run "$work/$1" "$2" >>"$work/$1.log" 2>&1 &
	pids+=($!)
	until "$recipes/$1" ready "$2" 2>/dev/null; do
		kill -0 $! || { tail -n 20 "$work/$1.log"; exit 1; }
		sleep 0.1
	done
}
sql() { "$recipes/pg15" tool psql -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -U postgres "$@"; }
fail() {
	echo "FAILED: $*" >&2
	tail -n 20 "$work/log" >&2 || true
	exit 1
}

serve pg15 5432
serve kafka 9092
sql -d postgres -c "create database bench" -c "create database target" -c "create role writer login"

count=0
for example in "$root"/docs/examples/*.yaml; do
	MYSQL_PASSWORD=x PG_PASSWORD=x "$root/bin/tailwater" lint "$example" || fail "lint $example"
done

run_example() { # run_example NAME TARGET-SCHEMA
	local dir=$work/$1 example=$root/docs/examples/$1.yaml
	mkdir -p "$dir"
	sql -d bench -c "drop table if exists orders" -f - <"$root/testdata/bench/orders.sql"
	sql -d bench -c "insert into orders select g, g, 'new', g / 100.0, 'before', now(), now() from generate_series(1, 1000) g"
	if [ -n "$2" ]; then
		(cd "$dir" && "$root/bin/tailwater" grants sink -c "$example") | sql -d target -f - || fail "the grants of $1 for its sink"
	fi
	(cd "$dir" && "$root/bin/tailwater" grants source -c "$example") | sql -d bench -f - || fail "the grants of $1 for its source"
	(cd "$dir" && "$root/bin/tailwater" run -c "$example" --once >"$work/log" 2>&1) || fail "$1: run --once, exit code $?"
	sql -d bench -c "update orders set status = 'paid' where id % 3 = 0" -c "delete from orders where id % 7 = 0" -c "update orders set id = id + 100000 where id % 11 = 0"
	(cd "$dir" && "$root/bin/tailwater" run -c "$example" --once >"$work/log" 2>&1) || fail "$1: run --once again, exit code $?"
	if [ -n "$2" ]; then
		local here there query="select md5(string_agg(row(id, customer_id, status, amount, note, created_at, updated_at)::text, '|' order by id)) from"
		here=$(sql -d bench -c "$query orders")
		there=$(sql -d target -c "$query $2.orders")
		[ "$here" = "$there" ] || fail "$1: the ends differ"
	fi
	(cd "$dir" && "$root/bin/tailwater" drop "$(sed -n 's/^  - name: //p' "$example" | head -n 1)" -c "$example" --yes >"$work/log" 2>&1) || fail "$1: drop, exit code $?"
	[ -z "$2" ] || sql -d target -c "drop schema $2 cascade" 2>/dev/null
	sql -d bench -c "drop procedure load_orders" -c "drop publication if exists tailwater_copy, tailwater_direct, tailwater_orders"
	count=$((count + 1))
	echo "ok  $1"
}

run_example postgres-kafka ''
run_example postgres-kafka-postgres copy
run_example postgres-direct-postgres copy
echo "$count examples ran as they stand"
