package postgres

import (
	"strings"

	"github.com/tailwater-cdc/tailwater/connectors/postgres/internal/pgoutput"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

// readKeys returns the keys of the saved progress by the tables' oids.
func readKeys(saved []byte) (map[uint32][]string, error) {
	known, err := snapshot.Keys(saved)
	keys := make(map[uint32][]string, len(known))
	for incarnation, key := range known {
		if oid, ok := oidOf(incarnation); ok {
			keys[oid] = key
		}
	}
	return keys, err
}

// recall takes for a shape of REPLICA IDENTITY FULL, which names no key, the key that the table had when it was last seen, where the catalogue doesn't have
// the table any more or has a key of columns that the shape lacks. Without one, a table that is gone would pass for one without a key, and one whose
// key was renamed would halt. The caller holds mu.
func (s *shapes) recall(d *described, shape *pgoutput.Shape) {
	if shape.Identity != 'f' {
		return
	}
	if _, whole := ordinals(shape, d.primary); whole && !d.gone {
		return
	}
	if v := s.tables[shape.OID]; v != nil {
		if names, ok := keyNames(shape, snapshot.KeySignature(v.last)); ok {
			d.primary = names
			return
		}
	}
	if names, ok := keyNames(shape, s.keys[shape.OID]); ok {
		d.primary = names
	}
}

// keyNames are the shape's columns that a key's entries name, each a name and a type; all of them or none.
func keyNames(shape *pgoutput.Shape, entries []string) (names []string, ok bool) {
	for _, entry := range entries {
		name, found := "", false
		for _, c := range shape.Columns { // both may have blanks
			if strings.HasPrefix(entry, c.Name+" ") && len(c.Name) >= len(name) {
				name, found = c.Name, true
			}
		}
		if !found {
			return nil, false
		}
		names = append(names, name)
	}
	return names, len(names) > 0
}
