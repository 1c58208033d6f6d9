package upsert_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// TestBisectOfTransactions: a transaction that is good as a whole is not parted for the sake of another one, and within one that is not, a change may
// wait for those behind it.
func TestBisectOfTransactions(t *testing.T) {
	t.Parallel()
	c := script(t, "orders i 0 a b", "orders i 1 a b", "orders i 2 a b", "orders i 3 a b", "orders i 4 a b", "orders i 5 a b", "orders u 4 c d", "orders i 6 a b", "orders i 7 a b")
	for i, id := range []string{"A", "A", "A", "B", "B", "B", "B", "B", "C"} {
		c[i].Txn = &change.Txn{ID: id}
	}
	needs := map[string]string{"0": "2", "3": "4", "4": "5", "7": "8"} // together with it, or behind it; nobody brings 8
	there := map[string]bool{}
	applied := ""
	try := func(c []change.Change) error {
		now := map[string]bool{}
		for i := range c {
			now[c[i].Row()[0].Str()] = true
		}
		for i := range c {
			id := c[i].Row()[0].Str()
			if need := needs[id]; id == "6" {
				return &sinks.Error{Class: sinks.Reject, Code: id, Err: errors.New("bad")}
			} else if need != "" && !there[need] && (!now[need] || now["3"]) {
				return &sinks.Error{Class: sinks.Wait, Code: id, Err: errors.New("needs " + need)}
			}
		}
		for i := range c {
			id := c[i].Row()[0].Str()
			there[id] = true
			applied += id
		}
		return nil
	}
	refused, err := upsert.Bisect(c, try)
	if err != nil {
		t.Fatal(err)
	}
	if want := "[{7 reject 6 bad} {8 wait 7 needs 8}]"; fmt.Sprint(refused) != want || applied != "0125443" {
		t.Errorf("refused %v, applied %s; want %s and 0125443", refused, applied, want)
	}
}
