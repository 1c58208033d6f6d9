package snapshot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

var errKey = errors.New("not a key of this table")

// ParseKey is the inverse of change.AppendKey for a table with a key: the values of its key columns in the key's order.
func ParseKey(t *change.Table, key string) ([]change.Value, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(key), &fields); err != nil {
		return nil, fmt.Errorf("key %s of %s: %w", key, t, err)
	}
	if len(fields) != len(t.Key) {
		return nil, fmt.Errorf("key %s of %s: %d columns: %w", key, t, len(fields), errKey)
	}
	row := make([]change.Value, len(t.Key))
	for i, at := range t.Key {
		col := &t.Columns[at]
		raw, ok := fields[col.Name]
		if !ok || bytes.Equal(raw, []byte("null")) {
			return nil, fmt.Errorf("key %s of %s: column %s: %w", key, t, col.Name, errKey)
		}
		text := string(raw)
		if raw[0] == '"' {
			if err := json.Unmarshal(raw, &text); err != nil {
				return nil, fmt.Errorf("key %s of %s: %w", key, t, err)
			}
		}
		v, err := change.ParseText(col, text)
		if partial, ok := partialDates[col.Kind]; ok && err != nil && partial.MatchString(text) {
			v, err = change.PartialDate(text), nil
		}
		if err != nil {
			return nil, fmt.Errorf("key %s of %s: %w", key, t, err)
		}
		row[i] = v
	}
	return row, nil
}

// partialDates are what stands in a key of dates for one that no calendar has (change.KindPartialDate).
var partialDates = map[change.Kind]*regexp.Regexp{change.KindDate: dayText, change.KindInstant: momentText, change.KindWallTime: momentText}

var (
	dayText    = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	momentText = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?$`)
)

// KeySignature names a table's key columns and their types, "name type" each: while it stays, so does the meaning of a saved last key.
func KeySignature(t *change.Table) []string {
	sig := make([]string, len(t.Key))
	for i, at := range t.Key {
		sig[i] = t.Columns[at].Name + " " + t.Columns[at].Native
	}
	return sig
}

// pastKey is the key that a table had, or the one before it of its name.
type pastKey struct {
	Incarnation string   `json:"incarnation,omitempty"`
	Key         []string `json:"key"`
}

// remember keeps the key of the rows that were read last, until others have been.
func (t *table) remember() {
	if t.Key != nil && (t.Past == nil || t.Done) {
		t.Past = &pastKey{t.Incarnation, t.Key}
	}
}

// Keys returns the KeySignature that each table had when it was last looked up, by its Incarnation: the one in front of those for which it is being read
// again, since the log still has rows of that time, or the present one.
func Keys(saved []byte) (map[string][]string, error) {
	if saved == nil {
		return nil, nil
	}
	list, err := parseProgress(saved)
	keys := make(map[string][]string, len(list))
	for _, s := range list {
		keys[s.Incarnation] = s.Key
	}
	for _, s := range list {
		if s.Past != nil && !s.Done {
			keys[s.Past.Incarnation] = s.Past.Key
		}
	}
	return keys, err
}
