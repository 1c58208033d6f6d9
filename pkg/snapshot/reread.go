package snapshot

// rereadBytes is about what a key to be read again takes besides itself; its text is held in the set and, longer for its quotes, in the
// progress that waits to be saved.
const rereadBytes = 100

func rereadSize(key string) int { return rereadBytes + 3*len(key) }

// want has the row with a key read again.
func (t *table) want(key string) {
	if _, ok := t.reread[key]; !ok {
		t.reread[key] = struct{}{}
		t.rereadBytes += rereadSize(key)
	}
}

// unwant says that the row is whole downstream, or gone.
func (t *table) unwant(key string) {
	if _, ok := t.reread[key]; ok {
		delete(t.reread, key)
		t.rereadBytes -= rereadSize(key)
	}
}

func (t *table) unwantAll() {
	clear(t.reread)
	t.rereadBytes = 0
}

// boundReread gives keys up where all of them together, those of one huge transaction say, take more than their share (invariant 9): the table
// that has the most is read again from its first row. Chunks wait until a SELECT sees all that the stream has brought so far, so each
// of those rows is in a chunk as it stands by then.
func (r *Runner) boundReread() {
	for {
		total, most := 0, (*table)(nil)
		for _, t := range r.tables {
			total += t.rereadBytes
			if most == nil || t.rereadBytes > most.rereadBytes {
				most = t
			}
		}
		if r.rereadRoom = r.cfg.KeyBytes/2 - total; r.rereadRoom >= 0 {
			return
		}
		if most.Where != "" {
			r.log.Warn("snapshot: all rows of the table are read, for some that were changed may not match", "table", most.Table, "where", most.Where)
			most.Where = ""
		}
		if most.Last != nil || most.Scanned {
			r.log.Info("snapshot: too many rows were changed in part while the table was read; it is read again from its first row",
				"table", most.Table, "n", len(most.reread))
		}
		most.Last, most.Scanned, most.Rows = nil, false, 0
		most.unwantAll()
		r.window.forget()
		r.voidAll()
		r.dirty = true
	}
}
