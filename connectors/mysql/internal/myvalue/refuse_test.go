package myvalue_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// TestRefused names the column, and the character set where that is what doesn't fit.
func TestRefused(t *testing.T) {
	t.Parallel()
	varchar := func(collation int) myvalue.Type {
		return myvalue.Type{Wire: myvalue.Varchar, Length: 100, Collation: collation}
	}
	for _, c := range []struct {
		what  string
		typ   myvalue.Type
		log   string
		text  string
		names string
	}{
		{"a surrogate alone in ucs2", varchar(35), "\x02\xd8\x00", "\xd8\x00", "ucs2"},
		{"half a character of utf16", varchar(54), "\x02\xd8\x3d", "\xd8\x3d", "utf16"},
		{"three bytes of utf32", varchar(60), "\x03\x00\x00\x41", "\x00\x00\x41", "utf32"},
		{"beyond utf32", varchar(60), "\x04\x00\x11\x00\x00", "\x00\x11\x00\x00", "utf32"},
		{"latin1 in utf8mb4", varchar(45), "\x01\xe9", "\xe9", "utf8mb4"},
		{"a byte that cp1251 hasn't", varchar(51), "\x01\x98", "\x98", "cp1251"},
		{"half a character of gbk", varchar(28), "\x01\x81", "\x81", "gbk"},
		{"eight bits of ascii", varchar(11), "\x01\x80", "\x80", "ascii"},
		{"a month of 13", myvalue.Type{Wire: myvalue.Date}, "\xa1\xd1\x0f", "2024-13-01", ""},
		{"a number too large", myvalue.Type{Wire: myvalue.Tiny}, "", "128", ""},
		{"a number too small", myvalue.Type{Wire: myvalue.Tiny}, "", "-129", ""},
		{"a sign without a number", myvalue.Type{Wire: myvalue.Long}, "", "-", ""},
		{"a negative unsigned", myvalue.Type{Wire: myvalue.Long, Unsigned: true}, "", "-1", ""},
		{"20 digits too many", myvalue.Type{Wire: myvalue.LongLong, Unsigned: true}, "", "18446744073709551616", ""},
		{"a label that isn't", myvalue.Type{Wire: myvalue.Enum, Length: 1, Labels: []string{"a"}, Collation: 45}, "\x02", "", ""},
		{"a member that isn't", myvalue.Type{Wire: myvalue.Set, Length: 1, Labels: []string{"a"}, Collation: 45}, "\x02", "", ""},
		{"ten bits of nine", myvalue.Type{Wire: myvalue.Bit, Bits: 9}, "\x02\x00", "\x02\x00", ""},
		{"a decimal with a hexadecimal digit", myvalue.Type{Wire: myvalue.Decimal, Precision: 2}, "\xe4", "0x", ""},
		{"a minute of 60", myvalue.Type{Wire: myvalue.Time2}, "\x80\x0f\x00", "00:60:00", ""},
		{"839 hours", myvalue.Type{Wire: myvalue.Time2}, "\xb4\x70\x00", "839:00:00", ""},
		{"a year before all", myvalue.Type{Wire: myvalue.Year}, "", "1900", ""},
		{"a double that is no float", myvalue.Type{Wire: myvalue.Float}, "", "0.1", ""},
		{"a string too long", myvalue.Type{Wire: myvalue.String, Length: 2, Collation: 63}, "\x03abc", "abc", ""},
		{"more than there is", varchar(45), "\x05abc", "", ""},
	} {
		c.typ.Name = "col"
		var r myvalue.Row
		r.Begin(1)
		if c.log != "" {
			_, err := r.Binary(&c.typ, []byte(c.log))
			refused(t, c.what+" in the log", err, c.names)
		}
		if c.text != "" {
			refused(t, c.what+" in a result set", r.Text(&c.typ, []byte(c.text)), c.names)
		}
	}
}

func refused(t *testing.T, what string, err error, names string) {
	t.Helper()
	if !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), "col") || !strings.Contains(err.Error(), names) {
		t.Errorf("%s: error %v, want one that halts and names col and %q", what, err, names)
	}
}
