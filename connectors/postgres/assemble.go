package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors/internal/queue"
	"github.com/tailwater-cdc/tailwater/connectors/postgres/internal/pgoutput"
	"github.com/tailwater-cdc/tailwater/connectors/postgres/internal/pgvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// segmentBytes is when a segment is put though its transaction goes on.
const segmentBytes = 256 << 10

// assembler turns the messages of one session into changes. The goroutine of the stream owns it.
type assembler struct {
	epoch     uint32
	maxRow    int
	selection selection
	shapes    *shapes
	homes     *homes

	message   pgoutput.Message
	row       pgvalue.Row
	relations map[uint32]*streamed
	recent    *streamed // of the last row: rows of one table come together

	inside  bool // a transaction has begun and not ended
	current evidence
	ordinal uint64
	txn     *change.Txn // of the current transaction; made at its first change

	at      place // the last end of a transaction, or of log without us
	proof   proof
	segment queue.Builder[end]
}

// streamed is a table as the session knows it.
type streamed struct {
	shape     *pgoutput.Shape
	table     *change.Table // nil: not selected
	key       []bool        // by column: part of Table.Key
	bare      string        // a partition without REPLICA IDENTITY FULL, though the root has it
	announced bool
	left      []departure // names under which it is captured too, where its next row is missing
	unlisted  []string    // labels that the enumerations lacked when they were read again
}

// epoch2000 is where PostgreSQL's clocks begin.
var epoch2000 = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

var errTransaction = errors.New("message outside of a transaction, or a transaction inside another")
var errRelation = errors.New("a row of a table that was not described")

// handle takes one message. Its errors end the stream.
func (a *assembler) handle(ctx context.Context, frame []byte) error {
	m := &a.message
	if err := m.Decode(frame); err != nil {
		return fmt.Errorf("after %s: %w", lsnText(a.at.lsn), err)
	}
	switch m.Kind {
	case pgoutput.Begin:
		return a.begin()
	case pgoutput.Commit:
		return a.commit()
	case pgoutput.Relation:
		return a.describe(ctx, m.Shape)
	case pgoutput.Insert, pgoutput.Update, pgoutput.Delete, pgoutput.Truncate:
		if !a.inside {
			return fmt.Errorf("message %q after %s: %w: %w", m.Kind, lsnText(a.at.lsn), errTransaction, change.ErrHalt)
		}
		if a.proof.replaying {
			return nil
		}
		err := a.change(ctx, len(frame))
		if err != nil {
			return fmt.Errorf("transaction %d at %s: %w", a.current.XID, lsnText(a.current.Commit), err)
		}
	}
	return nil // Type, Origin and Logical carry no row; Logical outside of a transaction never moves the place back
}

func (a *assembler) begin() error {
	m := &a.message
	if a.inside {
		return fmt.Errorf("begin of %d after %s: %w: %w", m.XID, lsnText(a.at.lsn), errTransaction, change.ErrHalt)
	}
	a.inside, a.ordinal, a.txn = true, 0, nil
	a.current = evidence{Commit: m.LSN, XID: m.XID, Time: m.Time}
	return a.proof.begin(a.current)
}

func (a *assembler) commit() error {
	if !a.inside || a.message.LSN != a.current.Commit {
		return fmt.Errorf("commit at %s after %s: %w: %w", lsnText(a.message.LSN), lsnText(a.at.lsn), errTransaction, change.ErrHalt)
	}
	a.inside = false
	if a.proof.replaying {
		a.proof.replaying = false
		return nil
	}
	at := place{upto: change.Position{Epoch: a.epoch, Commit: a.current.Commit, Seq: change.MaxSeq}, lsn: a.message.End, last: a.current}
	a.advance(at)
	return nil
}

// advance notes that all up to a place has been decoded.
func (a *assembler) advance(at place) {
	a.at = at
	a.segment.End(end{at: at})
}

// idle takes a keepalive: the server has sent all that was committed below lsn. It reports whether that moved the place, which it
// never does inside a transaction. Right behind the last transaction it does too: where nobody writes, the log's end is that
// transaction's, above its Position, and whoever waits for the end (Head, a chunk) would wait for somebody else's next record.
func (a *assembler) idle(lsn uint64) (bool, error) {
	if a.inside || lsn < a.at.lsn || !a.at.upto.Less(below(a.epoch, lsn)) {
		return false, nil
	}
	if err := a.proof.passed(lsn); err != nil {
		return false, err
	}
	a.advance(place{upto: below(a.epoch, lsn), lsn: lsn, last: a.at.last})
	return true, nil
}

// describe takes a Relation message: the table's next rows have this shape.
func (a *assembler) describe(ctx context.Context, shape *pgoutput.Shape) error {
	was := a.relations[shape.OID]
	now := &streamed{shape: shape, left: a.homes.left(shape.OID, tableName{shape.Namespace, shape.Name}.String(), a.current.Commit)}
	a.relations[shape.OID], a.recent = now, nil
	if !a.selection.Has(shape.Namespace, shape.Name) {
		return nil
	}
	table, err := a.shapes.fromLog(ctx, shape, a.current.XID)
	if err != nil {
		return fmt.Errorf("after %s: %w", lsnText(a.at.lsn), err)
	}
	if shape.Identity == 'f' { // FULL
		if now.bare, err = a.shapes.bareLeaf(ctx, shape.OID); err != nil {
			return fmt.Errorf("after %s: %w", lsnText(a.at.lsn), err)
		}
	}
	a.homes.add(shape.OID, table.String(), a.current.Commit)
	now.set(table)
	now.announced = was != nil && was.announced && was.table == table
	return nil
}

func (s *streamed) set(table *change.Table) {
	s.table, s.announced = table, false
	s.key = make([]bool, len(table.Columns))
	for _, k := range table.Key {
		s.key[k] = true
	}
}

// relation returns the table of the current message.
func (a *assembler) relation(oid uint32) (*streamed, error) {
	if r := a.recent; r != nil && r.shape.OID == oid {
		return r, nil
	}
	r := a.relations[oid]
	if r == nil {
		return nil, fmt.Errorf("oid %d: %w: %w", oid, errRelation, change.ErrHalt)
	}
	a.recent = r
	return r, nil
}

// emit adds a change of the current transaction, and before the table's first one its shape.
func (a *assembler) emit(r *streamed, c change.Change, bits uint64) {
	if a.txn == nil {
		id := fmt.Sprintf("%d@%s", a.current.XID, lsnText(a.current.Commit))
		a.txn = &change.Txn{ID: id, Committed: epoch2000.Add(time.Duration(a.current.Time) * time.Microsecond)}
	}
	if !r.announced {
		r.announced = true
		a.add(change.Change{Op: change.NewShape, Table: r.table}, change.SeqShape)
	}
	c.Table = r.table
	a.add(c, bits)
}

func (a *assembler) add(c change.Change, bits uint64) {
	c.Pos = change.Position{Epoch: a.epoch, Commit: a.current.Commit, Seq: a.ordinal<<2 | bits}
	c.Txn = a.txn
	a.segment.Add(&c)
}
