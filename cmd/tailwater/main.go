package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker.
var version = "unknown"

func main() {
	signals := make(chan os.Signal, signalsKept)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, signals: signals, exit: os.Exit}
	os.Exit(a.run(context.Background(), os.Args[1:]))
}

// signalsKept is how many signals may wait to be seen: the one that drains, and the one that ends at once.
const signalsKept = 2
