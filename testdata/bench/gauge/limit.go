package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"flag"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"
)

// decode prints the seconds in which go-mysql reads and decodes rows of a binlog, from the first event after the place on.
func decode(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("decode", flag.ExitOnError)
	addr := flags.String("addr", "", "host:port; the account is root, without a password")
	from := flags.String("from", "", "file:position")
	rows := flags.Int("rows", 0, "how many rows")
	_ = flags.Parse(args) // ExitOnError
	host, portText, err := net.SplitHostPort(*addr)
	if err != nil {
		return err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return err
	}
	file, posText, _ := strings.Cut(*from, ":")
	pos, err := strconv.ParseUint(posText, 10, 32)
	if err != nil {
		return err
	}
	var id [4]byte
	_, _ = rand.Read(id[:]) // it never fails
	syncer := replication.NewBinlogSyncer(replication.BinlogSyncerConfig{ServerID: binary.BigEndian.Uint32(id[:])>>1 + 1, Flavor: "mysql",
		Host: host, Port: uint16(port), User: "root", DisableRetrySync: true, DiscardGTIDSet: true, VerifyChecksum: true})
	defer syncer.Close()
	streamer, err := syncer.StartSync(mysql.Position{Name: file, Pos: uint32(pos)})
	if err != nil {
		return err
	}
	var begun time.Time
	for seen := 0; seen < *rows; {
		e, err := streamer.GetEvent(ctx)
		if err != nil {
			return err
		}
		if begun.IsZero() {
			begun = time.Now()
		}
		if r, ok := e.Event.(*replication.RowsEvent); ok {
			seen += len(r.Rows)
		}
	}
	fmt.Printf("%.2f\n", time.Since(begun).Seconds())
	return nil
}

// upsertRows is how many rows one transaction of the bare driver has.
const upsertRows = 5000

// upsert prints the seconds in which a bare driver upserts rows by one connection, 5,000 a statement and transaction: unnest for
// PostgreSQL, values of many rows for MySQL.
func upsert(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("upsert", flag.ExitOnError)
	target := flags.String("target", "", "URL of the database")
	rows := flags.Int("rows", 0, "how many rows, with ids from 1 on")
	_ = flags.Parse(args) // ExitOnError
	db, err := open(ctx, *target)
	if err != nil {
		return err
	}
	defer db.close()
	put := db.upsertMySQL
	if db.pg != nil {
		put = db.upsertPostgres
	}
	begun := time.Now()
	for first := 1; first <= *rows; first += upsertRows {
		if err := put(ctx, first, min(upsertRows, *rows-first+1)); err != nil {
			return err
		}
	}
	fmt.Printf("%.2f\n", time.Since(begun).Seconds())
	return nil
}

func (d *database) upsertPostgres(ctx context.Context, first, n int) error {
	ids, customers := make([]int64, n), make([]int64, n)
	status, amounts, notes, times := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	now := time.Now().UTC().Format(time.RFC3339Nano)
	for i := range n {
		id := int64(first + i)
		ids[i], customers[i], status[i], amounts[i] = id, id%5000, "new", fmt.Sprintf("%d.%02d", id%10000/100, id%100)
		notes[i], times[i] = fmt.Sprintf("note for order number %d", id), now
	}
	_, err := d.pg.Exec(ctx, `insert into orders (id, customer_id, status, amount, note, created_at, updated_at)
		select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]::numeric[], $5::text[], $6::text[]::timestamptz[], $6::text[]::timestamptz[])
		on conflict (id) do update set customer_id = excluded.customer_id, status = excluded.status, amount = excluded.amount, note = excluded.note,
			created_at = excluded.created_at, updated_at = excluded.updated_at`, ids, customers, status, amounts, notes, times)
	return err
}

func (d *database) upsertMySQL(ctx context.Context, first, n int) error {
	var b strings.Builder
	b.WriteString("insert into orders (id, customer_id, status, amount, note, created_at, updated_at) values ")
	now := time.Now().UTC().Format("2006-01-02 15:04:05.000000")
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		id := first + i
		fmt.Fprintf(&b, "(%d,%d,'new',%d.%02d,'note for order number %d','%s','%s')", id, id%5000, id%10000/100, id%100, id, now, now)
	}
	b.WriteString(` as n on duplicate key update customer_id = n.customer_id, status = n.status, amount = n.amount, note = n.note, created_at = n.created_at,
		updated_at = n.updated_at`)
	_, err := d.my.ExecContext(ctx, b.String())
	return err
}
