package main

import (
	"log/slog"

	"github.com/tailwater-cdc/tailwater/pkg/config"
)

// wirings are the chosen pipelines for a verb that works on servers itself: what they log is not shown.
func (a *app) wirings() (*config.Config, []wiring, error) {
	cfg, err := a.load()
	if err != nil {
		return nil, nil, err
	}
	chosen, err := a.chosen(cfg)
	if err != nil {
		return nil, nil, err
	}
	out := make([]wiring, len(chosen))
	for i, p := range chosen {
		out[i] = wiring{pipeline: p, memory: queueMemory(cfg), dir: cfg.Server.StateDir, log: slog.New(slog.DiscardHandler)}
	}
	return cfg, out, nil
}

// queueMemory is what the queues of one pipeline may hold, in bytes.
func queueMemory(cfg *config.Config) int {
	return int(cfg.Server.MemoryLimit) / queueShare / len(cfg.Pipelines)
}
