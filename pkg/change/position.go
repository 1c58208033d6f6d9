package change

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// MaxSeq stands above every Seq of its Commit.
const MaxSeq = math.MaxUint64

// The low two bits of Seq tell apart what one row of the log becomes.
const (
	SeqShape  = 0 // NewShape, ahead of the row that first has it
	SeqRow    = 1 // a row change, a Truncate, the Delete half of a key change
	SeqInsert = 2 // the Insert half of a key change
)

// Position orders the changes of one source. Compare is total; ParsePosition(p.String()) == p. The zero Position stands below
// every change.
type Position struct {
	Epoch  uint32 // which life of the source's log
	Commit uint64 // Postgres: commit LSN. MySQL: file number<<40 | offset of the group's first event
	Seq    uint64 // ordinal of the row in the log's own transaction, whatever is filtered, <<2, with the Seq* bits
}

// Compare returns -1, 0 or +1.
func (p Position) Compare(q Position) int {
	if c := cmp.Compare(p.Epoch, q.Epoch); c != 0 {
		return c
	}
	if c := cmp.Compare(p.Commit, q.Commit); c != 0 {
		return c
	}
	return cmp.Compare(p.Seq, q.Seq)
}

// Less says that p stands below q.
func (p Position) Less(q Position) bool { return p.Compare(q) < 0 }

// IsZero says that p stands below every change.
func (p Position) IsZero() bool { return p == Position{} }

// positionLength is the length of every Position's text: 8, 16 and 16 hexadecimal digits and two dashes.
const positionLength = 42

// AppendText appends p's text: fixed-width upper-case hexadecimal, so that texts compare as positions do.
func (p Position) AppendText(dst []byte) ([]byte, error) {
	dst = appendHex(dst, uint64(p.Epoch), 8)
	dst = append(dst, '-')
	dst = appendHex(dst, p.Commit, 16)
	dst = append(dst, '-')
	return appendHex(dst, p.Seq, 16), nil
}

// String returns p's text, e.g. 00000001-00000000016B3748-0000000000000005.
func (p Position) String() string {
	b, _ := p.AppendText(make([]byte, 0, positionLength)) // never an error; the signature is encoding.TextAppender's
	return string(b)
}

// MarshalText is encoding.TextMarshaler.
func (p Position) MarshalText() ([]byte, error) { return p.AppendText(nil) }

// UnmarshalText is encoding.TextUnmarshaler.
func (p *Position) UnmarshalText(b []byte) error {
	q, err := ParsePosition(string(b))
	if err == nil {
		*p = q
	}
	return err
}

var errPosition = errors.New("want 8, 16 and 16 upper-case hexadecimal digits with dashes between")

// ParsePosition is the inverse of String and accepts nothing else.
func ParsePosition(s string) (Position, error) {
	if len(s) != positionLength || s[8] != '-' || s[25] != '-' {
		return Position{}, fmt.Errorf("position %q: %w", s, errPosition)
	}
	epoch, err1 := strconv.ParseUint(s[:8], 16, 32)
	commit, err2 := strconv.ParseUint(s[9:25], 16, 64)
	seq, err3 := strconv.ParseUint(s[26:], 16, 64)
	p := Position{Epoch: uint32(epoch), Commit: commit, Seq: seq}
	if err := errors.Join(err1, err2, err3); err != nil || p.String() != s {
		return Position{}, fmt.Errorf("position %q: %w", s, errPosition)
	}
	return p, nil
}

// appendHex appends the last digits of n, in hexadecimal.
func appendHex(dst []byte, n uint64, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789ABCDEF"[n>>shift&15])
	}
	return dst
}
