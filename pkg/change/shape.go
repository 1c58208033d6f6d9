package change

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// shape is a Table as it travels: in the schema topic, beside parked changes and under the fingerprint. Fields are only ever added,
// with omitempty, so that an old shape keeps its fingerprint.
type shape struct {
	Source  string        `json:"source"`
	Engine  string        `json:"engine"`
	Schema  string        `json:"schema"`
	Name    string        `json:"table"`
	Columns []shapeColumn `json:"columns"`
	Key     []int         `json:"key"`
	Lineage string        `json:"lineage,omitempty"`
}

type shapeColumn struct {
	Name      string    `json:"name"`
	Native    string    `json:"native"`
	Kind      string    `json:"kind"`
	Nullable  bool      `json:"nullable,omitempty"`
	Generated bool      `json:"generated,omitempty"`
	Length    int       `json:"length,omitempty"`
	Precision int       `json:"precision,omitempty"`
	Scale     int       `json:"scale,omitempty"`
	Bits      int       `json:"bits,omitempty"`
	Charset   string    `json:"charset,omitempty"`
	Equality  string    `json:"equality,omitempty"`
	Enum      *[]string `json:"enum,omitempty"`
	ID        uint64    `json:"id,omitempty"`
	Missing   *string   `json:"missing,omitempty"`
	Reread    bool      `json:"reread,omitempty"`
}

// AppendShape appends t as JSON in its one canonical form, the form that Fingerprint hashes.
func AppendShape(dst []byte, t *Table) ([]byte, error) {
	s := shape{Source: t.Source, Engine: t.Engine, Schema: t.Schema, Name: t.Name, Key: t.Key, Lineage: t.Lineage,
		Columns: make([]shapeColumn, len(t.Columns))}
	if s.Key == nil {
		s.Key = []int{}
	}
	for i, c := range t.Columns {
		s.Columns[i] = shapeColumn{Name: c.Name, Native: c.Native, Kind: c.Kind.String(), Nullable: c.Nullable,
			Generated: c.Generated, Length: c.Length, Precision: c.Precision, Scale: c.Scale, Bits: c.Bits,
			Charset: c.Charset, Enum: c.Enum, ID: c.ID, Missing: c.Missing, Reread: c.Reread}
		if c.Equality != Bytewise {
			s.Columns[i].Equality = c.Equality.String()
		}
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return dst, fmt.Errorf("shape of %s: %w", t, err)
	}
	return append(dst, bytes.TrimRight(buf.Bytes(), "\n")...), nil
}

var errShape = errors.New("not a shape")

// ParseShape is the inverse of AppendShape. Unknown fields are refused: a shape from a later release may mean what this one can't.
func ParseShape(b []byte) (*Table, error) {
	var s shape
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return nil, fmt.Errorf("parse shape: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) || s.Columns == nil {
		return nil, fmt.Errorf("parse shape: %w", errShape)
	}
	t := &Table{Source: s.Source, Engine: s.Engine, Schema: s.Schema, Name: s.Name, Lineage: s.Lineage, Columns: make([]Column, len(s.Columns))}
	if len(s.Key) > 0 {
		t.Key = s.Key
	}
	for i, k := range t.Key {
		if k < 0 || k >= len(t.Columns) || slices.Contains(t.Key[:i], k) {
			return nil, fmt.Errorf("parse shape of %s: key column %d of %d: %w", t, k, len(t.Columns), errShape)
		}
	}
	for i, c := range s.Columns {
		kind, ok := ParseKind(c.Kind)
		equality, known := parseEquality(c.Equality)
		if !ok || !known || kind <= KindNull || t.ColumnIndex(c.Name) >= 0 && t.ColumnIndex(c.Name) < i {
			return nil, fmt.Errorf("parse shape of %s: column %s of kind %q and equality %q: %w", t, c.Name, c.Kind, c.Equality, errShape)
		}
		t.Columns[i] = Column{Name: c.Name, Native: c.Native, Kind: kind, Nullable: c.Nullable, Generated: c.Generated,
			Length: c.Length, Precision: c.Precision, Scale: c.Scale, Bits: c.Bits, Charset: c.Charset,
			Equality: equality, Enum: c.Enum, ID: c.ID, Missing: c.Missing, Reread: c.Reread}
	}
	return t, nil
}

func parseEquality(s string) (Equality, bool) {
	if s == "" {
		return Bytewise, true
	}
	for i, name := range equalityNames {
		if name == s {
			return Equality(i), true
		}
	}
	return Unknown, false
}

// Fingerprint names a shape: the first 16 bytes of the SHA-256 of AppendShape, in hexadecimal. It costs microseconds: callers keep
// it in their plan for the Table.
func Fingerprint(t *Table) (string, error) {
	b, err := AppendShape(nil, t)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16]), nil
}
