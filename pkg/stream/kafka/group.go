package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// The group's settings. A live member learns of a rebalance after at most heartbeat and joins again at once. One that has died holds up
// whoever joins for rebalanceTimeout, and is noticed after sessionTimeout where nobody does. rebalanceTimeout bounds, too, what the
// broker waits for a new group's other members (group.initial.rebalance.delay.ms, again and again while there are more).
const (
	sessionTimeout   = 6 * time.Second // the least that a broker takes by default (group.min.session.timeout.ms)
	rebalanceTimeout = 3 * time.Second
	heartbeat        = 500 * time.Millisecond
	joinBackOff      = 200 * time.Millisecond
	settle           = 50 * time.Millisecond // between a new topic and joining anew: tables often come several at a time
	goneAfter        = 10 * time.Second      // a topic of ours that the cluster doesn't know for that long is gone
)

// run joins the group and serves its assignments until the subscriber ends.
//
// A membership can't change its topics, so more topics take another one. It joins before the one before it leaves, which serves until
// then: a group without members makes the next one wait for group.initial.rebalance.delay.ms, 3 s on most brokers.
func (u *subscriber) run() {
	var last *membership
	defer func() { last.end() }()
	for u.ctx.Err() == nil {
		topics, grown := u.s.shapes.watch()
		if len(topics) == 0 {
			select {
			case <-grown:
			case <-u.ctx.Done():
			}
			continue
		}
		err := u.checkTopics(topics)
		var next *membership
		if err == nil {
			next, err = u.join(topics)
		}
		if err == nil {
			if last != nil {
				u.awaitJoin()
			}
			last.end()
			last = next
			err = u.member(last, grown)
		}
		if err != nil && u.ctx.Err() == nil {
			u.fail(err)
			return
		}
	}
}

// membership is one member of the group.
type membership struct {
	group *kafkago.ConsumerGroup
	ctx   context.Context // ends with it: the one that its assignments are served under
	leave context.CancelFunc
}

// end leaves the group and waits for what is served.
func (m *membership) end() {
	if m == nil {
		return
	}
	m.leave()
	_ = m.group.Close() // a member that couldn't say so is gone after sessionTimeout
}

func (u *subscriber) join(topics []string) (*membership, error) {
	cfg := &u.s.cfg
	group, err := kafkago.NewConsumerGroup(kafkago.ConsumerGroupConfig{
		ID: u.group, Brokers: cfg.Brokers, Topics: topics, GroupBalancers: []kafkago.GroupBalancer{byTopic{}},
		Dialer:            &kafkago.Dialer{ClientID: clientID, DialFunc: u.s.client.sockets.dial, Timeout: dialTimeout, TLS: cfg.TLS, SASLMechanism: cfg.SASL},
		HeartbeatInterval: heartbeat, SessionTimeout: sessionTimeout, RebalanceTimeout: rebalanceTimeout, JoinGroupBackoff: joinBackOff,
	})
	if err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	m := &membership{group: group}
	m.ctx, m.leave = context.WithCancel(u.ctx)
	return m, nil
}

// awaitJoin waits until the coordinator knows of a new member, for at most a heartbeat: whoever leaves earlier costs a delay, and nothing
// else.
func (u *subscriber) awaitJoin() {
	ctx, cancel := context.WithTimeout(u.ctx, heartbeat)
	defer cancel()
	var pause backOff
	for pause.wait(ctx) == nil {
		r, err := u.s.client.api.DescribeGroups(ctx, &kafkago.DescribeGroupsRequest{GroupIDs: []string{u.group}})
		if err != nil || len(r.Groups) != 1 || r.Groups[0].GroupState != "Stable" {
			return
		}
	}
}

// checkTopics sees to it that topics are there, with as many partitions as are configured: with another number keys have moved, and
// markers don't stand in every partition.
func (u *subscriber) checkTopics(topics []string) error {
	end := time.Now().Add(goneAfter)
	var pause backOff
	for {
		found, err := u.s.client.topics(u.ctx, topics...)
		if err != nil && !passing(err) {
			return err
		}
		missing := ""
		for _, name := range topics {
			t, ok := found[name]
			switch {
			case !ok:
				missing = name
			case len(t.Partitions) != u.s.cfg.Partitions:
				return u.s.cfg.refuse("topic %s has %d partitions, %d are configured: a key's records may stand in two of them; set %s to what the topic was made with, or take a new snapshot into a new topic",
					name, len(t.Partitions), u.s.cfg.Partitions, u.s.cfg.setting("partitions"))
			}
		}
		if err == nil && missing == "" {
			return nil
		}
		if err == nil && time.Now().After(end) {
			return fmt.Errorf("%w: topic %s is gone, though its shape says that it was written; take a new snapshot of its table", change.ErrGap, missing)
		}
		if err != nil {
			u.trouble(fmt.Errorf("look for the topics: %w", err))
		}
		if err := pause.wait(u.ctx); err != nil {
			return err
		}
	}
}

// member serves a membership's assignments until there are more topics, an assignment asks for another membership, or the subscriber
// ends. What it serves then goes on until the membership ends.
func (u *subscriber) member(m *membership, grown <-chan struct{}) error {
	for {
		select {
		case <-grown:
			pause := backOff{last: settle / 2}
			_ = pause.wait(m.ctx) // ended or not, run looks again
			return nil
		default:
		}
		next, cancel := context.WithCancel(m.ctx)
		u.wg.Go(func() { // ends with next
			select {
			case <-grown:
				cancel()
			case <-next.Done():
			}
		})
		gen, err := m.group.Next(next)
		stopped := next.Err() != nil
		cancel()
		code, isCode := errors.AsType[kafkago.Error](err)
		switch {
		case err == nil:
			gen.Start(func(ended context.Context) { u.serve(m.ctx, ended, gen, m.leave) })
		case m.ctx.Err() != nil:
			return nil
		case stopped:
			continue
		case isCode && !passing(classify(code)) && code != kafkago.RebalanceInProgress && code != kafkago.UnknownMemberId && code != kafkago.IllegalGeneration:
			return fmt.Errorf("join: %w", classify(code))
		default:
			u.log.Debug("not in the group yet", "group", u.group, "error", err)
			u.trouble(fmt.Errorf("join group %s: %w", u.group, err))
		}
	}
}

// serve takes one generation's assignment from its first to its last moment. leave ends the membership, so that the next one looks at the
// topics anew.
func (u *subscriber) serve(ctx, ended context.Context, gen *kafkago.Generation, leave context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ended, cancel)()
	a := newAssignment(u, gen, leave)
	if err := a.place(ctx); err != nil {
		switch {
		case ctx.Err() != nil:
		case passing(err):
			u.log.Warn("could not take up an assignment; joining anew", "group", u.group, "error", err)
			u.trouble(fmt.Errorf("take up an assignment: %w", err))
			var pause backOff
			_ = pause.wait(ctx) // ended or not, the generation is over
			leave()
		default:
			u.fail(err)
		}
		return
	}
	u.mu.Lock()
	u.current = a
	u.wakeLocked()
	u.mu.Unlock()
	u.trouble(nil)
	u.log.Info("lanes assigned", "group", u.group, "generation", gen.ID, "lanes", len(a.lanes))

	a.run(ctx)

	u.mu.Lock()
	u.current = nil
	close(a.lost)
	u.wakeLocked()
	u.mu.Unlock()
	a.commit() // with the offsets of what was committed before the lanes were lost
}

// byTopic gives all partitions of a topic to one member, because a marker is applied once it has come in all of them.
type byTopic struct{}

// ProtocolName is kafkago.GroupBalancer.
func (byTopic) ProtocolName() string { return "tailwater-topic" }

// UserData is kafkago.GroupBalancer.
func (byTopic) UserData() ([]byte, error) { return nil, nil }

// AssignGroups is kafkago.GroupBalancer: topic by topic, in order, to the member that asked for it and has the fewest partitions so far.
func (byTopic) AssignGroups(members []kafkago.GroupMember, partitions []kafkago.Partition) kafkago.GroupMemberAssignments {
	byName := map[string][]int{}
	for _, p := range partitions {
		byName[p.Topic] = append(byName[p.Topic], p.ID)
	}
	topics := make([]string, 0, len(byName))
	for name, ids := range byName {
		slices.Sort(ids)
		topics = append(topics, name)
	}
	slices.Sort(topics)
	members = slices.SortedFunc(slices.Values(members), func(a, b kafkago.GroupMember) int { return cmp.Compare(a.ID, b.ID) })
	out := kafkago.GroupMemberAssignments{}
	load := make([]int, len(members))
	for _, m := range members {
		out[m.ID] = map[string][]int{}
	}
	for _, name := range topics {
		to := -1
		for i, m := range members {
			if slices.Contains(m.Topics, name) && (to < 0 || load[i] < load[to]) {
				to = i
			}
		}
		if to >= 0 {
			out[members[to].ID][name] = byName[name]
			load[to] += len(byName[name])
		}
	}
	return out
}
