package mysql

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// constant is the value that rows which are there have in a new column, if the statement shows it.
type constant struct {
	text   string
	quoted bool
	none   bool // NOT NULL without a DEFAULT
}

// behindConstant are the words that may follow a DEFAULT's value in a column's definition.
var behindConstant = []string{"NOT", "NULL", "COMMENT", "COLLATE", "UNIQUE", "FIRST", "AFTER", "VISIBLE", "INVISIBLE", "CHECK"}

// constant reads the DEFAULT of a definition. A backslash may mean another character, so a statement with one shows nothing.
func (ts tokens) constant() *constant {
	at := ts.find("DEFAULT")
	if at < 0 {
		return &constant{none: true}
	}
	ts = ts[at+1:]
	c := constant{}
	switch {
	case len(ts) == 0:
		return nil
	case ts[0].kind == tokenText:
		c.text, c.quoted, ts = ts[0].text, true, ts[1:]
	case ts.is(0, "TRUE"), ts.is(0, "FALSE"):
		c.text, ts = strconv.Itoa(boolInt(ts.is(0, "TRUE"))), ts[1:]
	default:
		if ts[0].punct("-") || ts[0].punct("+") {
			c.text, ts = strings.TrimPrefix(ts[0].text, "+"), ts[1:]
		}
		if len(ts) == 0 || !isDigits(ts[0]) {
			return nil
		}
		c.text, ts = c.text+ts[0].text, ts[1:]
		if len(ts) > 1 && ts[0].punct(".") && isDigits(ts[1]) {
			c.text, ts = c.text+"."+ts[1].text, ts[2:]
		}
	}
	if len(ts) > 0 && !ts.is(0, behindConstant...) {
		return nil
	}
	return &c
}

func isDigits(t sqlToken) bool {
	return t.kind == tokenWord && t.text != "" && strings.Trim(t.text, "0123456789") == ""
}

// missing returns the value in a column of a type, as change.AppendText writes it. False: what the server makes of it isn't known for certain.
func (c *constant) missing(t *myvalue.Type) (string, bool) {
	text, ok := c.in(t)
	if !ok || t.Special != myvalue.Plain || t.Generated {
		return "", false
	}
	var row myvalue.Row
	row.Begin(1)
	if err := row.Text(t, []byte(text)); err != nil {
		return "", false
	}
	column := t.Column()
	return string(change.AppendText(nil, &column, row.Values()[0])), true
}

// in returns the value as a SELECT of the column has it.
func (c *constant) in(t *myvalue.Type) (string, bool) {
	text := t.Collation != 0 && t.Collation != binaryCollation
	switch t.Wire {
	case myvalue.Tiny, myvalue.Short, myvalue.Int24, myvalue.Long, myvalue.LongLong:
		return c.number(t, 0)
	case myvalue.Decimal:
		return c.number(t, t.Scale)
	case myvalue.Varchar, myvalue.String, myvalue.Blob:
		short := len(c.text) <= t.Length
		if t.Wire == myvalue.Blob {
			short = len(c.text) < 1<<8
		} else if column := t.Column(); column.Length > 0 {
			short = len(c.text) <= column.Length
		}
		padded := t.Wire == myvalue.String && strings.HasSuffix(c.text, " ")
		return c.text, text && (c.quoted || c.none) && short && !padded && isASCII(c.text)
	case myvalue.Enum:
		return c.text, c.quoted && slices.Contains(t.Labels, c.text)
	case myvalue.Date:
		at, err := time.Parse(time.DateOnly, c.text)
		return c.text, err == nil && c.quoted && at.Year() >= firstYear
	case myvalue.Datetime2:
		at, err := time.Parse(time.DateTime, c.text)
		whole := c.text
		if t.Precision > 0 {
			whole += "." + strings.Repeat("0", t.Precision)
		}
		return whole, err == nil && c.quoted && at.Year() >= firstYear && len(c.text) == len(time.DateTime)
	}
	return "", false
}

// firstYear is the first that the manual says DATE and DATETIME hold.
const firstYear = 1000

// number writes a number with that many fraction digits, if it has no more and is within the type's bounds.
func (c *constant) number(t *myvalue.Type, scale int) (string, bool) {
	digits := c.text
	if c.none {
		digits = "0"
	}
	digits, negative := strings.CutPrefix(digits, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if whole == "" || strings.Trim(whole+fraction, "0123456789") != "" || len(fraction) > scale || negative && t.Unsigned {
		return "", false
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	fraction += strings.Repeat("0", scale-len(fraction))
	text := whole
	if scale > 0 {
		text += "." + fraction
	}
	if negative && strings.Trim(whole+fraction, "0") != "" {
		text = "-" + text
	}
	if t.Wire == myvalue.Decimal {
		return text, whole == "0" || len(whole) <= t.Precision-scale
	}
	var err error
	bits := t.Column().Bits
	if t.Unsigned {
		_, err = strconv.ParseUint(text, 10, bits)
	} else {
		_, err = strconv.ParseInt(text, 10, bits)
	}
	return text, err == nil
}
