#!/usr/bin/env bash
# The crash suite: the real program, on real servers, killed with SIGKILL at each named point ROUNDS times (3). Run by `make crash`, which
# starts the servers.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
bin=$(mktemp -d "${TMPDIR:-/tmp}/tailwater-crash.XXXXXX")
trap 'rm -rf "$bin"' EXIT
CGO_ENABLED=0 go build -tags fault -o "$bin/tailwater" ./cmd/tailwater
TAILWATER_CRASH_BINARY=$bin/tailwater go test ./testdata/crash -count=1 -parallel 3 -timeout 60m -v -run "${POINTS:-.}" |
	grep -E '^ *(---|crash_test|FAIL|ok|panic)|killed|difference|_test.go' || exit 1
exit "${PIPESTATUS[0]}"
