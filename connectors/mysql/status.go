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
	files, err := listFiles(ctx, conn)
	var sum int64
	for _, f := range files {
		sum += f.bytes
	}
	return sum, err
}

// Lag is how many bytes of log lie between two Positions of one epoch, by the sizes of the files there are now; false: a file between them is gone.
func (s *Source) Lag(ctx context.Context, head, read change.Position) (int64, bool, error) {
	from, to := read.Commit>>offsetBits, head.Commit>>offsetBits
	if head.Commit <= read.Commit {
		return 0, true, nil
	}
	lag := int64(head.Commit&(1<<offsetBits-1)) - int64(read.Commit&(1<<offsetBits-1))
	if from == to {
		return lag, true, nil
	}
	var files []fileSize
	err := s.catalog.session(ctx, func(conn *session) (err error) {
		files, err = listFiles(ctx, conn)
		return err
	})
	if err != nil {
		return 0, false, fmt.Errorf("measure the log: %w", err)
	}
	for _, f := range files {
		if f.number == from && from < to {
			lag += f.bytes
			from++
		}
	}
	return lag, from == to, nil
}

// fileSize is a file of the log.
type fileSize struct {
	number uint64
	bytes  int64
}

// listFiles lists the files of the log in order.
func listFiles(ctx context.Context, conn *session) ([]fileSize, error) {
	rows, err := conn.all(ctx, "show binary logs")
	if err != nil {
		return nil, err
	}
	files := make([]fileSize, len(rows))
	for i, row := range rows {
		f, _, err := parseFile(row[0])
		if err != nil {
			return nil, err
		}
		if files[i].bytes, err = strconv.ParseInt(row[1], 10, 64); err != nil {
			return nil, err
		}
		files[i].number = f.number
	}
	return files, nil
}

// Address writes a Position as people write places of the log; the base of the file's name isn't in it.
func Address(p change.Position) string {
	return fmt.Sprintf("%06d:%d", p.Commit>>offsetBits, p.Commit&(1<<offsetBits-1))
}
