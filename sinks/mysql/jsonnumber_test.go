package mysql_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/sinks/mysql"
)

// TestNumbersOfDocuments: what a DOUBLE holds digit by digit passes, zeros at the end or not; what it would round doesn't.
func TestNumbersOfDocuments(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]string{
		`[1.0, -0.0, 1e15, 100000000000000.0, 0.000000000000001, 1.7976931348623157e308, 5e-324, 12.340]`: "",
		`[18446744073709551615, -9223372036854775808, 0, -1]`:                                             "",
		`{"1234567890123456789.123": "12345678901234567890.5\"9.99999999999999999"}`:                      "",
		`[1, 1234567890123456789.123]`:                                                                    "1234567890123456789.123",
		`{"a": -0.12345678901234567890}`:                                                                  "-0.12345678901234567890",
		`[18446744073709551616]`:                                                                          "18446744073709551616",
		`{"\\": 9007199254740993.0}`:                                                                      "9007199254740993.0",
		`[1e400]`:                                                                                         "1e400",
		`"text with 1.23456789012345678901 in it"`:                                                        "",
	} {
		if have := mysql.Inexact(document); have != want {
			t.Errorf("%s: %q, want %q", document, have, want)
		}
	}
}
