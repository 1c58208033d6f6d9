package mysql

import (
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// family is what types of a target have in common.
type family uint8

const (
	familyOther family = iota
	familyInt
	familyDecimal
	familyFloat // single
	familyDouble
	familyBit
	familyText // char, varchar, text
	familyEnum
	familySet
	familyBytes
	familyDate
	familyTime
	familyDatetime
	familyTimestamp
)

var families = map[string]family{
	"tinyint": familyInt, "smallint": familyInt, "mediumint": familyInt, "int": familyInt, "bigint": familyInt,
	"decimal": familyDecimal, "float": familyFloat, "double": familyDouble, "bit": familyBit,
	"char": familyText, "varchar": familyText, "tinytext": familyText, "text": familyText, "mediumtext": familyText, "longtext": familyText,
	"enum": familyEnum, "set": familySet,
	"binary": familyBytes, "varbinary": familyBytes, "tinyblob": familyBytes, "blob": familyBytes, "mediumblob": familyBytes, "longblob": familyBytes,
	"date": familyDate, "time": familyTime, "datetime": familyDatetime, "timestamp": familyTimestamp,
}

// way is how values of a source column reach a target column.
type way struct {
	append appendFunc
	same   sameness
}

// sameness is how RemoveOne compares a column with a literal so that all that differs is told apart.
type sameness uint8

const (
	sameValue sameness = iota // <=> does it
	sameText                  // as bytewise utf8mb4
	sameJSON                  // as JSON documents
)

// ourEngine says that a source's type names are the target's own.
func ourEngine(engine string) bool { return engine == "mysql" || engine == "mariadb" }

// wayTo chooses how values of col reach a column of the target. why is not empty where some value would arrive changed, without an error
// of the server or of our own: then there is no way. A type loses nothing of itself.
func wayTo(engine string, col *change.Column, to *targetColumn) (w way, why string) {
	same := ourEngine(engine) && plainType(col.Native) == plainType(to.declared)
	f := families[to.typ]
	switch {
	case f == familyText:
		return textWay(col, to, same)
	case f == familyEnum, f == familySet:
		if col.Kind != change.KindText {
			return way{}, "the target takes labels only"
		}
		return way{append: labelOf(to), same: sameText}, ""
	case to.typ == "json": // MySQL's own; MariaDB's is a longtext
		if col.Kind != change.KindJSON || engine != "mysql" {
			return way{}, "the target's json drops white space, order and digits of the source's document"
		}
		return way{append: appendDocument, same: sameJSON}, ""
	case f == familyOther:
		return otherWay(engine, col, to, same)
	case same && (f == familyFloat || f == familyDouble) && isFloat(col.Kind): // float(7,3) rounds its own values to themselves
		return way{append: appendFloat}, ""
	}
	w.append, why = typedWay(col, to, f)
	return w, why
}

// textWay is the way into char, varchar and the texts.
func textWay(col *change.Column, to *targetColumn, same bool) (way, string) {
	if col.Kind == change.KindBytes {
		return way{}, "the target takes no bytes"
	}
	w := way{append: limited(textOf(col), to, same), same: sameText}
	if to.charset == "utf8mb4" && to.bytewise() && !to.padded() {
		w.same = sameValue
	}
	return w, ""
}

// otherWay is the way into types that only one server has.
func otherWay(engine string, col *change.Column, to *targetColumn, same bool) (way, string) {
	switch {
	case to.typ == "uuid" && col.Kind == change.KindUUID:
		return way{append: appendText}, ""
	case to.typ == "year" && same && isInt(col.Kind):
		return way{append: appendInteger}, ""
	case same && col.Kind == change.KindBytes: // geometry, vector
		return way{append: appendBytes}, ""
	case same && (col.Kind == change.KindNative || col.Kind == change.KindText):
		return way{append: appendText}, ""
	}
	return way{}, "no way into this type keeps every value of " + engine + "'s " + col.Native
}

// typedWay is the way into types that have one literal.
func typedWay(col *change.Column, to *targetColumn, f family) (appendFunc, string) {
	k := col.Kind
	switch f {
	case familyInt:
		if isInt(k) || k == change.KindBool {
			return appendInteger, ""
		}
	case familyDecimal:
		return decimalWay(col, to)
	case familyFloat, familyDouble:
		return floatWay(col, to, f)
	case familyBit:
		if k == change.KindBits || k == change.KindBool && to.precision == 1 {
			return bitsOf(to.precision), ""
		}
	case familyBytes:
		if k == change.KindBytes {
			return bytesOf(to), ""
		}
	case familyDate:
		switch k {
		case change.KindDate:
			return appendDate, ""
		case change.KindInstant, change.KindWallTime:
			return nil, "the target drops a part of the time stamp"
		}
	case familyTime:
		if k == change.KindTime {
			return timeOf(to.fraction), roundsTime(col, to)
		}
	case familyDatetime, familyTimestamp:
		if k == change.KindInstant || k == change.KindWallTime && f == familyDatetime {
			return datetimeOf(to), roundsTime(col, to)
		}
		if k == change.KindWallTime {
			return nil, "the source's time has no zone"
		}
	}
	return nil, "the target would read a " + k.String() + " as something else"
}

func decimalWay(col *change.Column, to *targetColumn) (appendFunc, string) {
	switch {
	case isInt(col.Kind):
		return appendInteger, ""
	case col.Kind != change.KindDecimal:
		return nil, "the target rounds to its scale"
	case col.Precision > 0 && col.Scale > to.scale:
		return nil, "the target rounds to its scale"
	}
	return decimalOf(to.scale), ""
}

func floatWay(col *change.Column, to *targetColumn, f family) (appendFunc, string) {
	single, k := f == familyFloat, col.Kind
	switch {
	case to.scale >= 0 && strings.Contains(to.declared, ","):
		return nil, "the target rounds to its fraction digits"
	case isInt(k) && (single && col.Bits > 16 || col.Bits > 32 || col.Bits == 0), single && k == change.KindFloat64, k == change.KindDecimal:
		return nil, "the target rounds to its precision"
	case isInt(k):
		return appendInteger, ""
	case k == change.KindFloat32 || k == change.KindFloat64:
		return appendFloat, ""
	}
	return nil, "the target would read a " + k.String() + " as a number"
}

func roundsTime(col *change.Column, to *targetColumn) string {
	if col.Precision > to.fraction {
		return "the target rounds to its fraction digits"
	}
	return ""
}

func isInt(k change.Kind) bool { return k == change.KindInt || k == change.KindUint }

func isFloat(k change.Kind) bool { return k == change.KindFloat32 || k == change.KindFloat64 }

// plainType is a declared type without what says nothing about its values: the width in which MariaDB shows integers and years.
func plainType(declared string) string {
	name, rest, ok := strings.Cut(declared, "(")
	switch name {
	case "tinyint", "smallint", "mediumint", "int", "bigint", "year":
		if _, after, found := strings.Cut(rest, ")"); ok && found {
			return name + after
		}
	}
	return declared
}

// typeName is the first word of a declared type.
func typeName(declared string) string {
	if i := strings.IndexAny(declared, "( "); i >= 0 {
		return declared[:i]
	}
	return declared
}
