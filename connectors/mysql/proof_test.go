package mysql

import (
	"errors"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

func TestProof(t *testing.T) {
	t.Parallel()
	f := logFile{name: "bin.000007", number: 7, created: 1000}
	last := evidence{file: f, offset: 500, id: uuidA + ":5", when: 77}
	other := func(change func(e *evidence)) evidence {
		e := last
		change(&e)
		return e
	}
	later := logFile{name: f.name, number: 7, created: 1001}
	cases := []struct {
		name string
		does func(p *proof) error
		gap  bool
	}{
		{"the file made at another time", func(p *proof) error { return p.opens(later) }, true},
		{"the same file", func(p *proof) error { return p.opens(f) }, false},
		{"another file, which the stream has come to", func(p *proof) error { return p.opens(logFile{name: "bin.000008", created: 5}) }, false},
		{"the group", func(p *proof) error { return p.begin(last) }, false},
		{"a group in front of it", func(p *proof) error { return p.begin(other(func(e *evidence) { e.offset = 4 })) }, false},
		{"a group behind it", func(p *proof) error { return p.begin(other(func(e *evidence) { e.offset = 501 })) }, true},
		{"another GTID", func(p *proof) error { return p.begin(other(func(e *evidence) { e.id = uuidA + ":6" })) }, true},
		{"another commit time", func(p *proof) error { return p.begin(other(func(e *evidence) { e.when++ })) }, true},
		{"nothing behind the place", func(p *proof) error { return p.passed(f, 500) }, true},
		{"nothing in front of the place", func(p *proof) error { return p.passed(f, 499) }, false},
		{"the file's end", func(p *proof) error { return p.leaves(f) }, true},
	}
	for _, c := range cases {
		p := proof{file: f, last: last, waiting: true}
		if err := c.does(&p); errors.Is(err, change.ErrGap) != c.gap {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	p := proof{file: f, last: last, waiting: true}
	if err := p.begin(last); err != nil || !p.replaying || p.waiting {
		t.Errorf("the group is not passed over: %+v, %v", p, err)
	}
}
