package codec

import (
	"fmt"
	"slices"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Format is the envelope of a record: how its key and value are written. Headers are the same in all of them.
type Format uint8

// The formats. Their names (String) stand in the header tw.format, but for DebeziumJSON, whose records have none.
const (
	DebeziumJSON Format = iota // README.md sections 2 to 5
	MaxwellJSON                // section 12
	CanalJSON                  // section 13
	Flat                       // section 14; it has no old rows, so our own reader refuses it
	Avro                       // section 15
)

var formatNames = [...]string{"debezium-json", "maxwell-json", "canal-json", "flat", "avro"}

// String returns the format's name, as the config has it.
func (f Format) String() string {
	if int(f) < len(formatNames) {
		return formatNames[f]
	}
	return "invalid"
}

// ParseFormat is the inverse of Format.String.
func ParseFormat(s string) (Format, error) {
	if i := slices.Index(formatNames[:], s); i >= 0 {
		return Format(i), nil
	}
	return 0, fmt.Errorf("format %q is none of %v", s, formatNames)
}

// dialect is how a format's JSON writes values where it differs from section 4.
type dialect uint8

const (
	spaced dialect = 1 << iota // dates with a time as SQL writes them: a space for the T, and no Z
	bare                       // decimals as numbers, where they are any
	quoted                     // every value but null as a string
	latin1                     // bytes as the characters U+0000 to U+00FF
	lists                      // MySQL's sets as arrays
)

func (f Format) dialect() dialect {
	switch f {
	case MaxwellJSON:
		return spaced | bare | lists
	case CanalJSON:
		return spaced | quoted | latin1
	}
	return 0
}

// envelope makes the parts of a format's values that a Plan keeps.
type envelope interface {
	// stamp appends what all changes of c's transaction share.
	stamp(dst []byte, c *change.Change) []byte
	// value appends the value of c, which is no marker and whose stamp is made.
	value(dst []byte, c *change.Change) ([]byte, error)
	// key appends the record key of c, which is no marker and has one.
	key(dst []byte, c *change.Change) ([]byte, error)
	// hasKey says whether records of c's kind have a key.
	hasKey(c *change.Change) bool
}

// newEnvelope makes the envelope of p's records.
func newEnvelope(p *Plan, o *Options) (envelope, error) {
	switch o.Format {
	case DebeziumJSON:
		return newDebezium(p, o), nil
	case MaxwellJSON:
		return newMaxwell(p), nil
	case CanalJSON:
		return newCanal(p), nil
	case Flat:
		return newFlat(p, o)
	case Avro:
		return newAvro(p, o)
	}
	return nil, errorf("table %s: format %d is unknown", p.table, o.Format)
}

// rowKey is the key of the formats whose keys are section 2's.
type rowKey struct{}

func (rowKey) key(dst []byte, c *change.Change) ([]byte, error) {
	return change.AppendKey(dst, c.Table, c.Row())
}

func (rowKey) hasKey(*change.Change) bool { return true }
