package mysql

import (
	"context"
	"fmt"
	"strconv"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Status is what the server says of its log.
type Status struct {
	Head     change.Position // where the log ends
	LogBytes int64           // of all files that are still there
	Expires  int64           // seconds after which a file goes; 0: never by age
}

// Status asks for the state of the log. Any goroutine may call it.
func (s *Source) Status(ctx context.Context) (Status, error) {
	st := Status{Expires: s.server.expire}
	err := s.catalog.session(ctx, func(conn *session) error {
		end, err := s.server.readEnd(ctx, conn)
		if err != nil {
			return err
		}
		st.Head = below(s.epoch, end.file, end.offset)
		st.LogBytes, err = logBytes(ctx, conn)
		return err
	})
	if err != nil {
		return st, fmt.Errorf("read the state of the log: %w", err)
	}
	return st, nil
}

func logBytes(ctx context.Context, conn *session) (int64, error) {
	rows, err := conn.all(ctx, "show binary logs")
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, row := range rows {
		n, err := strconv.ParseInt(row[1], 10, 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// Lag is how many bytes of log lie between two Positions of one file. Across files it isn't told: no Position knows how long a file became.
func Lag(head, read change.Position) (int64, bool) {
	if head.Commit <= read.Commit {
		return 0, true
	}
	return int64(head.Commit - read.Commit), head.Commit>>offsetBits == read.Commit>>offsetBits
}

// Address writes a Position as people write places of the log; the base of the file's name isn't in it.
func Address(p change.Position) string {
	return fmt.Sprintf("%06d:%d", p.Commit>>offsetBits, p.Commit&(1<<offsetBits-1))
}
