package mysql

import (
	"context"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestXAWaits: a transaction whose XA COMMIT is in the log is not taken for seen while MariaDB still lists it.
func TestXAWaits(t *testing.T) {
	for _, name := range []string{"mariadb10", "mariadb118"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			my := testenv.StartMySQL(t, name, testenv.Options{}).My
			my.Exec("create table a (id int primary key)")
			p := newPipe(t, my, "a")
			p.finish()
			ctx := t.Context()
			conn, err := connectChunks(ctx, &p.config)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.close()
			xid := "'\u00e4\x01','" + my.Database + "',77"
			my.Exec("xa start " + xid + "; insert into a values (1); xa end " + xid + "; xa prepare " + xid)
			reader := &chunkReader{source: p.source}
			before, err := reader.begin(ctx, conn, tableName{my.Database, "a"})
			if err != nil {
				t.Fatal(err)
			}
			my.Exec("xa commit " + xid)
			id := my.Value("select @@last_gtid")
			for p.target.rows(my.Database + ".a")["{ 1 3}|"] == 0 {
				p.read()
			}
			after, err := reader.begin(ctx, conn, tableName{my.Database, "a"})
			if err != nil {
				t.Fatal(err)
			}
			if !after.Sees(&change.Txn{ID: id}) {
				t.Error("a transaction that is over isn't seen")
			}
			v := before.(*visibility)
			v.read, v.place = after.(*visibility).read, after.(*visibility).place // as if its XA COMMIT had been in the log already
			end, err := p.source.server.readEnd(context.WithoutCancel(ctx), conn)
			if err != nil {
				t.Fatal(err)
			}
			if v.Sees(&change.Txn{ID: id}) || v.Settled(end.file.name+":4") {
				t.Errorf("a transaction that waits is taken for seen: %v of %v", v.waiting, v.phases.byTxn)
			}
		})
	}
}

// TestKeylessBesideXA: a table without a key that a prepared transaction has changed is read once that is over, and any other at once.
func TestKeylessBesideXA(t *testing.T) {
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			my := testenv.StartMySQL(t, name, testenv.Options{}).My
			my.Exec("create table h (v int); create table g (v int); insert into h values (1), (1); insert into g values (2)")
			p := newPipe(t, my, "h", "g")
			p.finish()
			ctx := t.Context()
			reader := &chunkReader{source: p.source}
			other := my.Connect()
			xid := "'k','" + my.Database + "'"
			for _, sql := range []string{"xa start " + xid, "insert into h values (3)", "xa end " + xid, "xa prepare " + xid} {
				if _, err := other.ExecContext(ctx, sql); err != nil {
					t.Fatal(err)
				}
			}
			open := func(table string) (place uint64, rows int, err error) {
				conn, err := connectChunks(ctx, &p.config)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.close()
				at, err := reader.openAt(ctx, conn, tableName{my.Database, table})
				if err != nil {
					return 0, 0, err
				}
				all, err := conn.all(ctx, "select v from "+quoteTable(my.Database, table))
				return at.Commit, len(all), err
			}
			if _, rows, err := open("g"); err != nil || rows != 1 {
				t.Errorf("the other table: %d rows, %v", rows, err)
			}
			if _, _, err := open("h"); !passing(err) {
				t.Errorf("the table was read while it isn't known what is in it: %v", err)
			}
			if _, err := other.ExecContext(ctx, "xa commit "+xid); err != nil {
				t.Fatal(err)
			}
			end := my.Binlog()
			place, rows, err := open("h")
			if err != nil || rows != 3 || place&(1<<offsetBits-1) < uint64(end.Offset)-1 {
				t.Errorf("%d rows as of %d, %v; want 3 as of %d", rows, place, err, end.Offset)
			}
			p.finish()
			p.compare()
		})
	}
}
