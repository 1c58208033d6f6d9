package upsert

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// KeyHash stands for a change's key, which may be longer than an index takes; empty for a marker and a key that isn't known.
func KeyHash(c *change.Change) string {
	if c.Op.IsMarker() {
		return ""
	}
	key, err := change.AppendKey(nil, c.Table, c.Row())
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:])
}

// Storable is a cause as text that every server stores.
func Storable(cause string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(cause, "\ufffd"), "\x00", "\ufffd")
}

// Superseding returns the changes of a call that stand for parked ones: snapshot rows for those of their key, Truncates for all of their
// table. Append keeps every change, so none stands for another.
func Superseding(c []change.Change, mode Mode) (rows, tables []*change.Change) {
	if mode == Append {
		return nil, nil
	}
	for i := range c {
		switch c[i].Op {
		case change.SnapshotRow:
			rows = append(rows, &c[i])
		case change.Truncate:
			tables = append(tables, &c[i])
		}
	}
	return rows, tables
}
