package kafka

import "github.com/tailwater-cdc/tailwater/pkg/stream"

// Requests is how many produce requests the publisher has begun to send.
func Requests(p stream.Publisher) uint64 { return p.(*publisher).requests.Load() }

// Skipped is how many records the tails held already. All that was published is acknowledged.
func Skipped(p stream.Publisher) uint64 { return p.(*publisher).skipped }
