#!/usr/bin/env bash
# The examples of docs/examples as they stand, against servers at the very addresses that they name. Everything runs in a network namespace
# of its own, so the ports are free whatever runs on this machine. The roles are made by what `tailwater grants` prints and have no
# more; the publication is made by the tables' owner, and create: true adopts it. Two examples run again with a source role that is
# no superuser, the one with its table named, the other with a pattern. Run by `make examples`, as root.
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
sql() { "$recipes/pg15" tool psql -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -U postgres -c "set client_min_messages = warning" "$@"; }
fail() {
	echo "FAILED: $*" >&2
	tail -n 20 "$work/log" >&2 || true
	exit 1
}

serve pg15 5432
serve kafka 9092
sql -d postgres -c "create database bench" -c "create database target"
sql -d bench -c "revoke all on schema public from public" -c "revoke all on database bench from public"
sql -d target -c "revoke all on schema public from public" -c "revoke all on database target from public"

count=0
for example in "$root"/docs/examples/*.yaml; do
	MYSQL_PASSWORD=x PG_PASSWORD=x "$root/bin/tailwater" lint "$example" || fail "lint $example"
done

run_once() { # run_once DIR CONFIG NAME
	(cd "$1" && "$root/bin/tailwater" run -c "$2" --once >"$work/log" 2>&1) || fail "$3: run --once, exit code $?"
}

run_example() { # run_example NAME TARGET-SCHEMA [SED-SCRIPT]
	local dir=$work/$1 config=$root/docs/examples/$1.yaml name=$1
	if [ -n "${3:-}" ]; then
		dir=$dir-again name="$1 with $3"
		sed -e "$3" "$config" >"$work/again.yaml"
		config=$work/again.yaml
	fi
	mkdir -p "$dir"
	sql -d bench -c "drop table if exists orders" -f - <"$root/testdata/bench/orders.sql"
	sql -d bench -c "insert into orders select g, g, 'new', g / 100.0, 'before', now(), now() from generate_series(1, 1000) g"
	if [ -n "$2" ]; then
		"$root/bin/tailwater" grants sink -c "$config" | sql -d target -f - || fail "the grants of $name for its sink"
	fi
	"$root/bin/tailwater" grants source -c "$config" | sql -d bench -f - || fail "the grants of $name for its source"
	(cd "$dir" && "$root/bin/tailwater" doctor -c "$config" >"$work/log" 2>&1) || fail "$name: doctor, exit code $?"
	run_once "$dir" "$config" "$name"
	sql -d bench -c "insert into orders select g, g, 'new', g / 100.0, 'beside', now(), now() from generate_series(1001, 1100) g" \
		-c "update orders set status = 'paid' where id % 3 = 0" -c "delete from orders where id % 7 = 0" \
		-c "update orders set id = id + 100000 where id % 11 = 0"
	run_once "$dir" "$config" "$name, again"
	if [ -n "$2" ]; then
		local here there query="select count(*) || ' rows, ' || md5(string_agg(row(id, customer_id, status, amount, note, created_at, updated_at)::text, '|' order by id)) from"
		here=$(sql -d bench -c "$query orders")
		there=$(sql -d target -c "$query $2.orders")
		[ "$here" = "$there" ] || fail "$name: the ends differ: $here, $there"
	fi
	(cd "$dir" && "$root/bin/tailwater" drop "$(sed -n 's/^  - name: //p' "$config" | head -n 1)" -c "$config" --yes >"$work/log" 2>&1) || fail "$name: drop, exit code $?"
	[ -z "$2" ] || sql -d target -c "drop schema $2 cascade"
	sql -d bench -c "drop procedure load_orders" -c "drop publication $(sed -n 's/.*publication: { name: \([a-z_]*\),.*/\1/p' "$config")"
	count=$((count + 1))
	echo "ok  $name"
}

run_example postgres-kafka ''
run_example postgres-kafka-postgres copy
run_example postgres-direct-postgres copy
run_example postgres-kafka-postgres again 's/copy/again/; s,//postgres@,//cdc@,'
run_example postgres-direct-postgres copy 's,//postgres@,//cdc@,; s/public.orders/public.*/'
echo "$count examples ran as they stand"
