package registry

import "time"

// SetFirstPause makes a Client's pauses short.
func SetFirstPause(c *Client, d time.Duration) { c.first = d }
