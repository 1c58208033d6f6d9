package kafka

import (
	"fmt"
	"testing"

	kafkago "github.com/segmentio/kafka-go"
)

func TestTopicsStayTogether(t *testing.T) {
	t.Parallel()
	var partitions []kafkago.Partition
	for _, topic := range []string{"c", "a", "b"} {
		for n := range 3 {
			partitions = append(partitions, kafkago.Partition{Topic: topic, ID: 2 - n})
		}
	}
	all := []string{"a", "b", "c"}
	cases := []struct {
		name    string
		members []kafkago.GroupMember
		want    string
	}{
		{"one member", []kafkago.GroupMember{{ID: "m", Topics: all}}, "map[m:map[a:[0 1 2] b:[0 1 2] c:[0 1 2]]]"},
		{"two members", []kafkago.GroupMember{{ID: "n", Topics: all}, {ID: "m", Topics: all}}, "map[m:map[a:[0 1 2] c:[0 1 2]] n:map[b:[0 1 2]]]"},
		{"one knows of less", []kafkago.GroupMember{{ID: "m", Topics: all[:1]}, {ID: "n", Topics: all}}, "map[m:map[a:[0 1 2]] n:map[b:[0 1 2] c:[0 1 2]]]"},
		{"more members than topics", []kafkago.GroupMember{{ID: "m", Topics: all}, {ID: "n", Topics: all}, {ID: "o", Topics: all}, {ID: "p", Topics: all}},
			"map[m:map[a:[0 1 2]] n:map[b:[0 1 2]] o:map[c:[0 1 2]] p:map[]]"},
		{"a topic that nobody asked for", []kafkago.GroupMember{{ID: "m", Topics: all[1:]}}, "map[m:map[b:[0 1 2] c:[0 1 2]]]"},
	}
	for _, c := range cases {
		if got := fmt.Sprint(byTopic{}.AssignGroups(c.members, partitions)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
