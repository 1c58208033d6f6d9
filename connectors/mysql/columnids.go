package mysql

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// The log names columns and doesn't number them. Which column is which is kept from statement to statement, as of the place that has been handed over,
// and in its Resume: a column is what it was first called, or the statement that added it. Only names that are not a column's first are kept.

// kin is what is known of the columns of one table.
type kin struct {
	Schema  string            `json:"d"`
	Name    string            `json:"t"`
	Since   string            `json:"l,omitempty"` // its Lineage, if that isn't the state's
	Origin  string            `json:"o,omitempty"` // which table it is: its first name, or the statement that made it; empty: the name that it has
	Columns map[string]string `json:"c,omitempty"` // what the column of a name was first called, where that is another name, or where it was added
	Sum     *uint64           `json:"s,omitempty"` // of the names that it must have now; nil: nothing of it has been handed over

	names map[string]bool // those; nil: not known in this run
}

// kinState is kin of all tables as the Resume holds it.
type kinState struct {
	Since     string `json:"since"`     // the Lineage of tables of which nothing else is known
	Selection string `json:"selection"` // under which statements were followed
	At        string `json:"at"`        // the last statement that was
	Off       bool   `json:"off,omitempty"`
	Tables    []*kin `json:"tables,omitempty"`
}

// maxKin bounds them as the Resume holds them: more than ten thousand tables.
const maxKin = 1 << 20

var errKinText = errors.New("what is known of the tables' columns can't be read")

// foldName writes a column's name so that two spellings of one are the same.
func foldName(name string) string { return strings.ToLower(name) }

// nameSum is one column's part of a Sum: it doesn't tell in what order they stand.
func nameSum(name string) uint64 {
	sum := sha256.Sum256([]byte(foldName(name)))
	return binary.BigEndian.Uint64(sum[:])
}

func (k *kin) table() tableName { return tableName{k.Schema, k.Name} }

// first is what tells a column from all others that the table has had.
func (k *kin) first(name string) string {
	name = foldName(name)
	if first, other := k.Columns[name]; other {
		return first
	}
	return name
}

// idBits keeps identities exact where a reader of JSON takes numbers for floats.
const idBits = 53

func (k *kin) id(lineage, name string) uint64 {
	origin := k.Origin
	if origin == "" {
		origin = k.table().String()
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", lineage, origin, k.first(name)))
	return max(1, binary.BigEndian.Uint64(sum[:])>>(64-idBits))
}

// begins makes it the table of a name of which nothing is known but that it is none that had the name before.
func (k *kin) begins(origin string) {
	*k = kin{Schema: k.Schema, Name: k.Name, Since: k.Since, Origin: origin}
}

// breaks makes it a table of which nothing is known: the columns' identities say nothing of those before.
func (k *kin) breaks(since string) {
	*k = kin{Schema: k.Schema, Name: k.Name, Since: since}
}

// alter does to the columns what a statement says, or finds that this doesn't follow from it.
//
// Source: MySQL 9.7 and MariaDB 11.8, sql/sql_table.cc, mysql_prepare_alter_table: what is there first, by the names that it had, then what is added.
func (k *kin) alter(edits []columnEdit, statement string, hides bool) error {
	was := *k
	k.Columns, k.names = map[string]string{}, nil
	for name, first := range was.Columns {
		k.Columns[name] = first
	}
	if was.names != nil {
		k.names = map[string]bool{}
		for name := range was.names {
			k.names[name] = true
		}
	}
	if was.Sum != nil {
		sum := *was.Sum
		k.Sum = &sum
	}
	err := k.rename(edits, &was)
	for _, e := range edits {
		if e.verb == "ADD" && err == nil {
			err = k.add(e, statement, hides)
		}
	}
	return err
}

// rename does DROP and RENAME.
func (k *kin) rename(edits []columnEdit, was *kin) error {
	touched := map[string]bool{}
	var moved []columnEdit
	for _, e := range edits {
		name := foldName(e.name)
		if e.verb == "ADD" {
			continue
		}
		there := was.names[name]
		switch {
		case touched[name], e.ifExists && was.names == nil:
			return errAlter
		case was.names != nil && !there:
			continue // passed by, or one that the log leaves out
		}
		touched[name] = true
		k.loses(name)
		if e.verb == "RENAME" {
			moved = append(moved, e)
		}
	}
	for _, e := range moved {
		to, first := foldName(e.to), was.first(e.name)
		if k.names[to] {
			return errAlter
		}
		k.gains(to, first)
	}
	return nil
}

// add does ADD. hides says that the table has no computed columns in the log.
func (k *kin) add(e columnEdit, statement string, hides bool) error {
	name := foldName(e.name)
	switch {
	case e.generated && hides:
		return nil
	case e.ifExists && k.names == nil:
		return errAlter
	case k.names[name] && e.ifExists:
		return nil
	case k.names[name]:
		return errAlter
	}
	k.gains(name, name+"\x00"+statement)
	return nil
}

func (k *kin) loses(name string) {
	delete(k.Columns, name)
	delete(k.names, name)
	if k.Sum != nil {
		*k.Sum -= nameSum(name)
	}
}

func (k *kin) gains(name, first string) {
	if delete(k.Columns, name); first != name {
		k.Columns[name] = first
	}
	if k.names != nil {
		k.names[name] = true
	}
	if k.Sum != nil {
		*k.Sum += nameSum(name)
	}
}

func (s *kinState) encode() (string, error) {
	slices.SortFunc(s.Tables, func(a, b *kin) int { return strings.Compare(a.Schema+"\x00"+a.Name, b.Schema+"\x00"+b.Name) })
	var b bytes.Buffer
	text := base64.NewEncoder(base64.StdEncoding, &b)
	w, err := flate.NewWriter(text, flate.BestSpeed)
	if err == nil {
		err = errors.Join(json.NewEncoder(w).Encode(s), w.Close(), text.Close())
	}
	if err != nil {
		return "", fmt.Errorf("write which column is which: %w: %w", err, change.ErrHalt)
	}
	return b.String(), nil
}

// decodeKin is the inverse of encode.
func decodeKin(text string) (*kinState, error) {
	s := &kinState{}
	const most = 1 << 30 // of what encode has compressed to maxKin
	r := io.LimitReader(flate.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text))), most)
	if err := json.NewDecoder(r).Decode(s); err != nil {
		return nil, fmt.Errorf("%w: %w: %w", errKinText, err, change.ErrGap)
	}
	if slices.Contains(s.Tables, nil) {
		return nil, fmt.Errorf("%w: %w", errKinText, change.ErrGap)
	}
	return s, nil
}
