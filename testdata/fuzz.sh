#!/usr/bin/env bash
# Runs every fuzz target of the tree for the given time, one after another. What a target finds is left in its testdata/fuzz folder, to be
# committed as a seed.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-20s}
for dir in $(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do
	for target in $(go test -list '^Fuzz' "$dir" | grep '^Fuzz'); do
		echo "== $dir $target $time"
		# Left alone it takes a minute to make each new input smaller, in which it tries nothing else.
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 2s "$dir"
	done
done
