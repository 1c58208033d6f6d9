package reshape

import (
	"log/slog"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// Creation is what decides about a target that there isn't.
type Creation struct {
	Table        *change.Table
	Name         string // the target's, quoted
	Known        bool   // there has been one
	Forget       string // the statement that forgets it
	SQL          string // the statement that makes it
	Policy       sinks.Policy
	CreateTables bool
}

// Create returns the statement that makes a missing target, empty if it is to stay away, and notes the change.
func (d *Decision) Create(c Creation) (string, error) {
	action := c.Policy.Of(sinks.KindNewTable)
	sql := c.SQL
	switch {
	case c.Known:
		return "", upsert.Halt("%s is gone and its rows with it: restore it, or forget it and take a snapshot: %s", c.Name, c.Forget)
	case action == sinks.Ignore:
		sql = ""
	case action == sinks.Halt:
		return "", upsert.Preflight("%s doesn't exist and on_schema_change.new_table is halt: %s", c.Name, c.SQL)
	case !c.CreateTables:
		return "", upsert.Preflight("%s doesn't exist and create_tables is off: %s", c.Name, c.SQL)
	}
	d.Changes = append(d.Changes, sinks.SchemaChange{Table: c.Table, Kind: sinks.KindNewTable, Action: action})
	return sql, nil
}

// Tell says what was done, by the statement if there was one, and what was ignored, once it is durable; met is told of each change.
func (d *Decision) Tell(log *slog.Logger, table *change.Table, statement string, met func(sinks.SchemaChange)) {
	if statement != "" {
		log.Info("target altered", "table", table.String(), "statement", statement)
	}
	for _, name := range d.Late {
		log.Warn("a column was made in the target that it should have had before: rows that are there lack its values until they change or a snapshot reads them",
			"table", table.String(), "column", name)
	}
	for _, name := range d.Relabelled {
		log.Warn("the source has given labels of an enumeration other names: rows that are there keep the old ones, as text, until they change or a snapshot reads them",
			"table", table.String(), "column", name)
	}
	for _, c := range d.Changes {
		if c.Action == sinks.Ignore {
			log.Warn("the source's table has changed and the target stays as it is, as on_schema_change says", "table", table.String(),
				"kind", string(c.Kind), "column", c.Column)
		}
		met(c)
	}
}
