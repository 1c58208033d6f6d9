package pgoutput

import (
	"errors"
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Kind is the first byte of a message.
type Kind byte

// The messages of protocol 1.
const (
	Begin    Kind = 'B'
	Commit   Kind = 'C'
	Origin   Kind = 'O'
	Relation Kind = 'R'
	Type     Kind = 'Y'
	Insert   Kind = 'I'
	Update   Kind = 'U'
	Delete   Kind = 'D'
	Truncate Kind = 'T'
	Logical  Kind = 'M' // from pg_logical_emit_message
)

// CellKind says what stands in a column of a tuple.
type CellKind byte

// The cells of a stream that was not asked for binary values.
const (
	Null      CellKind = 'n'
	Unchanged CellKind = 'u' // a value stored out of line that the statement left alone
	Text      CellKind = 't'
)

// Cell is one column of a tuple.
type Cell struct {
	Kind CellKind
	Data []byte // Text only; aliases the frame
}

// OldKind says which old tuple an Update or a Delete carries.
type OldKind byte

// The old tuples. In a KeyTuple the columns outside the replica identity are Null and mean nothing.
const (
	NoTuple  OldKind = 0
	KeyTuple OldKind = 'K'
	OldTuple OldKind = 'O' // the whole row
)

// Shape is the table description that precedes its first row in a session and follows each change of it.
type Shape struct {
	OID       uint32
	Namespace string
	Name      string
	Identity  byte // pg_class.relreplident: d, n, f or i
	Columns   []Column
}

// Column is a column of a Shape.
type Column struct {
	Key  bool // part of the replica identity; under identity f every column is
	Name string
	Type uint32
	Mod  int32
}

// Message is one decoded message. Which fields hold is told beside them. Decode reuses it.
type Message struct {
	Kind  Kind
	LSN   uint64  // Begin, Commit: of the commit record. Origin: the commit's at its origin. Logical: its own
	End   uint64  // Commit: the end of the transaction in the log
	Time  int64   // Begin, Commit: microseconds since 2000-01-01T00:00:00Z
	XID   uint32  // Begin
	OID   uint32  // Insert, Update, Delete: the table's. Type: the type's
	Old   OldKind // Update, Delete
	Shape *Shape  // Relation; a new one each time

	Before []Cell   // Update, Delete: as Old says
	After  []Cell   // Insert, Update
	OIDs   []uint32 // Truncate: the tables', in order

	Transactional bool // Logical: part of a transaction
}

// namespace of an empty string stands for pg_catalog.
const catalogNamespace = "pg_catalog"

var (
	errShort    = errors.New("the message ends early")
	errTrailing = errors.New("bytes follow the message's end")
	errTuple    = errors.New("not a tuple of text values")
	errFlags    = errors.New("flags that are not known")
)

// Decode reads frame into m. What m refers to of the frame is valid as long as the frame is, and until the next Decode. The error
// wraps change.ErrHalt: the same frame would come again.
func (m *Message) Decode(frame []byte) error {
	if len(frame) == 0 {
		return fmt.Errorf("decode pgoutput message: %w: %w", errShort, change.ErrHalt)
	}
	*m = Message{Kind: Kind(frame[0]), Before: m.Before[:0], After: m.After[:0], OIDs: m.OIDs[:0]}
	r := reader{rest: frame[1:]}
	if !m.decode(&r) {
		return fmt.Errorf("decode pgoutput message: unknown message byte %q: %w", frame[0], change.ErrHalt)
	}
	if r.err == nil && len(r.rest) > 0 {
		r.err = errTrailing
	}
	if r.err != nil {
		return fmt.Errorf("decode pgoutput message %q of %d bytes: %w: %w", frame[0], len(frame), r.err, change.ErrHalt)
	}
	return nil
}

// decode returns false for a message that it doesn't know.
func (m *Message) decode(r *reader) bool {
	switch m.Kind {
	case Begin:
		m.LSN, m.Time, m.XID = r.uint64(), int64(r.uint64()), r.uint32()
	case Commit:
		r.byte() // flags, unused
		m.LSN, m.End, m.Time = r.uint64(), r.uint64(), int64(r.uint64())
	case Origin:
		m.LSN = r.uint64()
		r.bytes()
	case Relation:
		m.Shape = r.shape()
	case Type:
		m.OID = r.uint32()
		r.bytes()
		r.bytes()
	case Insert:
		m.OID = r.uint32()
		r.expect('N')
		m.After = r.tuple(m.After)
	case Update:
		m.OID = r.uint32()
		if tag := r.byte(); tag == byte(KeyTuple) || tag == byte(OldTuple) {
			m.Old = OldKind(tag)
			m.Before = r.tuple(m.Before)
			r.expect('N')
		} else if tag != 'N' {
			r.fail(errTuple)
		}
		m.After = r.tuple(m.After)
	case Delete:
		m.OID = r.uint32()
		if m.Old = OldKind(r.byte()); m.Old != KeyTuple && m.Old != OldTuple {
			r.fail(errTuple)
		}
		m.Before = r.tuple(m.Before)
	case Truncate:
		n := r.uint32()
		r.byte() // CASCADE and RESTART IDENTITY: the tables that they reach are named here as well
		for i := uint32(0); i < n && r.err == nil; i++ {
			m.OIDs = append(m.OIDs, r.uint32())
		}
	case Logical:
		flags := r.byte()
		if flags > 1 {
			r.fail(errFlags)
		}
		m.Transactional = flags == 1
		m.LSN = r.uint64()
		r.bytes()
		r.take(int(r.uint32()))
	default:
		return false
	}
	return true
}
