package myvalue

import (
	"errors"
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

var (
	errType      = errors.New("a type that can't be")
	errAmbiguous = errors.New("the log writes several types of MariaDB alike, and the catalogue hasn't said which one this is")
	errOldTime   = errors.New("a time in the format before MySQL 5.6, with fraction digits, whose length the log doesn't tell: ALTER TABLE ... FORCE with mysql56_temporal_format=ON")
)

// The bounds of what servers let a column be.
const (
	maxBits    = 64
	maxDecimal = 65
	maxMembers = 64
)

// Check refuses a type whose cells would have no length, or one beyond what servers make. It is for what comes from the log.
func (t *Type) Check() error {
	ok := true
	switch t.Wire {
	case Bit:
		ok = t.Bits >= 1 && t.Bits <= maxBits
	case Decimal:
		ok = t.Precision >= 1 && t.Precision <= maxDecimal && t.Scale <= t.Precision
	case Timestamp2, Datetime2, Time2:
		ok = t.Precision <= maxFraction
	case Blob, BlobCompressed, Geometry, JSON, Vector:
		ok = t.Length >= 1 && t.Length <= 4
	case Enum:
		ok = t.Length == 1 || t.Length == 2
	case Set:
		ok = t.Length >= 1 && t.Length <= maxMembers/8
	case String, Varchar, VarcharCompressed, Tiny, Short, Int24, Long, LongLong, Year, Float, Double, Date, Timestamp, Datetime, Time:
	default:
		ok = false
	}
	if !ok {
		return fmt.Errorf("type %d of length %d, precision %d, scale %d: %w: %w", t.Wire, t.Length, t.Precision, t.Scale, errType, change.ErrHalt)
	}
	return nil
}

// SetLabels makes the labels of an Enum or Set from the bytes of its collation's character set.
func (t *Type) SetLabels(labels [][]byte) error {
	if t.Wire == Set && len(labels) > maxMembers {
		return fmt.Errorf("column %s: %d members: %w: %w", t.Name, len(labels), errType, change.ErrHalt)
	}
	set := t.charset()
	if set == nil {
		return t.unknownCollation()
	}
	t.Labels = make([]string, len(labels))
	for i, label := range labels {
		text, ok := set.append(nil, label)
		if !ok {
			return fmt.Errorf("column %s: label %d: %w, %s: %w", t.Name, i+1, errCharset, set.name, change.ErrHalt)
		}
		t.Labels[i] = string(text)
	}
	return nil
}

// charset returns the character set of t's text; labels in none are taken for UTF-8, which is what a client writes them in.
func (t *Type) charset() *charset {
	if t.Collation == binaryCollation && !t.isText() {
		return charsets["utf8mb4"]
	}
	return charsetOf(t.Collation)
}

func (t *Type) unknownCollation() error {
	return fmt.Errorf("column %s: collation %d: a character set that this version doesn't know: CONVERT TO CHARACTER SET utf8mb4: %w",
		t.Name, t.Collation, change.ErrHalt)
}

// isText says that cells are in a character set, or bytes where the collation is binary.
func (t *Type) isText() bool {
	switch t.Wire {
	case String, Varchar, Blob, BlobCompressed, VarcharCompressed:
		return true
	}
	return false
}

// Carried says why values of t can't be carried, if they can't: an unknown character set, or a type of MariaDB that the log writes as
// another's and that only the catalogue tells apart.
func (t *Type) Carried() error {
	if err := t.Check(); err != nil {
		return err
	}
	if t.isText() && t.Collation != binaryCollation && charsetOf(t.Collation) == nil {
		return t.unknownCollation()
	}
	if t.Wire == Timestamp || t.Wire == Time || t.Wire == Datetime {
		if !t.Known || t.Precision != 0 {
			return fmt.Errorf("column %s: %w: %w", t.Name, errOldTime, change.ErrHalt)
		}
	}
	mayBeSpecial := t.Wire == String && t.Collation == binaryCollation && (t.Length == 4 || t.Length == 16)
	if t.Flavor == MariaDB && mayBeSpecial && !t.Known {
		return fmt.Errorf("column %s, binary(%d): %w: %w", t.Name, t.Length, errAmbiguous, change.ErrHalt)
	}
	return nil
}
