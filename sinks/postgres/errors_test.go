package postgres_test

import (
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/postgres"
)

func TestClassOfCode(t *testing.T) {
	t.Parallel()
	cases := map[sinks.Class][]string{
		sinks.Retry:  {"40001", "40P01", "55P03", "57P01", "57P03", "57014", "08006", "53100", "53300", "25006", "25P03", "25P04", "42P01", "42703", "XX000", ""},
		sinks.Wait:   {"23505", "23503", "23001", "23P01"},
		sinks.Reject: {"22001", "22003", "22021", "22P02", "23502", "23514", "42804", "21000", "54000", "P0001"},
		sinks.Fatal:  {"42501", "3D000", "28P01", "28000", "42883", "42601", "0A000"},
	}
	for want, codes := range cases {
		for _, code := range codes {
			if got := postgres.ClassOfCode(code); got != want {
				t.Errorf("%s is %s, want %s", code, got, want)
			}
		}
	}
}

func withUser(t *testing.T, raw, user string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(user)
	return u.String()
}

func TestOpenSaysWhy(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	role := "outside_" + pg.Database
	pg.Exec("create role " + quote(role) + " login; revoke connect on database " + quote(pg.Database) + " from public")
	t.Cleanup(func() { pg.Exec("drop role " + quote(role)) })
	cases := []struct {
		name string
		set  func(*postgres.Config)
		want error
	}{
		{"nobody listens", func(c *postgres.Config) { c.URL = "postgres://postgres@127.0.0.1:1/x?sslmode=disable" }, change.ErrUnreachable},
		{"no such role", func(c *postgres.Config) { c.URL = withUser(t, c.URL, "nobody_here") }, change.ErrDenied},
		{"no right to connect", func(c *postgres.Config) { c.URL = withUser(t, c.URL, role) }, change.ErrDenied},
		{"no such database", func(c *postgres.Config) { c.URL = strings.Replace(c.URL, pg.Database, "no_such", 1) }, change.ErrDenied},
		{"no such schema", func(c *postgres.Config) { c.Schema = "no_such" }, change.ErrPreflight},
		{"no such mode", func(c *postgres.Config) { c.Mode = "merge" }, change.ErrPreflight},
		{"no url", func(c *postgres.Config) { c.URL = "postgres://%zz" }, change.ErrPreflight},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conf := config(pg)
			c.set(&conf)
			if _, err := postgres.Open(t.Context(), conf, slog.New(slog.DiscardHandler)); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// TestGrants runs what Grants prints: a role with these rights and no more opens, creates and applies.
func TestGrants(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 18)
	role := pg.Database + "_si'nk$grants$"
	quoted := `"` + role + `"`
	pg.Exec("create role " + quoted + " login")
	t.Cleanup(func() { pg.Exec("drop owned by " + quoted + "; drop role " + quoted) })
	pg.Exec("create schema shop")
	c := config(pg)
	c.URL, c.Schema = withUser(t, c.URL, role), "shop"
	_, err := postgres.Open(t.Context(), c, slog.New(slog.DiscardHandler))
	if !errors.Is(err, change.ErrDenied) {
		t.Fatalf("without grants: %v", err)
	}
	if worst(postgres.Doctor(t.Context(), c)) != preflight.Error {
		t.Error("the doctor finds nothing wrong without grants")
	}
	for _, before := range []string{"select 'role and schema stand'", "select 'all stands'", "drop owned by " + quoted + "; drop role " + quoted + "; drop schema shop cascade"} {
		pg.Exec(before)
		sql, err := postgres.Grants(c)
		if err != nil {
			t.Fatal(err)
		}
		pg.Exec(sql)
		s := open(t, c)
		mustApply(t, s, at(table(), 1, change.Insert, change.Int(1), change.Text("x"), change.Null()))
		wantRows(t, pg, "select id, a from shop.t", "1|x")
		if f := postgres.Doctor(t.Context(), c); worst(f) != preflight.OK {
			t.Errorf("after %s: the doctor finds %+v", before, f)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func worst(findings []preflight.Finding) preflight.Severity {
	out := preflight.OK
	for _, f := range findings {
		if f.Severity == preflight.Error || f.Severity == preflight.Warn && out == preflight.OK {
			out = f.Severity
		}
	}
	return out
}

func TestDoctorAndVerbs(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	c := config(pg)
	if f := postgres.Doctor(t.Context(), c); worst(f) != preflight.OK {
		t.Errorf("an empty schema: %+v", f)
	}
	if pg.Value("select count(*) from pg_tables where schemaname = 'public'") != "0" {
		t.Error("the doctor has made tables")
	}
	s := open(t, c)
	bad := sinks.Parked{Change: at(table(), 1, change.Insert, change.Int(1), change.Text("x"), change.Null()), Lane: change.Lane{Stream: "s"}, Code: "X"}
	mark := change.Mark{Lane: bad.Lane, Next: 1}
	row := at(table(), 2, change.Insert, change.Int(2), change.Text("x"), change.Null())
	if err := s.ApplyAt(t.Context(), []change.Change{row}, []sinks.Parked{bad}, []change.Mark{{Lane: bad.Lane}}, []change.Mark{mark}); err != nil {
		t.Fatal(err)
	}
	if parked, err := s.ListParked(t.Context()); err != nil || len(parked) != 1 || parked[0].Code != "X" {
		t.Errorf("parked are %+v, %v", parked, err)
	}
	pg.Exec("create unique index mine on t (a)")
	f := postgres.Doctor(t.Context(), c)
	if worst(f) != preflight.Warn || !strings.Contains(f[len(f)-1].Summary, "mine") {
		t.Errorf("the doctor doesn't list a unique index: %+v", f)
	}
	pg.Exec("alter table t drop constraint t_pkey")
	if f := postgres.Doctor(t.Context(), c); worst(f) != preflight.Error {
		t.Errorf("the doctor doesn't miss the key: %+v", f)
	}
	if err := s.Drop(t.Context()); err != nil {
		t.Fatal(err)
	}
	state, err := s.Load(t.Context(), "s")
	if err != nil || len(state.Marks)+len(state.Parked) != 0 {
		t.Errorf("after drop: %+v, %v", state, err)
	}
	wantRows(t, pg, "select id from t", "2")
}
