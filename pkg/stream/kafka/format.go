package kafka

import (
	"context"

	"github.com/tailwater-cdc/tailwater/pkg/codec"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka/internal/registry"
)

// Registry is the schema registry of a stream in Avro.
type Registry = registry.Config

// checkRegistry asks whether the registry of a stream in Avro answers and knows us.
func (s *Stream) checkRegistry(ctx context.Context) error {
	if s.registry == nil {
		return nil
	}
	return s.registry.Check(ctx)
}

// diagnoseRegistry is checkRegistry for doctor.
func (s *Stream) diagnoseRegistry(ctx context.Context) []preflight.Finding {
	if s.registry == nil {
		return nil
	}
	if err := s.checkRegistry(ctx); err != nil {
		return []preflight.Finding{{Check: "kafka.registry", Severity: preflight.Error, Summary: err.Error(), Fix: "check url, user, password and tls of stream.registry"}}
	}
	return []preflight.Finding{{Check: "kafka.registry", Severity: preflight.OK, Summary: "the schema registry at " + s.cfg.Registry.URL + " answers"}}
}

// encoding is how the publisher writes records. Of Avro a table's schemas are registered when its plan is made, which is before the first of
// its records is put together.
func (p *publisher) encoding() codec.Options {
	c := &p.s.cfg
	o := codec.Options{Format: c.Format, Unset: c.Unset, Tombstones: c.Tombstones, Database: c.Database}
	if p.s.registry != nil {
		o.AsText = c.AsText
		o.Topic = p.s.names.topic
		o.Register = func(subject, schema string) (uint32, error) { return p.s.registry.Register(p.ctx, subject, schema) }
	}
	return o
}
