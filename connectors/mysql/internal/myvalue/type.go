package myvalue

// The flavors, which are also what change.Table.Engine says.
const (
	MySQL   = "mysql"
	MariaDB = "mariadb"
)

// The wire types of columns that the log can hold. Of STRING columns Wire is the real type, Enum or Set among them.
// Source: MySQL 9.7, include/field_types.h; MariaDB 11.8, include/mysql_com.h.
const (
	Tiny              = 1
	Short             = 2
	Long              = 3
	Float             = 4
	Double            = 5
	Timestamp         = 7 // as MariaDB writes it with mysql56_temporal_format=OFF, and so Time and Datetime
	LongLong          = 8
	Int24             = 9
	Date              = 10
	Time              = 11
	Datetime          = 12
	Year              = 13
	Varchar           = 15
	Bit               = 16
	Timestamp2        = 17
	Datetime2         = 18
	Time2             = 19
	BlobCompressed    = 140 // MariaDB
	VarcharCompressed = 141 // MariaDB
	Vector            = 242 // MySQL
	JSON              = 245 // MySQL
	Decimal           = 246
	Enum              = 247
	Set               = 248
	Blob              = 252
	String            = 254
	Geometry          = 255
)

// Special is a type of MariaDB that the log writes as another.
type Special uint8

// The specials.
const (
	Plain    Special = iota
	UUID             // BINARY(16) in the log, its bytes permuted
	Inet4            // BINARY(4) in the log
	Inet6            // BINARY(16) in the log
	JSONText         // LONGTEXT with CHECK (json_valid(column))
)

// Type is one column of a table.
type Type struct {
	Name      string
	Flavor    string // MySQL or MariaDB
	Wire      byte   // one of the wire types
	Length    int    // most bytes of String, Varchar and Vector; bytes of the length before a Blob, Geometry or JSON; of a value of Enum or Set
	Bits      int    // of Bit
	Precision int    // of Decimal; fraction digits of Time2, Datetime2 and Timestamp2
	Scale     int    // of Decimal
	Unsigned  bool   // of integers, Decimal, Float and Double
	Nullable  bool
	Collation int      // id, of text, Enum and Set; 63 is binary
	Labels    []string // of Enum and Set, in order, UTF-8

	// What only the catalogue says.
	Known     bool // the catalogue has been read
	Special   Special
	Generated bool
	Auto      bool   // AUTO_INCREMENT
	Hidden    bool   // the log may hold it, the table hasn't got it: rows leave it out
	Native    string // COLUMN_TYPE
}

// Visible returns the types of what the table's rows hold: all but the hidden.
func Visible(types []Type) []Type {
	list := make([]Type, 0, len(types))
	for i := range types {
		if !types[i].Hidden {
			list = append(list, types[i])
		}
	}
	return list
}
