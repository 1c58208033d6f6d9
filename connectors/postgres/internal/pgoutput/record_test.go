package pgoutput_test

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

var update = flag.Bool("update", false, "record the frames of testdata/pgoutput anew")

// TestRecord holds what a server sends for testdata/pgoutput/frames.sql, message by message, against what is recorded of its version; with
// -update it records it.
func TestRecord(t *testing.T) {
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		sql, err := os.ReadFile(filepath.Join(recorded, "frames.sql"))
		if err != nil {
			t.Fatal(err)
		}
		pg.Exec("create publication p for all tables")
		slot := "record_" + pg.Database
		pg.Exec("select pg_create_logical_replication_slot($1, 'pgoutput')", slot)
		pg.Exec(string(sql))
		end, err := pglogrepl.ParseLSN(pg.Value("select pg_current_wal_lsn()"))
		if err != nil {
			t.Fatal(err)
		}
		var out, kinds []byte
		for _, frame := range stream(t, pg.URL+"&replication=database", slot, end) {
			out = append(binary.BigEndian.AppendUint32(out, uint32(len(frame))), frame...)
			kinds = append(kinds, frame[0])
		}
		name := filepath.Join(recorded, fmt.Sprintf("pg%d.bin", pg.Major))
		if !*update {
			if want := recordedKinds(t, name); string(kinds) != want {
				t.Errorf("the server sends %s, recorded is %s", kinds, want)
			}
			return
		}
		if err := os.WriteFile(name, out, 0o644); err != nil {
			t.Fatal(err)
		}
	})
}

// recordedKinds are the first bytes of a file's frames.
func recordedKinds(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []byte
	for len(b) > 0 {
		n := binary.BigEndian.Uint32(b)
		kinds = append(kinds, b[4])
		b = b[4+n:]
	}
	return string(kinds)
}

// stream returns the frames up to the log's address end.
func stream(t *testing.T, url, slot string, end pglogrepl.LSN) [][]byte {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := pgconn.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	options := pglogrepl.StartReplicationOptions{PluginArgs: []string{"proto_version '1'", "publication_names 'p'", "messages 'true'"}}
	if err := pglogrepl.StartReplication(ctx, conn, slot, 0, options); err != nil {
		t.Fatal(err)
	}
	var frames [][]byte
	for {
		message, err := conn.ReceiveMessage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		data, ok := message.(*pgproto3.CopyData)
		if !ok {
			continue
		}
		if data.Data[0] == pglogrepl.XLogDataByteID {
			frames = append(frames, append([]byte(nil), data.Data[25:]...))
		} else if pglogrepl.LSN(binary.BigEndian.Uint64(data.Data[1:])) >= end {
			return frames
		}
	}
}
