package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/postgres"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestGrants opens as a role that has what Grants says, and nothing else.
func TestGrants(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		role := "cdc_" + pg.Database
		pg.Exec("create schema s; create table s.a (id int primary key, v text); revoke all on schema s from public")
		c := config(t, pg)
		c.URL = strings.Replace(c.URL, "postgres@", role+"@", 1)
		c.Include = []string{"s.a"}
		c.Publication.Create = false
		c.SnapshotMode = postgres.SnapshotInitial
		grants, err := postgres.Grants(c)
		if err != nil {
			t.Fatal(err)
		}
		pg.Psql(grants)
		t.Cleanup(func() { pg.Exec("drop publication \"Pub\"; drop owned by " + role + "; drop role " + role) })
		for _, f := range postgres.Doctor(t.Context(), c) {
			if f.Severity == preflight.Error {
				t.Errorf("doctor after the grants: %+v", f)
			}
		}
		pg.Exec("insert into s.a values (1, 'x')")
		r := read(t, c, fresh)
		for len(r.got) < 1 {
			if err := r.next(); err != nil {
				t.Fatal(err)
			}
		}
		pg.Exec("insert into s.a values (2, 'y')")
		want(t, r.all(), `snapshot_row a + 1 "x"`, `insert a + 2 "y"`)
		r.close()
	})
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec(`create table a (id int primary key); create table nokey (id int); create unlogged table u (id int);
			create publication "Pub" for table a with (publish_via_partition_root = true)`)
		c := config(t, pg)
		findings := postgres.Doctor(t.Context(), c)
		for _, expected := range []preflight.Finding{
			{Check: "postgres.wal_level", Severity: preflight.OK},
			{Check: "postgres.slot", Severity: preflight.OK},
			{Check: "postgres.tables", Severity: preflight.Warn, Fix: `ALTER TABLE "public"."u" SET LOGGED;`},
			{Check: "postgres.publication", Severity: preflight.Warn, Fix: `ALTER PUBLICATION "Pub" ADD TABLE "public"."nokey";`},
			{Check: "postgres.replica_identity", Severity: preflight.Warn, Fix: `ALTER TABLE "public"."nokey" REPLICA IDENTITY FULL;`},
			{Check: "postgres.select", Severity: ""},
		} {
			found := slices.ContainsFunc(findings, func(f preflight.Finding) bool {
				return f.Check == expected.Check && f.Severity == expected.Severity && f.Fix == expected.Fix
			})
			if found != (expected.Severity != "") {
				t.Errorf("%+v found: %t, in %+v", expected, found, findings)
			}
		}
		c.URL = "postgres://postgres@127.0.0.1:1/x?sslmode=disable"
		if f := postgres.Doctor(t.Context(), c); len(f) != 1 || f[0].Check != "postgres.reachable" || f[0].Severity != preflight.Error {
			t.Errorf("of a server that isn't there: %+v", f)
		}
	})
}

func TestDrop(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table a (id int primary key); create publication theirs for table a with (publish_via_partition_root = true)")
		c := config(t, pg)
		r := read(t, c, fresh)
		_, err := postgres.Drop(t.Context(), c)
		wantError(t, err, change.ErrBusy, c.Slot.Name)
		r.close()
		done, err := postgres.Drop(t.Context(), c)
		if err != nil || len(done) != 2 || !strings.Contains(done[0], "dropped") || !strings.Contains(done[1], "dropped") {
			t.Errorf("drop: %q, %v", done, err)
		}
		c.Publication.Name = "theirs"
		done, err = postgres.Drop(t.Context(), c)
		if err != nil || !strings.Contains(done[0], "none") || !strings.Contains(done[1], "stays") {
			t.Errorf("drop of what is not ours: %q, %v", done, err)
		}
	})
}

func TestSnapshotThenStream(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table a (id int primary key, v text); insert into a select g, 'x' from generate_series(1, 1000) g")
		c := config(t, pg)
		c.SnapshotMode = postgres.SnapshotInitial
		r := read(t, c, fresh)
		for len(r.got) < 1000 {
			if err := r.next(); err != nil {
				t.Fatal(err)
			}
		}
		pg.Exec("insert into a values (1001, 'y')")
		got := r.all()
		for i := range got[:1000] {
			if got[i].Op != change.SnapshotRow || got[i].After[0].Int() != int64(i+1) {
				t.Fatalf("row %d is %s %d", i, got[i].Op, got[i].After[0].Int())
			}
		}
		want(t, got[1000:], `insert a + 1001 "y"`)
		if got[0].Table != got[1000].Table {
			t.Error("the snapshot and the stream have a Table each")
		}
		status, err := r.Source.(*postgres.Source).Status(t.Context())
		if err != nil || !status.Active || status.WALStatus != "reserved" {
			t.Errorf("status %+v, %v", status, err)
		}
	})
}

// TestDoctorOfPartitions: what the log doesn't tell is said by table beforehand.
func TestDoctorOfPartitions(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table a (id int primary key); create table p (id int primary key) partition by range (id); create table p1 partition of p default")
		for _, mode := range []postgres.SnapshotMode{postgres.SnapshotInitial, postgres.SnapshotNever} {
			c := config(t, pg)
			c.SnapshotMode = mode
			var said []preflight.Finding
			for _, f := range postgres.Doctor(t.Context(), c) {
				if f.Check == "postgres.partitions" {
					said = append(said, f)
				}
			}
			if len(said) != 1 || said[0].Severity != preflight.Warn || !strings.Contains(said[0].Summary, "public.p ") || !strings.Contains(said[0].Fix, "tailwater snapshot start --table public.p") {
				t.Errorf("%s: %+v", mode, said)
			}
		}
	})
}

// TestDoctorOfReading: that the role may not read a table, or not all of its rows, is said by table beforehand, with the statement that mends it.
func TestDoctorOfReading(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		role := "cdc_" + pg.Database
		pg.Exec("create table a (id int primary key, v text)")
		c := config(t, pg)
		c.URL = strings.Replace(c.URL, "postgres@", role+"@", 1)
		c.Include, c.SnapshotMode = []string{"public.a"}, postgres.SnapshotInitial
		grants, err := postgres.Grants(c)
		if err != nil {
			t.Fatal(err)
		}
		pg.Psql(grants)
		t.Cleanup(func() { pg.Exec("drop publication \"Pub\"; drop owned by " + role + "; drop role " + role) })
		bypass := `ALTER ROLE "` + role + `" BYPASSRLS;`
		for _, step := range []struct {
			sql, check, fix string
			mode            postgres.SnapshotMode
			severity        preflight.Severity
		}{
			{"select", "", "", postgres.SnapshotInitial, ""},
			{"revoke select on a from " + role, "postgres.select", `GRANT USAGE ON SCHEMA "public" TO "` + role + `"; GRANT SELECT ON "public"."a" TO "` + role + `";`,
				postgres.SnapshotInitial, preflight.Error},
			{"grant select on a to " + role + "; alter table a enable row level security", "postgres.row_security", bypass, postgres.SnapshotInitial, preflight.Error},
			{"select", "postgres.row_security", bypass, postgres.SnapshotNever, preflight.Warn},
			{"alter role " + role + " bypassrls", "", "", postgres.SnapshotInitial, ""},
		} {
			pg.Exec(step.sql)
			c.SnapshotMode = step.mode
			got := preflight.Finding{}
			for _, f := range postgres.Doctor(t.Context(), c) {
				if f.Check == "postgres.select" || f.Check == "postgres.row_security" {
					got = f
				}
			}
			if got.Check != step.check || got.Severity != step.severity || got.Fix != step.fix {
				t.Errorf("%s: %+v, want %s", step.sql, got, step.check)
			}
		}
	})
}
