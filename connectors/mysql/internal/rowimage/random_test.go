package rowimage_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/rowimage"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestRandom writes numbers and documents that nobody thought of: what the log carries is what a snapshot reads, which for a document is
// the server's own text.
func TestRandom(t *testing.T) {
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		random := rand.New(rand.NewPCG(1, 2))
		my.Exec("create table r (id int primary key, d double, f float, n decimal(65,30), t time(6), w datetime(6), i timestamp(6) null, j json)")
		logged := logRows(t, my, func() {
			var values []string
			for id := range 600 {
				values = append(values, fmt.Sprintf("(%d, %s, %s, %s, '%s', '%s', '%s', '%s')", id, number(random), float(random), decimal(random), clock(random), day(random, 9999), day(random, 2037),
					strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(document(random, 3))))
			}
			my.Exec("insert into r values " + strings.Join(values, ","))
		})
		conn := snapshotSession(t, my)
		rows, err := selected(t, conn, "r", logged[0].types)
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != len(logged) {
			t.Fatalf("%d rows in the log, %d in a snapshot", len(logged), len(rows))
		}
		for i, r := range logged {
			for j, v := range r.after {
				if c := r.types[j].Column(); v != rows[i][j] {
					t.Errorf("%s is %q in the log, %q in a snapshot", c.Name, show(&c, v), show(&c, rows[i][j]))
				}
			}
		}
	})
}

// number is a double of any magnitude, most of them where the notation changes.
func number(random *rand.Rand) string {
	f := math.Float64frombits(random.Uint64())
	if random.IntN(3) > 0 {
		f = (random.Float64() - 0.5) * math.Pow(10, float64(random.IntN(40)-20))
	}
	if random.IntN(4) == 0 {
		f = math.Trunc(f)
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		f = 0
	}
	return strconv.FormatFloat(f, 'e', -1, 64)
}

func float(random *rand.Rand) string {
	f := math.Float32frombits(random.Uint32())
	if f != f || math.IsInf(float64(f), 0) {
		f = 0.1
	}
	return strconv.FormatFloat(float64(f), 'e', -1, 64)
}

func decimal(random *rand.Rand) string {
	digits := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = '0' + byte(random.IntN(10))
		}
		return string(b)
	}
	return []string{"", "-"}[random.IntN(2)] + digits(1+random.IntN(35)) + "." + digits(1+random.IntN(30))
}

func clock(random *rand.Rand) string {
	return fmt.Sprintf("%s%02d:%02d:%02d.%06d", []string{"", "-"}[random.IntN(2)], random.IntN(838), random.IntN(60), random.IntN(60), random.IntN(1e6))
}

func day(random *rand.Rand, last int) string {
	return fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d.%06d", 1971+random.IntN(last-1970), 1+random.IntN(12), 1+random.IntN(28), random.IntN(24), random.IntN(60), random.IntN(60), random.IntN(1e6))
}

// document is a JSON text.
func document(random *rand.Rand, depth int) string {
	kinds := 8
	if depth == 0 {
		kinds = 6
	}
	switch random.IntN(kinds) {
	case 0:
		return []string{"null", "true", "false"}[random.IntN(3)]
	case 1:
		return strconv.FormatInt(int64(random.Uint64())>>random.IntN(64), 10)
	case 2:
		return strconv.FormatUint(random.Uint64()>>random.IntN(64), 10)
	case 3, 4:
		return number(random)
	case 5:
		return text(random)
	}
	var members []string
	object := random.IntN(2) == 0
	for range random.IntN(5) {
		member := document(random, depth-1)
		if object {
			member = text(random) + ":" + member
		}
		members = append(members, member)
	}
	if object {
		return "{" + strings.Join(members, ",") + "}"
	}
	return "[" + strings.Join(members, ",") + "]"
}

func text(random *rand.Rand) string {
	alphabet := []rune("ab\"\\/\b\f\n\r\t\x01\x1f\x7fé日😀'")
	var s []rune
	for range random.IntN(40) {
		s = append(s, alphabet[random.IntN(len(alphabet))])
	}
	return string(change.AppendJSONString(nil, string(s)))
}

// TestPositions tells where the events of a payload stand in it.
func TestPositions(t *testing.T) {
	t.Parallel()
	var ends int
	for _, e := range recordings(t)[0].events {
		if e.kind != payloadEvent {
			continue
		}
		p, err := rowimage.NewPayload(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if err := p.Open(e.body); err != nil {
			t.Fatal(err)
		}
		var next uint64
		for {
			inner, err := p.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if inner.Offset != next {
				t.Errorf("an event at %d, want %d", inner.Offset, next)
			}
			if next += uint64(len(inner.Raw)); inner.Last {
				ends++
			}
		}
		if small, err := rowimage.NewPayload(100); err != nil {
			t.Fatal(err)
		} else {
			defer small.Close()
			err := small.Open(e.body)
			for err == nil {
				_, err = small.Next()
			}
			if !strings.Contains(err.Error(), "at most 100") {
				t.Errorf("a payload with large events: %v", err)
			}
		}
	}
	if ends != 1 {
		t.Errorf("%d last events, want 1", ends)
	}
}
