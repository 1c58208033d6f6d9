package main

import (
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/config"
	"github.com/tailwater-cdc/tailwater/pkg/metrics"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
)

// TestTheAddressIsThatOfWhoListens: a process that can't listen, or one that only applies, leaves the address of the one that holds the folder.
func TestTheAddressIsThatOfWhoListens(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg := &config.Config{Server: config.Server{StateDir: t.TempDir(), Listen: "127.0.0.1:0"}}
	as := func(role pipeline.Role) error {
		m := metrics.New(metrics.Options{Now: time.Now})
		server, err := listen(t.Context(), cfg, listening{backend: &backend{}, metrics: m, log: slog.New(slog.DiscardHandler), file: addressFile(cfg, role)})
		if server != nil {
			wait := make(chan error, 1)
			go func() { wait <- server.Run(t.Context()) }()
			t.Cleanup(func() {
				if err := <-wait; err != nil {
					t.Error(err)
				}
			})
		}
		return err
	}
	address := func(role pipeline.Role) string {
		b, err := os.ReadFile(addressFile(cfg, role))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(b))
	}
	if err := as(pipeline.All); err != nil {
		t.Fatal(err)
	}
	first := address(pipeline.All)
	if err := as(pipeline.ApplyOnly); err != nil {
		t.Fatal(err)
	}
	if second := address(pipeline.ApplyOnly); address(pipeline.All) != first || second == first {
		t.Errorf("after one that applies the addresses are %s and %s, the first was %s", address(pipeline.All), second, first)
	}
	cfg.Server.Listen = taken.Addr().String()
	if err := as(pipeline.All); err == nil || address(pipeline.All) != first {
		t.Errorf("on a taken address: %v; the address is %s, want %s", err, address(pipeline.All), first)
	}
}
