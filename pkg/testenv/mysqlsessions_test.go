package testenv_test

import (
	"context"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestACleanupBesideAnySQL: a database goes though another session runs a statement that MySQL's list of sessions can't show.
func TestACleanupBesideAnySQL(t *testing.T) {
	t.Parallel()
	other := testenv.MySQL(t, "mysql97")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 3 {
			_ = other.Do(ctx, "select sleep(0.3), '😀'") // it ends early with the test
		}
	}()
	t.Run("another", func(t *testing.T) {
		for range 2 {
			testenv.MySQL(t, "mysql97").Exec("create table a (id int)")
		}
	})
	cancel()
	<-done
}
