package e2e

import (
	"slices"
	"strings"
	"testing"
)

// TestOthersModes: what PostgreSQL sources go through in TestOthersPostgres, by other ways into the target.
func TestOthersModes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, link, sink string }{
		{"lanes", "atomic: false, lanes: 4", ""},
		{"soft_delete", "", ", mode: soft_delete"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := pgRig(t, "pg18", "pg15", "direct")
			r.config.link, r.config.inSink = c.link, ", on_schema_change: { drop: apply }"+c.sink
			cases := slices.Concat(pgStatements, pgKeys, pgShapes, pgTables, pgNames, pgTargets, pgMore, pgKeysOfEveryType())
			cases = slices.DeleteFunc(cases, func(p pgCase) bool {
				exchange := strings.Contains(p.ready, " unique")                                        // values go from row to row: over lanes, or to rows that are kept
				return exchange || c.name == "soft_delete" && strings.Contains(p.name, "1,600 columns") // there is no room for our column
			})
			r.pgOthers(t, "behind", cases)
		})
	}
}
