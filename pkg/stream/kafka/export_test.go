package kafka

import "github.com/tailwater-cdc/tailwater/pkg/stream"

// Requests is how many produce requests the publisher has begun to send.
func Requests(p stream.Publisher) uint64 { return p.(*publisher).requests.Load() }

// MostInFlight is how many requests have been under way to one broker at a time.
func MostInFlight(p stream.Publisher) int { return int(p.(*publisher).inFlight.Load()) }

// Skipped is how many records the tails held already. All that was published is acknowledged.
func Skipped(p stream.Publisher) uint64 { return p.(*publisher).skipped }

// ByTopic and the timeouts are what members of our groups have.
var ByTopic = byTopic{}

const (
	SessionTimeout   = sessionTimeout
	RebalanceTimeout = rebalanceTimeout
)
