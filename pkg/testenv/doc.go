// Package testenv hands real servers to tests: PostgreSQL 15 and 18, MySQL 9.7, MariaDB 10.11 and 11.8, and Kafka, shared or private.
//
// testdata/servers installs and starts them, and its env verb prints the variables read here. A shared server gives each
// test a database or a topic prefix of its own, gone at cleanup; a private one (StartPostgres, StartMySQL, StartKafka) may be
// frozen, killed, restarted and restored, and ends with the test, also when the test binary is killed.
//
// A server whose variable is absent skips the test. It fails it where TAILWATER_REQUIRE (a comma list of the names in
// testdata/servers) names the server; one that the install could not get skips with "NOT RUN name: reason" either way.
//
// Imported by tests only; imports no other package of this module. Invariant: no server and no process outlives
// the test that started it, and only a pid that this package started is ever signalled.
//
// All and AllMySQL run a test against each server of a kind:
//
//	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
//		pg.Exec("create table a (id int primary key)")
//		testenv.Wait(t, "the row", func() bool { return len(pg.Query("select id from a")) == 1 })
//	})
package testenv
