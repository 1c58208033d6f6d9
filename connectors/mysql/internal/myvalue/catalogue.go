package myvalue

import (
	"fmt"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Field is what the catalogue says of a column: a row of CatalogueQuery, in the order of its columns.
type Field struct {
	Name       string
	DataType   string // DATA_TYPE
	ColumnType string // COLUMN_TYPE
	Nullable   bool
	Octets     int64 // CHARACTER_OCTET_LENGTH
	Precision  int64 // NUMERIC_PRECISION
	Scale      int64 // NUMERIC_SCALE
	Fraction   int64 // DATETIME_PRECISION
	Collation  int64 // its id; 0: none
	Generated  bool
	JSON       bool   // MariaDB: CHECK (json_valid(column))
	Versioned  bool   // MariaDB: the table is WITH SYSTEM VERSIONING
	Auto       bool   // AUTO_INCREMENT
	Engine     string // the table's
}

// CatalogueQuery is the query that describes a table's columns in order; its parameters are the database and the table. Each row is a
// Field, NULL nowhere, booleans as 0 and 1.
func CatalogueQuery(flavor string) string {
	if flavor == MariaDB {
		return catalogueMariaDB
	}
	return catalogueMySQL
}

const catalogueColumns = `SELECT c.COLUMN_NAME, c.DATA_TYPE, c.COLUMN_TYPE, c.IS_NULLABLE = 'YES', IFNULL(c.CHARACTER_OCTET_LENGTH, 0),
 IFNULL(c.NUMERIC_PRECISION, 0), IFNULL(c.NUMERIC_SCALE, 0), IFNULL(c.DATETIME_PRECISION, 0), IFNULL(l.ID, 0),
 IFNULL(c.GENERATION_EXPRESSION, '') <> '', `

const catalogueMySQL = catalogueColumns + `0, 0, LOCATE('auto_increment', c.EXTRA) > 0, IFNULL(v.ENGINE, '')
 FROM information_schema.COLUMNS c JOIN information_schema.TABLES v ON v.TABLE_SCHEMA = c.TABLE_SCHEMA AND v.TABLE_NAME = c.TABLE_NAME
 LEFT JOIN information_schema.COLLATIONS l ON l.COLLATION_NAME = c.COLLATION_NAME
 WHERE c.TABLE_SCHEMA = ? AND c.TABLE_NAME = ? ORDER BY c.ORDINAL_POSITION`

// A JSON column of MariaDB is one that its own CHECK holds to JSON, as the alias json makes it; which quotes it
// has is the session's matter. Joins, because in a subquery MariaDB looks
// through every table of the server; BINARY, because the plain comparison, which finds the row, takes a for A.
const catalogueMariaDB = catalogueColumns + `k.CHECK_CLAUSE IS NOT NULL, v.TABLE_TYPE = 'SYSTEM VERSIONED', LOCATE('auto_increment', c.EXTRA) > 0, IFNULL(v.ENGINE, '')
 FROM information_schema.COLUMNS c
 JOIN information_schema.TABLES v ON v.TABLE_SCHEMA = c.TABLE_SCHEMA AND v.TABLE_NAME = c.TABLE_NAME
  AND BINARY v.TABLE_SCHEMA = c.TABLE_SCHEMA AND BINARY v.TABLE_NAME = c.TABLE_NAME
 LEFT JOIN information_schema.COLLATION_CHARACTER_SET_APPLICABILITY l ON l.FULL_COLLATION_NAME = c.COLLATION_NAME
 LEFT JOIN information_schema.CHECK_CONSTRAINTS k ON k.CONSTRAINT_SCHEMA = c.TABLE_SCHEMA AND k.TABLE_NAME = c.TABLE_NAME
  AND BINARY k.CONSTRAINT_SCHEMA = c.TABLE_SCHEMA AND BINARY k.TABLE_NAME = c.TABLE_NAME
  AND k.LEVEL = 'Column' AND k.CONSTRAINT_NAME = c.COLUMN_NAME
  AND k.CHECK_CLAUSE IN (CONCAT('json_valid(` + "`', REPLACE(c.COLUMN_NAME, '`', '``'), '`" + `)'),
   CONCAT('json_valid("', REPLACE(c.COLUMN_NAME, '"', '""'), '")'))
 WHERE c.TABLE_SCHEMA = ? AND c.TABLE_NAME = ? ORDER BY c.ORDINAL_POSITION`

// FromCatalogue returns the types that the log would give the columns. The error wraps change.ErrHalt and names the column.
func FromCatalogue(flavor string, fields []Field) ([]Type, error) {
	types := make([]Type, len(fields))
	if len(fields) > 0 {
		if err := Keeps(fields[0].Engine); err != nil {
			return nil, fmt.Errorf("%w: leave the table out: %w", err, change.ErrHalt)
		}
	}
	for i := range fields {
		t, err := fields[i].describe(flavor)
		if err == nil {
			err = t.Carried()
		}
		if err != nil {
			return nil, fmt.Errorf("column %s (%s): %w", fields[i].Name, fields[i].ColumnType, err)
		}
		types[i] = t
	}
	return types, nil
}

// wires are the types of the log by DATA_TYPE; what several properties decide stands in describe.
var wires = map[string]byte{
	"tinyint": Tiny, "smallint": Short, "mediumint": Int24, "int": Long, "bigint": LongLong, "float": Float, "double": Double,
	"decimal": Decimal, "bit": Bit, "year": Year, "date": Date, "time": Time2, "datetime": Datetime2, "timestamp": Timestamp2,
	"char": String, "binary": String, "uuid": String, "inet4": String, "inet6": String, "varchar": Varchar, "varbinary": Varchar,
	"tinytext": Blob, "text": Blob, "mediumtext": Blob, "longtext": Blob, "tinyblob": Blob, "blob": Blob, "mediumblob": Blob, "longblob": Blob,
	"enum": Enum, "set": Set, "json": JSON, "vector": Vector,
	"geometry": Geometry, "point": Geometry, "linestring": Geometry, "polygon": Geometry, "multipoint": Geometry,
	"multilinestring": Geometry, "multipolygon": Geometry, "geomcollection": Geometry, "geometrycollection": Geometry,
}

// lengthBytes are the bytes of the length before a cell.
var lengthBytes = map[string]int{"tinytext": 1, "tinyblob": 1, "text": 2, "blob": 2, "mediumtext": 3, "mediumblob": 3}

var specials = map[string]Special{"uuid": UUID, "inet4": Inet4, "inet6": Inet6}

// oldTimeMark stands in COLUMN_TYPE of a time in the format of mysql56_temporal_format=OFF.
const oldTimeMark = "/* mariadb-5.3 */"

func (f *Field) describe(flavor string) (Type, error) {
	if f.Versioned {
		return Type{}, fmt.Errorf("a table WITH SYSTEM VERSIONING, whose log holds its history: leave the table out: %w", change.ErrHalt)
	}
	wire, ok := wires[f.DataType]
	if !ok {
		return Type{}, fmt.Errorf("a type that this version doesn't know: %w", change.ErrHalt)
	}
	t := Type{Name: f.Name, Flavor: flavor, Wire: wire, Nullable: f.Nullable, Known: true, Generated: f.Generated, Auto: f.Auto, Native: f.ColumnType,
		// MariaDB 11.8 leaves generated columns out of the images of an UPDATE, changed or not, so none are carried.
		Hidden:   f.Generated && flavor == MariaDB,
		Unsigned: strings.Contains(f.ColumnType, " unsigned"), Special: specials[f.DataType], Collation: int(f.Collation)}
	if f.JSON {
		t.Special = JSONText
	}
	switch wire {
	case Bit:
		t.Bits = int(f.Precision)
	case Decimal:
		t.Precision, t.Scale = int(f.Precision), int(f.Scale)
	case Time2, Datetime2, Timestamp2:
		t.Precision = int(f.Fraction)
		if strings.Contains(f.ColumnType, oldTimeMark) {
			t.Wire = map[byte]byte{Time2: Time, Datetime2: Datetime, Timestamp2: Timestamp}[wire]
		}
	case Blob, JSON, Geometry:
		t.Length = 4
		if n := lengthBytes[f.DataType]; n > 0 {
			t.Length = n
		}
	case String, Varchar:
		t.Length = f.octets()
	case Vector:
		t.Length = 4
		if flavor == MariaDB { // a VARBINARY in the log
			t.Wire, t.Length = Varchar, int(f.Octets)
		}
	case Enum, Set:
		if t.Collation == 0 {
			t.Collation = binaryCollation
		}
		t.Native = ""
		return t, t.members(f.ColumnType)
	}
	f.text(&t)
	return t, nil
}

// octets is the bytes that the column holds at most.
func (f *Field) octets() int {
	switch f.DataType {
	case "uuid", "inet6":
		return 16
	case "inet4":
		return 4
	}
	return int(f.Octets)
}

// text fills in what text and binary columns have besides.
func (f *Field) text(t *Type) {
	if !t.isText() {
		t.Collation = 0
		return
	}
	if t.Collation == 0 || t.Special == UUID || t.Special == Inet4 || t.Special == Inet6 {
		t.Collation = binaryCollation
	}
	if strings.Contains(f.ColumnType, "COMPRESSED*/") {
		t.Wire = map[byte]byte{Blob: BlobCompressed, Varchar: VarcharCompressed}[t.Wire]
		if t.Wire == VarcharCompressed { // with the byte that says how
			t.Length++
		}
	}
}

// members reads the labels from COLUMN_TYPE, and how many bytes a value takes.
func (t *Type) members(columnType string) error {
	labels, ok := parseLabels(columnType)
	if !ok {
		return fmt.Errorf("labels of %q: %w: %w", columnType, errType, change.ErrHalt)
	}
	t.Labels = labels
	if n := len(labels); t.Wire == Enum {
		t.Length = 1 + n>>8
	} else if t.Length = (n + 7) / 8; t.Length > 4 {
		t.Length = 8
	}
	return nil
}

// parseLabels reads enum('a','b') or set('a','b'), where a quote is doubled and a backslash makes n, r and 0 a control character.
func parseLabels(s string) ([]string, bool) {
	_, s, ok := strings.Cut(s, "(")
	var labels []string
	for ok && strings.HasPrefix(s, "'") {
		var label strings.Builder
		i := 1
		for ; i < len(s); i++ {
			c := s[i]
			if c == '\'' {
				if i+1 == len(s) || s[i+1] != '\'' {
					break
				}
				i++
			}
			if c == '\\' && i+1 < len(s) {
				i++
				c = s[i]
				if at := strings.IndexByte("nr0", c); at >= 0 {
					c = "\n\r\x00"[at]
				}
			}
			label.WriteByte(c)
		}
		if i == len(s) {
			return nil, false
		}
		labels = append(labels, label.String())
		s = strings.TrimPrefix(s[i+1:], ",")
	}
	return labels, ok && s == ")"
}
