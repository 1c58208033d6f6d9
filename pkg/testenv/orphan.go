package testenv

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// A test binary that is killed runs no cleanup. Its databases would stay, and their slots would hold the server's log
// for ever, so names tell whose they are: tw_{where}_{pid}_{random}, where stands for this boot and pid namespace.

func databaseName(t testing.TB) string {
	t.Helper()
	here, err := where()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("tw_%s_%d_%s", here, os.Getpid(), random(4))
}

// where names the set of processes that pids here count in: another machine's or container's pid says nothing here.
func where() (string, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("name this machine: %w", err)
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return "", fmt.Errorf("name this pid namespace: %w", err)
	}
	sum := fnv.New32a()
	fmt.Fprintf(sum, "%s %s", boot, namespace)
	return fmt.Sprintf("%08x", sum.Sum32()), nil
}

// sweepLock is the advisory lock of whoever drops orphans: one at a time, the others needn't.
const sweepLock = 0x7461696c

// dropOrphans drops the databases of processes of this machine that are gone.
func dropOrphans(ctx context.Context, adminURL string, admin *pgx.Conn) error {
	here, err := where()
	if err != nil {
		return err
	}
	var mine bool
	if err := admin.QueryRow(ctx, "select pg_try_advisory_lock($1)", sweepLock).Scan(&mine); err != nil {
		return fmt.Errorf("lock the list of databases: %w", err)
	}
	if !mine {
		return nil
	}
	rows, err := admin.Query(ctx, "select datname from pg_database where starts_with(datname, $1)", "tw_"+here+"_")
	if err != nil {
		return fmt.Errorf("list databases: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("list databases: %w", err)
	}
	for _, name := range names {
		if !orphan(name) {
			continue
		}
		if err := drop(ctx, adminURL, name); err != nil {
			return fmt.Errorf("of a test that died: %w", err)
		}
	}
	return nil
}

// orphan reports whether the process in the database's name is gone.
func orphan(name string) bool {
	parts := strings.Split(name, "_")
	if len(parts) != 4 {
		return false
	}
	pid, err := strconv.Atoi(parts[2])
	return err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}
