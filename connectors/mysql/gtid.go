package mysql

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// gtid names one transaction of the log. The zero gtid is none.
type gtid struct {
	origin string // MySQL: the uuid, with ":tag" behind it if there is one; MariaDB: the domain
	server uint32 // MariaDB: the server_id
	n      uint64
}

// uuidLength is the length of a uuid's text; no domain is as long.
const uuidLength = 36

func (g gtid) isZero() bool { return g.origin == "" }

// String writes g as the server does.
func (g gtid) String() string {
	if len(g.origin) < uuidLength {
		return g.origin + "-" + strconv.FormatUint(uint64(g.server), 10) + "-" + strconv.FormatUint(g.n, 10)
	}
	return g.origin + ":" + strconv.FormatUint(g.n, 10)
}

var errGTID = errors.New("not a GTID")

// parseGTID reads what String wrote.
func parseGTID(s string) (gtid, error) {
	if len(s) > uuidLength && s[uuidLength] == ':' {
		at := strings.LastIndexByte(s, ':')
		n, err := strconv.ParseUint(s[at+1:], 10, 63)
		if err != nil || n == 0 {
			return gtid{}, fmt.Errorf("%q: %w", s, errGTID)
		}
		return gtid{origin: s[:at], n: n}, nil
	}
	parts := strings.Split(s, "-")
	if len(parts) != 3 {
		return gtid{}, fmt.Errorf("%q: %w", s, errGTID)
	}
	domain, err1 := strconv.ParseUint(parts[0], 10, 32)
	server, err2 := strconv.ParseUint(parts[1], 10, 32)
	n, err3 := strconv.ParseUint(parts[2], 10, 64)
	if err := errors.Join(err1, err2, err3); err != nil {
		return gtid{}, fmt.Errorf("%q: %w: %w", s, errGTID, err)
	}
	return gtid{origin: strconv.FormatUint(domain, 10), server: uint32(server), n: n}, nil
}

// run is transactions from and to, both among them.
type run struct{ from, to uint64 }

// gtidSet is which transactions have been read. MySQL's is a set; MariaDB's is a place in each domain, and holds all below it.
type gtidSet struct {
	runs map[string][]run // MySQL, by origin; in order, apart
	last map[string]gtid  // MariaDB, by domain
}

func newGTIDSet() *gtidSet { return &gtidSet{runs: map[string][]run{}, last: map[string]gtid{}} }

// parseGTIDSet reads a set as either server writes it.
func parseGTIDSet(text string) (*gtidSet, error) {
	s := newGTIDSet()
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		var err error
		switch {
		case part == "":
			continue
		case len(part) > uuidLength && part[uuidLength] == ':':
			err = s.parseRuns(strings.ToLower(part[:uuidLength]), part[uuidLength+1:])
		default:
			var g gtid
			if g, err = parseGTID(part); err == nil {
				s.add(g)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("GTID set %q: %w", text, err)
		}
	}
	return s, nil
}

// parseRuns reads 1-3:5:tag:7-9.
func (s *gtidSet) parseRuns(uuid, text string) error {
	origin := uuid
	for part := range strings.SplitSeq(text, ":") {
		part = strings.TrimSpace(part)
		if part == "" || part[0] < '0' || part[0] > '9' {
			if part == "" || strings.ContainsAny(part, " -,") {
				return fmt.Errorf("tag %q: %w", part, errGTID)
			}
			origin = uuid + ":" + strings.ToLower(part)
			continue
		}
		low, high, ranged := strings.Cut(part, "-")
		from, err := strconv.ParseUint(strings.TrimSpace(low), 10, 63)
		to := from
		if ranged && err == nil {
			to, err = strconv.ParseUint(strings.TrimSpace(high), 10, 63)
		}
		if err != nil || from == 0 || to < from {
			return fmt.Errorf("interval %q: %w", part, errGTID)
		}
		s.addRun(origin, run{from, to})
	}
	return nil
}

// add takes a transaction that has been read.
func (s *gtidSet) add(g gtid) {
	switch {
	case g.isZero():
	case len(g.origin) < uuidLength:
		s.last[g.origin] = g
	default:
		s.addRun(g.origin, run{g.n, g.n})
	}
}

// addRun adds a run. The next one of an origin is nearly always right behind the last.
func (s *gtidSet) addRun(origin string, r run) {
	runs := s.runs[origin]
	if n := len(runs); n == 0 || runs[n-1].to < r.from {
		if n > 0 && runs[n-1].to+1 == r.from {
			runs[n-1].to = r.to
			return
		}
		s.runs[origin] = append(runs, r)
		return
	}
	first, _ := slices.BinarySearchFunc(runs, r.from, func(have run, from uint64) int {
		if have.to+1 < from {
			return -1
		}
		return 1
	})
	end := first
	for end < len(runs) && runs[end].from <= r.to+1 {
		r.from, r.to = min(r.from, runs[end].from), max(r.to, runs[end].to)
		end++
	}
	s.runs[origin] = slices.Replace(runs, first, end, r)
}

// has says that s holds a transaction.
func (s *gtidSet) has(g gtid) bool {
	if len(g.origin) < uuidLength {
		last, ok := s.last[g.origin]
		return ok && last.n >= g.n
	}
	for _, r := range s.runs[g.origin] {
		if r.from <= g.n && g.n <= r.to {
			return true
		}
	}
	return false
}

func (s *gtidSet) isEmpty() bool { return len(s.runs) == 0 && len(s.last) == 0 }

// merge takes all that t holds.
func (s *gtidSet) merge(t *gtidSet) {
	for origin, runs := range t.runs {
		for _, r := range runs {
			s.addRun(origin, r)
		}
	}
	maps.Copy(s.last, t.last)
}

func (s *gtidSet) clone() *gtidSet {
	c := newGTIDSet()
	for origin, runs := range s.runs {
		c.runs[origin] = slices.Clone(runs)
	}
	maps.Copy(c.last, s.last)
	return c
}

// minus returns what s holds and t doesn't; of MariaDB's domains those in which s stands higher.
func (s *gtidSet) minus(t *gtidSet) *gtidSet {
	left := newGTIDSet()
	for origin, runs := range s.runs {
		for _, r := range runs {
			for _, out := range t.runs[origin] {
				if out.to < r.from || out.from > r.to {
					continue
				}
				if r.from < out.from {
					left.addRun(origin, run{r.from, out.from - 1})
				}
				if r.from = out.to + 1; r.from > r.to {
					break
				}
			}
			if r.from <= r.to {
				left.addRun(origin, r)
			}
		}
	}
	for domain, g := range s.last {
		if other, ok := t.last[domain]; !ok || other.n < g.n {
			left.last[domain] = g
		}
	}
	return left
}

// String writes the set so that both servers and parseGTIDSet read it, in order.
func (s *gtidSet) String() string {
	var b strings.Builder
	sep := ""
	for _, origin := range slices.Sorted(maps.Keys(s.runs)) {
		b.WriteString(sep + origin)
		sep = ","
		for _, r := range s.runs[origin] {
			b.WriteString(":" + strconv.FormatUint(r.from, 10))
			if r.to > r.from {
				b.WriteString("-" + strconv.FormatUint(r.to, 10))
			}
		}
	}
	for _, domain := range slices.Sorted(maps.Keys(s.last)) {
		b.WriteString(sep + s.last[domain].String())
		sep = ","
	}
	return b.String()
}
