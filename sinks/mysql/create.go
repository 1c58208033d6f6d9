package mysql

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

const (
	indexBytes = 3072  // that a key has at most. Source: MySQL manual 17.22, InnoDB Limits; MariaDB, "InnoDB Limitations"
	fixedBytes = 48    // that a key column of a fixed length takes at most: a decimal, a uuid as text
	rowBytes   = 60000 // that the columns of a row may have which are not stored apart; the server takes 65535
	charBytes  = 4     // of a character
)

// types are the types that the columns of a shape get in a table that the sink makes: on the same engine the source's own, else one that holds
// every value of the kind. Texts and bytes in a key are as long as the index allows; a longer one is refused by row, with its length.
func types(table *change.Table, d dialect, mode Mode) []string {
	out := make([]string, len(table.Columns))
	for i := range table.Columns {
		out[i] = columnType(table.Engine, &table.Columns[i], d)
	}
	if mode != Append {
		fitIndex(table, out)
	}
	fitRow(out)
	return out
}

// sized reads varchar(20): the type that grows with its length, and that length.
func sized(declared string) (name string, length int) {
	name, rest, _ := strings.Cut(declared, "(")
	switch name {
	case "char", "varchar", "binary", "varbinary":
		length, _ = strconv.Atoi(strings.TrimSuffix(rest, ")")) // 0: none declared, which is 1
		return name, max(length, 1)
	}
	return "", 0
}

// fitIndex gives the key's texts and bytes a length: that of the source where all fit, and an equal share of what is left where none is declared; where
// that would be next to nothing, all share.
func fitIndex(table *change.Table, types []string) {
	budget, declared := indexBytes, 0
	want := make(map[int]int) // lengths, 0: none declared
	for _, k := range table.Key {
		each := bytesEach(types[k])
		if each == 0 {
			budget -= fixedBytes
			continue
		}
		if _, want[k] = sized(types[k]); want[k] == 0 {
			want[k] = table.Columns[k].Length
		}
		declared += want[k] * each
	}
	free := 0
	for _, n := range want {
		free += map[bool]int{true: 1}[n == 0]
	}
	shares, share := free, 0
	if declared+free*fixedBytes > budget {
		shares, declared = len(want), 0
	}
	if shares > 0 {
		share = max(budget-declared, 0) / shares
	}
	for k, n := range want {
		each := bytesEach(types[k])
		if n == 0 || shares == len(want) && share/each < n {
			n = max(share/each, 1)
		} else if _, has := sized(types[k]); has == n {
			continue
		}
		types[k] = map[bool]string{true: "varchar", false: "varbinary"}[each == charBytes] + "(" + strconv.Itoa(n) + ")"
	}
}

// bytesEach is how many bytes a unit of a type's length takes in an index; 0: the type has a fixed length.
func bytesEach(declared string) int {
	switch families[typeName(declared)] {
	case familyText:
		if strings.Contains(declared, " ascii") {
			return 0
		}
		return charBytes
	case familyBytes:
		return 1
	}
	return 0
}

// fitRow makes the longest columns of a row that is too long ones that are stored apart.
func fitRow(types []string) {
	for {
		sum, longest, at := 0, 0, -1
		for i, t := range types {
			name, n := sized(t)
			n *= bytesEach(t)
			sum += n
			if n > longest && n > indexBytes && name != "" {
				longest, at = n, i
			}
		}
		if sum <= rowBytes || at < 0 {
			return
		}
		types[at] = map[bool]string{true: "longtext", false: "longblob"}[bytesEach(types[at]) == charBytes]
	}
}

// columnType is the type of a column by itself.
func columnType(engine string, col *change.Column, d dialect) string {
	if native, ok := uncompressed(col.Native); ok {
		c := *col
		c.Native, col = native, &c
	}
	if ourEngine(engine) && knows(engine, col, d) {
		return definition(col.Native)
	}
	switch col.Kind {
	case change.KindBool:
		return "tinyint(1)"
	case change.KindInt:
		return intType(col.Bits)
	case change.KindUint:
		return intType(col.Bits) + " unsigned"
	case change.KindFloat32:
		return "float"
	case change.KindFloat64:
		return "double"
	case change.KindDecimal:
		return decimalType(col)
	case change.KindBytes:
		return "longblob"
	case change.KindUUID:
		return "char(36) CHARACTER SET ascii COLLATE ascii_bin"
	case change.KindDate:
		return "date"
	case change.KindTime:
		return "time" + fractionOf(col)
	case change.KindInstant, change.KindWallTime:
		return "datetime" + fractionOf(col)
	}
	return "longtext" // json too: MySQL's own type changes the document
}

// uncompressed is a type of MariaDB's without the attribute that says how it is stored.
func uncompressed(native string) (string, bool) {
	name, attribute, ok := strings.Cut(native, " /*M!")
	return name, ok && strings.HasSuffix(attribute, " COMPRESSED*/")
}

// definition writes a type of a catalogue as a session of ours reads it: a catalogue escapes a label's backslashes and line ends, and our sql_mode
// takes every character for itself.
func definition(native string) string {
	name := typeName(native)
	if name != "enum" && name != "set" {
		return native
	}
	labels := parseLabels(native)
	for i, label := range labels {
		labels[i] = quoteLiteral(label)
	}
	return name + "(" + strings.Join(labels, ",") + ")"
}

// knows says that a source's type can stand in a definition as it is.
func knows(engine string, col *change.Column, d dialect) bool {
	name := typeName(col.Native)
	f, known := families[name]
	switch {
	case strings.ContainsAny(col.Native, ";\x00`") || strings.Contains(col.Native, "--") || strings.Contains(col.Native, "/*"):
		return false
	case f == familyText:
		_, n := sized(col.Native)
		return n > 0 && n*charBytes <= rowBytes || n == 0 && strings.HasPrefix(col.Charset, "utf8")
	case known, name == "year":
		return true
	}
	return engine == d.engine() && slices.Contains([]string{"json", "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring",
		"multipolygon", "geometrycollection", "geomcollection", "vector", "uuid", "inet4", "inet6"}, name)
}

func intType(bits int) string {
	switch {
	case bits == 0 || bits > 32:
		return "bigint"
	case bits > 24:
		return "int"
	case bits > 16:
		return "mediumint"
	case bits > 8:
		return "smallint"
	}
	return "tinyint"
}

// decimalType holds what is declared; a number without limits gets the most that there is, and rows beyond it are refused.
func decimalType(col *change.Column) string {
	const most = 30 // fraction digits; MariaDB has 38
	precision, scale := col.Precision, col.Scale
	switch {
	case precision == 0:
		precision, scale = maxDigits, most
	case scale < 0:
		precision, scale = precision-scale, 0
	case scale > precision:
		precision = scale
	}
	if precision > maxDigits || scale > most {
		return "longtext"
	}
	return "decimal(" + strconv.Itoa(precision) + "," + strconv.Itoa(scale) + ")"
}

func fractionOf(col *change.Column) string {
	if col.Precision <= 0 {
		return ""
	}
	return "(" + strconv.Itoa(min(col.Precision, 6)) + ")"
}

// ownType is the type with which a column of ours is made.
func ownType(name string) string {
	switch name {
	case upsert.ColumnPos:
		return "varchar(42) CHARACTER SET ascii COLLATE ascii_bin NULL UNIQUE"
	case upsert.ColumnOp:
		return "varchar(16) NOT NULL"
	case upsert.ColumnUnset:
		return "longtext NULL"
	}
	return "datetime(6) NULL"
}

// ddl makes the statements that make a target table.
//
// Only the key is NOT NULL: a source may drop a NOT NULL of any other column, and the target must not refuse the rows that follow.
type ddl struct {
	table *change.Table
	name  string // quoted
	mode  Mode
	types []string
	to    *target // to alter
}

func newDDL(table *change.Table, at destination) *ddl {
	return &ddl{table: table, name: qualified(at.database, table.Name), mode: at.mode, types: types(table, at.dialect, at.mode)}
}

func (d *ddl) create() string {
	var lines, key []string
	for _, k := range d.table.Key {
		key = append(key, quoteIdent(d.table.Columns[k].Name))
	}
	keyed := len(key) > 0 && d.mode != Append
	for i := range d.table.Columns {
		null := " NULL"
		if keyed && slices.Contains(d.table.Key, i) {
			null = " NOT NULL"
		}
		lines = append(lines, quoteIdent(d.table.Columns[i].Name)+" "+d.types[i]+null)
	}
	for _, own := range upsert.OwnColumns(d.mode.folding(), len(d.table.Key) == 0) {
		lines = append(lines, quoteIdent(own)+" "+ownType(own))
	}
	if keyed {
		lines = append(lines, "PRIMARY KEY ("+strings.Join(key, ", ")+")")
	}
	return "CREATE TABLE " + d.name + " (\n  " + strings.Join(lines, ",\n  ") + "\n)" + tableOptions
}
