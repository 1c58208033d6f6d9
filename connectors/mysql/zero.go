package mysql

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// ZeroDates says what becomes of dates that no calendar has: 0000-00-00, 2024-00-10, and 2023-02-31, which ALLOW_INVALID_DATES lets in.
type ZeroDates string

// The policies, the same for rows of the log and of a snapshot.
const (
	ZeroLossless ZeroDates = "lossless" // they are carried as they are (change.KindPartialDate)
	ZeroNull     ZeroDates = "null"     // they are NULL, and their columns may be; in a key they halt
	ZeroError    ZeroDates = "error"    // they halt
)

var (
	errZeroDate = errors.New("the calendar has no such day: correct the row, then take a new snapshot of the table, or set source.zero_dates to lossless or null")
	errZeroKey  = errors.New("the calendar has no such day, and a key can't be NULL: set source.zero_dates to lossless")
)

// isDate says that a column's values may be such dates.
func isDate(t *myvalue.Type) bool {
	switch t.Wire {
	case myvalue.Date, myvalue.Datetime, myvalue.Datetime2, myvalue.Timestamp, myvalue.Timestamp2:
		return true
	}
	return false
}

// dated notes which columns of a shape the policy is about.
func (z ZeroDates) dated(s *shape) {
	if z == ZeroLossless || z == "" {
		return
	}
	for i := range s.types {
		if !isDate(&s.types[i]) {
			continue
		}
		s.dates = append(s.dates, i)
		if z == ZeroNull && !slices.Contains(s.table.Key, i) {
			s.table.Columns[i].Nullable = true
		}
	}
}

// apply makes of a row what the policy asks for.
func (z ZeroDates) apply(s *shape, row []change.Value) error {
	if row == nil {
		return nil
	}
	for _, i := range s.dates {
		if row[i].Kind() != change.KindPartialDate {
			continue
		}
		err := errZeroDate
		if z == ZeroNull {
			if !slices.Contains(s.table.Key, i) {
				row[i] = change.Null()
				continue
			}
			err = errZeroKey
		}
		return fmt.Errorf("key %s, column %s: %s: %w: %w", keyText(s.table, row), s.table.Columns[i].Name, row[i].Str(), err, change.ErrHalt)
	}
	return nil
}
