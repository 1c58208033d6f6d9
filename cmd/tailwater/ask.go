package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/api"
	"github.com/tailwater-cdc/tailwater/pkg/config"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
)

// client asks the process that runs with this config in a role; api.ErrNotRunning where none says that it does.
func client(cfg *config.Config, role pipeline.Role) (*api.Client, error) {
	b, err := os.ReadFile(addressFile(cfg, role))
	if errors.Is(err, os.ErrNotExist) {
		return nil, api.ErrNotRunning
	}
	if err != nil {
		return nil, fmt.Errorf("read the address of the running process: %w", err)
	}
	token, err := api.ReadToken(cfg.Server.StateDir)
	if errors.Is(err, api.ErrNoToken) {
		return nil, api.ErrNotRunning
	}
	if err != nil {
		return nil, err
	}
	return api.NewClient(strings.TrimSpace(string(b)), cfg.Server.TLS.Cert, token)
}
