package kafka_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream/kafka"
)

func TestTopicName(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, template, schema, table, want string }{
		{"the default template", "", "public", "orders", "p.public.orders"},
		{"a template", "{table}-of-{prefix}", "public", "orders", "orders-of-p"},
		{"characters that Kafka doesn't take", "", "my schema", "größe", "p.my_schema.gr__e"},
		{"too long", "", "public", strings.Repeat("x", 250), ""},
		{"a template with a character that Kafka doesn't take", "{table}/x", "public", "orders", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := kafka.TopicName(kafka.Config{Prefix: "p", Topic: c.template}, c.schema, c.table)
			if got != c.want || (c.want == "") != errors.Is(err, change.ErrPreflight) {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}
