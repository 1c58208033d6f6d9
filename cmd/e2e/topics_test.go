package e2e

import (
	"errors"
	"io"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// record is what a reader of a topic that knows nothing of us sees.
type record struct {
	key, value, position, txn string
	none                      bool // no value: a tombstone or a marker
}

func (r *rig) client() *kafka.Client {
	transport := &kafka.Transport{MetadataTTL: 50 * time.Millisecond}
	r.t.Cleanup(transport.CloseIdleConnections)
	return &kafka.Client{Addr: kafka.TCP(r.broker.Addr), Transport: transport, Timeout: 20 * time.Second}
}

// until asks the broker until it has an answer: one that hasn't run for a while, on a loaded machine, refuses for a moment.
func until[T any](r *rig, what string, ask func() (T, error)) (out T) {
	r.t.Helper()
	testenv.Wait(r.t, what, func() bool {
		var err error
		if out, err = ask(); err != nil {
			r.t.Logf("%s: %v", what, err)
		}
		return err == nil
	})
	return out
}

// topics are the topics of the pipeline.
func (r *rig) topics() []string {
	r.t.Helper()
	client := r.client()
	meta := until(r, "the list of topics", func() (*kafka.MetadataResponse, error) {
		return client.Metadata(r.t.Context(), &kafka.MetadataRequest{})
	})
	var names []string
	for _, topic := range meta.Topics {
		if strings.HasPrefix(topic.Name, r.name+".") {
			names = append(names, topic.Name)
		}
	}
	return names
}

// deleteTopics deletes topics and waits until they are gone.
func (r *rig) deleteTopics(names ...string) {
	r.t.Helper()
	client := r.client()
	until(r, "the deletion of topics", func() (*kafka.DeleteTopicsResponse, error) {
		res, err := client.DeleteTopics(r.t.Context(), &kafka.DeleteTopicsRequest{Topics: names})
		if err != nil {
			return nil, err
		}
		for _, refused := range res.Errors {
			if !errors.Is(refused, kafka.UnknownTopicOrPartition) { // gone at the first try
				err = errors.Join(err, refused)
			}
		}
		return res, err
	})
	testenv.Wait(r.t, "the topics are gone", func() bool {
		for _, left := range r.topics() {
			for _, name := range names {
				if left == name {
					return false
				}
			}
		}
		return true
	})
}

// records are all records of a table's topic, partition by partition.
func (r *rig) records(table string) []record {
	r.t.Helper()
	var all []record
	r.eachRecord(table, func(rec record) { all = append(all, rec) })
	return all
}

// eachRecord calls f with each record of a table's topic, partition by partition.
func (r *rig) eachRecord(table string, f func(rec record)) {
	r.t.Helper()
	client, name := r.client(), r.topic(table)
	for partition := range twoParts {
		end := r.end(table, partition)
		for offset := int64(0); offset < end; {
			res := until(r, "records of "+name, func() (*kafka.FetchResponse, error) {
				res, err := client.Fetch(r.t.Context(), &kafka.FetchRequest{Topic: name, Partition: partition, Offset: offset, MinBytes: 1, MaxBytes: 8 << 20})
				if err == nil {
					err = res.Error
				}
				return res, err
			})
			before := offset
			for rec, err := res.Records.ReadRecord(); !errors.Is(err, io.EOF); rec, err = res.Records.ReadRecord() {
				if err != nil {
					r.t.Fatal(err)
				}
				offset = rec.Offset + 1
				f(r.record(rec))
			}
			if offset == before {
				offset++ // a control record
			}
		}
	}
}

// topic is the name of a table's topic.
func (r *rig) topic(table string) string { return r.name + "." + r.source.schema() + "." + table }

// end is the offset behind a partition's last record.
func (r *rig) end(table string, partition int) int64 {
	r.t.Helper()
	client, name := r.client(), r.topic(table)
	return until(r, "the end of "+name, func() (int64, error) {
		ends, err := client.ListOffsets(r.t.Context(), &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{name: {kafka.LastOffsetOf(partition)}}})
		if err != nil {
			return 0, err
		}
		return ends.Topics[name][0].LastOffset, ends.Topics[name][0].Error
	})
}

func (r *rig) record(rec *kafka.Record) record {
	r.t.Helper()
	key, err1 := kafka.ReadAll(rec.Key)
	out := record{key: string(key), none: rec.Value == nil}
	var value []byte
	var err2 error
	if !out.none {
		value, err2 = kafka.ReadAll(rec.Value)
	}
	if err := errors.Join(err1, err2); err != nil {
		r.t.Fatal(err)
	}
	out.value = string(value)
	for _, h := range rec.Headers {
		switch h.Key {
		case "tw.pos":
			out.position = string(h.Value)
		case "tw.txn":
			out.txn = string(h.Value)
		}
	}
	return out
}

// groups are the consumer groups of the pipeline's sinks.
func (r *rig) groups() []string {
	r.t.Helper()
	client := r.client()
	list := until(r, "the list of groups", func() (*kafka.ListGroupsResponse, error) {
		return client.ListGroups(r.t.Context(), &kafka.ListGroupsRequest{})
	})
	var names []string
	for _, group := range list.Groups {
		if strings.HasPrefix(group.GroupID, "tailwater."+r.name+".") {
			names = append(names, group.GroupID)
		}
	}
	return names
}
