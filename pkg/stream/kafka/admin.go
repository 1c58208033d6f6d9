package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/metadata"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
)

// Doctor looks whether the cluster and our topics there are as cfg needs them. It changes nothing.
func Doctor(ctx context.Context, cfg Config) []preflight.Finding {
	s, err := Open(ctx, cfg, slog.New(slog.NewTextHandler(io.Discard, nil)))
	switch {
	case errors.Is(err, change.ErrPreflight):
		return []preflight.Finding{{Check: "kafka.config", Severity: preflight.Error, Summary: err.Error(), Fix: "correct the stream's configuration"}}
	case err != nil:
		return []preflight.Finding{{Check: "kafka.reachable", Severity: preflight.Error, Summary: err.Error(),
			Fix: "check brokers, tls and sasl of the stream, and that this host reaches every broker's advertised listener"}}
	}
	defer s.Close()
	out := []preflight.Finding{{Check: "kafka.reachable", Severity: preflight.OK, Summary: fmt.Sprintf("brokers %v answer", cfg.Brokers)}}
	out = append(out, s.diagnoseRegistry(ctx)...)
	more, err := s.diagnose(ctx)
	if err != nil {
		more = append(more, preflight.Finding{Check: "kafka.topics", Severity: preflight.Error, Summary: err.Error(),
			Fix: "grant what `tailwater grants kafka` prints"})
	}
	return append(out, more...)
}

func (s *Stream) diagnose(ctx context.Context) ([]preflight.Finding, error) {
	if err := s.shapes.refresh(ctx); err != nil {
		return nil, err
	}
	names := append([]string{s.cfg.schemaTopic()}, s.shapes.topics()...)
	found, err := s.client.topics(ctx, names...)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { _, ok := found[name]; return !ok })
	if len(names) == 0 {
		return []preflight.Finding{{Check: "kafka.topics", Severity: preflight.OK, Summary: "no topic of this source exists yet; they are made as they are needed"}}, nil
	}
	settings, err := s.settings(ctx, names)
	if err != nil {
		return nil, err
	}
	var out []preflight.Finding
	for _, name := range names {
		out = append(out, s.diagnoseTopic(found[name], settings[name])...)
	}
	if len(out) == 0 {
		out = append(out, preflight.Finding{Check: "kafka.topics", Severity: preflight.OK, Summary: fmt.Sprintf("%d topics are as configured", len(names))})
	}
	return out, nil
}

// settings is each topic's configuration.
func (s *Stream) settings(ctx context.Context, topics []string) (map[string]map[string]string, error) {
	req := &kafkago.DescribeConfigsRequest{}
	for _, name := range topics {
		req.Resources = append(req.Resources, kafkago.DescribeConfigRequestResource{ResourceType: kafkago.ResourceTypeTopic, ResourceName: name,
			ConfigNames: []string{"max.message.bytes", "cleanup.policy", "retention.ms", "min.insync.replicas"}})
	}
	r, err := s.client.api.DescribeConfigs(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("ask for the topics' settings: %w", err)
	}
	out := map[string]map[string]string{}
	for _, resource := range r.Resources {
		if code, ok := errors.AsType[kafkago.Error](resource.Error); ok {
			return nil, fmt.Errorf("ask for the settings of topic %s: %w", resource.ResourceName, classify(code))
		}
		out[resource.ResourceName] = map[string]string{}
		for _, e := range resource.ConfigEntries {
			out[resource.ResourceName][e.ConfigName] = e.ConfigValue
		}
	}
	return out, nil
}

func (s *Stream) diagnoseTopic(t metadata.ResponseTopic, settings map[string]string) []preflight.Finding {
	var out []preflight.Finding
	add := func(check string, severity preflight.Severity, fix, format string, args ...any) {
		out = append(out, preflight.Finding{Check: "kafka." + check, Severity: severity, Summary: "topic " + t.Name + " " + fmt.Sprintf(format, args...), Fix: fix})
	}
	alter := func(setting, value string) string {
		return fmt.Sprintf("kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config %s=%s", s.cfg.Brokers[0], t.Name, setting, value)
	}
	table := t.Name != s.cfg.schemaTopic()
	if want := s.cfg.Partitions; table && len(t.Partitions) != want {
		add("partitions", preflight.Error, fmt.Sprintf("set %s to %d", s.cfg.setting("partitions"), len(t.Partitions)), "has %d partitions, configured are %d", len(t.Partitions), want)
	}
	for _, p := range t.Partitions {
		if want := s.cfg.Replication; want > 0 && len(p.ReplicaNodes) != want {
			add("replication", preflight.Warn, "kafka-reassign-partitions.sh with the replicas that it should have", "partition %d has %d replicas, configured are %d", p.PartitionIndex, len(p.ReplicaNodes), want)
			break
		}
	}
	if least, err := strconv.Atoi(settings["min.insync.replicas"]); err == nil && len(t.Partitions) > 0 && least > len(t.Partitions[0].ReplicaNodes) {
		add("min_insync", preflight.Error, alter("min.insync.replicas", "1"), "wants %d replicas in sync and has %d: nothing can be written", least, len(t.Partitions[0].ReplicaNodes))
	}
	if size, err := strconv.Atoi(settings["max.message.bytes"]); err == nil && size < s.cfg.MaxRecord {
		add("max_message_bytes", preflight.Error, alter("max.message.bytes", strconv.Itoa(s.cfg.MaxRecord)), "takes records up to %d bytes, %s is %d", size, s.cfg.setting("max_record"), s.cfg.MaxRecord)
	}
	policy := settings["cleanup.policy"]
	if table && strings.Contains(policy, "compact") {
		add("cleanup_policy", preflight.Error, alter("cleanup.policy", "delete"), "has cleanup.policy=%s: where a partial row is its key's last record, compaction loses the rest of the row", policy)
	}
	if !table && policy != "compact" {
		add("cleanup_policy", preflight.Error, alter("cleanup.policy", "compact"), "has cleanup.policy=%s: shapes that are still needed would expire", policy)
	}
	if ms, err := strconv.ParseInt(settings["retention.ms"], 10, 64); err == nil && table && ms >= 0 {
		add("retention", preflight.OK, "", "keeps records for %d h: a sink may be down that long", ms/3_600_000)
	}
	return out
}

// Drop deletes the groups of the sinks, and returns the topics that stay: they may have other readers, and only an operator knows.
func Drop(ctx context.Context, cfg Config, sinks []string, logger *slog.Logger) (stay []string, err error) {
	s, err := Open(ctx, cfg, logger)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := s.shapes.refresh(ctx); err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	stay = append(s.shapes.topics(), s.cfg.schemaTopic())
	for _, sink := range sinks { // one by one: each group has its own coordinator
		group := s.cfg.group(sink)
		r, failed := s.client.api.DeleteGroups(ctx, &kafkago.DeleteGroupsRequest{GroupIDs: []string{group}})
		if failed == nil {
			if code, ok := errors.AsType[kafkago.Error](r.Errors[group]); ok && code != kafkago.GroupIdNotFound {
				failed = classify(code)
			}
		}
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("kafka: delete group %s: %w", group, failed))
		}
	}
	return stay, err
}

// ACLs is what has to be granted to the user that a pipeline connects as, as commands.
func ACLs(cfg Config) string {
	if err := cfg.check(); err != nil {
		return "# " + err.Error() + "\n"
	}
	command := "kafka-acls.sh --bootstrap-server " + cfg.Brokers[0] + " --add --allow-principal User:tailwater "
	grants := []string{
		"--operation Describe --operation DescribeConfigs --operation Create --operation Read --operation Write --resource-pattern-type prefixed --topic " + cfg.Prefix + ".",
		"--operation Describe --operation Write --transactional-id " + cfg.transactionalID(),
		"--operation Read --operation Describe --operation Delete --resource-pattern-type prefixed --group " + cfg.group(""),
	}
	if !strings.HasPrefix(cfg.Topic, "{prefix}.") {
		grants = append(grants, "--operation Describe --operation DescribeConfigs --operation Create --operation Read --operation Write --topic '*' # the topic template does not begin with {prefix}.")
	}
	return command + strings.Join(grants, "\n"+command) + "\n"
}
