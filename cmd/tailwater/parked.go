package main

import (
	"context"
	"errors"

	"github.com/tailwater-cdc/tailwater/pkg/api"
)

func parkedOf(ctx context.Context, w wiring, sink string) ([]api.Parked, error) {
	return nil, errors.New("x")
}
