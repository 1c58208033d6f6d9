package rowimage

import (
	"errors"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

var errShort = errors.New("the event ends inside it")

// wire reads an event's bytes from the front. The first thing that isn't there sets bad, and from then on all is zero.
type wire struct {
	b   []byte
	bad bool
}

// take returns the next n bytes.
func (w *wire) take(n uint64) []byte {
	if w.bad || n > uint64(len(w.b)) {
		w.bad = true
		return nil
	}
	b := w.b[:n]
	w.b = w.b[n:]
	return b
}

// number reads n bytes, the lowest first.
func (w *wire) number(n uint64) uint64 {
	var v uint64
	for i, c := range w.take(n) {
		v |= uint64(c) << (8 * i)
	}
	return v
}

// packed reads an integer of the protocol's variable length.
func (w *wire) packed() uint64 {
	switch first := w.number(1); first {
	case 0xfc:
		return w.number(2)
	case 0xfd:
		return w.number(3)
	case 0xfe:
		return w.number(8)
	case 0xfb, 0xff: // NULL and an error, which no event holds
		w.bad = true
		return 0
	default:
		return first
	}
}

func (w *wire) more() bool { return !w.bad && len(w.b) > 0 }

func (w *wire) err() error {
	if w.bad {
		return errors.Join(errShort, change.ErrHalt)
	}
	return nil
}

// bit says whether bit i of a bitmap is set, the lowest of each byte first.
func bit(bitmap []byte, i int) bool { return bitmap[i>>3]>>(i&7)&1 != 0 }
