// Package kafka is the stream over Kafka topics: one topic a table, partitions as lanes, shapes in `{prefix}.schemas`. It speaks to the
// brokers through kafka-go's Transport and consumer groups, and writes and reads record batches itself, because
// kafka-go can't produce with a producer id and loses its place in compacted topics. It may import pkg/change, pkg/codec, pkg/stream,
// pkg/preflight and pkg/fault.
//
// Its invariants: a partition takes batches of one publisher only, the one that opened last (fence.go); inside a partition the
// order is the order of Publish, across retries too (lane.go); a change is acknowledged only when every broker that has to hold
// it does; a subscriber never passes what it can't decode or can't prove to follow its mark (begin.go).
//
// A lane without a mark begins at the group's offset. Without that either, or with a zero mark, it begins at the first record, if that still is offset 0; where
// retention has taken the beginning, rows that have not changed since are in no record, and the subscriber ends with
// change.ErrGap, which names the snapshot to ask for.
package kafka
