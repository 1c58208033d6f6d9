package kafka

import (
	"fmt"
	"strings"
	"sync"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// maxTopicName is Kafka's own limit, in bytes.
const maxTopicName = 249

// sanitize replaces every character that Kafka doesn't take in a topic's name by '_'. Two names that meet in one are refused by names.
func sanitize(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return '_'
	}, s)
}

// names keeps tables apart: who each topic name belongs to. Kafka takes '.' and '_' for one where it names metrics, and refuses the second
// topic of such a pair, so the names are compared in that form.
type names struct {
	cfg *Config

	mu    sync.Mutex
	owner map[string]owner
}

type owner struct{ source, schema, table string }

func (o owner) String() string {
	if o.table == "" {
		return "tailwater's own topic"
	}
	return fmt.Sprintf("%s.%s of source %s", o.schema, o.table, o.source)
}

func newNames(cfg *Config) *names {
	return &names{cfg: cfg, owner: map[string]owner{collision(cfg.schemaTopic()): {}}}
}

func collision(topic string) string { return strings.ReplaceAll(topic, ".", "_") }

// TopicName is the topic that table's rows stand in: cfg's template, with cfg's defaults. change.ErrPreflight where Kafka wouldn't take
// the name. Whether another table has it already, a Publisher finds out.
func TopicName(cfg Config, schema, table string) (string, error) {
	if cfg.Topic == "" {
		cfg.Topic = DefaultTopic
	}
	return cfg.topicName(&change.Table{Schema: schema, Name: table})
}

func (c *Config) topicName(t *change.Table) (string, error) {
	r := strings.NewReplacer("{prefix}", c.Prefix, "{schema}", sanitize(t.Schema), "{table}", sanitize(t.Name))
	name := r.Replace(c.Topic)
	switch {
	case len(name) > maxTopicName:
		return "", c.refuse("table %s: topic name %s is longer than Kafka's %d bytes; shorten %s", t, name, maxTopicName, c.setting("topic"))
	case sanitize(name) != name || name == "." || name == "..":
		return "", c.refuse("table %s: topic name %q: want letters, digits, '.', '_' and '-'; change %s", t, name, c.setting("topic"))
	}
	return name, nil
}

// topic is the name of t's topic, from now on t's alone. change.ErrPreflight where it can't have one.
func (n *names) topic(t *change.Table) (string, error) {
	name, err := n.cfg.topicName(t)
	if err != nil {
		return "", err
	}
	me := owner{source: t.Source, schema: t.Schema, table: t.Name}
	n.mu.Lock()
	defer n.mu.Unlock()
	key := collision(name)
	if have, ok := n.owner[key]; ok && have != me {
		fix := "leave one of them out, or rename it"
		if have.source != me.source || have.schema != me.schema {
			fix = "change " + n.cfg.setting("topic") + " or the prefix"
		}
		return "", n.cfg.refuse("table %s: topic %s is, or in Kafka's eyes collides with, the topic of %s; %s", t, name, have, fix)
	}
	n.owner[key] = me
	return name, nil
}
