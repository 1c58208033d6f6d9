package testenv

import (
	"context"
	"database/sql"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// MyServer is a MySQL or MariaDB server of one test. Its My is the database "test".
type MyServer struct {
	*My
	*Process
}

// StartMySQL makes and starts a server of that name (see MySQLServers) for this test alone, ended at cleanup. It takes about a
// second, and MySQL 300 MB. Its server_id is its port; MySQL's server_uuid is its own.
func StartMySQL(t testing.TB, name string, options Options) *MyServer {
	t.Helper()
	variable := "TAILWATER_" + strings.ToUpper(mySQLName(t, name))
	lookup(t, name, variable+"_BIN")
	s := &MyServer{My: newMy(t, name, ""), Process: &Process{
		Dir: rootedDir(t, os.Getenv(variable+"_ROOT"), name), t: t, name: name, recipe: recipe(t, name),
		settings: slices.Clone(options.Settings), interrupt: syscall.SIGTERM,
	}}
	t.Cleanup(s.disconnect) // runs once the server is gone
	s.ready = s.connectable
	err := s.begin(func(p *Process) error {
		s.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(p.Port))
		s.DSN = s.As("root", "")
		return p.run("prepare", append([]string{p.Dir, strconv.Itoa(p.Port)}, options.Born...)...)
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Exec("create database if not exists test")
	s.disconnect()
	s.Database = "test"
	s.DSN = s.As("root", "")
	return s
}

// connectable is the server's readiness: it has recovered and takes statements.
func (s *MyServer) connectable(ctx context.Context) error {
	s.disconnect() // of its life before
	return s.inServer(ctx, func(conn *sql.Conn) error { return s.identify(ctx, conn) })
}
