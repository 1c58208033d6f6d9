package postgres

import (
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Object ids of built-in types, which are the same on every server. Source: PostgreSQL, pg_type.dat.
const (
	oidBool        = 16
	oidBytea       = 17
	oidChar        = 18 // "char", one byte
	oidName        = 19
	oidInt8        = 20
	oidInt2        = 21
	oidInt4        = 23
	oidText        = 25
	oidJSON        = 114
	oidXML         = 142
	oidFloat4      = 700
	oidFloat8      = 701
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
	oidJSONB       = 3802
)

// Object ids of arrays of built-in types.
const (
	arrayBpchar      = 1014
	arrayVarchar     = 1015
	arrayFloat4      = 1021
	arrayFloat8      = 1022
	arrayTimestamp   = 1115
	arrayDate        = 1182
	arrayTime        = 1183
	arrayTimestamptz = 1185
	arrayInterval    = 1187
	arrayNumeric     = 1231
	arrayTimetz      = 1270
	arrayJSONB       = 3807
)

// param is how values of one column travel: as an array of a built-in type.
type param struct {
	name  string // of the element type
	array uint32 // object id of the array type
	elem  uint32
}

var (
	paramBool        = param{"boolean", 1000, oidBool}
	paramBytea       = param{"bytea", 1001, oidBytea}
	paramInt2        = param{"smallint", 1005, oidInt2}
	paramInt4        = param{"integer", 1007, oidInt4}
	paramText        = param{"text", 1009, oidText}
	paramInt8        = param{"bigint", 1016, oidInt8}
	paramFloat4      = param{"real", 1021, oidFloat4}
	paramFloat8      = param{"double precision", 1022, oidFloat8}
	paramTimestamp   = param{"timestamp without time zone", 1115, oidTimestamp}
	paramDate        = param{"date", 1182, oidDate}
	paramTime        = param{"time without time zone", 1183, oidTime}
	paramTimestamptz = param{"timestamp with time zone", 1185, oidTimestamptz}
	paramUUID        = param{"uuid", 2951, oidUUID}
	paramNumeric     = param{"numeric", 1231, oidNumeric}
)

// way is how values of a source column reach a target column.
type way struct {
	param  param
	append appendFunc
	cast   string // type to cast the parameter to; empty: it has the column's own type
}

// wayTo chooses how values of col reach a column of the target's type. why is not empty where some value would arrive changed, without
// an error of the server: then there is no way. A type loses nothing of itself.
func wayTo(engine string, col *change.Column, to *targetColumn) (w way, why string) {
	if same := engine == "postgres" && col.Native == to.declared; !same {
		if why := losing(col, to); why != "" {
			return way{}, why
		}
	}
	if w, ok := binaryWay(col.Kind, to.typ); ok {
		return w, ""
	}
	switch to.typ {
	case oidText:
		return way{param: paramText, append: textOf(col)}, ""
	case oidVarchar, oidBpchar:
		return way{param: paramText, append: limited(textOf(col), to.length()), cast: to.bare}, ""
	case oidBit:
		return way{param: paramText, append: textOf(col), cast: "bit varying"}, "" // a cast to bit would cut, the assignment refuses
	}
	return way{param: paramText, append: textOf(col), cast: to.bare}, ""
}

// binaryWay is the way of a kind whose binary form on the wire is the target's own.
func binaryWay(k change.Kind, typ uint32) (way, bool) {
	switch {
	case k == change.KindBool && typ == oidBool:
		return way{param: paramBool, append: appendBool}, true
	case k == change.KindInt || k == change.KindUint:
		switch typ {
		case oidInt2:
			return way{param: paramInt2, append: appendInt2}, true
		case oidInt4:
			return way{param: paramInt4, append: appendInt4}, true
		case oidInt8:
			return way{param: paramInt8, append: appendInt8}, true
		}
	case k == change.KindFloat32 && typ == oidFloat4:
		return way{param: paramFloat4, append: appendFloat4}, true
	case (k == change.KindFloat32 || k == change.KindFloat64) && typ == oidFloat8:
		return way{param: paramFloat8, append: appendFloat8}, true
	case k == change.KindDecimal && typ == oidNumeric:
		return way{param: paramNumeric, append: appendNumeric}, true
	case k == change.KindBytes && typ == oidBytea:
		return way{param: paramBytea, append: appendRaw}, true
	case k == change.KindUUID && typ == oidUUID:
		return way{param: paramUUID, append: appendUUID}, true
	case k == change.KindDate && typ == oidDate:
		return way{param: paramDate, append: appendDate}, true
	case k == change.KindTime && typ == oidTime:
		return way{param: paramTime, append: appendMicros}, true
	case k == change.KindInstant && typ == oidTimestamptz:
		return way{param: paramTimestamptz, append: appendMicros}, true
	case k == change.KindWallTime && typ == oidTimestamp:
		return way{param: paramTimestamp, append: appendMicros}, true
	}
	return way{}, false
}

// losing says why values of col would arrive changed in a column of to's type without an error of the server; empty: they don't.
func losing(col *change.Column, to *targetColumn) string {
	if why := losingKind(col, to.typ); why != "" {
		return why
	}
	if to.typmod < 0 {
		return ""
	}
	switch to.typ {
	case arrayNumeric, arrayTime, arrayTimetz, arrayTimestamp, arrayTimestamptz, arrayInterval, arrayVarchar, arrayBpchar:
		return "the target rounds or cuts elements"
	case oidNumeric:
		_, scale := to.numeric()
		decimal := col.Kind == change.KindDecimal && (col.Precision == 0 || col.Scale > scale)
		if decimal || isFloat(col.Kind) || col.Kind == change.KindText || col.Kind == change.KindNative {
			return "the target rounds to its scale"
		}
		if scale < 0 {
			return "the target rounds whole numbers"
		}
	case oidTime, oidTimetz, oidTimestamp, oidTimestamptz, oidInterval:
		if to.fraction() < 6 && col.Precision > to.fraction() || to.typ == oidInterval && to.fraction() < 6 {
			return "the target rounds to its fraction digits"
		}
	}
	return ""
}

// losingElements is losingKind for arrays, which travel as text: the source's own name of the type tells what their elements are.
func losingElements(native string, typ uint32) string {
	has := func(s string) bool { return strings.Contains(native, s) }
	switch {
	case typ == arrayFloat4 && !has("real") && !has("smallint"), typ == arrayFloat8 && (has("numeric") || has("bigint")):
		return "the target rounds elements"
	case typ == arrayDate && has("timestamp"):
		return "the target drops a part of the time stamps"
	case typ == arrayTimestamp && has("with time zone"):
		return "the target drops the time zone"
	case typ == arrayTimestamptz && (has("without time zone") || has("date")):
		return "the source's times have no zone"
	case typ == arrayJSONB && has("json["):
		return "jsonb drops white space, order and doubled keys of the source's json"
	}
	return ""
}

func losingKind(col *change.Column, typ uint32) string {
	k := col.Kind
	if why := losingElements(col.Native, typ); k == change.KindNative && why != "" {
		return why
	}
	switch typ {
	case oidFloat4:
		if k == change.KindFloat64 || k == change.KindDecimal || isInt(k) && col.Bits > 16 {
			return "the target rounds to single precision"
		}
	case oidFloat8:
		if k == change.KindDecimal || isInt(k) && col.Bits > 32 {
			return "the target rounds to double precision"
		}
	case oidDate, oidTime, oidTimetz:
		if k == change.KindInstant || k == change.KindWallTime {
			return "the target drops a part of the time stamp"
		}
	case oidTimestamp:
		if k == change.KindInstant {
			return "the target drops the time zone"
		}
	case oidTimestamptz:
		if k == change.KindWallTime || k == change.KindDate {
			return "the source's time has no zone"
		}
	case oidBytea:
		if k != change.KindBytes {
			return "the target would read escapes in the text"
		}
	case oidName, oidChar:
		if col.Native != "name" && col.Native != `"char"` {
			return "the target cuts what is too long"
		}
	case oidJSONB:
		if col.Native == "json" {
			return "jsonb drops white space, order and doubled keys of the source's json"
		}
	}
	if k == change.KindBytes && typ != oidBytea {
		return "the target takes no bytes"
	}
	return ""
}

func isInt(k change.Kind) bool   { return k == change.KindInt || k == change.KindUint }
func isFloat(k change.Kind) bool { return k == change.KindFloat32 || k == change.KindFloat64 }

// nativeType is the type that a new column of an engine other than PostgreSQL gets: one that holds every value of the kind as it is.
func nativeType(col *change.Column) string {
	switch col.Kind {
	case change.KindBool:
		return "boolean"
	case change.KindInt:
		return intType(col.Bits)
	case change.KindUint:
		if col.Bits == 0 || col.Bits > 32 {
			return "numeric(20,0)"
		}
		return intType(col.Bits * 2)
	case change.KindFloat32:
		return "real"
	case change.KindFloat64:
		return "double precision"
	case change.KindDecimal:
		if col.Precision > 0 {
			return numericType(col.Precision, col.Scale)
		}
		return "numeric"
	case change.KindBytes:
		return "bytea"
	case change.KindJSON:
		return "json" // keeps the document's text; jsonb would not
	case change.KindUUID:
		return "uuid"
	case change.KindDate:
		return "date"
	case change.KindTime, change.KindInterval:
		return "interval" // a duration may be negative or pass 24 hours
	case change.KindInstant:
		return "timestamp with time zone"
	case change.KindWallTime:
		return "timestamp without time zone"
	case change.KindBits:
		return "bit varying"
	}
	return "text"
}

func intType(bits int) string {
	switch {
	case bits > 0 && bits <= 16:
		return "smallint"
	case bits > 0 && bits <= 32:
		return "integer"
	}
	return "bigint"
}

// plainType says that a native type name can stand in DDL as it is: nothing in it starts a comment or ends the statement.
func plainType(native string) bool {
	if n, of := strings.CutPrefix(native, "type "); of && strings.Trim(n, "0123456789") == "" {
		return false // a type that was gone when the source looked it up; a name of letters and a blank would stand in quotes
	}
	return native != "" && !strings.ContainsAny(native, ";\x00") && !strings.Contains(native, "--") && !strings.Contains(native, "/*")
}
