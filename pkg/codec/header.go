package codec

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// The names of our headers.
const (
	HeaderPosition = "tw.pos"    // Position's text
	HeaderShape    = "tw.shape"  // the table's fingerprint
	HeaderSource   = "tw.source" // source id
	HeaderTxn      = "tw.txn"    // Txn.ID; absent on what a snapshot handed over
	HeaderTime     = "tw.time"   // Txn.Committed, microseconds since 1970, decimal; there with tw.txn
	HeaderUnset    = "tw.unset"  // the ordinals of Unset columns; absent where there are none
	HeaderFormat   = "tw.format" // the envelope's name; absent on DebeziumJSON
	HeaderMarker   = "tw.marker" // truncate or shape, on a marker without a key; absent on all others
	HeaderText     = "tw.text"   // the ordinals of columns that are text in Avro though their kind has a type there; absent where there are none
	headerPrefix   = "tw."
	maxHeaders     = 9
)

// Header is one header of a Kafka record.
type Header struct {
	Key   string
	Value []byte
}

// formatTexts and markerText are the values of tw.format and tw.marker, made once.
var (
	formatTexts  = [...][]byte{[]byte("debezium-json"), []byte("maxwell-json"), []byte("canal-json"), []byte("flat"), []byte("avro")}
	truncateText = []byte("truncate")
	shapeText    = []byte("shape")
)

func markerText(o change.Op) []byte {
	if o == change.Truncate {
		return truncateText
	}
	return shapeText
}

// Headers is room for one record's headers, so that making them allocates nothing. The zero Headers is ready for use.
type Headers struct {
	list     [maxHeaders]Header
	position []byte
	unset    []byte
}

// Headers fills h with the headers of c and returns them. They point into h and into the Encoder, and are valid until the next call
// with the same h or of any method of the Encoder.
func (e *Encoder) Headers(h *Headers, c *change.Change) ([]Header, error) {
	p, err := e.planFor(c)
	if err != nil {
		return nil, err
	}
	if err := p.stampFor(c); err != nil {
		return nil, err
	}
	h.position, _ = c.Pos.AppendText(h.position[:0]) // never an error
	list := append(h.list[:0], Header{HeaderPosition, h.position}, Header{HeaderShape, p.shape}, Header{HeaderSource, p.source})
	if c.Txn != nil {
		list = append(list, Header{HeaderTxn, p.stamp.id}, Header{HeaderTime, p.stamp.micros})
	}
	h.unset = appendUnset(appendUnset(h.unset[:0], 'a', c.After), 'b', c.Before)
	if len(h.unset) > 0 {
		list = append(list, Header{HeaderUnset, h.unset})
	}
	if p.format != DebeziumJSON {
		list = append(list, Header{HeaderFormat, formatTexts[p.format]})
	}
	if len(p.text) > 0 && !c.Op.IsMarker() {
		list = append(list, Header{HeaderText, p.text})
	}
	if c.Op.IsMarker() && !p.form.hasKey(c) {
		list = append(list, Header{HeaderMarker, markerText(c.Op)})
	}
	return list, nil
}

// Meta is what a record's headers say. Its slices are those of the headers and live as long as they do.
type Meta struct {
	Position  change.Position
	Shape     []byte // fingerprint
	Source    []byte // source id
	HasTxn    bool   // false: a snapshot handed it over
	TxnID     []byte
	Committed time.Time // UTC; with HasTxn
	Unset     []byte    // tw.unset as it stands
	Format    Format
	Marker    []byte // tw.marker as it stands
	Text      []byte // tw.text as it stands
	micros    []byte // tw.time as it stands
}

// ParseHeaders reads what our headers say. Headers of others are passed over; none of ours is ErrForeign; one twice, one that v1 doesn't
// know, or one missing is change.ErrHalt.
func ParseHeaders(list []Header) (Meta, error) {
	var values [maxHeaders][]byte
	var seen [maxHeaders]bool
	ours := false
	for _, h := range list {
		i := headerIndex(h.Key)
		if i == maxHeaders {
			continue
		}
		if i < 0 {
			return Meta{}, errorf("header %q is not one of wire format v1: read it with a later release", h.Key)
		}
		if seen[i] {
			return Meta{}, errorf("header %s stands twice", h.Key)
		}
		seen[i], values[i], ours = true, h.Value, true
	}
	if !ours || !seen[2] {
		return Meta{}, fmt.Errorf("%w: no header %s", ErrForeign, HeaderSource)
	}
	if !seen[0] || !seen[1] || seen[3] != seen[4] || (seen[5] && len(values[5]) == 0) {
		return Meta{}, errorf("headers of source %.255q are not whole", values[2])
	}
	m := Meta{Shape: values[1], Source: values[2], HasTxn: seen[3], TxnID: values[3], micros: values[4], Unset: values[5], Marker: values[7], Text: values[8]}
	var err error
	if seen[6] {
		i := slices.IndexFunc(formatTexts[1:], func(name []byte) bool { return bytes.Equal(name, values[6]) })
		if i < 0 {
			return Meta{}, errorf("header %s: format %.64q is not one of wire format v1: read it with a later release", HeaderFormat, values[6])
		}
		m.Format = Format(i + 1)
	}
	if m.Position, err = parsePosition(values[0]); err != nil {
		return Meta{}, errorf("header %s: %w", HeaderPosition, err)
	}
	if m.HasTxn {
		us, err := strconv.ParseInt(string(m.micros), 10, 64)
		if err != nil {
			return Meta{}, errorf("header %s: %w", HeaderTime, err)
		}
		m.Committed = timeOf(us)
	}
	return m, nil
}

// headerIndex returns the place of one of our headers in Headers' order, maxHeaders for one of others, -1 for one of ours that v1
// doesn't know.
func headerIndex(key string) int {
	switch key {
	case HeaderPosition:
		return 0
	case HeaderShape:
		return 1
	case HeaderSource:
		return 2
	case HeaderTxn:
		return 3
	case HeaderTime:
		return 4
	case HeaderUnset:
		return 5
	case HeaderFormat:
		return 6
	case HeaderMarker:
		return 7
	case HeaderText:
		return 8
	}
	if len(key) >= len(headerPrefix) && key[:len(headerPrefix)] == headerPrefix {
		return -1
	}
	return maxHeaders
}

// parsePosition is change.ParsePosition without its allocations.
func parsePosition(b []byte) (change.Position, error) {
	epoch, ok1 := hexAt(b, 0, 8)
	commit, ok2 := hexAt(b, 9, 16)
	seq, ok3 := hexAt(b, 26, 16)
	if len(b) == 42 && b[8] == '-' && b[25] == '-' && ok1 && ok2 && ok3 {
		return change.Position{Epoch: uint32(epoch), Commit: commit, Seq: seq}, nil
	}
	return change.ParsePosition(string(b))
}

// hexAt reads n upper-case hexadecimal digits.
func hexAt(b []byte, at, n int) (uint64, bool) {
	if len(b) < at+n {
		return 0, false
	}
	var out uint64
	for _, c := range b[at : at+n] {
		switch {
		case c >= '0' && c <= '9':
			out = out<<4 | uint64(c-'0')
		case c >= 'A' && c <= 'F':
			out = out<<4 | uint64(c-'A'+10)
		default:
			return 0, false
		}
	}
	return out, true
}
