package mysql_test

import (
	"strconv"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/connectors/mysql"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestLag is in bytes of the log, over files; a file that is gone has no length.
func TestLag(t *testing.T) {
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testenv.StartMySQL(t, name, testenv.Options{})
			server.Exec("create table a (id int primary key, v varchar(1000))")
			o := opened(t, configAs(t, server.My, "root", ""), connectors.Start{Epoch: 1})
			source := o.Source.(*mysql.Source)
			lag := func(from change.Position) (int64, bool) {
				t.Helper()
				head, err := source.Head(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				n, known, err := source.Lag(t.Context(), head, from)
				if err != nil {
					t.Fatal(err)
				}
				return n, known
			}
			began := server.Binlog().Offset
			if n, known := lag(o.Upto); n != 0 || !known {
				t.Errorf("nothing was written, and the lag is %d, %v", n, known)
			}
			server.Exec("insert into a values (1, repeat('x', 1000))")
			if n, known := lag(o.Upto); n != server.Binlog().Offset-began || !known {
				t.Errorf("the lag is %d, %v, from %d to %d", n, known, began, server.Binlog().Offset)
			}
			server.Exec("flush logs; insert into a values (2, repeat('x', 1000)); flush logs")
			testenv.Wait(t, "the lag to be the files' length from there on", func() bool { // MariaDB writes a checkpoint by itself
				want, files := -began, server.Query("show binary logs")
				for _, file := range files[len(files)-3:] { // from the one that was read on
					size, err := strconv.ParseInt(file[1], 10, 64)
					if err != nil {
						t.Fatal(err)
					}
					want += size
				}
				n, known := lag(o.Upto)
				return n == want && known
			})
			o.Source.Close()
			purge(t, server.My)
			o = opened(t, configAs(t, server.My, "root", ""), connectors.Start{Epoch: 1})
			source = o.Source.(*mysql.Source)
			if n, known := lag(change.Position{Epoch: 1, Commit: 1<<40 | 4}); known {
				t.Errorf("over a file that is gone the lag is %d", n)
			}
		})
	}
}
