package pgoutput_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pglogrepl"

	"github.com/tailwater-cdc/tailwater/connectors/postgres/internal/pgoutput"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

const recorded = "../../../../testdata/pgoutput"

// frames reads the recorded frames: each a 4-byte big-endian length and as many bytes.
func frames(t testing.TB) [][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(recorded, "*.bin"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded frames in %s: %v", recorded, err)
	}
	var list [][]byte
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for len(b) >= 4 {
			n := int(binary.BigEndian.Uint32(b))
			list, b = append(list, b[4:4+n]), b[4+n:]
		}
	}
	return list
}

// FuzzDecode compares with pglogrepl: what both accept they read alike, and what only one accepts is one of the known differences.
func FuzzDecode(f *testing.F) {
	for _, frame := range frames(f) {
		f.Add(frame)
	}
	f.Add([]byte{'I', 0, 0, 0, 1, 'N', 0, 0}) // no column: pglogrepl refuses it
	f.Add([]byte{'Z', 1})
	f.Fuzz(func(t *testing.T, frame []byte) {
		var m pgoutput.Message
		err := m.Decode(frame)
		if err != nil {
			if !errors.Is(err, change.ErrHalt) {
				t.Fatalf("%v doesn't halt", err)
			}
			return // stricter than pglogrepl: bytes behind the end, binary values
		}
		compare(t, frame, &m)
	})
}

// TestRecorded decodes every recorded frame as pglogrepl does, refuses each of its beginnings and one byte more.
func TestRecorded(t *testing.T) {
	t.Parallel()
	seen := map[pgoutput.Kind]bool{}
	for _, frame := range frames(t) {
		var m pgoutput.Message
		if err := m.Decode(frame); err != nil {
			t.Fatalf("%q: %v", frame, err)
		}
		seen[m.Kind] = true
		compare(t, frame, &m)
		for n := range frame {
			if err := m.Decode(frame[:n]); !errors.Is(err, change.ErrHalt) {
				t.Fatalf("the first %d bytes of %q: %v", n, frame, err)
			}
		}
		if err := m.Decode(append(bytes.Clone(frame), 0)); !errors.Is(err, change.ErrHalt) {
			t.Fatalf("%q and a byte more: %v", frame, err)
		}
	}
	for _, kind := range "BCRYIUDT" {
		if !seen[pgoutput.Kind(kind)] {
			t.Errorf("no recorded message %q", kind)
		}
	}
}

func TestUnknownMessage(t *testing.T) {
	t.Parallel()
	var m pgoutput.Message
	err := m.Decode([]byte{'Z', 0, 0})
	if !errors.Is(err, change.ErrHalt) || !bytes.Contains([]byte(err.Error()), []byte("'Z'")) {
		t.Errorf("error %v, want one that halts and names the byte", err)
	}
}

func compare(t *testing.T, frame []byte, m *pgoutput.Message) {
	t.Helper()
	theirs, err := pglogrepl.Parse(frame)
	if err != nil {
		return // stricter than we are: rows without a column, unknown flags
	}
	same := true
	switch p := theirs.(type) {
	case *pglogrepl.BeginMessage:
		same = m.LSN == uint64(p.FinalLSN) && m.XID == p.Xid && sameTime(m.Time, p.CommitTime)
	case *pglogrepl.CommitMessage:
		same = m.LSN == uint64(p.CommitLSN) && m.End == uint64(p.TransactionEndLSN) && sameTime(m.Time, p.CommitTime)
	case *pglogrepl.RelationMessage:
		same = sameShape(m.Shape, p)
	case *pglogrepl.TypeMessage:
		same = m.OID == p.DataType
	case *pglogrepl.InsertMessage:
		same = m.OID == p.RelationID && sameCells(m.After, p.Tuple)
	case *pglogrepl.UpdateMessage:
		same = m.OID == p.RelationID && sameOld(m.Old, p.OldTupleType) && sameCells(m.Before, p.OldTuple) && sameCells(m.After, p.NewTuple)
	case *pglogrepl.DeleteMessage:
		same = m.OID == p.RelationID && byte(m.Old) == p.OldTupleType && sameCells(m.Before, p.OldTuple)
	case *pglogrepl.TruncateMessage:
		same = len(m.OIDs) == len(p.RelationIDs)
		for i := range m.OIDs {
			same = same && m.OIDs[i] == p.RelationIDs[i]
		}
	case *pglogrepl.LogicalDecodingMessage:
		same = m.Transactional == p.Transactional && m.LSN == uint64(p.LSN)
	}
	if !same {
		t.Fatalf("%q is %+v, pglogrepl reads %+v", frame, m, theirs)
	}
}

// sameTime leaves out what pglogrepl's nanoseconds can't hold.
func sameTime(us int64, t time.Time) bool {
	const most = 1 << 62 / 1000
	if us > most || us < -most {
		return true
	}
	return t.Equal(time.UnixMicro(us + time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()))
}

func sameOld(old pgoutput.OldKind, theirs uint8) bool {
	return byte(old) == theirs || old == pgoutput.NoTuple && theirs == pglogrepl.UpdateMessageTupleTypeNone
}

func sameShape(s *pgoutput.Shape, p *pglogrepl.RelationMessage) bool {
	namespace := s.Namespace
	if p.Namespace == "" && namespace == "pg_catalog" {
		namespace = ""
	}
	if s.OID != p.RelationID || namespace != p.Namespace || s.Name != p.RelationName || s.Identity != p.ReplicaIdentity || len(s.Columns) != len(p.Columns) {
		return false
	}
	for i, c := range p.Columns {
		ours := s.Columns[i]
		if ours.Key != (c.Flags&1 != 0) || ours.Name != c.Name || ours.Type != c.DataType || ours.Mod != c.TypeModifier {
			return false
		}
	}
	return true
}

func sameCells(cells []pgoutput.Cell, p *pglogrepl.TupleData) bool {
	if p == nil {
		return len(cells) == 0
	}
	if len(cells) != len(p.Columns) {
		return false
	}
	for i, c := range p.Columns {
		if byte(cells[i].Kind) != c.DataType || !bytes.Equal(cells[i].Data, c.Data) {
			return false
		}
	}
	return true
}
