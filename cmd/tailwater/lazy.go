package main

import (
	"context"
	"sync"

	"github.com/tailwater-cdc/tailwater/pkg/stream"
)

// lazyStream opens a stream when it is first used, so that a cluster which doesn't answer is the pipeline's to try again, in its
// order: state folder, source, stream.
type lazyStream struct {
	open func(ctx context.Context) (stream.Stream, error)

	mu     sync.Mutex
	stream stream.Stream // nil: not open
}

var _ stream.Stream = (*lazyStream)(nil)

func (l *lazyStream) opened(ctx context.Context) (stream.Stream, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stream == nil {
		s, err := l.open(ctx)
		if err != nil {
			return nil, err
		}
		l.stream = s
	}
	return l.stream, nil
}

// Known is stream.Stream's.
func (l *lazyStream) Known(ctx context.Context) (uint32, error) {
	s, err := l.opened(ctx)
	if err != nil {
		return 0, err
	}
	return s.Known(ctx)
}

// Publisher is stream.Stream's.
func (l *lazyStream) Publisher(ctx context.Context, start stream.Start) (stream.Publisher, error) {
	s, err := l.opened(ctx)
	if err != nil {
		return nil, err
	}
	return s.Publisher(ctx, start)
}

// Subscriber is stream.Stream's.
func (l *lazyStream) Subscriber(ctx context.Context, sub stream.Subscription) (stream.Subscriber, error) {
	s, err := l.opened(ctx)
	if err != nil {
		return nil, err
	}
	return s.Subscriber(ctx, sub)
}

// Close is stream.Stream's.
func (l *lazyStream) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stream == nil {
		return nil
	}
	return l.stream.Close()
}
