// Package e2e runs the real program against real servers and holds what it promises against what a shell, both ends and the topics show:
// exit codes, the one sentence on standard error, rows, records, slots. It has tests only, one file a promise; `go test ./cmd/e2e` builds
// the program once.
package e2e
