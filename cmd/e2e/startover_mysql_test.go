package e2e

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// lostLog are the ways in which the log of a MySQL or MariaDB server comes to lack what was not read, or to be another one, while nothing
// runs. Each says what the refusal has to say.
var lostLog = []struct {
	name  string
	words []string
	lose  func(t *testing.T, r *rig, server *testenv.MyServer)
}{
	{"purged", []string{"gone from"}, func(_ *testing.T, r *rig, server *testenv.MyServer) {
		r.goOn()
		server.Exec("flush binary logs")
		r.purge(server.My)
	}},
	{"reset", nil, func(_ *testing.T, r *rig, server *testenv.MyServer) {
		reset(server.My)
		r.goOn()
	}},
	{"restored", nil, func(_ *testing.T, r *rig, server *testenv.MyServer) {
		unread(r, server)
		backup := server.Backup()
		r.goOn()
		r.once()
		unread(r, server)
		server.Restore(backup)
	}},
	{"restored and grown", nil, func(_ *testing.T, r *rig, server *testenv.MyServer) {
		unread(r, server)
		backup := server.Backup()
		r.goOn()
		r.once()
		unread(r, server)
		server.Restore(backup)
		for range 5 {
			server.Exec("update orders set note = concat(note, ' of another history')")
		}
	}},
	{"another server", nil, func(t *testing.T, r *rig, server *testenv.MyServer) { // a Resume knows servers, not addresses
		r.source = &mysql{My: testenv.StartMySQL(t, server.Name, testenv.Options{}).My}
		r.config.sourceURL, _ = r.source.urls()
		r.seed(200)
		r.goOn()
	}},
}

// TestLogLost: each of them is a gap for as long as nobody decides otherwise, the target is left as it is, and the way out ends with equal ends.
func TestLogLost(t *testing.T) {
	t.Parallel()
	for _, ends := range []struct{ source, stream string }{{"mysql97", "kafka"}, {"mariadb118", "direct"}} {
		t.Run(ends.source, func(t *testing.T) {
			for _, c := range lostLog {
				t.Run(ends.stream+"/"+c.name, func(t *testing.T) {
					t.Parallel()
					server := testenv.StartMySQL(t, ends.source, testenv.Options{})
					r := rigOf(t, ends.stream, &mysql{My: server.My})
					r.seed(100)
					r.once()
					c.lose(t, r, server)
					for range 2 { // a second start is no way out
						r.unchanged(func() {
							r.start("run").refuses(5, append(c.words, r.name)...) // whether at the open or, where the server finds it, at the first read
						})
					}
					r.newLife()
				})
			}
		})
	}
}

// TestLogResetWhileRunning: a process that is up halts as well.
func TestLogResetWhileRunning(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"mysql97", "mariadb118"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testenv.StartMySQL(t, name, testenv.Options{})
			r := rigOf(t, "direct", &mysql{My: server.My})
			r.seed(100)
			p := r.start("run")
			r.arrives(p, "select count(*) from orders", "100")
			for _, row := range server.Query("select id from information_schema.processlist where command like 'Binlog Dump%'") {
				server.Exec("kill " + row[0]) // MariaDB refuses RESET while somebody reads
			}
			reset(server.My)
			r.goOn()
			p.refuses(5, r.name)
			if n := r.target.Value("select count(*) from orders where note <> 'first'"); n != "0" {
				t.Errorf("%s rows came after the log was reset", n)
			}
		})
	}
}

// unread waits until the server has noticed that nobody reads its log any more: a MySQL that is to stop would wait half a minute for that.
func unread(r *rig, server *testenv.MyServer) {
	r.t.Helper()
	testenv.Wait(r.t, "nobody reads the log", func() bool {
		return server.Value("select count(*) from information_schema.processlist where command like 'Binlog Dump%'") == "0"
	})
}

// purge removes all files of the log but the last, once nobody reads them: the server notices with its next heartbeat that a reader is gone.
func (r *rig) purge(server *testenv.My) {
	r.t.Helper()
	testenv.Wait(r.t, "the old files to go", func() bool {
		files := server.Query("show binary logs")
		server.Exec("purge binary logs to '" + files[len(files)-1][0] + "'")
		return len(files) == 1
	})
}

// reset makes the log begin anew.
func reset(server *testenv.My) {
	if server.MariaDB {
		server.Exec("reset master")
		return
	}
	server.Exec("reset binary logs and gtids")
}
