package mysql

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// frame is an event of a group that concerns captured rows.
type frame struct {
	offset uint64 // of the event in the group
	kind   byte
	body   []byte
}

// frames keeps a group's events in order, in memory up to limit, the rest in a file that has no name.
//
// Invariant 9: a group may be of any size.
type frames struct {
	limit int
	dir   string

	kept  []frame
	bytes int
	file  *os.File
	out   *bufio.Writer
	count int // in the file
}

// frameBytes is about what a kept frame takes besides its body.
const frameBytes = 64

// frameHead is what stands in front of a body in the file: offset, kind, length.
const frameHead = 8 + 1 + 4

// spoolBuffer is for writes and reads of the file.
const spoolBuffer = 1 << 20

func (f *frames) add(fr frame) error {
	if f.file == nil && f.bytes+frameBytes+len(fr.body) <= f.limit {
		f.kept = append(f.kept, fr)
		f.bytes += frameBytes + len(fr.body)
		return nil
	}
	if f.file == nil {
		if err := f.open(); err != nil {
			return err
		}
	}
	var head [frameHead]byte
	binary.LittleEndian.PutUint64(head[:], fr.offset)
	head[8] = fr.kind
	binary.LittleEndian.PutUint32(head[9:], uint32(len(fr.body)))
	_, err1 := f.out.Write(head[:])
	_, err2 := f.out.Write(fr.body)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("write to the spool %s: %w", f.file.Name(), err)
	}
	f.count++
	return nil
}

// open makes the file. Its name goes at once, so nothing stays behind however the process ends.
func (f *frames) open() error {
	file, err := os.CreateTemp(f.dir, "group-*.spool") // mode 0600
	if err != nil {
		return fmt.Errorf("make a spool: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		return errors.Join(fmt.Errorf("make a spool: %w", err), file.Close())
	}
	f.file, f.out = file, bufio.NewWriterSize(file, spoolBuffer)
	return nil
}

// size is how many frames there are.
func (f *frames) size() int { return len(f.kept) + f.count }

// each hands over the frames in order. A body is valid until each returns.
func (f *frames) each(do func(fr frame) error) error {
	for _, fr := range f.kept {
		if err := do(fr); err != nil {
			return err
		}
	}
	if f.file == nil {
		return nil
	}
	if err := f.out.Flush(); err != nil {
		return fmt.Errorf("write to the spool: %w", err)
	}
	if _, err := f.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the spool: %w", err)
	}
	in := bufio.NewReaderSize(f.file, spoolBuffer)
	var body []byte
	for range f.count {
		var head [frameHead]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return fmt.Errorf("read the spool: %w", err)
		}
		n := int(binary.LittleEndian.Uint32(head[9:]))
		if cap(body) < n {
			body = make([]byte, n)
		}
		body = body[:n]
		if _, err := io.ReadFull(in, body); err != nil {
			return fmt.Errorf("read the spool: %w", err)
		}
		if err := do(frame{offset: binary.LittleEndian.Uint64(head[:]), kind: head[8], body: body}); err != nil {
			return err
		}
	}
	return nil
}

// clear forgets all frames.
func (f *frames) clear() {
	clear(f.kept) // their bodies are whole packets
	f.kept, f.bytes, f.count = f.kept[:0], 0, 0
	if f.file != nil {
		f.file.Close() // nothing in it is wanted
		f.file, f.out = nil, nil
	}
}
