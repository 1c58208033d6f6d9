// Package crash kills the real program with SIGKILL at every named point (pkg/fault), on real servers and under load, starts it again, and
// holds both ends against each other. It stands below testdata because `go test ./...` has no time for it: `make crash` runs it.
//
// A kill counts only if changes were in flight: committed at the source, and not yet part of the saved place. Their number is printed.
package crash
