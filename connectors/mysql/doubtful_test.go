package mysql

import "testing"

// TestDoubtful: a statement whose names can't be read may be about a captured table, or drop its database.
func TestDoubtful(t *testing.T) {
	t.Parallel()
	sel, err := newSelection([]string{"d.*"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := &assembler{selection: sel}
	for sql, want := range map[string]bool{
		"drop database `\xe4`": true, "drop database a /* \xe4 */": false, "drop table `\xe4`.t": true, "drop table d.`\xe4`": true, "drop table e.`\xe4`": false,
		"savepoint `\xe4`": false,
	} {
		q := query{schema: "d"}
		if q.sql, q.foreign = q.status.text(sql); !q.foreign {
			t.Fatalf("%q can be read", sql)
		}
		s, err := parseStatement(q)
		if err != nil || a.doubtful(s) != want {
			t.Errorf("%q: %t, %v", sql, !want, err)
		}
	}
}
