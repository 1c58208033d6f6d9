package myvalue

import "github.com/tailwater-cdc/tailwater/pkg/change"

// Column returns the change.Column of t.
func (t *Type) Column() change.Column {
	return change.Column{Name: t.Name, Native: t.Native, Nullable: t.Nullable, Generated: t.Generated}
}

// SelectExpr is how a SELECT must ask for the column so that Row.Text reads it; quoted is its name, quoted.
func (t *Type) SelectExpr(quoted string) string { return quoted }
