package codec

import (
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// time reads a date or time, or a partial date in its place.
func (r *rowReader) time(s *scanner, col *column, v *change.Value) (err error) {
	if r.word, err = s.text(r.word[:0]); err != nil {
		return err
	}
	if r.dialect&spaced != 0 && col.Kind != change.KindTime {
		if col.mayBePartial() && isPartialDate(string(r.word)) {
			start := len(r.text)
			r.text = append(r.text, r.word...)
			r.keep(v, change.KindPartialDate, start)
			return nil
		}
		r.unspace(col)
	}
	return r.timeText(col, v)
}

// timeText reads the date or time that r.word is.
func (r *rowReader) timeText(col *column, v *change.Value) (err error) {
	us, ok := plainTime(col.Kind, r.word)
	switch {
	case ok && col.Kind == change.KindDate:
		*v = change.Date(us)
	case ok && col.Kind == change.KindTime:
		*v = change.Time(us)
	case ok && col.Kind == change.KindInstant:
		*v = change.Instant(us)
	case ok:
		*v = change.WallTime(us)
	case col.mayBePartial() && isPartialDate(string(r.word)):
		start := len(r.text)
		r.text = append(r.text, r.word...)
		r.keep(v, change.KindPartialDate, start)
		return nil
	default:
		if *v, err = r.oddTime(col); err != nil {
			return err
		}
	}
	return col.checkTime(*v)
}

// oddTime reads the texts that plainTime leaves: infinities, signs, years of other than four digits. Such a year may pass what a Value
// holds, so only text that comes back as it went in is taken.
func (r *rowReader) oddTime(col *column) (change.Value, error) {
	text := string(r.word)
	v, err := change.ParseText(col.Column, text)
	if err != nil {
		return change.Value{}, err
	}
	if back := change.AppendText(nil, col.Column, v); string(back) != text {
		return change.Value{}, fmt.Errorf("%.64q as %s: %w", text, col.Kind, errRange)
	}
	return v, nil
}

const (
	microsPerSecond = 1_000_000
	microsPerDay    = 86_400 * microsPerSecond
)

// plainTime reads YYYY-MM-DD, HH:MM:SS[.f…] and both with T between, and Z where the kind has it: days for a Date, else
// microseconds. It is change.ParseText for nearly every date there is, without a string.
func plainTime(kind change.Kind, b []byte) (n int64, ok bool) {
	if kind == change.KindTime {
		us, rest, ok := plainClock(b)
		return us, ok && len(rest) == 0
	}
	if len(b) < 10 || b[4] != '-' || b[7] != '-' {
		return 0, false
	}
	century, ok1 := two(b)
	year, ok2 := two(b[2:])
	month, ok3 := two(b[5:])
	day, ok4 := two(b[8:])
	year += century * 100
	if !ok1 || !ok2 || !ok3 || !ok4 || !isDay(year, month, day) {
		return 0, false
	}
	days := change.DaysFromCivil(year, month, day)
	if kind == change.KindDate {
		return days, len(b) == 10
	}
	if len(b) < 11 || b[10] != 'T' {
		return 0, false
	}
	us, rest, ok := plainClock(b[11:])
	if !ok || us >= microsPerDay {
		return 0, false
	}
	if kind == change.KindInstant {
		ok = len(rest) == 1 && rest[0] == 'Z'
	} else {
		ok = len(rest) == 0
	}
	return days*microsPerDay + us, ok
}

// plainClock reads HH:MM:SS[.f…] and returns what follows.
func plainClock(b []byte) (us int64, rest []byte, ok bool) {
	if len(b) < 8 || b[2] != ':' || b[5] != ':' {
		return 0, b, false
	}
	h, ok1 := two(b)
	m, ok2 := two(b[3:])
	sec, ok3 := two(b[6:])
	if !ok1 || !ok2 || !ok3 || m > 59 || sec > 59 {
		return 0, b, false
	}
	us = (h*3600 + m*60 + sec) * microsPerSecond
	if b = b[8:]; len(b) == 0 || b[0] != '.' {
		return us, b, true
	}
	i, unit := 1, int64(microsPerSecond/10)
	for ; i < len(b) && i <= 6 && b[i] >= '0' && b[i] <= '9'; i++ {
		us += int64(b[i]-'0') * unit
		unit /= 10
	}
	return us, b[i:], i > 1
}

// two reads two digits; b has at least two bytes.
func two(b []byte) (int64, bool) {
	hi, lo := b[0]-'0', b[1]-'0'
	return int64(hi)*10 + int64(lo), hi <= 9 && lo <= 9
}
