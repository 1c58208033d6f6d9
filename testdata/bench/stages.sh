#!/usr/bin/env bash
# What each stage of a change's way costs, without a server: six runs of its Go benchmark, beside the last committed run by benchstat. Run by
# `make bench-stages`.
#
#   KEEP=1   writes docs/benchmarks/stages.txt, to be committed
#   COUNT    runs of each benchmark (6); BENCHTIME of each run (1s)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
benchstat=golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da
kept=docs/benchmarks/stages.txt
cd "$root"
new=$(mktemp "${TMPDIR:-/tmp}/tailwater-stages.XXXXXX") old=$(mktemp "${TMPDIR:-/tmp}/tailwater-stages.XXXXXX")
trap 'rm -f "$new" "$old"' EXIT

# stage PACKAGE BENCHMARKS: those that need a server stand beside some of them.
stage() { go test -run '^$' -bench "^($2)\$" -benchmem -count "${COUNT:-6}" -benchtime "${BENCHTIME:-1s}" "$1" | grep -v -e '^PASS$' -e '^ok' | tee -a "$new"; }

# benchstat skips the first line, which says what the figures are worth.
load=$(cut -d ' ' -f 1 /proc/loadavg) worth='the machine was quiet'
awk -v l="$load" 'BEGIN { exit l < 0.5 }' && worth='the machine was busy: not a result'
printf '# %s, commit %s, load before it %s, %s; make bench-stages KEEP=1 (COUNT=%s BENCHTIME=%s)\n' "$(date -u +%Y-%m-%d)" "$(git describe --always --dirty)" "$load" "$worth" \
	"${COUNT:-6}" "${BENCHTIME:-1s}" | tee "$new"
stage ./connectors/mysql/internal/rowimage 'BenchmarkRow|BenchmarkGoMySQL'
stage ./connectors/postgres/internal/pgoutput BenchmarkRow
stage ./pkg/codec 'BenchmarkEncode|BenchmarkDecode|BenchmarkFormats'
stage ./pkg/stream/kafka 'BenchmarkBuild|BenchmarkSeal'
stage ./sinks/internal/upsert BenchmarkFold
stage ./sinks/postgres BenchmarkEncode
stage ./sinks/mysql BenchmarkWrite

if git show "HEAD:$kept" >"$old" 2>/dev/null; then
	go run "$benchstat" "committed=$old" "now=$new"
else
	go run "$benchstat" "now=$new"
fi
[ -z "${KEEP:-}" ] || cp "$new" "$kept"
