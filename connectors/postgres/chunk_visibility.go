package postgres

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// visibility is a pg_snapshot: which transactions a SELECT saw. It is a snapshot.Visibility.
type visibility struct {
	xmin, xmax uint64   // below xmin all are over, from xmax on none had ended
	open       []uint64 // those between that had not, in order
}

var errSnapshot = errors.New("not a pg_snapshot")

// parseVisibility reads xmin:xmax:xid,xid,...
func parseVisibility(text string) (*visibility, error) {
	fields := strings.Split(text, ":")
	if len(fields) != 3 {
		return nil, fmt.Errorf("%q: %w", text, errSnapshot)
	}
	v := &visibility{}
	var err1, err2 error
	v.xmin, err1 = strconv.ParseUint(fields[0], 10, 64)
	v.xmax, err2 = strconv.ParseUint(fields[1], 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("%q: %w: %w", text, errSnapshot, err)
	}
	if fields[2] == "" {
		return v, nil
	}
	for s := range strings.SplitSeq(fields[2], ",") {
		xid, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q: %w: %w", text, errSnapshot, err)
		}
		v.open = append(v.open, xid)
	}
	slices.Sort(v.open)
	return v, nil
}

// Sees says that txn, named xid@LSN by the stream, was visible. A commit is in the log before it is visible, so its LSN says nothing.
func (v *visibility) Sees(txn *change.Txn) bool {
	text, _, _ := strings.Cut(txn.ID, "@")
	short, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return false // none of ours: what isn't known to be visible isn't
	}
	xid := v.widen(uint32(short))
	if xid < v.xmin || xid >= v.xmax {
		return xid < v.xmin
	}
	_, open := slices.BinarySearch(v.open, xid)
	return !open
}

// widen gives a 32-bit transaction number of the log the epoch that brings it closest to xmax: live ones are less than 2^31 apart.
func (v *visibility) widen(xid uint32) uint64 {
	return uint64(int64(v.xmax) + int64(int32(xid-uint32(v.xmax))))
}

// Settled says that every transaction that had begun at the horizon, a transaction number of that moment, is over.
func (v *visibility) Settled(horizon string) bool {
	xid, err := strconv.ParseUint(horizon, 10, 64)
	return err == nil && v.xmin > xid
}
