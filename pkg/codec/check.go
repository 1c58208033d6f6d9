package codec

import "github.com/tailwater-cdc/tailwater/pkg/change"

// check refuses a change that breaks the contract of pkg/change: what would not come back as it went in.
func check(c *change.Change) error {
	if c.Table == nil {
		return errorf("%s at %s has no table", c.Op, c.Pos)
	}
	n := len(c.Table.Columns)
	whole := func(row []change.Value) bool { return row != nil && len(row) == n }
	var rows, txn bool
	switch c.Op {
	case change.Insert:
		rows, txn = c.Before == nil && whole(c.After), c.Txn != nil
	case change.Update:
		rows, txn = (c.Before == nil || whole(c.Before)) && whole(c.After), c.Txn != nil
	case change.Delete:
		rows, txn = whole(c.Before) && c.After == nil, c.Txn != nil
	case change.SnapshotRow:
		rows, txn = c.Before == nil && whole(c.After), c.Txn == nil
	case change.Truncate, change.NewShape:
		rows, txn = c.Before == nil && c.After == nil, true
	}
	if !rows {
		return errorf("%s of %s at %s: before has %d and after %d values, the table has %d columns",
			c.Op, c.Table, c.Pos, len(c.Before), len(c.After), n)
	}
	if !txn { // it would be dropped, or kept, by the wrong rule (change.Position.Covers)
		return errorf("%s of %s at %s: row changes have a transaction, snapshot rows have none", c.Op, c.Table, c.Pos)
	}
	return nil
}

// isPartialDate says that s is laid out as a date, with or without a time of day, and that no calendar has that day: the only text
// that stands for a PartialDate in a column of another kind, so that neither can be taken for the other.
func isPartialDate(s string) bool {
	if len(s) < 10 || !digitsAt(s, 0, 4) || s[4] != '-' || !digitsAt(s, 5, 2) || s[7] != '-' || !digitsAt(s, 8, 2) {
		return false
	}
	if isDay(number4(s), number2(s[5:]), number2(s[8:])) {
		return false
	}
	clock := s[10:]
	if clock == "" {
		return true
	}
	if len(clock) < 9 || (clock[0] != 'T' && clock[0] != ' ') || !digitsAt(clock, 1, 2) || clock[3] != ':' ||
		!digitsAt(clock, 4, 2) || clock[6] != ':' || !digitsAt(clock, 7, 2) {
		return false
	}
	fraction := clock[9:]
	return fraction == "" || len(fraction) <= 7 && len(fraction) >= 2 && fraction[0] == '.' && digitsAt(fraction, 1, len(fraction)-1)
}

// isDay says that the calendar has that day.
func isDay(year, month, day int64) bool {
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return false
	}
	if day <= 28 {
		return true
	}
	_, m, _ := change.CivilFromDays(change.DaysFromCivil(year, month, day))
	return m == month
}

func digitsAt(s string, at, n int) bool {
	for i := at; i < at+n; i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// number2 and number4 read two and four digits that digitsAt has seen.
func number2(s string) int64 { return int64(s[0]-'0')*10 + int64(s[1]-'0') }
func number4(s string) int64 { return number2(s)*100 + number2(s[2:]) }
