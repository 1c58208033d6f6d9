package upsert

import (
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
)

// LogsActions says that the source's log is known to carry what foreign keys do by ON DELETE and ON UPDATE. MariaDB's never does, MySQL's does from 9.6 on
// if innodb_native_foreign_keys is off, which a shape doesn't tell. Where it doesn't, only the target's own foreign key keeps its rows right.
func LogsActions(t *change.Table) bool { return t.Engine == "postgres" }

// ForeignKey is what a doctor says of a target's foreign key.
func ForeignKey(has string, trusts bool) preflight.Finding {
	if trusts {
		return preflight.Finding{Check: "sink.constraints", Severity: preflight.OK, Summary: has + "; foreign_keys is trust: the source has checked it"}
	}
	return preflight.Finding{Check: "sink.constraints", Severity: preflight.Warn, Summary: has + "; rows that come before their parents wait for the other lanes, and are then refused",
		Fix: "if the source has it too, set foreign_keys: trust; else drop it on the target"}
}
