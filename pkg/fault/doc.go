// Package fault names the points at which a crash is told apart from every other: Point("publish.acked") does nothing in a release
// build. Built with -tags fault, the process kills itself with SIGKILL at the point that TAILWATER_FAULT names: "NAME" at its first
// passing, "NAME:N" at its Nth, "NAME@FILE" once FILE exists. It imports the standard library only and may be imported anywhere.
package fault
