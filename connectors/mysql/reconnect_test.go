package mysql_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/connectors/mysql"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestReaderIsBusy: a connection that the server ends while nobody reads is made anew, without loss and without repeat.
func TestReaderIsBusy(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table a (id int primary key, v varchar(2000))")
		c := config(t, my)
		o := opened(t, c, connectors.Start{Epoch: 1})
		const groups, rows = 4, 400
		for g := range groups {
			my.Exec("begin")
			for i := range rows {
				my.Exec(fmt.Sprintf("insert into a values (%d, repeat('x', 2000))", g*rows+i))
			}
			my.Exec("commit")
		}
		timer := time.NewTimer(2 * time.Second) // longer than what is taken for a busy reader
		defer timer.Stop()
		<-timer.C
		for _, row := range my.Query("select id from information_schema.processlist where command like 'Binlog Dump%' and user = '" + c.User + "'") {
			my.Exec("kill connection " + row[0])
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		my.Exec(fmt.Sprintf("insert into a values (%d, 'behind all that was on its way')", groups*rows))
		next := int64(0)
		for next <= groups*rows {
			b, err := o.Source.Read(ctx, 1<<20)
			if err != nil {
				t.Fatalf("after %d rows: %v", next, err)
			}
			for i := range b.Changes {
				ch := &b.Changes[i]
				if ch.Op != change.Insert {
					continue
				}
				if id := ch.After[0].Int(); id != next {
					t.Fatalf("row %d, want %d", id, next)
				}
				next++
			}
		}
	})
}

// TestLockIsLost: an instance whose lock is gone stops reading, since another may begin.
func TestLockIsLost(t *testing.T) {
	my := testenv.MySQL(t, "mariadb10")
	t.Parallel()
	c := config(t, my)
	o := opened(t, c, connectors.Start{Epoch: 1})
	for _, row := range my.Query("select id from information_schema.processlist where command = 'Sleep' and user = '" + c.User + "'") {
		my.Exec("kill connection " + row[0])
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		if _, err := o.Source.Read(ctx, 1<<20); err != nil {
			if !errors.Is(err, change.ErrUnreachable) || !strings.Contains(err.Error(), "lock") {
				t.Errorf("read without a lock: %v", err)
			}
			break
		}
	}
}

// TestTLS reads over TLS, and refuses a certificate that nobody vouches for.
func TestTLS(t *testing.T) {
	for _, name := range []string{"mysql97", "mariadb118"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			my := testenv.MySQL(t, name)
			my.Exec("create table a (id int primary key)")
			c := config(t, my)
			my.Exec("alter user '" + c.User + "'@'%' require ssl")
			if _, err := mysql.Open(c)(t.Context(), connectors.Start{Epoch: 1}); !errors.Is(err, change.ErrDenied) {
				t.Errorf("without TLS: %v", err)
			}
			c.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
			if _, err := mysql.Open(c)(t.Context(), connectors.Start{Epoch: 1}); err == nil {
				t.Error("a self-made certificate was taken")
			}
			c.TLS = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}
			s := startTail(t, my, c)
			my.Exec("insert into a values (1)")
			s.want("new_shape a", "insert a + 1")
		})
	}
}
