package myvalue

import (
	"errors"
	"fmt"

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
	Extra      string
	Generated  bool
	JSON       bool // MariaDB: CHECK (json_valid(column))
}

// CatalogueQuery is the query that describes a table's columns in order; its parameters are the database and the table. NULLs come as 0 or
// the empty string.
func CatalogueQuery(flavor string) string {
	if flavor == MariaDB {
		return catalogueMariaDB
	}
	return catalogueMySQL
}

const catalogueMySQL = ``

const catalogueMariaDB = ``

var errCatalogue = errors.New("the catalogue and the log differ")

// FromCatalogue returns the types that the log would give the columns. The error wraps change.ErrHalt and names the column.
func FromCatalogue(flavor string, fields []Field) ([]Type, error) {
	return nil, fmt.Errorf("types of a catalogue: not there yet: %w", change.ErrHalt)
}

// Agree returns the log's types with what only the catalogue says. Where the two differ by name, order or type it returns an error that
// names the column and wraps ErrDiffer: the catalogue is of another time than the log, so read it again past the DDL, or halt
// (invariant 6).
func Agree(log, catalogue []Type) ([]Type, error) {
	return nil, fmt.Errorf("not there yet: %w", ErrDiffer)
}

// ErrDiffer says that the catalogue describes another shape than the log's.
var ErrDiffer = errCatalogue
