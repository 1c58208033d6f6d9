package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/fault"
)

var errName = errors.New("a pipeline without a name has no checkpoint")

// Store is a checkpoint.Store in a locked directory.
type Store struct {
	mu     sync.Mutex // one Load, Save or Delete at a time
	dir    *dir
	newest map[string]uint64 // pipeline to the generation that its last Load or Save left; absent: look at the files
}

var _ checkpoint.Store = (*Store)(nil)

// Open locks the directory, makes it if it is not there and closes it to other users. Where another process (or another Store) has
// it, the error is change.ErrBusy with its pid; where it belongs to another user, change.ErrPreflight.
func Open(path string) (*Store, error) {
	d, err := openDir(path)
	if err != nil {
		return nil, err
	}
	return &Store{dir: d, newest: map[string]uint64{}}, nil
}

// Load returns the newest whole Record. Where one of the two generations is damaged or missing it returns the other one with
// Released raised to Resume, because the lost one may have been released that far.
func (s *Store) Load(ctx context.Context, pipeline string) (checkpoint.Record, error) {
	if err := ctx.Err(); err != nil {
		return checkpoint.Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.load(pipeline)
}

func (s *Store) load(pipeline string) (checkpoint.Record, error) {
	if pipeline == "" {
		return checkpoint.Record{}, errName
	}
	var (
		found          [2]checkpoint.Record
		whole, missing int
		damage         error
	)
	for i := range found {
		name := slot(pipeline, uint64(i))
		b, err := s.dir.read(name)
		if errors.Is(err, fs.ErrNotExist) {
			missing++
			continue
		}
		if err != nil {
			return checkpoint.Record{}, fmt.Errorf("checkpoint of %s: %w", pipeline, err)
		}
		r, err := decode(b, pipeline)
		if err == nil && r.Generation%2 != uint64(i) {
			err = fmt.Errorf("generation %d stands in %s: %w", r.Generation, name, errDamaged)
		}
		if err != nil && !errors.Is(err, errDamaged) {
			return checkpoint.Record{}, fmt.Errorf("checkpoint of %s: %s: %w", pipeline, name, err)
		}
		if err != nil {
			damage = besides(damage, fmt.Errorf("%s: %w", name, err))
			continue
		}
		found[i] = r
		whole++
	}
	if missing == len(found) {
		return checkpoint.Record{}, fmt.Errorf("pipeline %s in %s: %w", pipeline, s.dir.path, checkpoint.ErrNotFound)
	}
	if whole == 0 {
		return checkpoint.Record{}, fmt.Errorf("pipeline %s in %s: %w: %w", pipeline, s.dir.path, checkpoint.ErrCorrupt, damage)
	}
	r := found[0]
	if found[1].Generation > r.Generation {
		r = found[1]
	}
	if whole == 1 && r.Generation > 1 || damage != nil {
		r.Released, r.ReleasedUpto = r.Resume, r.Upto
	}
	s.newest[pipeline] = r.Generation
	return r, nil
}

// besides is damage with err after it, in one sentence.
func besides(damage, err error) error {
	if damage == nil {
		return err
	}
	return fmt.Errorf("%w, %w", damage, err)
}

// Save makes r durable under the next Generation. Where r.Generation is not the newest it is change.ErrFenced; on any error
// the newest Record stays as it was, or (the directory's sync failed) r stands beside it as a whole.
func (s *Store) Save(ctx context.Context, r checkpoint.Record) (checkpoint.Record, error) {
	if err := ctx.Err(); err != nil {
		return r, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fault.Point("save.before")
	newest, err := s.generation(r.Pipeline)
	if err != nil {
		return r, err
	}
	if r.Generation != newest {
		return r, fmt.Errorf("save checkpoint of %s: generation %d, the newest is %d: %w", r.Pipeline, r.Generation, newest, change.ErrFenced)
	}
	saved := r
	saved.Generation++
	if err := s.replace(saved); err != nil {
		delete(s.newest, r.Pipeline) // the next one looks at the files
		return r, fmt.Errorf("save checkpoint of %s: %w", r.Pipeline, err)
	}
	s.newest[r.Pipeline] = saved.Generation
	fault.Point("save.after")
	return saved, nil
}

// replace puts r in the place of the older generation; the newest is not touched.
func (s *Store) replace(r checkpoint.Record) error {
	b, err := encode(r)
	if err != nil {
		return err
	}
	tmp := temporary(r.Pipeline)
	if err := s.dir.write(tmp, b); err != nil {
		return err
	}
	fault.Point("save.synced")
	return s.dir.rename(tmp, slot(r.Pipeline, r.Generation))
}

// generation is the newest one of a pipeline, 0 where it has no Record.
func (s *Store) generation(pipeline string) (uint64, error) {
	if n, ok := s.newest[pipeline]; ok {
		return n, nil
	}
	r, err := s.load(pipeline)
	if errors.Is(err, checkpoint.ErrNotFound) {
		return 0, nil
	}
	return r.Generation, err
}

// Delete takes a pipeline's Record away, the older generation first, so that a crash between leaves the newest.
func (s *Store) Delete(ctx context.Context, pipeline string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var newest uint64
	if r, err := s.load(pipeline); err == nil {
		newest = r.Generation
	}
	delete(s.newest, pipeline)
	for _, name := range []string{temporary(pipeline), slot(pipeline, newest+1), slot(pipeline, newest)} {
		if err := s.dir.remove(name); err != nil {
			return fmt.Errorf("delete checkpoint of %s: %w", pipeline, err)
		}
	}
	return s.dir.sync()
}

// Close unlocks the directory.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dir.close()
}
