package mysql

import (
	"errors"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

const (
	uuidA = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
	uuidB = "4f22fa47-71ca-11e1-9e33-c80aa9429562"
)

func TestParseFile(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]uint64{"binlog.000001": 1, "my.log-9.x.1234567": 1234567, ".000002": 2} {
		f, base, err := parseFile(name)
		if err != nil || f.number != want || base+"."+name[strings.LastIndexByte(name, '.')+1:] != name {
			t.Errorf("%s: %d %q %v", name, f.number, base, err)
		}
	}
	for _, name := range []string{"binlog", "binlog.", "binlog.x", "binlog.16777216", ""} {
		if _, _, err := parseFile(name); !errors.Is(err, change.ErrHalt) {
			t.Errorf("%s was taken: %v", name, err)
		}
	}
}

func TestGTIDSets(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, set, other, text, minus string }{
		{"empty", "", "", "", ""},
		{"one run", uuidA + ":1-5", uuidA + ":2-3", uuidA + ":1-5", uuidA + ":1:4-5"},
		{"as the server writes it", strings.ToUpper(uuidA) + ":1-3:5:tag:7-9:11,\n" + uuidB + ":4", uuidA + ":tag:8:11", uuidA + ":1-3:5," + uuidA + ":tag:7-9:11," + uuidB + ":4",
			uuidA + ":1-3:5," + uuidA + ":tag:7:9," + uuidB + ":4"},
		{"out of order, touching", uuidA + ":9:5-6:7-8:1", "", uuidA + ":1:5-9", uuidA + ":1:5-9"},
		{"all gone", uuidA + ":1-5", uuidA + ":1-9", uuidA + ":1-5", ""},
		{"domains", "0-1-5,7-3-2", "0-2-5", "0-1-5,7-3-2", "7-3-2"},
		{"a domain that is behind", "0-1-5", "0-1-4", "0-1-5", "0-1-5"},
	}
	for _, c := range cases {
		s, err1 := parseGTIDSet(c.set)
		o, err2 := parseGTIDSet(c.other)
		if err := errors.Join(err1, err2); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := s.String(); got != c.text {
			t.Errorf("%s: %s, want %s", c.name, got, c.text)
		}
		if got := s.minus(o).String(); got != c.minus {
			t.Errorf("%s: minus %s, want %s", c.name, got, c.minus)
		}
	}
	for _, bad := range []string{"x", uuidA, uuidA + ":0", uuidA + ":5-3", uuidA + ":a b:1", "1-2", "1-2-x", "99999999999-1-1"} {
		if _, err := parseGTIDSet(bad); err == nil {
			t.Errorf("%q was taken for a set", bad)
		}
	}
}

// TestGTIDSetAdds holds additions in any order against go-mysql's own set.
func TestGTIDSetAdds(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		ours := newGTIDSet()
		theirs, err := gomysql.ParseMysqlGTIDSet("")
		if err != nil {
			t.Fatal(err)
		}
		for range 200 {
			g := gtid{origin: []string{uuidA, uuidB, uuidA + ":app"}[random.IntN(3)], n: 1 + random.Uint64N(60)}
			ours.add(g)
			if !ours.has(g) {
				t.Fatalf("%s lacks %s", ours, g)
			}
			if err := theirs.Update(g.String()); err != nil {
				t.Fatal(err)
			}
		}
		again, err := gomysql.ParseMysqlGTIDSet(ours.String())
		if err != nil || !again.Equal(theirs) {
			t.Fatalf("%s, %v; want %s", ours, err, theirs)
		}
		back, err := parseGTIDSet(ours.String())
		if err != nil || back.String() != ours.String() || !back.minus(ours).isEmpty() {
			t.Fatalf("%s came back as %s, %v", ours, back, err)
		}
	}
}

func TestResumeRoundTrip(t *testing.T) {
	t.Parallel()
	id := identity{Flavor: MySQL, Server: uuidA, Base: "bin"}
	f := logFile{name: "bin.000007", number: 7, created: 1700000000}
	p := place{file: f, offset: 5 << 32, last: evidence{file: f, offset: 5<<32 - 400, id: uuidA + ":app:5", when: 17}, xa: []prepared{{xid: "x61,x,1", server: uuidA, before: "0-1-2", none: "x", evidence: evidence{file: f, offset: 7, id: "0-1-3", when: 5}}},
		marks: marks{born: map[string]string{"d.t": "00000001-0000000000000000-0000000000000000"}, revised: map[string]string{"d.u": "00000001-0000000000000000-0000000000000001"},
			owed: map[string]string{"d.v": "00000001-0000000000000000-0000000000000002"}}}
	read, err := parseGTIDSet(uuidA + ":1-5:app:5")
	if err != nil {
		t.Fatal(err)
	}
	r := makeResume(id, p, read)
	tok, back, set, err := parseResume(r)
	if err != nil || tok.identity != id || back.file != p.file || back.offset != p.offset || back.last != p.last || set.String() != read.String() ||
		back.xa[0] != p.xa[0] || !maps.Equal(back.marks.born, p.marks.born) || !maps.Equal(back.marks.revised, p.marks.revised) || !maps.Equal(back.marks.owed, p.marks.owed) {
		t.Errorf("%s came back as %+v %+v %s, %v", r, tok, back, set, err)
	}
	for _, bad := range []string{"", "x", "{}", `{"flavor":"mysql","base":"bin","file":"other.000001","pos":4}`, strings.Replace(string(r), "bin.000007", "bin.x", 1)} {
		if _, _, _, err := parseResume(change.Resume(bad)); !errors.Is(err, change.ErrGap) {
			t.Errorf("%q was taken: %v", bad, err)
		}
	}
}

func TestVisibility(t *testing.T) {
	t.Parallel()
	set := func(text string) *gtidSet {
		s, err := parseGTIDSet(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	v := &visibility{read: set(uuidA + ":1-5"), owned: set(uuidA + ":7")}
	for id, want := range map[string]bool{uuidA + ":5": true, uuidA + ":6": false, uuidA + ":app:1": false, "bin.000001:4": false} {
		if v.Sees(&change.Txn{ID: id}) != want {
			t.Errorf("%s is seen: %v", id, !want)
		}
	}
	if v.Settled(uuidA+":1-5:7") || !v.Settled(uuidA+":1-6") || v.Settled("x") {
		t.Error("a horizon is settled once what was under way is visible or gone")
	}
	byPlace := &visibility{place: commitOf(logFile{number: 3}, 500)}
	for id, want := range map[string]bool{"bin.000003:499": true, "bin.000003:500": false, "bin.000002:99999": true, uuidA + ":1": false} {
		if byPlace.Sees(&change.Txn{ID: id}) != want {
			t.Errorf("%s is seen: %v", id, !want)
		}
	}
	if !byPlace.Settled("bin.000003:500") || byPlace.Settled("bin.000003:501") {
		t.Error("a horizon is settled once the place has passed it")
	}
	owned, err := parseOwned(uuidA + ":3#9:5#11,\n" + uuidB + ":1#8")
	if err != nil || owned.String() != uuidA+":3:5,"+uuidB+":1" {
		t.Errorf("owned %s, %v", owned, err)
	}
}
