package ingest_test

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

type memory struct {
	mu     sync.Mutex
	clock  *clock
	order  []uuid.UUID
	events map[uuid.UUID]*store.Acceptance
	keys   map[string]taken
}
type taken struct {
	by    uuid.UUID
	until time.Time
	story string
}

func (m *memory) Accept(_ context.Context, a *store.Acceptance) (store.Accepted, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if got, dup := m.take(a); dup {
		return got, nil
	}
	m.order = append(m.order, a.Event.ID)
	m.events[a.Event.ID] = a
	return store.Accepted{EventID: a.Event.ID}, nil
}

func (m *memory) Resolve(_ context.Context, a *store.Acceptance) (store.Accepted, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if got, dup := m.take(a); dup {
		a.Event.State = event.Duplicate
		a.Deliveries = nil
		m.events[a.Event.ID] = a
		return got, nil
	}
	m.events[a.Event.ID] = a
	return store.Accepted{EventID: a.Event.ID}, nil
}

func (m *memory) take(a *store.Acceptance) (store.Accepted, bool) {
	now := m.clock.Now()
	for _, k := range a.Keys {
		if t, ok := m.keys[a.Event.Source+k.Key]; ok && t.until.After(now) && t.by != a.Event.ID {
			return store.Accepted{EventID: t.by, Duplicate: true}, true
		}
	}
	for k, t := range m.keys {
		if a.Clears != "" && t.story == string(a.Clears)+" "+a.Event.CorrelationKey {
			delete(m.keys, k)
		}
	}
	for _, k := range a.Keys {
		m.keys[a.Event.Source+k.Key] = taken{a.Event.ID, now.Add(k.Window), store.Story(k.Key, string(a.Event.Type), a.Event.CorrelationKey)}
	}
	return store.Accepted{}, false
}

func (m *memory) FindEvent(_ context.Context, id uuid.UUID) (event.Event, []event.Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, ok := m.events[id]
	if !ok {
		return event.Event{}, nil, store.ErrNotFound
	}
	return a.Event, a.Deliveries, nil
}

func (m *memory) ListEvents(context.Context, store.EventFilter) ([]store.EventSummary, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var s []store.EventSummary
	for _, id := range m.order {
		s = append(s, store.EventSummary{ID: id})
	}
	return s, nil
}
