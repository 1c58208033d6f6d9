package mysql

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/tailwater-cdc/tailwater/connectors/internal/queue"
	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/rowimage"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// recorder keeps the events of a server's log as they come.
type recorder struct {
	events []*replication.BinlogEvent
	came   chan struct{}
}

func (r *recorder) HandleEvent(e *replication.BinlogEvent) error {
	if e.Header.EventType == replication.HEARTBEAT_EVENT {
		select {
		case <-r.came:
		default:
			close(r.came) // all that there is has come
		}
		return nil
	}
	r.events = append(r.events, e)
	return nil
}

// record returns the events that statements make, after those in front of a file's first group.
func record(t *testing.T, my *testenv.My, sql ...string) []*replication.BinlogEvent {
	t.Helper()
	end := my.Binlog()
	for _, s := range sql {
		my.Exec(s)
	}
	host, port := my.HostPort()
	flavor := MySQL
	if my.MariaDB {
		flavor = MariaDB
	}
	r := &recorder{came: make(chan struct{})}
	syncer := replication.NewBinlogSyncer(replication.BinlogSyncerConfig{ServerID: 4000000001, Flavor: flavor, Host: host, Port: port, User: "root",
		RawModeEnabled: true, DisableRetrySync: true, HeartbeatPeriod: 200 * time.Millisecond, Logger: slog.New(slog.DiscardHandler), SynchronousEventHandler: r})
	if _, err := syncer.StartSync(gomysql.Position{Name: end.File, Pos: uint32(end.Offset)}); err != nil {
		t.Fatal(err)
	}
	<-r.came
	syncer.Close()
	return r.events
}

// bench is an assembler of its own over recorded events.
type bench struct {
	*assembler
	t      *testing.T
	out    []change.Change
	ends   []queue.Mark[end]
	spools int
}

func newBench(t *testing.T, s *testenv.MyServer, events []*replication.BinlogEvent) *bench {
	t.Helper()
	config := Config{SourceID: "s", Flavor: MySQL, Addr: s.Addr, User: "root", Include: []string{"test.*"}, SpoolDir: t.TempDir()}
	if s.MariaDB {
		config.Flavor = MariaDB
	}
	config, err := config.checked()
	if err != nil {
		t.Fatal(err)
	}
	c := &catalog{config: &config}
	t.Cleanup(func() {
		if c.conn != nil {
			c.close()
		}
	})
	payload, err := rowimage.NewPayload(maxEventBytes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(payload.Close)
	sel, err := newSelection(config.Include, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, assembler: &assembler{epoch: 1, flavor: config.Flavor, maxRow: config.MaxRowBytes, selection: sel, shapes: newShapes(&config, c),
		logger: config.Logger, announced: map[tableName]*change.Table{}, payload: payload, frames: frames{limit: 500, dir: config.SpoolDir},
		highest: map[string]gtid{}, held: map[string]held{}, phases: &phases{}, looked: func(tableName) bool { return true }, appeared: func() {}, engines: func([]tableName, moment) error { return nil }}}
	b.emptyInto = func(s segment) error {
		b.out, b.ends = append(b.out, s.Changes...), append(b.ends, s.Ends...)
		return nil
	}
	b.present = func(ctx context.Context, t tableName) (d described, end logEnd, err error) { // the end: nothing is ahead
		err = c.session(ctx, func(conn *session) (err error) {
			d, err = describe(ctx, conn, config.Flavor, t)
			return err
		})
		return d, end, err
	}
	for _, e := range events {
		if r, ok := e.Event.(*replication.RotateEvent); ok {
			f, base, err := parseFile(string(r.NextLogName))
			if err != nil {
				t.Fatal(err)
			}
			b.id.Base, b.at.file, b.at.offset = base, f, r.Position
			break
		}
	}
	b.restart()
	return b
}

// feed takes events until one fails.
func (b *bench) feed(events []*replication.BinlogEvent) error {
	for _, e := range events {
		if err := b.take(context.WithoutCancel(b.t.Context()), e); err != nil {
			return err
		}
		if b.frames.file != nil {
			b.spools++
		}
	}
	return nil
}

// generic makes an event of the log.
func generic(like *replication.BinlogEvent, kind byte, body []byte) *replication.BinlogEvent {
	raw := append([]byte(nil), like.RawData[:headerBytes]...)
	raw[4] = kind
	raw = append(raw, body...)
	return &replication.BinlogEvent{RawData: raw, Header: like.Header, Event: &replication.GenericEvent{Data: body}}
}

func statementEvent(like *replication.BinlogEvent, sql string) *replication.BinlogEvent {
	return generic(like, eventQuery, append(append(make([]byte, 13), 0), sql...))
}

// rowsEvent is a statement that changes rows, of an event whose own fields take head bytes.
func rowsEvent(like *replication.BinlogEvent, kind byte, head int, sql string) *replication.BinlogEvent {
	body := make([]byte, head)
	body[8] = byte(len("test"))
	return generic(like, kind, append(append(body, "test\x00"...), sql...))
}

// lastIndex is where the last event of a kind is.
func lastIndex(events []*replication.BinlogEvent, kind byte) int {
	for i := len(events) - 1; i >= 0; i-- {
		if events[i].RawData[4] == kind {
			return i
		}
	}
	return -1
}

func TestAssembler(t *testing.T) {
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testenv.StartMySQL(t, name, testenv.Options{})
			s.Exec("create table a (id int primary key, v varchar(100))")
			events := record(t, s.My, "begin", "insert into a values (1, repeat('x', 90)), (2, 'y'), (3, 'z')", "update a set v = repeat('u', 99)", "commit")
			for _, c := range assemblerCases {
				t.Run(c.name, func(t *testing.T) {
					b := newBench(t, s, events)
					changed := c.change(events)
					err := b.feed(changed)
					c.check(t, b, err)
				})
			}
		})
	}
}

type eventList = []*replication.BinlogEvent

// with returns the events with the i-th replaced.
func with(events eventList, i int, e ...*replication.BinlogEvent) eventList {
	out := append(eventList(nil), events[:i]...)
	out = append(out, e...)
	return append(out, events[i+1:]...)
}

// renumber gives every table one number.
func renumber(events eventList, to uint64) eventList {
	out := eventList{}
	for _, e := range events {
		if kind := e.RawData[4]; kind == eventTableMap || rowimage.IsRows(kind) {
			body := append([]byte(nil), e.Event.(*replication.GenericEvent).Data...)
			binary.LittleEndian.PutUint32(body, uint32(to))
			binary.LittleEndian.PutUint16(body[4:], uint16(to>>32))
			raw := append([]byte(nil), e.RawData[:headerBytes]...)
			e = &replication.BinlogEvent{RawData: append(raw, body...), Header: e.Header, Event: &replication.GenericEvent{Data: body}}
		}
		out = append(out, e)
	}
	return out
}

func fails(want error, part string) func(t *testing.T, b *bench, err error) {
	return func(t *testing.T, b *bench, err error) {
		if !errors.Is(err, want) || !strings.Contains(err.Error(), part) {
			t.Errorf("%v, want %v with %q", err, want, part)
		}
		if len(b.out) > 0 {
			t.Errorf("%d changes before the end of the group", len(b.out))
		}
	}
}

var assemblerCases = []struct {
	name   string
	change func(events eventList) eventList
	check  func(t *testing.T, b *bench, err error)
}{
	{"a spooled group ends in COMMIT", func(e eventList) eventList { return e }, func(t *testing.T, b *bench, err error) {
		if err != nil || len(b.out) != 7 || b.spools == 0 {
			t.Fatalf("%d changes, %d spooled, %v", len(b.out), b.spools, err)
		}
		last := b.ends[len(b.ends)-1].At
		if last.id.isZero() || last.at.last.isZero() || last.at.upto.Less(b.out[6].Pos) {
			t.Errorf("the end %+v", last)
		}
	}},
	{"a spooled group ends in ROLLBACK", func(e eventList) eventList {
		at := lastIndex(e, eventXID)
		return with(e, at, statementEvent(e[at], "ROLLBACK"))
	}, func(t *testing.T, b *bench, err error) {
		if err != nil || len(b.out) != 0 || b.spools == 0 || b.ends[len(b.ends)-1].At.id.isZero() {
			t.Fatalf("%d changes, %d spooled, %+v, %v", len(b.out), b.spools, b.ends, err)
		}
	}},
	{"ROLLBACK TO takes back what is behind the savepoint", func(e eventList) eventList {
		at := lastIndex(e, eventXID)
		first := lastIndex(e[:lastIndex(e, eventTableMap)], eventTableMap)
		second := lastIndex(e, eventTableMap)
		e = with(e, at, statementEvent(e[at], "ROLLBACK TO `s`"), e[at])
		return with(e, second, statementEvent(e[first], "SAVEPOINT `s`"), e[second])
	}, func(t *testing.T, b *bench, err error) {
		if err != nil || len(b.out) != 4 {
			t.Fatalf("%d changes, %v", len(b.out), err)
		}
	}},
	{"a group without an end is not handed over", func(e eventList) eventList {
		at := lastIndex(e, eventXID)
		return e[:at]
	}, func(t *testing.T, b *bench, err error) {
		b.restart()
		if err != nil || len(b.out) != 0 || b.frames.size() != 0 {
			t.Fatalf("%d changes, %v", len(b.out), err)
		}
	}},
	{"a group in front of another file was never committed", func(e eventList) eventList {
		at := lastIndex(e, eventXID)
		var rotate *replication.BinlogEvent
		for _, x := range e {
			if r, ok := x.Event.(*replication.RotateEvent); ok {
				f, base, _ := parseFile(string(r.NextLogName))
				next := &replication.RotateEvent{Position: 4, NextLogName: fmt.Appendf(nil, "%s.%06d", base, f.number+1)}
				rotate = &replication.BinlogEvent{RawData: x.RawData, Header: x.Header, Event: next}
			}
		}
		return with(e, at, rotate)
	}, func(t *testing.T, b *bench, err error) {
		if err != nil || len(b.out) != 0 || b.inside {
			t.Fatalf("%d changes, %v", len(b.out), err)
		}
	}},
	{"addresses above 4 GiB are widened", func(e eventList) eventList {
		const shift = 1<<32 - 300
		out := eventList{}
		for _, x := range e {
			raw := append([]byte(nil), x.RawData...)
			event := x.Event
			if r, ok := event.(*replication.RotateEvent); ok {
				event = &replication.RotateEvent{Position: r.Position + shift, NextLogName: r.NextLogName}
			} else if end := binary.LittleEndian.Uint32(raw[13:]); end != 0 {
				binary.LittleEndian.PutUint32(raw[13:], end+shift&0xffffffff)
			}
			out = append(out, &replication.BinlogEvent{RawData: raw, Header: x.Header, Event: event})
		}
		return out
	}, func(t *testing.T, b *bench, err error) {
		if err != nil || len(b.out) != 7 {
			t.Fatalf("%d changes, %v", len(b.out), err)
		}
		for i := 1; i < len(b.out); i++ {
			if !b.out[i-1].Pos.Less(b.out[i].Pos) {
				t.Errorf("%s after %s", b.out[i].Pos, b.out[i-1].Pos)
			}
		}
		if at := b.ends[len(b.ends)-1].At.at; at.offset < 1<<32-300 {
			t.Errorf("the end is at %d", at.offset)
		}
	}},
	{"a heartbeat of a place behind us, or of another file, says nothing", func(e eventList) eventList {
		return append(eventList(nil), e[:lastIndex(e, eventXID)+1]...)
	}, func(t *testing.T, b *bench, err error) {
		if err != nil {
			t.Fatal(err)
		}
		end, at := b.end, b.at
		for _, h := range []struct {
			name string
			end  uint64
		}{{b.file.name, end - 100}, {b.file.name + "0", end + 100}} {
			beat := generic(&replication.BinlogEvent{RawData: make([]byte, headerBytes)}, eventHeartbeat, []byte(h.name))
			binary.LittleEndian.PutUint32(beat.RawData[13:], uint32(h.end))
			if err := b.feed(eventList{beat}); err != nil || b.end != end || b.at.upto != at.upto {
				t.Errorf("%s:%d moved %d to %d, %v", h.name, h.end, end, b.end, err)
			}
		}
	}},
	{"a shape whose group didn't end is announced again on another connection", func(e eventList) eventList {
		at := lastIndex(e, eventXID)
		return with(e, at, rowsEvent(e[at], eventQuery, 13, "TRUNCATE TABLE a"))
	}, func(t *testing.T, b *bench, err error) {
		if err != nil || len(b.out) != 0 || len(b.segment.Changes) != 2 {
			t.Fatalf("%d changes, %+v, %v", len(b.out), b.segment, err)
		}
		if b.restart(); len(b.announced) > 0 {
			t.Error("it is taken for announced")
		}
	}},
	{"an INCIDENT is a gap", func(e eventList) eventList {
		at := lastIndex(e, eventXID)
		return with(e, at, generic(e[at], eventIncident, make([]byte, 3)))
	}, fails(change.ErrGap, "INCIDENT")},
	{"an event of an unknown kind halts", func(e eventList) eventList {
		at := lastIndex(e, eventXID)
		return with(e, at, generic(e[at], eventPartialRow, make([]byte, 30)))
	}, fails(change.ErrHalt, "event 172")},
	{"LOAD DATA halts", func(e eventList) eventList {
		at := lastIndex(e, eventXID)
		return with(e, at, rowsEvent(e[at], eventExecuteLoad, 26, "LOAD DATA INFILE 'x' INTO TABLE a"))
	}, fails(change.ErrHalt, "LOAD DATA INFILE")},
	{"a statement that changes rows halts", func(e eventList) eventList {
		at := lastIndex(e, eventXID)
		return with(e, at, rowsEvent(e[at], eventQuery, 13, "/* x */ update a set v = 1"))
	}, fails(change.ErrHalt, "update a")},
	{"a group inside another halts", func(e eventList) eventList {
		at := lastIndex(e, eventXID)
		return with(e, at, e[lastIndex(e, eventTableMap)-1], generic(e[at], eventAnonymous, make([]byte, 60)))
	}, func(t *testing.T, _ *bench, err error) {
		if err == nil {
			t.Error("it was taken")
		}
	}},
	{"a table whose number is the old one of no table", func(e eventList) eventList { return renumber(e, 0xffffff) }, func(t *testing.T, b *bench, err error) {
		if err != nil || len(b.out) != 7 {
			t.Fatalf("%d changes, %v", len(b.out), err)
		}
	}},
	{"rows of a table that was not described halt", func(e eventList) eventList {
		at := lastIndex(e, eventTableMap)
		raw := append([]byte(nil), e[at+1].Event.(*replication.GenericEvent).Data...)
		raw[0]++
		return with(e, at+1, generic(e[at+1], e[at+1].RawData[4], raw))
	}, fails(change.ErrHalt, "not described")},
}
