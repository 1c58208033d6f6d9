package change

import "time"

// Op is what happened to a row, or which Marker a Change is.
type Op uint8

// The operations. Truncate and NewShape are markers: they carry no row and go down every lane of their table.
const (
	Insert      Op = iota + 1 // a new row: After is whole
	Update                    // a changed row under the same key: After, with Unset where the log did not carry a column
	Delete                    // a row that is gone: Before holds at least its key
	SnapshotRow               // a row as a snapshot read it: After is whole
	Truncate                  // marker: every row of the table is gone
	NewShape                  // marker: rows after it have this Table
)

var opNames = [...]string{"invalid", "insert", "update", "delete", "snapshot_row", "truncate", "new_shape"}

// String returns the operation's name.
func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return opNames[0]
}

// IsMarker says that o carries no row and goes down every lane of its table.
func (o Op) IsMarker() bool { return o == Truncate || o == NewShape }

// Txn is the source transaction that changes belong to: one pointer for all of them.
type Txn struct {
	ID        string    // GTID, or xid@commit LSN
	Committed time.Time // by the source's clock
}

// Change is one row operation, or a Marker. Before and After have one Value for each of Table.Columns, or are nil. A change is
// immutable once its Batch has been handed over.
//
// A source never emits an Update that changes a key: it emits a Delete of the old and an Insert of the new row (invariant 3).
type Change struct {
	Op     Op
	Table  *Table
	Before []Value // Delete: the old row or its key. Update: the old row or its key if the log carried it, else nil
	After  []Value
	Pos    Position
	Txn    *Txn // nil on what a snapshot hands over: its rows and the markers before them
}

// Row returns the row that says which key c is of: After, or Before for a Delete; nil for a Marker.
func (c *Change) Row() []Value {
	if c.Op == Delete {
		return c.Before
	}
	return c.After
}

// valueSize and changeSize are the bytes that a Value and a Change take besides their text.
const (
	valueSize  = 32
	changeSize = 120
)

// Size is the memory that c holds, in bytes: what every byte-bounded queue counts.
func (c *Change) Size() int {
	n := changeSize + valueSize*(len(c.Before)+len(c.After))
	for i := range c.Before {
		n += len(c.Before[i].ref)
	}
	for i := range c.After {
		n += len(c.After[i].ref)
	}
	return n
}

// Resume is where to start reading again. It is opaque to all but the connector that made it, always lies between source
// transactions, and is text that is safe in JSON.
type Resume string

// Batch is part or all of some source transactions, in the log's order. It is immutable and owns its bytes: nobody changes it or
// what it points to after the source has handed it over.
type Batch struct {
	Changes  []Change
	Upto     Position // all at or below it has been handed over; changes above it belong to a transaction that has not ended
	Resume   Resume   // where to start again after Upto; a part of a transaction repeats the previous one
	Snapshot []byte   // the connector's snapshot progress as of this batch, opaque; nil: unchanged
}

// Size is the memory that b holds, in bytes.
func (b *Batch) Size() int {
	n := len(b.Resume) + len(b.Snapshot)
	for i := range b.Changes {
		n += b.Changes[i].Size()
	}
	return n
}

// Lane is a topic partition; in direct mode a key lane of the source.
type Lane struct {
	Stream string // topic; in direct mode the source id
	N      int32
}

// Mark is how far a sink has applied one Lane.
type Mark struct {
	Lane Lane
	Next int64    // the offset to read next; in direct mode a count of deliveries, so that no two of them lead to one mark
	Pos  Position // the highest Position applied, of whatever epoch stands highest
}

// Covers says that a sink which stands at p has c already: what the log handed over at or below p, what a snapshot handed over (it
// has no Txn) only below it, because all rows of a chunk share one Position.
func (p Position) Covers(c *Change) bool {
	if c.Txn == nil {
		return c.Pos.Less(p)
	}
	return !p.Less(c.Pos)
}
