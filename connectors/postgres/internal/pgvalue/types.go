package pgvalue

import "github.com/tailwater-cdc/tailwater/pkg/change"

// The types that have a Kind of their own.
// Source: PostgreSQL 18, src/include/catalog/pg_type.dat.
const (
	oidBool        = 16
	oidBytea       = 17
	oidChar        = 18
	oidName        = 19
	oidInt8        = 20
	oidInt2        = 21
	oidInt4        = 23
	oidText        = 25
	oidOID         = 26
	oidJSON        = 114
	oidCIDR        = 650
	oidFloat4      = 700
	oidFloat8      = 701
	oidMacaddr8    = 774
	oidMacaddr     = 829
	oidInet        = 869
	oidBpchar      = 1042
	oidVarchar     = 1043
	oidDate        = 1082
	oidTime        = 1083
	oidTimestamp   = 1114
	oidTimestamptz = 1184
	oidInterval    = 1186
	oidTimetz      = 1266
	oidBit         = 1560
	oidVarbit      = 1562
	oidNumeric     = 1700
	oidUUID        = 2950
	oidLSN         = 3220
	oidJSONB       = 3802
	oidXID8        = 5069
)

// Type is what the catalogue says of a column's type. A domain is described by the type below it.
type Type struct {
	OID              uint32
	Mod              int32    // -1: none
	Name             string   // format_type(OID, Mod)
	Labels           []string // of an enumeration, in order
	Citext           bool     // the citext extension's type
	Nondeterministic bool     // its collation takes different texts for equal
}

// maxFraction is the number of fraction digits that times have unless their type says otherwise.
const maxFraction = 6

// Column returns the Column of a type, without its name and what the table says of it.
func Column(t Type) change.Column {
	c := change.Column{Native: t.Name, Kind: change.KindNative}
	switch t.OID {
	case oidBool:
		c.Kind = change.KindBool
	case oidInt2:
		c.Kind, c.Bits = change.KindInt, 16
	case oidInt4:
		c.Kind, c.Bits = change.KindInt, 32
	case oidInt8:
		c.Kind, c.Bits = change.KindInt, 64
	case oidFloat4:
		c.Kind, c.Equality = change.KindFloat32, change.Numeric
	case oidFloat8:
		c.Kind, c.Equality = change.KindFloat64, change.Numeric
	case oidNumeric:
		c.Kind, c.Equality = change.KindDecimal, change.Numeric
		c.Precision, c.Scale = numericMod(t.Mod)
	case oidBytea:
		c.Kind = change.KindBytes
	case oidJSON:
		c.Kind = change.KindJSON
	case oidJSONB:
		c.Kind, c.Equality = change.KindJSON, change.Unknown
	case oidUUID:
		c.Kind = change.KindUUID
	case oidDate:
		c.Kind = change.KindDate
	case oidTime:
		c.Kind, c.Precision = change.KindTime, fraction(t.Mod)
	case oidTimestamp:
		c.Kind, c.Precision = change.KindWallTime, fraction(t.Mod)
	case oidTimestamptz:
		c.Kind, c.Precision = change.KindInstant, fraction(t.Mod)
	case oidInterval:
		c.Kind, c.Equality = change.KindInterval, change.Unknown // 1 day equals 24 hours
	case oidBit, oidVarbit:
		c.Kind, c.Length = change.KindBits, max(0, int(t.Mod))
	default:
		text(&c, t)
	}
	return c
}

// text fills in a Column of the text types, the enumerations and all that has no Kind.
func text(c *change.Column, t Type) {
	switch t.OID {
	case oidText, oidName, oidChar:
		c.Kind = change.KindText
	case oidVarchar, oidBpchar:
		c.Kind, c.Length = change.KindText, max(0, int(t.Mod)-modHeader)
		if t.OID == oidBpchar && c.Length == 0 {
			c.Equality = change.Unknown // blanks at the end don't count, and nothing pads to one width
		}
	case oidOID, oidCIDR, oidInet, oidMacaddr, oidMacaddr8, oidTimetz, oidLSN, oidXID8: // equal only if their texts are
	default:
		switch {
		case t.Labels != nil:
			labels := t.Labels
			c.Kind, c.Enum = change.KindText, &labels
		case t.Citext:
			c.Kind, c.Equality = change.KindText, change.CaseInsensitive
		default:
			c.Equality = change.Unknown
		}
	}
	if t.Nondeterministic {
		c.Equality = change.Unknown
	}
}

// modHeader is what the type modifiers of varchar, bpchar and numeric stand above their number.
const modHeader = 4

// numericMod reads the type modifier of numeric; a scale may be negative, and above the precision.
// Source: PostgreSQL 18, src/backend/utils/adt/numeric.c, numeric_typmod_precision and numeric_typmod_scale.
func numericMod(mod int32) (precision, scale int) {
	if mod < modHeader {
		return 0, 0
	}
	mod -= modHeader
	return int(mod>>16) & 0xffff, int(mod&0x7ff^1024) - 1024
}

func fraction(mod int32) int {
	if mod < 0 {
		return maxFraction
	}
	return int(mod)
}
