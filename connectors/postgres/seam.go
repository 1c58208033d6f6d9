package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tailwater-cdc/tailwater/connectors/postgres/internal/pgvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// seam is what the snapshot's reader (chunk*.go) uses of the connector. Its methods may be called concurrently.
//
// Ordinary sessions come from config.connect: they write values as pgvalue reads them. log is a snapshot.Log.
type seam struct {
	config *Config
	epoch  uint32
	shapes *shapes
}

func (s *Source) seam() seam { return seam{config: s.config, epoch: s.epoch, shapes: s.shapes} }

// table returns a table as the catalogue has it now, with the columns that the stream carries, and its oid: the stream's own pointer
// where the stream has that version. An error that wraps errNoTable: there is none.
func (s seam) table(ctx context.Context, schema, name string) (*change.Table, uint32, error) {
	return s.shapes.fromCatalog(ctx, s.config.Publication.Name, schema, name)
}

// head returns the Position that Upto reaches once all that was committed before the call has been read, over conn, outside of a
// transaction.
func (s seam) head(ctx context.Context, conn *pgx.Conn) (change.Position, error) {
	lsn, err := readHead(ctx, conn)
	if err != nil {
		return change.Position{}, err
	}
	return below(s.epoch, lsn), nil
}

// row is decodeRow for a row that is handed over: one above max_row_bytes halts as it does in the stream.
func (s seam) row(scratch *pgvalue.Row, t *change.Table, cells [][]byte) ([]change.Value, error) {
	if err := checkRow(t, cells, s.config.MaxRowBytes); err != nil {
		return nil, fmt.Errorf("table %s: %w", t, err)
	}
	return decodeRow(scratch, t, cells)
}

// decodeRow decodes the texts of t's columns, in order, as a session of ours returned them; nil is NULL. The row is the caller's and
// keeps nothing of cells; scratch is reused from row to row. The error wraps change.ErrHalt and names the column.
func decodeRow(scratch *pgvalue.Row, t *change.Table, cells [][]byte) ([]change.Value, error) {
	if len(cells) != len(t.Columns) {
		return nil, fmt.Errorf("%s: %d columns for %d: %w: %w", t, len(cells), len(t.Columns), errColumns, change.ErrHalt)
	}
	scratch.Begin(len(cells))
	for i, cell := range cells {
		if cell == nil {
			scratch.Null()
			continue
		}
		if err := scratch.Text(&t.Columns[i], cell); err != nil {
			return nil, fmt.Errorf("%s: %w", t, err)
		}
	}
	return scratch.Values(), nil
}
