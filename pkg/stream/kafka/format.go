package kafka

import (
	"github.com/tailwater-cdc/tailwater/pkg/codec"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka/internal/registry"
)

// Registry is the schema registry of a stream in Avro.
type Registry = registry.Config

// encoding is how the publisher writes records. Of Avro a table's schemas are registered when its plan is made, which is before the first of
// its records is put together.
func (p *publisher) encoding() codec.Options {
	c := &p.s.cfg
	o := codec.Options{Format: c.Format, Unset: c.Unset, Tombstones: c.Tombstones, Database: c.Database}
	if p.s.registry != nil {
		o.Topic = p.s.names.topic
		o.Register = func(subject, schema string) (uint32, error) { return p.s.registry.Register(p.ctx, subject, schema) }
	}
	return o
}
