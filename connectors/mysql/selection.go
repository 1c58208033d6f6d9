package mysql

import "github.com/tailwater-cdc/tailwater/connectors/internal/tables"

// selection says which tables are captured. It is immutable.
type selection struct{ tables.Selection }

func newSelection(include, exclude []string) (selection, error) {
	s, err := tables.Parse("database.table", include, exclude)
	return selection{s}, err
}
