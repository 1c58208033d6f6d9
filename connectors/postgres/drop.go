package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Drop takes away what Open made on the server: the slot, and the publication if it was made by us. It returns what was done and what
// stays, one sentence each, also beside an error.
func Drop(ctx context.Context, config Config) ([]string, error) {
	config, err := config.checked()
	if err != nil {
		return nil, err
	}
	conn, err := config.connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("drop postgres source %s: %w", config.SourceID, err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	slot, err := dropSlot(ctx, conn, config.Slot.Name)
	if err != nil {
		return nil, fmt.Errorf("drop postgres source %s: %w", config.SourceID, err)
	}
	publication, err := dropPublication(ctx, conn, config.Publication.Name)
	if err != nil {
		return []string{slot}, fmt.Errorf("drop postgres source %s: %w", config.SourceID, err)
	}
	return []string{slot, publication}, nil
}

func dropSlot(ctx context.Context, conn *pgx.Conn, name string) (string, error) {
	slot, err := readSlot(ctx, conn, name)
	if err != nil {
		return "", err
	}
	if slot == nil {
		return fmt.Sprintf("slot %s: there is none", name), nil
	}
	if _, err := conn.Exec(ctx, `select pg_drop_replication_slot($1)`, name); err != nil {
		return "", fmt.Errorf("slot %s, read by pid %d: %w", name, slot.pid, classify(err))
	}
	return fmt.Sprintf("slot %s dropped at %s", name, lsnText(slot.confirmed)), nil
}

func dropPublication(ctx context.Context, conn *pgx.Conn, name string) (string, error) {
	var comment string
	const query = `select coalesce(obj_description(oid, 'pg_publication'), '') from pg_publication where pubname = $1`
	err := conn.QueryRow(ctx, query, name).Scan(&comment)
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Sprintf("publication %s: there is none", name), nil
	}
	if err != nil {
		return "", fmt.Errorf("publication %s: %w", name, classify(err))
	}
	if !strings.HasPrefix(comment, madeBy) {
		return fmt.Sprintf("publication %s stays: it was not made by tailwater", name), nil
	}
	if _, err := conn.Exec(ctx, "drop publication "+quote(name)); err != nil {
		return "", fmt.Errorf("publication %s: %w", name, classify(err))
	}
	return fmt.Sprintf("publication %s dropped", name), nil
}
