package mysql

import (
	"context"
	"fmt"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestKeylessWithoutTransactions: a row that is inserted behind the place at which such a table is read isn't among the rows read, for the
// stream brings it: it would stand twice at targets.
func TestKeylessWithoutTransactions(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		for _, engine := range []string{"myisam", "memory", "aria"} {
			if engine == "aria" && !my.MariaDB {
				continue
			}
			my.Exec("create table " + engine + " (v int) engine = " + engine + "; insert into " + engine + " values (1), (1)")
			p := newPipe(t, my, engine)
			ctx := t.Context()
			conn, err := connectChunks(ctx, &p.config)
			if err != nil {
				t.Fatal(err)
			}
			at, err := p.source.reader.openAt(ctx, conn, tableName{my.Database, engine})
			if err != nil {
				t.Fatal(err)
			}
			writer := my.Connect()
			written := make(chan error, 1)
			go func() {
				_, err := writer.ExecContext(context.WithoutCancel(ctx), "insert into "+engine+" values (2)")
				written <- err
			}()
			testenv.Wait(t, "the writer to be done or to wait", func() bool {
				return len(written) > 0 || len(my.Query("select 1 from information_schema.processlist where state like 'Waiting for table%' and info like 'insert into "+engine+"%'")) > 0
			})
			rows, err := conn.all(ctx, "select v from "+quoteTable(my.Database, engine))
			if err != nil {
				t.Fatal(err)
			}
			end := my.Binlog()
			conn.close()
			if err := <-written; err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(rows) != "[[1] [1]]" {
				t.Errorf("%s: rows %v as of %s, and the log brings what stands behind that, to %s:%d", engine, rows, Address(at), end.File, end.Offset)
			}
			p.finish()
			p.compare()
			p.close()
			my.Exec("drop table " + engine)
		}
	})
}
