// Command tailwater captures the row changes that a database commits, publishes them to Kafka topics or hands them over directly, and
// applies them to target stores.
//
// Each verb is one file. wire.go is the only file that names concrete connectors, streams, sinks and stores. A verb returns an outcome
// and an error; output.go prints both, as text or as one JSON envelope, and exit.go turns the error into the exit code.
package main
