// Package reshape decides what a change of a table's shape at the source asks of a target table, without a word of any dialect: which shape is the
// present one, what lies between it and the one that comes, and by the sink's policy which steps to run, what to leave out, and where to halt
// with the statement to approve.
//
// It imports pkg/change, sinks and sinks/internal/upsert. A decision is made by comparing with the target's catalogue, so that made again after a crash
// at whatever step it asks for what is missing only. A rename is never guessed: it takes a column's identity (change.Column.ID).
//
//	h.Add(recorded...); d, err := reshape.Decide(in); run target.SQL(d.Steps); record the shape with its Position
package reshape
