// Package checkpoint holds the contract of a Store: where a pipeline's place in its source's log is kept. Each store is one folder
// below; checkpointtest is the suite that every one of them passes. It imports pkg/change only.
package checkpoint

import (
	"context"
	"errors"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

var (
	// ErrNotFound: the store is whole and holds no record of that pipeline. No other error means "start fresh".
	ErrNotFound = errors.New("no checkpoint")
	// ErrCorrupt: a record was there and no generation of it can be trusted.
	ErrCorrupt = errors.New("checkpoint is damaged")
)

// Record is one pipeline's saved place. It is a value: a caller changes its own copy and saves it.
type Record struct {
	Pipeline     string            `json:"pipeline"`
	Epoch        uint32            `json:"epoch"`    // saved before the first Publish under it
	Identity     string            `json:"identity"` // the log that Epoch stands for
	Resume       change.Resume     `json:"resume"`   // never ahead of what is durable downstream (invariant 1)
	Upto         change.Position   `json:"upto"`
	Released     change.Resume     `json:"released"` // what the source was last allowed to forget up to; saved before it is released
	ReleasedUpto change.Position   `json:"released_upto"`
	Snapshot     []byte            `json:"snapshot,omitempty"` // the connector's snapshot progress as of Upto, opaque
	Announced    map[string]string `json:"announced"`          // "schema.table" to the fingerprint of its newest published shape
	Generation   uint64            `json:"generation"`         // counted by the Store; 0: never saved
}

// Store keeps Records. Its methods may be called from several goroutines.
type Store interface {
	// Load returns the newest whole Record of a pipeline, ErrNotFound where there is none, ErrCorrupt where none can be
	// trusted.
	Load(ctx context.Context, pipeline string) (Record, error)
	// Save makes r durable and returns it with its new Generation. Where another writer has saved since r.Generation it is
	// change.ErrFenced and nothing is written.
	Save(ctx context.Context, r Record) (Record, error)
	// Delete takes a pipeline's Record away; none there is no error.
	Delete(ctx context.Context, pipeline string) error
	// Close frees what Open locked.
	Close() error
}
