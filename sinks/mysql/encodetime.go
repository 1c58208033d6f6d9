package mysql

import (
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// The years that dates and time stamps are written with, and the most that a time holds. The manuals promise dates from the year 1000 on only; from
// year 0 on they are kept as they are (TestTypes).
const (
	firstYear, lastYear = 0, 9999
	microsPerDay        = 86_400_000_000
	maxTime             = (838*3600 + 59*60 + 59) * 1_000_000
)

var (
	firstDay = change.DaysFromCivil(firstYear, 1, 1)
	lastDay  = change.DaysFromCivil(lastYear, 12, 31)
)

// powers holds, by number of fraction digits, the microseconds of the last of them.
var powers = [...]int64{1_000_000, 100_000, 10_000, 1_000, 100, 10, 1}

// microsColumn prints all that a value has.
var microsColumn = &change.Column{Precision: 6}

func appendDate(dst []byte, v change.Value) ([]byte, error) {
	switch {
	case v.Kind() == change.KindPartialDate:
		return appendPartial(dst, v, 0)
	case v.Kind() != change.KindDate:
		return dst, wrongKind(v)
	case v.IsInfinite() || v.Int() < firstDay || v.Int() > lastDay:
		return dst, outOfYears(v)
	}
	return append(change.AppendText(append(dst, '\''), microsColumn, v), '\''), nil
}

// timeOf appends a time or a duration. What has more fraction digits than the column the server rounds, without an error.
func timeOf(fraction int) appendFunc {
	return func(dst []byte, v change.Value) ([]byte, error) {
		if v.Kind() != change.KindTime {
			return dst, wrongKind(v)
		}
		us := v.Int()
		if us > maxTime || us < -maxTime {
			return dst, reject(codeBadTime, "%s is out of the target's range of -838:59:59 to 838:59:59", change.AppendText(nil, microsColumn, v))
		}
		if us%powers[min(fraction, 6)] != 0 {
			return dst, tooFine(v, fraction)
		}
		return append(change.AppendText(append(dst, '\''), microsColumn, v), '\''), nil
	}
}

// datetimeOf appends a time stamp; an instant is written in UTC, which is the session's zone.
func datetimeOf(to *targetColumn) appendFunc {
	fraction := min(to.fraction, 6)
	return func(dst []byte, v change.Value) ([]byte, error) {
		switch v.Kind() {
		case change.KindPartialDate:
			return appendPartial(dst, v, fraction)
		case change.KindInstant, change.KindWallTime:
		default:
			return dst, wrongKind(v)
		}
		us := v.Int()
		if v.IsInfinite() || us < firstDay*microsPerDay || us >= (lastDay+1)*microsPerDay {
			return dst, outOfYears(v)
		}
		if us%powers[fraction] != 0 {
			return dst, tooFine(v, fraction)
		}
		dst = change.AppendText(append(dst, '\''), microsColumn, v)
		if v.Kind() == change.KindInstant {
			dst = dst[:len(dst)-1] // Z
		}
		return append(dst, '\''), nil
	}
}

// appendPartial appends a zero or partial date as the source wrote it.
func appendPartial(dst []byte, v change.Value, fraction int) ([]byte, error) {
	s := v.Str()
	if strings.Trim(s, "0123456789-:.T ") != "" {
		return dst, wrongKind(v)
	}
	if _, digits, _ := strings.Cut(s, "."); len(strings.TrimRight(digits, "0")) > fraction {
		return dst, tooFine(v, fraction)
	}
	return appendQuoted(dst, s), nil
}

func outOfYears(v change.Value) error {
	return reject(codeBadTime, "%s is out of the target's range, years %04d to %d", change.AppendText(nil, microsColumn, v), firstYear, lastYear)
}

func tooFine(v change.Value, fraction int) error {
	return reject(codeBadTime, "%s has more than the target's %d fraction digits", change.AppendText(nil, microsColumn, v), fraction)
}
