//go:build !fault

package fault

// Point marks a place where a crash test may kill the process. In this build it is empty and costs nothing.
func Point(string) {}
