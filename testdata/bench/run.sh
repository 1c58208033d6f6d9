#!/usr/bin/env bash
# Our figures with the incumbent and the limit of each path beside us, interleaved, on one machine with nothing else running. Run by `make bench`.
#
#   ROW="pg_kafka my_kafka"   which rows; all of them without it, but for those of growth.sh: ROW=growth is all of these,
#                             ROW=growth_wide_my one
#   DURABLE=1                 the databases flush each commit to the disk, as they do unless told otherwise; a page of its own
#   QUICK=1                   200,000 rows, once, for the terminal only
#   RUNS, ROWS, RATE, SECONDS_OF_LOAD, INCUMBENT=0 (leave it out), XMX (the incumbent's heap)
#
# A row's runs stand in docs/benchmarks/DATE-COMMIT/ROW.tsv once it is done, the bad ones too; the page beside that folder is made from them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
all='pg_kafka my_kafka kafka_pg kafka_my pg_direct my_direct pg_snapshot my_snapshot pg_latency my_latency start'
growth=$(printf 'growth_%s ' {rows,topics6,topics1,columns,wide,single,idle}_{pg,my})
chosen=${ROW:-$all}
[ "$chosen" != growth ] || chosen=$growth
quick=${QUICK:-}
rows=${ROWS:-1000000} runs=${RUNS:-3} rate=${RATE:-1000} load=${SECONDS_OF_LOAD:-20} incumbent=${INCUMBENT:-1} heap=${XMX:-1g}
[ -z "$quick" ] || { rows=${ROWS:-200000} runs=${RUNS:-1} load=${SECONDS_OF_LOAD:-5}; }
warm=$((rows / 5))
cache=${TAILWATER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tailwater}
work=$(mktemp -d "${TMPDIR:-/tmp}/tailwater-bench.XXXXXX")
port=$((20000 + RANDOM % 10000))
pid='' watcher=''
finish() {
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true
	[ -z "$watcher" ] || kill "$watcher" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT

. "$here/lib.sh"
. "$here/incumbent.sh"
. "$here/postgres.sh"
. "$here/mysql.sh"
. "$here/capture.sh"
. "$here/sink.sh"
. "$here/latency.sh"
. "$here/start.sh"
. "$here/growth.sh"
for row in $chosen; do
	declare -F "row_$row" >/dev/null || { echo "no row $row; there are: $all $growth" >&2; exit 2; }
done

# With a commit that isn't what lies in the folder a figure would be nobody's.
commit=$(git -C "$root" rev-parse --short HEAD)
[ -n "$quick" ] || git -C "$root" diff --quiet HEAD -- ':!docs' ':!README.md' || { echo 'commit what is measured first' >&2; exit 2; }
out=$root/docs/benchmarks/$(date -u +%Y-%m-%d)-$commit${TAILWATER_DURABLE:+-durable}
[ -z "$quick" ] || out=$work/quick
mkdir -p "$out"
make -s -C "$root" build
javac -cp "$TAILWATER_KAFKA_LIBS/*" -d "$work" "$here/TopicWatch.java"
for tool in latency gauge page; do (cd "$root" && go build -o "$work/$tool" "./testdata/bench/$tool"); done
# The rows of growth.sh and the start have no incumbent beside them.
[ "$incumbent" != 1 ] || ! tr ' ' '\n' <<<"$chosen" | grep -qv -e '^growth_' -e '^start$' -e '^$' || install_incumbent

for row in $chosen; do
	begin_row "$row"
	for run in $(seq "$runs"); do
		"row_$row"
		run_of "$row" # those that took no figure say so
	done
	mv "$work/$row.tsv" "$out/$row.tsv"
	"$work/page" "$out" >"$out.md"
	"$work/page" -row "$row" "$out"
done
[ -n "$quick" ] || echo "written to $out and $out.md"
