package live

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/store"
)

const (
	// overlap is how far each look goes back behind the one before: a transaction may take
	// 15 seconds from its time to its commit, and clocks of nodes differ.
	overlap = 20 * time.Second
	// maxRead bounds what a look reads of events, and of deliveries, and maxIDs what it
	// tells: it says of more that there are some.
	maxRead = 5000
	maxIDs  = 500
	// maxActions is how many of the last actions are compared.
	maxActions = 20
)

// memory is what the last look saw. The zero value is before the first.
type memory struct {
	at         time.Time // of the database
	events     map[uuid.UUID]bool
	deliveries map[deliveryAt]bool
	deferred   map[uuid.UUID]bool
	targets    map[string]targetState
	sources    map[store.SourceMark]bool
	silences   map[uuid.UUID]silenceState
	actions    map[uuid.UUID]time.Time
	plugins    map[string]pluginState
	config     *config.Config
}

type (
	deliveryAt struct {
		id uuid.UUID
		at time.Time
	}
	// targetState is what people see of a target's row. What it takes from its rate changes
	// with each attempt, and is not.
	targetState struct {
		hold, reason, pace string
		until, probe, next time.Time
		probes             int
	}
	silenceState struct {
		ends     time.Time
		silenced int
	}
	pluginState struct {
		state            pluginhost.State
		reason, sum      string
		since            time.Time
		pid, restarts    int
		refused, failure pluginhost.Failure
	}
)

// compare looks, and returns what has changed since the last look. After an error it is as
// it was.
func (m *memory) compare(ctx context.Context, o Options) ([]Change, error) {
	var found changes
	targets, now, err := o.Store.ListTargets(ctx)
	if err != nil {
		return nil, err
	}
	next, first, since := memory{at: now}, m.at.IsZero(), m.at.Add(-overlap)
	if first {
		since = now.Add(-overlap)
	}
	next.compareTargets(m, &found, targets)
	for _, part := range []func(context.Context, *memory, *changes, Options, time.Time) error{
		next.compareEvents, next.compareDeliveries, next.compareSources, next.compareSilences, next.compareActions,
	} {
		if err := part(ctx, m, &found, o, since); err != nil {
			return nil, err
		}
	}
	next.comparePlugins(m, &found, o)
	if o.Config != nil {
		if next.config = o.Config(); next.config != m.config {
			found.add(Config)
		}
	}
	*m = next
	if first {
		return nil, nil
	}
	return found.list(), nil
}

// changes are gathered ids by topic.
type changes struct {
	ids map[Topic]map[string]bool
	// vague are topics of which not every id is known.
	vague map[Topic]bool
}

// add says that something of a topic has changed; without ids it is not known what.
func (c *changes) add(t Topic, ids ...string) {
	if c.ids == nil {
		c.ids, c.vague = map[Topic]map[string]bool{}, map[Topic]bool{}
	}
	if c.ids[t] == nil {
		c.ids[t] = map[string]bool{}
	}
	for _, id := range ids {
		c.ids[t][id] = true
	}
	if len(ids) == 0 {
		c.vague[t] = true
	}
}

func (c *changes) list() (list []Change) {
	for _, t := range []Topic{Config, Plugins, Targets, Silences, Sources, Events, Deliveries} {
		ids, ok := c.ids[t]
		if !ok {
			continue
		}
		change := Change{Topic: t}
		if !c.vague[t] && len(ids) <= maxIDs {
			for id := range ids {
				change.IDs = append(change.IDs, id)
			}
			slices.Sort(change.IDs)
		}
		list = append(list, change)
	}
	return list
}

// differ adds the keys whose values are not the same in both.
func differ[K, V comparable](c *changes, t Topic, was, is map[K]V, name func(K) string) {
	for k, v := range is {
		if old, ok := was[k]; !ok || old != v {
			c.add(t, name(k))
		}
	}
	for k := range was {
		if _, ok := is[k]; !ok {
			c.add(t, name(k))
		}
	}
}

func (m *memory) compareTargets(was *memory, c *changes, rows []store.Target) {
	m.targets = make(map[string]targetState, len(rows))
	for _, t := range rows {
		m.targets[t.Name] = targetState{
			hold: string(t.Hold), reason: t.Reason, pace: t.Pace, until: t.Until, probe: t.ProbeAt, next: t.NextAt, probes: t.Probes,
		}
	}
	differ(c, Targets, was.targets, m.targets, func(name string) string { return name })
}

// compareEvents tells of new events, and of those that were deferred.
func (m *memory) compareEvents(ctx context.Context, was *memory, c *changes, o Options, since time.Time) error {
	ids, err := o.Store.EventIDs(ctx, store.EventFilter{Since: since}, maxRead)
	if err != nil {
		return err
	}
	m.events = make(map[uuid.UUID]bool, len(ids))
	for _, id := range ids {
		if m.events[id] = true; !was.events[id] {
			c.add(Events, id.String())
		}
	}
	if len(ids) == maxRead {
		c.add(Events)
	}
	deferred, err := o.Store.EventIDs(ctx, store.EventFilter{State: event.Deferred, Oldest: true}, maxIDs)
	if err != nil {
		return err
	}
	m.deferred = make(map[uuid.UUID]bool, len(deferred))
	for _, id := range deferred {
		m.deferred[id] = true
	}
	for id := range was.deferred {
		// Older ones may have come before the last that was read.
		beyond := len(deferred) == maxIDs && bytes.Compare(id[:], deferred[maxIDs-1][:]) > 0
		if !m.deferred[id] && !beyond {
			c.add(Events, id.String())
		}
	}
	return nil
}

// compareDeliveries tells of deliveries, and of events by what became of theirs.
func (m *memory) compareDeliveries(ctx context.Context, was *memory, c *changes, o Options, since time.Time) error {
	rows, err := o.Store.ChangedDeliveries(ctx, since, maxRead)
	if err != nil {
		return err
	}
	m.deliveries = make(map[deliveryAt]bool, len(rows))
	for _, d := range rows {
		at := deliveryAt{d.ID, d.UpdatedAt}
		if m.deliveries[at] = true; was.deliveries[at] {
			continue
		}
		c.add(Deliveries, d.ID.String())
		if c.add(Events, d.EventID.String()); d.Members > 1 {
			c.add(Events) // which are the others is not told
		}
	}
	if len(rows) >= maxRead {
		c.add(Deliveries)
		c.add(Events)
	}
	return nil
}

func (m *memory) compareSources(ctx context.Context, was *memory, c *changes, o Options, since time.Time) error {
	rows, err := o.Store.SourceMarks(ctx, since)
	if err != nil {
		return err
	}
	m.sources = make(map[store.SourceMark]bool, len(rows))
	for _, mark := range rows {
		if m.sources[mark] = true; !was.sources[mark] {
			c.add(Sources, mark.Source)
		}
	}
	return nil
}

func (m *memory) compareSilences(ctx context.Context, was *memory, c *changes, o Options, _ time.Time) error {
	rows, _, err := o.Store.ListSilences(ctx, 0)
	if err != nil {
		return err
	}
	m.silences = make(map[uuid.UUID]silenceState, len(rows))
	for _, n := range rows {
		m.silences[n.ID] = silenceState{n.EndsAt, n.Silenced}
	}
	differ(c, Silences, was.silences, m.silences, uuid.UUID.String)
	return nil
}

// compareActions tells of deliveries and events: what an action does is seen of these, and
// how far it has come is shown beside them.
func (m *memory) compareActions(ctx context.Context, was *memory, c *changes, o Options, _ time.Time) error {
	m.actions = map[uuid.UUID]time.Time{}
	for _, f := range []store.ActionFilter{{Limit: maxActions}, {Limit: maxActions, Running: true}} {
		rows, err := o.Store.ListActions(ctx, f)
		if err != nil {
			return err
		}
		for _, a := range rows {
			m.actions[a.ID] = a.UpdatedAt
			if !was.actions[a.ID].Equal(a.UpdatedAt) {
				c.add(Deliveries)
				c.add(Events)
			}
		}
	}
	return nil
}

func (m *memory) comparePlugins(was *memory, c *changes, o Options) {
	if o.Plugins == nil {
		return
	}
	m.plugins = map[string]pluginState{}
	for _, s := range o.Plugins() {
		m.plugins[string(s.Kind)+"-"+s.Plugin] = pluginState{
			state: s.State, reason: s.Reason, sum: s.SHA256, since: s.Since, pid: s.PID, restarts: s.Restarts,
			refused: s.Refusal, failure: s.LastFailure,
		}
	}
	differ(c, Plugins, was.plugins, m.plugins, func(name string) string { return name })
}
