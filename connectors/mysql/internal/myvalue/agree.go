package myvalue

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// ErrDiffer says that the catalogue describes another shape than the log's.
var ErrDiffer = errors.New("the catalogue and the log differ")

// Agree returns the log's types with what only the catalogue says. Where the two differ by name, order or type it returns an error that
// names the column and wraps ErrDiffer: the catalogue is of another time than the log, so read it again past the DDL, or halt
// (invariant 6).
func Agree(log, catalogue []Type) ([]Type, error) {
	types := make([]Type, len(log))
	next := 0
	for i := range log {
		t := log[i]
		if next == len(catalogue) || t.Name != catalogue[next].Name {
			if !t.isHash() {
				return nil, fmt.Errorf("column %d: %s in the log, %s in the catalogue: %w: %w", i+1, t.summary(), nameAt(catalogue, next), ErrDiffer, change.ErrHalt)
			}
			t.Known, t.Hidden = true, true
			types[i] = t
			continue
		}
		c := &catalogue[next]
		next++
		if types[i] = t.with(c); !types[i].same(c) {
			return nil, fmt.Errorf("column %d: %s in the log, %s in the catalogue: %w: %w", i+1, t.summary(), c.summary(), ErrDiffer, change.ErrHalt)
		}
	}
	if next < len(catalogue) {
		return nil, fmt.Errorf("column %s isn't in the log: %w: %w", catalogue[next].Name, ErrDiffer, change.ErrHalt)
	}
	return types, nil
}

// Adopt returns the log's types with what other, a shape of another time, says of those columns that it has by the same name and type. The
// rest stay as the log has them: NewPlan refuses what that leaves open.
func Adopt(log, other []Type) []Type {
	types := slices.Clone(log)
	for i := range types {
		t := &types[i]
		at := slices.IndexFunc(other, func(o Type) bool { return o.Name == t.Name })
		switch {
		case at >= 0:
			if with := t.with(&other[at]); with.same(&other[at]) {
				*t = with
			}
		case t.isHash():
			t.Known, t.Hidden = true, true
		}
	}
	return types
}

// with returns t with what only the catalogue says.
func (t *Type) with(c *Type) Type {
	w := *t
	w.Known, w.Special, w.Generated, w.Auto, w.Hidden, w.Native = c.Known, c.Special, c.Generated, c.Auto, c.Hidden, c.Native
	if c.Wire == Timestamp || c.Wire == Time || c.Wire == Datetime {
		w.Precision = c.Precision // which the log leaves out
	}
	if w.Wire == Enum || w.Wire == Set {
		w.Native = "" // made of the log's labels: the catalogue's text has ? for what three bytes of UTF-8 don't hold
	}
	return w
}

// isHash says that t is the column that MariaDB keeps for itself beside a UNIQUE key of long columns.
func (t *Type) isHash() bool {
	return t.Flavor == MariaDB && t.Wire == LongLong && strings.HasPrefix(t.Name, "DB_ROW_HASH_")
}

func nameAt(types []Type, i int) string {
	if i < len(types) {
		return types[i].Name
	}
	return "none"
}

func (t *Type) same(c *Type) bool {
	return t.Name == c.Name && t.Wire == c.Wire && t.Length == c.Length && t.Bits == c.Bits && t.Precision == c.Precision &&
		t.Scale == c.Scale && t.Unsigned == c.Unsigned && t.Nullable == c.Nullable && t.Collation == c.Collation &&
		slices.EqualFunc(t.Labels, c.Labels, sameLabel)
}

// sameLabel compares a label of the log with the catalogue's, whose text has ? for what three bytes of UTF-8 don't hold.
func sameLabel(log, catalogue string) bool {
	return log == catalogue || catalogue == strings.Map(func(r rune) rune {
		if r > 0xffff {
			return '?'
		}
		return r
	}, log)
}

// summary names all that two shapes can differ in.
func (t *Type) summary() string {
	null := " not null"
	if t.Nullable {
		null = ""
	}
	return fmt.Sprintf("%s %s%s (type %d, length %d, collation %d)", t.Name, t.native(), null, t.Wire, t.Length, t.Collation)
}
