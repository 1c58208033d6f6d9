package myvalue

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Column returns the change.Column of t.
func (t *Type) Column() change.Column {
	c := change.Column{Name: t.Name, Native: t.native(), Nullable: t.Nullable, Generated: t.Generated}
	switch t.Wire {
	case Tiny, Short, Int24, Long, LongLong:
		c.Kind, c.Bits = change.KindInt, 8*t.fixed()
		if t.Unsigned {
			c.Kind = change.KindUint
		}
	case Year:
		c.Kind, c.Bits = change.KindInt, 16
	case Float:
		c.Kind, c.Equality = change.KindFloat32, change.Numeric
	case Double:
		c.Kind, c.Equality = change.KindFloat64, change.Numeric
	case Decimal:
		c.Kind, c.Equality, c.Precision, c.Scale = change.KindDecimal, change.Numeric, t.Precision, t.Scale
	case Bit:
		c.Kind, c.Length = change.KindBits, t.Bits
	case Date:
		c.Kind = change.KindDate
	case Time, Time2:
		c.Kind, c.Precision = change.KindTime, t.Precision
	case Datetime, Datetime2:
		c.Kind, c.Precision = change.KindWallTime, t.Precision
	case Timestamp, Timestamp2:
		c.Kind, c.Precision = change.KindInstant, t.Precision
	case Enum, Set:
		c.Kind, c.Charset = change.KindText, charsetName(t.Collation)
		if t.Wire == Enum && !t.blurred() {
			labels := t.Labels
			c.Enum = &labels
		}
	case JSON:
		c.Kind, c.Equality = change.KindJSON, change.Unknown // 1 equals 1.0
	case Geometry, Vector:
		c.Kind = change.KindBytes
	default:
		t.text(&c)
	}
	return c
}

// text fills in a Column of the text and binary types, and of what MariaDB writes as one.
func (t *Type) text(c *change.Column) {
	switch t.Special {
	case UUID:
		c.Kind = change.KindUUID
		return
	case Inet4, Inet6:
		c.Kind = change.KindNative
		return
	}
	sized := t.Wire == String || t.Wire == Varchar || t.Wire == VarcharCompressed
	if t.Collation == binaryCollation {
		c.Kind = change.KindBytes
		if sized {
			c.Length = t.Length
		}
		return
	}
	c.Kind, c.Charset = change.KindText, charsetName(t.Collation)
	if t.Special == JSONText {
		c.Kind = change.KindJSON
	}
	if sized {
		c.Length = t.characters()
	}
	c.Equality = t.equality()
}

// characters is how many characters a text column of a declared length holds.
func (t *Type) characters() int {
	if set := charsetOf(t.Collation); set != nil {
		return t.Length / set.most
	}
	return t.Length
}

// equality says how the server compares a text column. Trailing blanks don't count under most collations, but a CHAR has none. Only
// ASCII's case rules are known to be finer than change's fold: every other collation has pairs across its edge (ü and y in
// latin1_swedish_ci, a and ａ in utf8mb4_0900_as_ci), so it takes no part in the hash.
func (t *Type) equality() change.Equality {
	rule := ruleOf(t.Collation)
	if rule.padded && t.Wire != String {
		return change.Unknown
	}
	switch rule.compares {
	case byBytes:
		return change.Bytewise
	case byASCIICase:
		return change.CaseInsensitive
	}
	return change.Unknown
}

// SelectExpr is how a SELECT must ask for the column so that Row.Text reads it; quoted is its name, quoted. A FLOAT is asked for as a
// DOUBLE, because its own text has six digits, and so is a DOUBLE(M,D), whose text has D.
func (t *Type) SelectExpr(quoted string) string {
	switch t.Wire {
	case Float, Double:
		return "CAST(" + quoted + " AS DOUBLE)"
	}
	return quoted
}

// nativeNames are the names of types whose other attributes stand elsewhere or nowhere.
var nativeNames = map[byte]string{Tiny: "tinyint", Short: "smallint", Int24: "mediumint", Long: "int", LongLong: "bigint", Float: "float",
	Double: "double", Year: "year", Date: "date", Time: "time", Time2: "time", Datetime: "datetime", Datetime2: "datetime",
	Timestamp: "timestamp", Timestamp2: "timestamp", JSON: "json", Geometry: "geometry", Vector: "vector"}

// native is the type in the server's own words: the catalogue's, or what the log says of it.
func (t *Type) native() string {
	if t.Native != "" {
		return t.Native
	}
	if t.blurred() {
		return t.labelText()
	}
	name := nativeNames[t.Wire]
	switch t.Wire {
	case Decimal:
		name = "decimal(" + strconv.Itoa(t.Precision) + "," + strconv.Itoa(t.Scale) + ")"
	case Bit:
		name = "bit(" + strconv.Itoa(t.Bits) + ")"
	case Time2, Datetime2, Timestamp2:
		if t.Precision > 0 {
			name += "(" + strconv.Itoa(t.Precision) + ")"
		}
	case Enum:
		name = "enum" + quotedList(t.Labels)
	case Set:
		name = "set" + quotedList(t.Labels)
	case String, Varchar, VarcharCompressed, Blob, BlobCompressed:
		name = t.nativeText()
	}
	if t.Unsigned {
		name += " unsigned"
	}
	return name
}

func (t *Type) nativeText() string {
	binary := t.Collation == binaryCollation
	if t.Wire == Blob || t.Wire == BlobCompressed {
		size := [...]string{"", "tiny", "", "medium", "long"}[t.Length]
		if binary {
			return size + "blob"
		}
		return size + "text"
	}
	name, length := "char", t.Length
	if binary {
		name = "binary"
	} else {
		length = t.characters()
	}
	if t.Wire != String {
		name = "var" + name
	}
	return name + "(" + strconv.Itoa(length) + ")"
}

// wideCharsets hold characters that the catalogues' own text, of three bytes of UTF-8, doesn't.
var wideCharsets = []string{"utf8mb4", "utf16", "utf16le", "utf32", "gb18030"}

// blurred says that no catalogue tells the labels of an Enum or Set: it writes a ? for a character that it can't hold, as for a question mark. Only
// the log has them, and a snapshot may come before it; so that both say the same of the column, it is text of that length to both.
func (t *Type) blurred() bool {
	if t.Wire != Enum && t.Wire != Set || !slices.Contains(wideCharsets, charsetName(t.Collation)) {
		return false
	}
	return slices.ContainsFunc(t.Labels, func(label string) bool {
		return strings.ContainsFunc(label, func(r rune) bool { return r == '?' || r > 0xffff })
	})
}

// labelText is a type that holds every value of an Enum or Set.
func (t *Type) labelText() string {
	const widest = 16383 // characters of utf8mb4 in a VARCHAR
	longest, all := 0, max(0, len(t.Labels)-1)
	for _, label := range t.Labels {
		n := utf8.RuneCountInString(label)
		longest, all = max(longest, n), all+n
	}
	switch {
	case t.Wire == Enum:
		return "varchar(" + strconv.Itoa(longest) + ")"
	case all > widest:
		return "text"
	}
	return "varchar(" + strconv.Itoa(all) + ")"
}

// labelEscapes write a label as COLUMN_TYPE does.
var labelEscapes = strings.NewReplacer("'", "''", `\`, `\\`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)

func quotedList(labels []string) string {
	var b strings.Builder
	for i, label := range labels {
		b.WriteString([...]string{"(", ","}[min(i, 1)])
		b.WriteString("'" + labelEscapes.Replace(label) + "'")
	}
	return b.String() + ")"
}
