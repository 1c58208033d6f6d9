package kafka

import (
	"context"
	"fmt"
	"log/slog"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka/internal/registry"
)

// Stream is one pipeline's topics. Its methods may be called from several goroutines.
type Stream struct {
	cfg    Config
	client *client
	z      *compressor
	names  *names
	shapes *shapes
	log    *slog.Logger

	registry *registry.Client // nil: the format needs none
}

var _ stream.Stream = (*Stream)(nil)

// Open checks cfg and that the cluster answers: change.ErrPreflight, change.ErrUnreachable or change.ErrDenied. Nothing is made or
// written before a Publisher opens.
func Open(ctx context.Context, cfg Config, logger *slog.Logger) (*Stream, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	z, err := newCompressor(cfg.inflated())
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	s := &Stream{cfg: cfg, client: newClient(&cfg), z: z, log: logger}
	if cfg.Registry != nil {
		if s.registry, err = registry.New(*cfg.Registry); err != nil {
			_ = s.Close() // the first error says it
			return nil, fmt.Errorf("kafka: %w", err)
		}
	}
	s.names = newNames(&s.cfg)
	s.shapes = newShapes(s)
	if _, err := s.client.topics(ctx, cfg.schemaTopic()); err != nil {
		_ = s.Close() // the first error says it
		return nil, fmt.Errorf("kafka %v: %w", cfg.Brokers, s.cfg.hint(err))
	}
	return s, nil
}

// Close ends every connection. Publishers and subscribers are closed before it.
func (s *Stream) Close() error {
	s.client.close()
	s.z.close()
	if s.registry != nil {
		s.registry.Close()
	}
	return nil
}

// Known is the highest Epoch among the last records of the topics whose shapes carry our source id: at least 1 where there is such a shape, though
// retention may have taken every record, and 0 where there is none.
func (s *Stream) Known(ctx context.Context) (uint32, error) {
	if err := s.shapes.refresh(ctx); err != nil {
		return 0, fmt.Errorf("kafka: %w", err)
	}
	topics := s.shapes.topics()
	lanes, err := s.lanes(ctx, topics)
	if err != nil {
		return 0, fmt.Errorf("kafka: %w", err)
	}
	ends, err := s.client.offsets(ctx, lanes, kafkago.LastOffset)
	if err != nil {
		return 0, fmt.Errorf("kafka: %w", err)
	}
	epoch := uint32(min(len(topics), 1))
	for _, l := range lanes {
		tail, err := s.tailBelow(ctx, l, ends[l])
		if err != nil {
			return 0, fmt.Errorf("kafka: %w", err)
		}
		epoch = max(epoch, tail.Epoch)
	}
	return epoch, nil
}

// lanes is every partition of those topics that exist.
func (s *Stream) lanes(ctx context.Context, topics []string) ([]change.Lane, error) {
	if len(topics) == 0 {
		return nil, nil
	}
	found, err := s.client.topics(ctx, topics...)
	if err != nil {
		return nil, err
	}
	var lanes []change.Lane
	for _, name := range topics {
		for n := range found[name].Partitions {
			lanes = append(lanes, change.Lane{Stream: name, N: int32(n)})
		}
	}
	return lanes, nil
}
