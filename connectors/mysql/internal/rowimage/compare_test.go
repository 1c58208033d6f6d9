package rowimage_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

func compare(t *testing.T, types []myvalue.Type, rows [][]change.Value, theirs *replication.RowsEvent) {
	t.Helper()
	if len(rows) != len(theirs.Rows) {
		t.Fatalf("%d images, go-mysql reads %d", len(rows), len(theirs.Rows))
	}
	for i, r := range rows {
		for j := range types {
			skipped := slices.Contains(theirs.SkippedColumns[i], j)
			if err := compareCell(&types[j], r[j], theirs.Rows[i][j], skipped); err != nil {
				t.Fatalf("row %d, column %s, type %d: %v", i, types[j].Name, types[j].Wire, err)
			}
		}
	}
}

func compareCell(t *myvalue.Type, ours change.Value, theirs any, skipped bool) error {
	if skipped || theirs == nil {
		if ours.IsUnset() == skipped && ours.IsNull() == !skipped {
			return nil
		}
		return fmt.Errorf("%v, go-mysql reads %v, absent %t", ours, theirs, skipped)
	}
	c := t.Column()
	text, want := string(change.AppendText(nil, &c, ours)), ""
	switch t.Wire {
	case myvalue.JSON:
		return compareJSON(ours.Str(), theirs)
	case myvalue.String, myvalue.Varchar, myvalue.Blob, myvalue.Geometry, myvalue.Vector:
		return compareBytes(t, ours, theirs)
	case myvalue.Float, myvalue.Double:
		bits, _ := strconv.ParseFloat(text, 64)
		if f, ok := theirs.(float32); ok && float32(bits) == f || bits == theirs || text == "NaN" || strings.HasSuffix(text, "Infinity") {
			return nil
		}
		want = fmt.Sprint(theirs)
	case myvalue.Bit:
		want = fmt.Sprintf("%0*b", t.Bits, uint64(theirs.(int64)))
	case myvalue.Enum:
		if n := theirs.(int64); n > 0 {
			want = t.Labels[n-1]
		}
	case myvalue.Set:
		for i, label := range t.Labels {
			if uint64(theirs.(int64))>>i&1 != 0 {
				want += strings.Repeat(",", min(len(want), 1)) + label
			}
		}
	case myvalue.Time2, myvalue.Time:
		want = withFraction(theirs.(string), t.Precision)
		if strings.TrimPrefix(want, "-") == text { // zero keeps no sign here
			want = text
		}
		if t.Wire == myvalue.Time && strings.HasPrefix(text, "-") {
			want = signedTime(want)
		}
	case myvalue.Datetime2, myvalue.Timestamp2, myvalue.Datetime, myvalue.Timestamp:
		want = theirs.(string)
		text = strings.TrimSuffix(strings.Replace(text, "T", " ", 1), "Z")
	default:
		want = fmt.Sprint(theirs)
	}
	if text != want && withFraction(text, 6) != withFraction(want, 6) {
		return fmt.Errorf("%q, go-mysql reads %q (%v)", text, want, theirs)
	}
	return nil
}

// signedTime is what go-mysql's text of a TIME from before MySQL 5.6 says: its three bytes are a signed number, HHMMSS, and it reads them without the sign.
func signedTime(s string) string {
	var h, m, sec int
	if _, err := fmt.Sscanf(s, "%d:%d:%d", &h, &m, &sec); err != nil {
		return s
	}
	n := 1<<24 - (h*10000 + m*100 + sec)
	return fmt.Sprintf("-%02d:%02d:%02d", n/10000, n/100%100, n%100)
}

// withFraction writes s with that many fraction digits: go-mysql leaves those of a TIME out where they are zero, and cuts those that the
// declared ones don't hold.
func withFraction(s string, digits int) string {
	whole, fraction, _ := strings.Cut(s, ".")
	if digits == 0 {
		return whole
	}
	return whole + "." + (fraction + "000000")[:digits]
}

// compareBytes holds go-mysql's raw bytes against ours by way of the text protocol's conversion.
func compareBytes(t *myvalue.Type, ours change.Value, theirs any) error {
	var raw []byte
	switch b := theirs.(type) {
	case string:
		raw = []byte(b)
	case []byte:
		raw = b
	}
	if t.Wire == myvalue.String && ours.Kind() == change.KindBytes && len(raw) <= t.Length { // it leaves the padding off
		raw = append(bytes.Clone(raw), make([]byte, t.Length-len(raw))...)
	}
	var r myvalue.Row
	r.Begin(1)
	if err := r.Text(t, raw); err != nil {
		return err
	}
	v := r.Values()[0]
	if v != ours && (t.Wire != myvalue.String || v.Str() != strings.TrimRight(ours.Str(), " ")) {
		return fmt.Errorf("%q, go-mysql reads %q", ours.Str(), raw)
	}
	return nil
}

// compareJSON compares what documents say. go-mysql writes them without blanks, doubles in another notation, base64 in one line and
// a time of zero without a fraction; an empty document is empty there and null here, as the server prints it.
func compareJSON(ours string, theirs any) error {
	text, ok := theirs.(string)
	if !ok {
		if b, empty := theirs.([]byte); empty && len(b) == 0 && ours == "null" {
			return nil
		}
		return fmt.Errorf("%q, go-mysql reads %v", ours, theirs)
	}
	a, errA := normalJSON(ours)
	b, errB := normalJSON(text)
	if errA != nil {
		return fmt.Errorf("%q is no JSON: %w", ours, errA)
	}
	if errB == nil && !reflect.DeepEqual(a, b) {
		return fmt.Errorf("%q, go-mysql reads %q", ours, text)
	}
	return nil
}

func normalJSON(s string) (any, error) {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return normal(v), nil
}

func normal(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = normal(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = normal(v[k])
		}
	case json.Number:
		if f, err := strconv.ParseFloat(string(v), 64); err == nil && strings.ContainsAny(string(v), ".eE") {
			return f
		}
		return string(v)
	case string:
		if strings.HasPrefix(v, "base64:type") {
			return strings.ReplaceAll(v, "\n", "")
		}
		return strings.TrimSuffix(v, ".000000")
	}
	return v
}
