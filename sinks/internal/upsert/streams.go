package upsert

import "sync"

// Streams remembers which streams have no parked change, so that a call needn't look for some. Who owns a lane has loaded it, and nobody else
// parks a change of its keys, so a stream that had none has none but ours. Its zero value knows no stream.
type Streams struct {
	mu    sync.Mutex
	clean map[string]bool // streams loaded or parked in by us; true: no Load found a parked change and we parked none
}

// Loaded notes how many parked changes a Load of the stream found.
func (s *Streams) Loaded(stream string, parked int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.clean[stream]; !known || parked > 0 { // a call beside a later Load may have parked what that did not see
		s.set(stream, parked == 0)
	}
}

// MayHaveParked says whether a call that parks so many changes may meet parked ones.
func (s *Streams) MayHaveParked(stream string, parking int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if parking > 0 {
		s.set(stream, false)
	}
	return !s.clean[stream]
}

func (s *Streams) set(stream string, clean bool) {
	if s.clean == nil {
		s.clean = make(map[string]bool)
	}
	s.clean[stream] = clean
}
