package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Run runs the suite; start makes a fresh Harness for each case.
func Run(t *testing.T, start func(t *testing.T) Harness) {
	cases := []struct {
		name string
		run  func(t *testing.T, h Harness)
	}{
		{"order and operations", operations},
		{"positions are the same from an earlier resume", stable},
		{"a transaction cut at each place is handed over whole again", cut},
		{"a key change is a delete and an insert", keyChange},
		{"truncate is a marker", truncate},
		{"unset, null and empty differ", holes},
		{"a large transaction comes in parts", parts},
		{"upto reaches head while nothing is captured", idle},
		{"only release moves the server", release},
		{"a rolled back transaction is never seen", rolledBack},
		{"keys are the same under every identity", identities},
		{"the server is answered while nobody reads", silent},
		{"a lost connection is unreachable and loses nothing", lost},
		{"read ends with its context", cancelled},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, start(t))
		})
	}
}

var fresh = connectors.Start{Epoch: 1}

const table = `create table a (id int primary key, v varchar(2000))`

func insert(id int, v string) string { return fmt.Sprintf("insert into a values (%d, '%s')", id, v) }

func operations(t *testing.T, h Harness) {
	h.Exec(table)
	r := open(t, h, fresh)
	h.Exec(insert(1, "x"), "update a set v = 'y' where id = 1")
	h.Txn(insert(2, "z"), "delete from a where id = 1")
	got := r.readTo(4)
	if got[1].Op == change.Update {
		got[1].Before = nil // whether the log has it is the source's affair
	}
	if got[3].Op == change.Delete && len(got[3].Before) == 2 {
		got[3].Before[1] = change.Value{}
	}
	want(t, got, `insert a + 1 "x"`, `update a + 1 "y"`, `insert a + 2 "z"`, `delete a - 1 ?`)
	if got[2].Txn != got[3].Txn || got[1].Txn == got[2].Txn || got[2].Txn.ID == got[1].Txn.ID {
		t.Error("one transaction is one Txn, another is another")
	}
	if age := time.Since(got[0].Txn.Committed); age < -time.Minute || age > time.Hour {
		t.Errorf("committed %s ago", age)
	}
	if r.shapes != 1 {
		t.Errorf("%d shapes, want one, before the first row", r.shapes)
	}
	if got[0].Pos.Seq&3 != change.SeqRow {
		t.Errorf("seq %x of a row", got[0].Pos.Seq)
	}
}

func stable(t *testing.T, h Harness) {
	h.Exec(table)
	r := open(t, h, fresh)
	for i := range 5 {
		h.Txn(insert(10*i, "x"), insert(10*i+1, "y"), fmt.Sprintf("update a set id = %d where id = %d", 10*i+5, 10*i))
		r.readTo(4 * (i + 1))
	}
	r.close()
	places := append([]placed{{0, r.opened.Resume, r.opened.Upto}}, r.places...)
	for _, p := range places {
		again := open(t, h, connectors.Start{Epoch: 1, Resume: p.resume, Upto: p.upto})
		n := 0
		for n < len(r.got) && !p.upto.Less(r.got[n].Pos) {
			n++ // a part of a transaction comes again from its begin
		}
		same(t, again.readTo(len(r.got)-n), r.got[n:])
		again.close()
	}
}

// cut is P-2: changes of one transaction share an address, and none may be lost or moved by a stop between two of them.
func cut(t *testing.T, h Harness) {
	h.Exec(table)
	r := open(t, h, fresh)
	rows := make([]string, 20)
	for i := range rows {
		rows[i] = insert(i, "x")
	}
	h.Txn(rows...)
	whole := r.readTo(len(rows))
	r.close()
	before := connectors.Start{Epoch: 1, Resume: r.opened.Resume, Upto: r.opened.Upto} // a fresh one may begin at the log's end
	for n := 1; n <= len(rows); n++ {
		part := open(t, h, before)
		part.max = 1 // one change a batch
		for len(part.got) < n {
			begun, at := len(part.got) > 0, part.resume // before the first row the log may have moved on without us
			if part.read(); begun && len(part.got) < len(rows) && part.resume != at {
				t.Fatalf("after %d of %d rows the resume has moved", len(part.got), len(rows))
			}
		}
		same(t, part.got, whole[:n])
		part.close()
		again := open(t, h, before)
		same(t, again.readTo(len(rows)), whole)
		again.close()
	}
}

func keyChange(t *testing.T, h Harness) {
	h.Exec(table)
	r := open(t, h, fresh)
	h.Exec(insert(1, "x"), "update a set id = 2, v = 'y' where id = 1")
	got := r.readTo(3)
	got[1].Before[1] = change.Value{}
	want(t, got, `insert a + 1 "x"`, `delete a - 1 ?`, `insert a + 2 "y"`)
	if a, b := got[1].Pos, got[2].Pos; a.Commit != b.Commit || a.Seq>>2 != b.Seq>>2 || a.Seq&3 != change.SeqRow || b.Seq&3 != change.SeqInsert {
		t.Errorf("positions %s and %s", a, b)
	}
}

func truncate(t *testing.T, h Harness) {
	h.Exec(table, "create table b (id int primary key, v varchar(10))")
	r := open(t, h, fresh)
	h.Exec(insert(1, "x"), "truncate table a", "truncate table b", insert(1, "y"))
	want(t, r.readTo(4), `insert a + 1 "x"`, `truncate a`, `truncate b`, `insert a + 1 "y"`)
}

func holes(t *testing.T, h Harness) {
	h.Exec("create table a (id int primary key, v varchar(10), big text)")
	r := open(t, h, fresh)
	large := h.Large
	if large == "" {
		large = "'x'"
	}
	h.Exec("insert into a values (1, '', "+large+")", "update a set v = null where id = 1", "update a set v = '', big = '' where id = 1",
		"insert into a (id) values (2)")
	got := r.readTo(4)
	if big := got[1].After[2]; h.Large != "" && !big.IsUnset() {
		t.Errorf("a large value that the statement left alone is %s", big.Kind())
	}
	if v := got[0].After[1]; v != change.Text("") {
		t.Errorf("an empty string is %s", v.Kind())
	}
	if v := got[1].After[1]; !v.IsNull() {
		t.Errorf("NULL is %s", v.Kind())
	}
	if v := got[2].After[2]; v != change.Text("") {
		t.Errorf("an empty large text is %s", v.Kind())
	}
	if a := got[3].After; !a[1].IsNull() || !a[2].IsNull() {
		t.Errorf("columns left out of an INSERT are %s and %s", a[1].Kind(), a[2].Kind())
	}
}

func rolledBack(t *testing.T, h Harness) {
	h.Exec(table)
	r := open(t, h, fresh)
	h.Rollback(insert(1, "x"))
	h.Txn(insert(2, "x"), "savepoint s", insert(3, "x"), "rollback to savepoint s", insert(4, "x"))
	want(t, r.readTo(2), `insert a + 2 "x"`, `insert a + 4 "x"`)
}

func identities(t *testing.T, h Harness) {
	if h.Identities == nil {
		t.Skip("the source has one identity")
	}
	var first []byte
	for name, statement := range h.Identities {
		h.Exec("drop table if exists a", table)
		r := open(t, h, fresh)
		h.Exec(fmt.Sprintf(statement, "a"), insert(1, "x"), "update a set v = 'y' where id = 1", "update a set id = 2 where id = 1",
			"delete from a where id = 2")
		var keys []byte
		for _, c := range r.readTo(5) {
			var err error
			if keys, err = change.AppendKey(append(append(keys, c.Op.String()...), ' '), c.Table, c.Row()); err != nil {
				t.Fatal(err)
			}
		}
		if first == nil {
			first = keys
		}
		if string(keys) != string(first) {
			t.Errorf("%s: keys %s, want %s", name, keys, first)
		}
		if err := r.source.Release(t.Context(), r.resume); err != nil {
			t.Fatal(err)
		}
		r.close()
	}
}

func cancelled(t *testing.T, h Harness) {
	h.Exec(table)
	r := open(t, h, fresh)
	r.readTo(0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for {
		if _, err := r.source.Read(ctx, maxBytes); err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("read: %v", err)
			}
			break
		}
	}
	h.Exec(insert(1, "x"))
	want(t, r.readTo(1), `insert a + 1 "x"`)
}
