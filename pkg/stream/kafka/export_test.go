package kafka

import "github.com/tailwater-cdc/tailwater/pkg/stream"

// Requests is how many produce requests the publisher has begun to send.
func Requests(p stream.Publisher) uint64 { return p.(*publisher).requests.Load() }

// Skipped is how many records the tails held already. All that was published is acknowledged.
func Skipped(p stream.Publisher) uint64 { return p.(*publisher).skipped }

// ByTopic and the timeouts are what members of our groups have.
var ByTopic = byTopic{}

const (
	SessionTimeout   = sessionTimeout
	RebalanceTimeout = rebalanceTimeout
)
