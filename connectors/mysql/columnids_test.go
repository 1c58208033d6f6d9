package mysql

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// kinCases are what the log brings and what identities the tables then have: "d.t: id a" are rows of a table with those columns, all else is a statement. A shape is
// written with its lineage and, behind each column, a number that stands for its identity.
var kinCases = []struct {
	name string
	log  string
	want string
	runs bool // by names that are known in this run only
}{
	{"RENAME COLUMN", "d.t: id a; alter table t rename column a to b; d.t: id b", "L1 id1 a2; L1 id1 b2", false},
	{"CHANGE", "d.t: id a; alter table t change A b bigint not null default (1 + 2) after id, algorithm = copy; d.t: id b", "L1 id1 a2; L1 id1 b2", false},
	{"types that aren't followed", "d.t: id a; alter table t change a b enum('x', 'y,z') check (b <> ''), add g point; d.t: id b g", "L1 id1 a2; L1 id1 b2 g3", false},
	{"dropped and added", "d.t: id a; alter table t drop a, add b int; d.t: id b", "L1 id1 a2; L1 id1 b3", false},
	{"dropped and made at once", "d.t: id a; alter table t drop a, add a int; d.t: id a", "L1 id1 a2; L1 id1 a3", false},
	{"dropped, then made", "d.t: id a; alter table t drop column a; alter table t add a int; d.t: id a", "L1 id1 a2; L1 id1 a3", false},
	{"added again and again", "d.t: id; alter table t add a int; d.t: id a; alter table t drop a; alter table t add a int; d.t: id a", "L1 id1; L1 id1 a2; L1 id1 a3", false},
	{"exchanged at once", "d.t: id a b; alter table t rename column a to b, rename column b to a; d.t: id a b", "L1 id1 a2 b3; L1 id1 a3 b2", false},
	{"exchanged by CHANGE", "d.t: id a b; alter table t change a b int, change b a int; d.t: id b a", "L1 id1 a2 b3; L1 id1 b2 a3", false},
	{"exchanged by way of a third name", "d.t: id a b; alter table t rename column a to c; alter table t rename column b to a; alter table t rename column c to b; d.t: id a b",
		"L1 id1 a2 b3; L1 id1 a3 b2", false},
	{"passed on", "d.t: id a b; alter table t drop b, rename column a to b; d.t: id b", "L1 id1 a2 b3; L1 id1 b2", false},
	{"renamed, and another of the old name", "d.t: id a; alter table t rename column a to b, add a int; d.t: id b a", "L1 id1 a2; L1 id1 b2 a3", false},
	{"renamed, then another of the old name", "d.t: id a; alter table t rename column a to b; d.t: id b; alter table t add a int; d.t: id b a", "L1 id1 a2; L1 id1 b2; L1 id1 b2 a3", false},
	{"renamed and back", "d.t: id a; alter table t rename column a to b; d.t: id b; alter table t rename column b to a; d.t: id a", "L1 id1 a2; L1 id1 b2; L1 id1 a2", false},
	{"other letters", "d.t: id aB; alter table t rename column AB to ab; d.t: id ab", "L1 id1 aB2; L1 id1 ab2", false},
	{"renamed before the first row", "alter table t rename column a to b; d.t: id b; alter table t rename column b to c; d.t: id c", "L1 id1 b2; L1 id1 c2", false},
	{"in parentheses and behind commas", "d.t: id a; alter table t add (x int, y decimal(3, 1)), comment 'rename column a to q', rename column a to `b,c`; d.t: id b,c x y",
		"L1 id1 a2; L1 id1 b,c2 x3 y4", false},
	{"keys, partitions and defaults", "d.t: id a; alter table t add index (a), add unique u (a), drop key k, add constraint c check (a > 1), alter a set default 5, rename index u to v; " +
		"alter table t drop partition p1, p2; create index i on t (a); drop index i on t; alter table t rename column a to b; d.t: id b", "L1 id1 a2; L1 id1 b2", false},
	{"the table is renamed meanwhile", "d.t: id a; rename table t to u; alter table u rename column a to b; rename table u to t; d.t: id b", "L1 id1 a2; L1 id1 b2", false},
	{"the table has another name", "d.t: id a; alter table t rename column a to b, rename to u; d.u: id b; alter table u rename b; d.b: id b", "L1 id1 a2; L1 id1 b2; L1 id1 b2", false},
	{"another table comes in its place", "d.t: id a; d.t_new: id b; rename table t to t_old, t_new to t; d.t: id b; d.t_old: id a", "L1 id1 a2; L1 id3 b4; L1 id3 b4; L1 id1 a2", false},
	{"a table from outside comes in its place", "d.t: id a; rename table x.t to d.t_gone, x.u to d.t; d.t: id b", "L1 id1 a2; L1 id3 b4", false},
	{"dropped and made anew", "d.t: id a; drop table t; create table t (id int, b int); d.t: id b", "L1 id1 a2; L1 id3 b4", false},
	{"made anew by CREATE OR REPLACE ... LIKE", "d.t: id a; create or replace table t like u; d.t: id a", "L1 id1 a2; L1 id3 a4", false},
	{"CREATE IF NOT EXISTS of what is there", "d.t: id a; create table if not exists t (x int); d.t: id a", "L1 id1 a2; L1 id1 a2", false},
	{"made anew with its database", "d.t: id a; drop database d; create table d.t (id int, b int); d.t: id b", "L1 id1 a2; L1 id3 b4", false},
	{"another database is dropped", "d.t: id a; drop database e; d.t: id a", "L1 id1 a2; L1 id1 a2", false},
	{"a statement on another table", "d.t: id a; alter table x.t rename column a to b; d.t: id a", "L1 id1 a2; L1 id1 a2", false},
	{"renamed without a word in the log", "d.t: id a; d.t: id b; alter table t rename column b to c; d.t: id c", "L1 id1 a2; L2 id3 b4; L2 id3 c4", false},
	{"and then back", "d.t: id a; d.t: id b; d.t: id a", "L1 id1 a2; L2 id3 b4; L3 id5 a6", false},
	{"a statement that isn't understood", "d.t: id a; alter table t add system versioning, change a b int; d.t: id b", "L1 id1 a2; L2 id3 b4", false},
	{"other names than the statement has", "d.t: id a; alter table t rename column a to b; d.t: id c", "L1 id1 a2; L2 id3 c4", false},
	{"IF EXISTS", "d.t: id a; alter table t rename column if exists x to y, change if exists a b int, add column if not exists id int, add if not exists z int, drop if exists q; d.t: id b z",
		"L1 id1 a2; L1 id1 b2 z3", true},
	{"a column of that name as well", "d.t: id a b; alter table t rename column a to b; d.t: id b", "L1 id1 a2 b3; L2 id4 b5", true},
	{"a partition's table", "d.t: id a; d.u: id a; alter table t exchange partition p with table u; d.t: id a; d.u: id a", "L1 id1 a2; L1 id3 a4; L1 id1 a2; L2 id5 a6", false},
}

// kinLog plays a case.
type kinLog struct {
	t       *testing.T
	c       *columnIDs
	a       *assembler
	remakes bool
	numbers map[string]int
	got     []string
	resume  change.Resume
	upto    change.Position // where it is opened
}

func (l *kinLog) open(resume change.Resume) {
	s, err := newSelection([]string{"d.*"}, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	var token token
	if resume != "" {
		if err := json.Unmarshal([]byte(resume), &token); err != nil {
			l.t.Fatal(err)
		}
	}
	config := Config{Flavor: MySQL, Logger: slog.New(slog.DiscardHandler)}
	if !l.remakes {
		config.SnapshotMode = SnapshotNever
	}
	if l.c, err = newColumnIDs(&config, s, token.Columns, l.upto); err != nil {
		l.t.Fatal(err)
	}
	l.a = &assembler{epoch: 1, flavor: MySQL, selection: s, remarks: l.c.remarks, remakes: l.remakes}
}

// play is one line of a case, the n-th group of the log.
func (l *kinLog) play(n int, line string) {
	l.a.file, l.a.group = logFile{name: "b.000001", number: 1}, group{offset: uint64(n) * 100}
	pos := change.Position{Epoch: 1, Commit: commitOf(l.a.file, l.a.group.offset), Seq: change.SeqRow}
	b := change.Batch{Upto: change.Position{Epoch: 1, Commit: pos.Commit + 50, Seq: change.MaxSeq}, Resume: change.Resume(fmt.Sprintf(`{"pos":%d}`, n))}
	name, columns, rows := strings.Cut(line, ": ")
	if !rows {
		q := query{schema: "d", sql: line}
		s, err := parseStatement(q)
		if err != nil {
			l.t.Fatal(err)
		}
		if s.kind == stmtDropDatabase || len(l.a.captured(s.tables)) > 0 {
			l.a.remarks.put(l.a.remarkOf(q, s, l.a.group.offset))
		}
	} else {
		t := &change.Table{Schema: "d", Name: strings.TrimPrefix(name, "d.")}
		for _, c := range strings.Fields(columns) {
			t.Columns = append(t.Columns, change.Column{Name: c, Kind: change.KindInt})
		}
		b.Changes = []change.Change{{Op: change.Insert, Table: t, Pos: pos}}
	}
	if err := l.c.name(&b); err != nil {
		l.t.Fatal(err)
	}
	if l.resume = b.Resume; rows {
		l.got = append(l.got, l.shape(b.Changes[len(b.Changes)-1].Table))
	}
}

func (l *kinLog) shape(t *change.Table) string {
	number := func(what, of string) int {
		if l.numbers[what+of] == 0 {
			l.numbers[what]++
			l.numbers[what+of] = l.numbers[what]
		}
		return l.numbers[what+of]
	}
	parts := []string{fmt.Sprintf("L%d", number("lineage ", t.Lineage))}
	for _, c := range t.Columns {
		if c.ID == 0 || c.ID>>idBits != 0 {
			l.t.Errorf("%s.%s has the identity %d", t, c.Name, c.ID)
		}
		parts = append(parts, fmt.Sprintf("%s%d", c.Name, number("column ", fmt.Sprint(t.Lineage, c.ID))))
	}
	return strings.Join(parts, " ")
}

// TestColumnIDs: which column is which follows from the statements, or is said not to be known; over a restart in front of each group, and when the log is read
// again from its beginning.
func TestColumnIDs(t *testing.T) {
	t.Parallel()
	for _, c := range kinCases {
		t.Run(c.name, func(t *testing.T) {
			lines := strings.Split(c.log, "; ")
			for _, restarts := range []bool{false, true} {
				if restarts && c.runs {
					continue
				}
				l := &kinLog{t: t, remakes: true, numbers: map[string]int{}}
				for range 2 { // the second time from the beginning again
					l.open("")
					l.got = nil
					for n, line := range lines {
						if restarts {
							l.open(l.resume)
						}
						l.play(n+1, line)
					}
					if got := strings.Join(l.got, "; "); got != c.want {
						t.Errorf("restarts %v: %s, want %s", restarts, got, c.want)
					}
					l.resume = ""
				}
			}
		})
	}
}

// TestColumnIDsReadAgain: a statement that comes again behind a Resume that knows of it is not followed twice.
func TestColumnIDsReadAgain(t *testing.T) {
	t.Parallel()
	l := &kinLog{t: t, remakes: true, numbers: map[string]int{}}
	l.open("")
	swap := "alter table t rename column a to b, rename column b to a"
	l.play(1, "d.t: id a b")
	l.play(2, swap)
	l.open(l.resume)
	l.play(2, swap)
	l.play(3, "d.t: id a b")
	if got := strings.Join(l.got, "; "); got != "L1 id1 a2 b3; L1 id1 a3 b2" {
		t.Error(got)
	}
}

// TestColumnIDsWithoutSnapshots: where the rows of a table that was there before stay at the targets, its columns are not said to be others.
func TestColumnIDsWithoutSnapshots(t *testing.T) {
	t.Parallel()
	for _, statement := range []string{"drop table t", "rename table t to t_old, t_new to t"} {
		l := &kinLog{t: t, numbers: map[string]int{}}
		l.open("")
		for n, line := range []string{"d.t: id a", statement, "d.t: id b"} {
			l.play(n+1, line)
		}
		if got := strings.Join(l.got, "; "); got != "L1 id1 a2; L2 id3 b4" {
			t.Errorf("%s: %s", statement, got)
		}
	}
}

// TestColumnIDsOfASelection: what became of a table while it was left out was not followed.
func TestColumnIDsOfASelection(t *testing.T) {
	t.Parallel()
	l := &kinLog{t: t, remakes: true, numbers: map[string]int{}}
	l.open("")
	l.play(1, "d.t: id a")
	l.play(2, "d.u: id a")
	var saved token
	if err := json.Unmarshal([]byte(l.resume), &saved); err != nil {
		t.Fatal(err)
	}
	s, err := newSelection([]string{"d.*"}, []string{"d.t"})
	if err != nil {
		t.Fatal(err)
	}
	without, err := newColumnIDs(&Config{Logger: slog.New(slog.DiscardHandler)}, s, saved.Columns, change.Position{Epoch: 1, Commit: 7})
	if err != nil {
		t.Fatal(err)
	}
	resume, err := without.resume(`{"pos":3}`)
	if err != nil {
		t.Fatal(err)
	}
	l.upto.Commit = 9
	l.open(resume)
	l.play(3, "d.t: id a")
	l.play(4, "d.u: id a")
	if got := strings.Join(l.got, "; "); got != "L1 id1 a2; L1 id3 a4; L2 id5 a6; L1 id3 a4" {
		t.Error(got)
	}
}
