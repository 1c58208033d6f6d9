#!/usr/bin/env bash
# The crash suite: the real program, on real servers, killed with SIGKILL at each named point ROUNDS times (3). Run by `make crash`, which
# starts the servers. POINTS is a go test -run pattern. The whole log stays in LOG, by default a file in the temporary folder.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
bin=$(mktemp -d "${TMPDIR:-/tmp}/tailwater-crash.XXXXXX")
log=${LOG:-${TMPDIR:-/tmp}/tailwater-crash.log}
trap 'rm -rf "$bin"' EXIT
CGO_ENABLED=0 go build -tags fault -o "$bin/tailwater" ./cmd/tailwater
code=0
TAILWATER_CRASH_BINARY=$bin/tailwater go test ./testdata/crash -count=1 -parallel 3 -timeout 60m -v -run "${POINTS:-.}" >"$log" 2>&1 || code=$?
if [ $code = 0 ]; then
	grep -E '^ +--- |crash_test|^ok' "$log"
	exit
fi
grep -vE '^=== (RUN|PAUSE)' "$log"
exit $code
