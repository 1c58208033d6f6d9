package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// streaming are the points that a running pipeline passes; the three of the publisher exist in Kafka's only.
var streaming = []string{"source.decoded", "capture.published", "publish.before", "publish.sent", "publish.acked", "capture.acked",
	"save.before", "save.after", "release.before", "release.after", "sink.begun", "sink.written", "sink.committed"}

// snapshotting are the points of a first snapshot, each with the passing at which the process dies.
var snapshotting = []string{"snapshot.position_saved:1", "snapshot.chunk_read:1", "snapshot.chunk_read:2", "snapshot.chunk_published:1",
	"snapshot.chunk_published:2", "snapshot.before_done:1", "snapshot.before_done:2"}

func rounds() int {
	if n, err := strconv.Atoi(os.Getenv("ROUNDS")); err == nil {
		return n
	}
	return 3
}

// routes are the ways of the suite: each engine is a source and a target, through Kafka and directly. On the first two, where a server of
// Postgres can be of two versions, both take turns.
func routes(i int) []route {
	pg := []string{"pg15", "pg18"}[i%2]
	return []route{{"kafka", pg, "pg15"}, {"direct", pg, "pg15"}, {"kafka", "mysql97", "mariadb10"}, {"direct", "mariadb118", "mysql97"}}
}

func TestStreaming(t *testing.T) {
	for i, point := range streaming {
		for _, way := range routes(i) {
			if way.stream == "direct" && strings.HasPrefix(point, "publish.") {
				continue
			}
			t.Run(way.String()+"/"+point, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, way)
				r.source.seed(300)
				r.start("", "--once").ends("the first snapshot")
				l := startLoad(t, r.source, uint64(i))
				for round := range rounds() {
					r.round(l, point, round)
				}
				r.finish(l)
			})
		}
	}
}

// round runs the program until the load has written some, kills it at the point, and counts what was in flight.
func (r *rig) round(l *load, point string, round int) {
	r.t.Helper()
	for try := range 10 {
		p := r.start(point)
		before := l.committed()
		testenv.Wait(r.t, "the load to go on", func() bool { return l.committed() > before+100 && r.caughtUp() || !p.alive() })
		p.fireFault()
		p.killed(point)
		at, ok := r.saved()
		if !ok {
			r.t.Fatal("no checkpoint after a kill in mid-stream")
		}
		r.neverAhead(l, at)
		if n := l.above(at); n > 0 {
			r.t.Logf("killed at %s, round %d: %d transactions committed and not saved", point, round+1, n)
			return
		}
		r.t.Logf("killed at %s, but nothing was in flight (try %d)", point, try+1)
	}
	r.t.Fatalf("nothing was ever in flight at %s", point)
}

// caughtUp says that the program works: the target has a transaction of the load's.
func (r *rig) caughtUp() bool {
	return r.target.has("seq") && r.target.Value("select coalesce(max(n), 0) from seq") != "0"
}

func TestSnapshot(t *testing.T) {
	for i, point := range snapshotting {
		for _, way := range routes(i) {
			t.Run(way.String()+"/"+point, func(t *testing.T) {
				t.Parallel()
				for round := range rounds() {
					r := newRig(t, way)
					r.source.seed(20000)
					r.round0(point, round)
				}
			})
		}
	}
}

// round0 kills a first snapshot, and deletes and changes the key of a row that has been read before the program comes back.
func (r *rig) round0(point string, round int) {
	r.t.Helper()
	l := startLoad(r.t, r.source, uint64(round))
	testenv.Wait(r.t, "the load to begin", func() bool { return l.committed() > 20 })
	p := r.start(point)
	name, _, _ := strings.Cut(point, ":")
	if name == "snapshot.position_saved" { // before anything can be seen from outside
		p.fireFault()
		p.killed(name)
		l.markUnread()
	} else {
		testenv.Wait(r.t, "the first place to be saved", func() bool { return r.begun() || !p.alive() })
		l.markUnread()
		p.fireFault()
		p.killed(name)
	}
	at, ok := r.saved()
	if !ok {
		r.t.Fatalf("killed at %s: no position was saved", point)
	}
	r.neverAhead(l, at)
	r.source.Exec("delete from acct where id in (2995, 2998)")
	r.source.Exec("update acct set id = 900001 where id = 2992")
	r.source.Exec("delete from doc where k = 'd999'")
	before := l.committed()
	testenv.Wait(r.t, "the load to go on", func() bool { return l.committed() > before+50 })
	r.t.Logf("killed at %s, round %d: %d transactions committed and not saved", point, round+1, l.above(at))
	r.finish(l)
}

// neverAhead holds the saved place against what is durable, and what the server may have forgotten against the saved place (invariant 1).
func (r *rig) neverAhead(l *load, saved uint64) {
	r.t.Helper()
	if released, ok := r.source.released(); ok && released > saved {
		r.t.Fatalf("the log was released up to %X, the checkpoint stands at %X", released, saved)
	}
	durable := r.durable()
	for worker, n := range l.last(saved) {
		if n <= l.unread[worker] {
			continue // before the source was opened: the snapshot reads it
		}
		if durable[worker] < n {
			r.t.Fatalf("the checkpoint covers transaction %d of worker %d, the far side has %d: lost if this process never came back", n, worker, durable[worker])
		}
	}
}

// durable is the last transaction of each worker that the stream's far side holds: the topic, or the target in direct mode.
func (r *rig) durable() map[int]int64 {
	r.t.Helper()
	last := map[int]int64{}
	if r.route.stream == "direct" {
		if !r.target.has("seq") {
			return last
		}
		for _, row := range r.target.Query("select worker, n from seq") {
			w, _ := strconv.Atoi(row[0])
			last[w], _ = strconv.ParseInt(row[1], 10, 64)
		}
		return last
	}
	for _, rec := range r.topic("seq") {
		if rec.After != nil {
			last[rec.After.Worker] = max(last[rec.After.Worker], rec.After.N)
		}
	}
	return last
}

// finish lets the program catch up under load, stops both, and holds the ends against each other.
func (r *rig) finish(l *load) {
	r.t.Helper()
	p := r.start("")
	before := l.committed()
	testenv.WaitFor(r.t, 2*time.Minute, "the pipeline to run under load", func() bool {
		return l.committed() > before+50 && strings.Contains(p.out.String(), "state=running") || !p.alive()
	})
	n := l.stop(r.t)
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		r.t.Fatal(err)
	}
	p.ends("the graceful stop")
	r.start("", "--once").ends("run --once")
	for table, columns := range map[string]string{"acct": "id, ver, owner, note", "doc": "k, part, ver, body", "hist": "what, n", "seq": "worker, n"} {
		query := fmt.Sprintf("select %s from %s", columns, table)
		testenv.Compare(r.t, r.source.Of(query), r.target.Of(query))
	}
	if r.route.stream == "kafka" {
		r.ordered()
	}
	r.t.Logf("%d transactions, both ends equal", n)
}

// record is what a reader of a topic that knows nothing of us sees.
type record struct {
	Position, Txn string
	After         *struct {
		ID     int64
		Ver    int64
		Worker int
		N      int64
	}
}

// ordered reads the topics: no key goes back, nothing that was rolled back is there, and of each worker every transaction is.
func (r *rig) ordered() {
	r.t.Helper()
	for _, table := range []string{"acct", "doc", "hist", "seq"} {
		for _, rec := range r.topic(table) {
			if rec.After != nil && (rec.After.Ver == phantom || rec.After.N == phantom) {
				r.t.Errorf("topic %s holds a row of a transaction that was rolled back: %+v", table, *rec.After)
			}
		}
	}
	next := map[int]int64{}
	for _, rec := range r.topic("seq") {
		if rec.After == nil || rec.Txn == "" {
			continue
		}
		w, n := rec.After.Worker, rec.After.N
		if want := next[w]; want != 0 && n != want {
			r.t.Errorf("worker %d: transaction %d after %d in the topic", w, n, want-1)
		}
		next[w] = n + 1
	}
}

// topic is every record of a table's topic, lane by lane, each key's positions checked on the way.
func (r *rig) topic(table string) []record {
	r.t.Helper()
	ctx := context.Background()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(r.broker.Addr), Transport: transport}
	name := r.prefix + "." + r.source.schema() + "." + table
	meta, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{name}})
	if err != nil {
		r.t.Fatal(err)
	}
	if errors.Is(meta.Topics[0].Error, kafka.UnknownTopicOrPartition) {
		return nil // not made yet
	}
	var all []record
	for partition := range 3 {
		var end int64
		testenv.Wait(r.t, "the leader of "+name, func() bool { // a topic may have been made a moment ago
			ends, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{name: {kafka.LastOffsetOf(partition)}}})
			if err != nil || ends.Topics[name][0].Error != nil {
				return false
			}
			end = ends.Topics[name][0].LastOffset
			return true
		})
		last := map[string]string{}
		for offset := int64(0); offset < end; {
			var res *kafka.FetchResponse
			testenv.Wait(r.t, "records of "+name, func() bool { // an answer with an error in it holds none
				var err error
				res, err = client.Fetch(ctx, &kafka.FetchRequest{Topic: name, Partition: partition, Offset: offset, MinBytes: 1, MaxBytes: 8 << 20})
				return err == nil && res.Error == nil
			})
			before := offset
			for {
				rec, err := res.Records.ReadRecord()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					r.t.Fatal(err)
				}
				offset = rec.Offset + 1
				all = append(all, r.record(rec, last)...)
			}
			if offset == before {
				offset++ // a control record
			}
		}
	}
	return all
}

func (r *rig) record(rec *kafka.Record, last map[string]string) []record {
	r.t.Helper()
	key, err1 := kafka.ReadAll(rec.Key)
	if rec.Value == nil {
		return nil // a tombstone or a marker
	}
	value, err2 := kafka.ReadAll(rec.Value)
	var out record
	err3 := json.Unmarshal(value, &out)
	if err := errors.Join(err1, err2, err3); err != nil {
		r.t.Fatalf("record %s: %v", value, err)
	}
	for _, h := range rec.Headers {
		switch h.Key {
		case "tw.pos":
			out.Position = string(h.Value)
		case "tw.txn":
			out.Txn = string(h.Value)
		}
	}
	if out.Txn != "" {
		if out.Position <= last[string(key)] {
			r.t.Errorf("key %s: position %s after %s", key, out.Position, last[string(key)])
		}
		last[string(key)] = out.Position
	}
	return []record{out}
}
