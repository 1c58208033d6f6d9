package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestStatusWhileKafkaIsDown: while the broker is dead /readyz, status and metrics say that nothing moves, and what is only queued is not counted
// as acknowledged. With the broker back all of it arrives.
func TestStatusWhileKafkaIsDown(t *testing.T) {
	t.Parallel()
	r := newRig(t, "kafka")
	server := testenv.StartKafka(t)
	r.broker, r.name = server.Broker, server.Prefix(t)
	r.seed(10)
	p := r.start("run")
	r.arrives(p, "select count(*) from orders", "10")
	testenv.Wait(t, "it is ready", func() bool { code, _ := get(t, r.dir, "/readyz"); return code == http.StatusOK })
	acked := func() string {
		text, err := r.metrics()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "tailwater_produce_records_total") && strings.Contains(line, ".orders") {
				return line
			}
		}
		return ""
	}
	before := acked()
	server.Kill()
	r.insert("orders", 1000, 1100, "while the broker is down")
	testenv.Wait(t, "it is not ready", func() bool {
		code, body := get(t, r.dir, "/readyz")
		return code == http.StatusServiceUnavailable && strings.Contains(body, "nothing moves")
	})
	s := r.start("status")
	s.ends(0)
	if said := s.out.String(); !strings.Contains(said, "nothing moves:") {
		t.Errorf("status says\n%s", said)
	}
	if now := acked(); now != before || before == "" {
		t.Errorf("acknowledged: %q before, %q while nothing is", before, now)
	}
	server.Start()
	r.arrives(p, "select count(*) from orders where id >= 1000", "101")
	testenv.Wait(t, "it is ready again", func() bool { code, _ := get(t, r.dir, "/readyz"); return code == http.StatusOK })
	p.stop()
	r.equal("orders")
}
