package testenv

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Options are what a private PostgreSQL, MySQL or MariaDB server differs in from the shared one.
type Options struct {
	Settings []string // "name=value" each, as in the server's own file of settings; they win over testdata/servers' own
	Born     []string // MySQL and MariaDB: settings that hold from a server's birth, such as lower_case_table_names; takes seconds
}

// PGServer is a PostgreSQL server of one test. Its PG is the database "postgres".
type PGServer struct {
	*PG
	*Process
}

// StartPostgres makes and starts a server for this test alone, ended at cleanup. It takes about a second.
func StartPostgres(t testing.TB, major int, options Options) *PGServer {
	t.Helper()
	name := postgresName(t, major)
	variable := "TAILWATER_" + strings.ToUpper(name)
	lookup(t, name, variable+"_BIN")
	s := &PGServer{Process: &Process{
		Dir: rootedDir(t, os.Getenv(variable+"_ROOT"), name), t: t, name: name, recipe: recipe(t, name),
		flag: "-c", settings: slices.Clone(options.Settings), interrupt: syscall.SIGINT,
	}}
	s.PG = newPG(t, name, "")
	t.Cleanup(func() { s.disconnect(context.WithoutCancel(t.Context())) }) // runs once the server is gone
	s.ready = s.connectable
	err := s.begin(func(p *Process) error {
		s.URL = fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", p.Port)
		s.Admin = s.URL
		if err := os.RemoveAll(filepath.Join(p.Dir, "data")); err != nil {
			return fmt.Errorf("begin again: %w", err)
		}
		return p.run("prepare", p.Dir)
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rootedDir makes a folder that the server can enter: below its chroot if it has one, else below the system's folder for
// temporary files.
func rootedDir(t testing.TB, root, name string) string {
	t.Helper()
	base := os.TempDir()
	if root != "" {
		base = filepath.Join(root, "tmp")
	}
	dir, err := os.MkdirTemp(base, "tailwater-"+name+"-")
	if err != nil {
		t.Fatalf("make a folder for %s: %v", name, err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { // the server runs as another user
		t.Fatalf("open the folder of %s: %v", name, err)
	}
	return dir
}

// connectable is the server's readiness: it has recovered and takes statements.
func (s *PGServer) connectable(ctx context.Context) error {
	s.disconnect(ctx) // of its life before
	conn, err := connect(ctx, s.Admin)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	s.PG.Major, err = majorOf(ctx, conn)
	return err
}
