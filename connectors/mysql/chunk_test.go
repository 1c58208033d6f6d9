package mysql

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// workload writes to the tables of makeTables until it is stopped, from some sessions at a time.
type workload struct {
	cancel context.CancelFunc
	wait   sync.WaitGroup
	n      atomic.Int64
}

var workloadNames = []string{"pair", "hist", "nothing", "doc"}

// makeTables makes tables with a plain key, a composite one of text under a collation, without a key, and without rows.
func makeTables(my *testenv.My) {
	for _, sql := range []string{
		"create table doc (id bigint primary key, n int not null, body mediumtext)",
		"create table pair (a int, b varchar(100) character set latin1 collate latin1_german1_ci, n decimal(20,3), primary key (b, a))",
		"create table hist (at timestamp(6) not null default now(6), what varchar(50))",
		"create table nothing (id int primary key)",
		"create table seq (i int primary key)", "insert into seq values (1)",
	} {
		my.Exec(sql)
	}
	for n := 1; n < 6000; n *= 2 {
		my.Exec(fmt.Sprintf("insert into seq select i + %d from seq", n))
	}
	for _, sql := range []string{
		"insert into doc select i, 0, if(i % 7 = 0, repeat(sha2(i, 256), 50), 'short') from seq where i <= 6000",
		"insert into pair select i % 7, concat('k', i), i from seq where i <= 6000",
		"insert into hist (what) select concat('row ', i % 50) from seq where i <= 2000",
		"drop table seq",
	} {
		my.Exec(sql)
	}
}

func startWorkload(t *testing.T, my *testenv.My, sessions int) *workload {
	ctx, cancel := context.WithCancel(t.Context())
	w := &workload{cancel: cancel}
	for i := range sessions {
		conn := my.Connect()
		random := rand.New(rand.NewPCG(uint64(i), 7))
		w.wait.Go(func() {
			for ctx.Err() == nil {
				_, err := conn.ExecContext(context.WithoutCancel(ctx), randomStatement(random))
				if err != nil && !expected(err) {
					t.Error(err)
					return
				}
				w.n.Add(1)
			}
		})
	}
	return w
}

func (w *workload) stop() int64 {
	w.cancel()
	w.wait.Wait()
	return w.n.Load()
}

func randomStatement(r *rand.Rand) string {
	id := 1 + r.IntN(6200)
	switch r.IntN(12) {
	case 0, 1, 2:
		return fmt.Sprintf("update doc set n = n + 1 where id = %d", id/7*7)
	case 3:
		return fmt.Sprintf("delete from doc where id = %d", id)
	case 4:
		return fmt.Sprintf("insert into doc values (%d, 1, repeat('x', %d)) on duplicate key update body = values(body)", id, r.IntN(4000))
	case 5:
		return fmt.Sprintf("insert into hist (what) values ('new %d')", id%50)
	case 6:
		return fmt.Sprintf("delete from hist where what = 'row %d' limit 1", id%50)
	case 7:
		return fmt.Sprintf("update hist set what = 'changed' where what = 'row %d' limit 1", id%50)
	case 8:
		return fmt.Sprintf("update pair set b = concat(b, '_') where b = 'k%d'", id) // the key changes
	case 9:
		return fmt.Sprintf("update pair set b = upper(b) where b = 'k%d'", id) // to one that the server takes for the same
	case 10:
		return fmt.Sprintf("replace into pair values (%d, 'K%d', 0)", id%7, id)
	}
	return fmt.Sprintf("delete from pair where b like 'k%d%%'", id)
}

// each runs f on every server.
func each(t *testing.T, f func(t *testing.T, my *testenv.My)) {
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, testenv.MySQL(t, name))
		})
	}
}

func TestSnapshotUnderWrites(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		makeTables(my)
		p := newPipe(t, my, workloadNames...)
		w := startWorkload(t, my, 4)
		for !p.done() {
			p.read()
		}
		n := w.stop()
		p.finish()
		p.compare()
		t.Logf("%d statements meanwhile, %+v", n, p.source.Progress())
		if n < 20 {
			t.Errorf("only %d statements were run meanwhile", n)
		}
	})
}

// TestSnapshotIsResumed kills the reader again and again, and goes on from any place that was saved, with a target that stands there
// or further on.
func TestSnapshotIsResumed(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		type place struct {
			start  connectors.Start
			target *memory
		}
		makeTables(my)
		p := newPipe(t, my, workloadNames...)
		p.config.chunkBytes = 16 << 10
		w := startWorkload(t, my, 2)
		random := rand.New(rand.NewPCG(1, 2))
		places := []place{{p.start, p.target.clone()}}
		for range 10 {
			for range 1 + random.IntN(20) {
				p.read()
				places = append(places, place{p.start, p.target.clone()})
			}
			p.close()
			at := max(0, len(places)-1-random.IntN(6))
			places = places[:at+1]
			p.start = places[at].start
			if random.IntN(2) == 0 {
				p.target = places[at].target.clone()
			}
			p.open()
		}
		w.stop()
		p.finish()
		p.compare()
	})
}

// expected says that another session was in the way.
func expected(err error) bool {
	var my *driver.MySQLError
	return errors.As(err, &my) && (my.Number == 1062 || my.Number == 1213 || my.Number == 1020)
}
