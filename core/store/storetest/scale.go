package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// The size of the database that Statements run on. Its event number i, from 1, has the
// id Seeded{Start}.EventID(i), and was received 5 seconds after the one before it.
//
// The first hundred are the rare ones: what few rows match is far from where a list
// begins. Every source, type and state has many rows, but the source lidarr, the type
// health.issue and the state duplicate; each of their pairs has one that three rows
// match. The newest events are undecodable, all of them.
const (
	SeededEvents     = 500_000
	SeededDeliveries = 420_000
	SeededStep       = 5 * time.Second
)

// Seeded is a database of that size. The last of its events came just now.
type Seeded struct{ Start time.Time }

// NewSeeded is one that ends now.
func NewSeeded() Seeded {
	return Seeded{Start: time.Now().Add(-SeededEvents * SeededStep).Truncate(time.Millisecond)}
}

// EventID is the id of the event with a number.
func (s Seeded) EventID(i int) uuid.UUID { return s.id(0x80, i) }

// DeliveryID is the id of the delivery with a number. It delivers the event with the same
// number.
func (s Seeded) DeliveryID(i int) uuid.UUID { return s.id(0x81, i) }

func (s Seeded) id(kind byte, i int) uuid.UUID {
	id := event.FirstID(s.Start.Add(time.Duration(i) * SeededStep))
	id[6], id[8] = 0x70, kind
	for b := range 6 {
		id[10+b] = byte(i >> (8 * (5 - b)))
	}
	return id
}

// Statement is a call of an engine whose statements must read no more than they return.
type Statement struct {
	Name string
	// Run returns how many rows it returned, changed or counted. It leaves the database
	// as it was.
	Run func(ctx context.Context, e store.Engine) (rows int, err error)
}

// Statements are those that run by themselves, and lists with every combination of
// filters.
func (s Seeded) Statements() []Statement {
	return slices.Concat(s.lists(), s.looks(), s.upkeep(), s.changes(), s.groups(), s.listsOfGroups(), s.messages(), s.inventory(), s.activity())
}

func (s Seeded) lists() []Statement {
	const page = 50
	var all []Statement
	befores := []uuid.UUID{uuid.Nil, s.EventID(SeededEvents / 2), s.EventID(2)}
	add := func(name string, list func(ctx context.Context, e store.Engine) ([]uuid.UUID, error), summarize func(ctx context.Context, e store.Engine, ids []uuid.UUID) (int, error)) {
		all = append(all, Statement{Name: name, Run: func(ctx context.Context, e store.Engine) (int, error) {
			ids, err := list(ctx, e)
			if err != nil {
				return 0, err
			}
			n, err := summarize(ctx, e, ids)
			if err == nil && n != len(ids) {
				err = fmt.Errorf("%d of %d rows", n, len(ids))
			}
			return n, err
		}})
	}
	events := func(name string, f store.EventFilter) {
		add("list events "+name, func(ctx context.Context, e store.Engine) ([]uuid.UUID, error) { return e.EventIDs(ctx, f, page) },
			func(ctx context.Context, e store.Engine, ids []uuid.UUID) (int, error) {
				found, err := e.SummarizeEvents(ctx, ids)
				return len(found), err
			})
	}
	deliveries := func(name string, f store.DeliveryFilter) {
		add("list deliveries "+name, func(ctx context.Context, e store.Engine) ([]uuid.UUID, error) { return e.DeliveryIDs(ctx, f, page) },
			func(ctx context.Context, e store.Engine, ids []uuid.UUID) (int, error) {
				found, err := e.SummarizeDeliveries(ctx, ids)
				return len(found), err
			})
	}
	day := s.Start.Add(SeededEvents / 2 * SeededStep)
	for _, source := range []string{"", "radarr", "sonarr", "prowlarr", "lidarr", "absent"} {
		for _, kind := range []sdk.Type{"", sdk.TypeMediaImported, sdk.TypeFileRenamed, sdk.TypeMediaAdded, sdk.TypeHealthIssue} {
			for _, state := range []event.State{"", event.Deferred, event.Routed, event.Undecodable, event.Duplicate} {
				for i, before := range befores {
					f := store.EventFilter{Source: source, Type: kind, State: state, Before: before}
					events(source+","+string(kind)+","+string(state)+","+strconv.Itoa(i), f)
				}
				f := store.EventFilter{Source: source, Type: kind, State: state, Since: day, Until: day.Add(time.Hour), Oldest: true}
				events(source+","+string(kind)+","+string(state)+", of an hour", f)
				f.Until, f.After = time.Time{}, s.EventID(SeededEvents-100)
				events(source+","+string(kind)+","+string(state)+", the last", f)
			}
		}
	}
	for _, target := range []string{"", "ops", "chat", "held", "broken", "rare", "absent"} {
		for _, state := range []event.DeliveryState{
			"", event.Pending, event.Verifying, event.Delivered, event.Superseded, event.Dead, event.Cancelled,
		} {
			for _, id := range []uuid.UUID{uuid.Nil, s.EventID(1)} {
				for i, before := range befores {
					f := store.DeliveryFilter{Target: target, State: state, EventID: id, Before: before}
					deliveries(target+","+string(state)+","+id.String()+","+strconv.Itoa(i), f)
				}
			}
			f := store.DeliveryFilter{Target: target, State: state, Since: day, Until: day.Add(time.Hour), Oldest: true}
			deliveries(target+","+string(state)+", of an hour", f)
			f.Until, f.After, f.States = time.Time{}, s.DeliveryID(SeededDeliveries-100), []event.DeliveryState{event.Dead}
			deliveries(target+","+string(state)+" or dead, the last", f)
		}
	}
	return all
}

// looks read single rows, or what all nodes look at again and again.
func (s Seeded) looks() []Statement {
	return []Statement{
		{"FindEvent", func(ctx context.Context, e store.Engine) (int, error) {
			_, deliveries, err := e.FindEvent(ctx, s.EventID(1))
			return 1 + len(deliveries), err
		}},
		{"FindDelivery", func(ctx context.Context, e store.Engine) (int, error) {
			_, attempts, err := e.FindDelivery(ctx, s.DeliveryID(8))
			return 1 + len(attempts), err
		}},
		{"ListRepetitions", func(ctx context.Context, e store.Engine) (int, error) {
			list, err := e.ListRepetitions(ctx, s.EventID(1), 50)
			return len(list), err
		}},
		{"LoadWorks", func(ctx context.Context, e store.Engine) (int, error) {
			ids := make([]uuid.UUID, 64)
			for i := range ids {
				ids[i] = s.DeliveryID(1 + 1000*i)
			}
			works, err := e.LoadWorks(ctx, ids)
			return len(works), err
		}},
		{"LoadRequest", func(ctx context.Context, e store.Engine) (int, error) {
			_, err := e.LoadRequest(ctx, s.EventID(1))
			return 1, err
		}},
		{"EventTexts", func(ctx context.Context, e store.Engine) (int, error) {
			ids := make([]uuid.UUID, 50)
			for i := range ids {
				ids[i] = s.EventID(1 + 1000*i)
			}
			n := 0
			err := e.EventTexts(ctx, ids, 100, func(*store.EventText) { n++ })
			return n, err
		}},
		{"FindEventsByPrefix", func(ctx context.Context, e store.Engine) (int, error) {
			list, err := e.FindEventsByPrefix(ctx, s.EventID(300_000).String()[:4], 10)
			return len(list), err
		}},
		{"FindDeliveriesByPrefix", func(ctx context.Context, e store.Engine) (int, error) {
			list, err := e.FindDeliveriesByPrefix(ctx, s.DeliveryID(300_000).String(), 10)
			return len(list), err
		}},
		{"LastSeen", func(ctx context.Context, e store.Engine) (int, error) {
			list, err := e.LastSeen(ctx)
			return 4 * len(list), err // one look for each state
		}},
		{"FindAction", func(ctx context.Context, e store.Engine) (int, error) {
			_, err := e.FindAction(ctx, s.EventID(1))
			if errors.Is(err, store.ErrNotFound) {
				err = nil
			}
			return 0, err
		}},
		{"ListActions", func(ctx context.Context, e store.Engine) (int, error) {
			list, err := e.ListActions(ctx, store.ActionFilter{})
			return len(list), err
		}},
		{"ListActions that run", func(ctx context.Context, e store.Engine) (int, error) {
			list, err := e.ListActions(ctx, store.ActionFilter{Running: true})
			return len(list), err
		}},
		{"ActionsOf", func(ctx context.Context, e store.Engine) (int, error) {
			list, err := e.ActionsOf(ctx, s.EventID(SeededEvents-60_001), 50)
			return len(list), err
		}},
		{"CountDeliveries", func(ctx context.Context, e store.Engine) (n int, err error) {
			counts, err := e.CountDeliveries(ctx)
			for _, c := range counts {
				n += c.Count
			}
			return n, err
		}},
		{"OpenTargets", func(ctx context.Context, e store.Engine) (int, error) {
			targets, err := e.OpenTargets(ctx)
			return len(targets), err
		}},
		{"ListTargets", func(ctx context.Context, e store.Engine) (int, error) {
			targets, _, err := e.ListTargets(ctx)
			return len(targets), err
		}},
		{"QueuesAstray", func(ctx context.Context, e store.Engine) (int, error) {
			targets, err := e.QueuesAstray(ctx)
			return len(targets), err
		}},
		{"RenamesSince of many", s.renames("sonarr", s.EventID(SeededEvents-60_200))},
		{"RenamesSince of few", s.renames("radarr", uuid.Nil)},
		{"FindCursor", func(ctx context.Context, e store.Engine) (int, error) {
			_, err := e.FindCursor(ctx, "radarr")
			if errors.Is(err, store.ErrNotFound) {
				err = nil
			}
			return 0, err
		}},
	}
}

func (Seeded) renames(source string, since uuid.UUID) func(ctx context.Context, e store.Engine) (int, error) {
	return func(ctx context.Context, e store.Engine) (int, error) {
		list, err := e.RenamesSince(ctx, source, since)
		return len(list), err
	}
}

// upkeep runs every few seconds or minutes. The jobs that run are younger than what is
// reclaimed, so that nothing is.
func (s Seeded) upkeep() []Statement {
	const slice = 500
	year := 365 * 24 * time.Hour
	return []Statement{
		{"Beat", func(ctx context.Context, e store.Engine) (int, error) {
			_, err := e.Beat(ctx, "node", 10*time.Second)
			return 1, err
		}},
		{"Reclaim", func(ctx context.Context, e store.Engine) (int, error) {
			return e.Reclaim(ctx, "node", []int64{1, 2, 3}, year)
		}},
		{"ReclaimDead", func(ctx context.Context, e store.Engine) (int, error) { return e.ReclaimDead(ctx, "node", year) }},
		undone("Overdue of many", func(ctx context.Context, tx store.Tx) (int, error) {
			list, err := tx.Overdue(ctx, "held", time.Minute, event.Delivery{State: event.Pending}, slice)
			return len(list), err
		}),
		undone("Overdue from a time", func(ctx context.Context, tx store.Tx) (int, error) {
			list, err := tx.Overdue(ctx, "held", time.Minute, event.Delivery{State: event.Pending, DueAt: s.Start.Add(100_000 * SeededStep)}, slice)
			return len(list), err
		}),
		undone("Overdue of few", func(ctx context.Context, tx store.Tx) (int, error) {
			list, err := tx.Overdue(ctx, "broken", time.Minute, event.Delivery{State: event.Pending}, slice)
			return len(list), err
		}),
		undone("Overdue of none yet", func(ctx context.Context, tx store.Tx) (int, error) {
			list, err := tx.Overdue(ctx, "held", year, event.Delivery{State: event.Pending}, slice)
			return len(list), err
		}),
		undone("DeferredOf many", func(ctx context.Context, tx store.Tx) (int, error) {
			list, err := tx.DeferredOf(ctx, "prowlarr", time.Minute, uuid.Nil, slice)
			return len(list), err
		}),
		undone("DeferredOf none yet", func(ctx context.Context, tx store.Tx) (int, error) {
			_, err := tx.DeferredOf(ctx, "prowlarr", year, uuid.Nil, slice)
			return slice, err // it looks at the oldest
		}),
		undone("DeferredOf few", func(ctx context.Context, tx store.Tx) (int, error) {
			list, err := tx.DeferredOf(ctx, "radarr", time.Minute, uuid.Nil, slice)
			return len(list), err
		}),
		undone("Overdue of those to be proven", func(ctx context.Context, tx store.Tx) (int, error) {
			list, err := tx.Overdue(ctx, "chat", time.Minute, event.Delivery{State: event.Verifying}, slice)
			return len(list), err
		}),
		undone("NextInTurn of those to be proven", func(ctx context.Context, tx store.Tx) (int, error) {
			_, err := tx.NextInTurn(ctx, "chat", event.Verifying, s.DeliveryID(41))
			return 1, err
		}),
		undone("ExpireDeliveries to be proven", func(ctx context.Context, tx store.Tx) (int, error) {
			return tx.ExpireDeliveries(ctx, "chat", event.Verifying, time.Hour, "too old", slice)
		}),
		undone("NextInTurn", func(ctx context.Context, tx store.Tx) (int, error) {
			_, err := tx.NextInTurn(ctx, "held", event.Pending, s.DeliveryID(41))
			return 1, err
		}),
		undone("ExpireDeliveries", func(ctx context.Context, tx store.Tx) (int, error) {
			return tx.ExpireDeliveries(ctx, "held", event.Pending, time.Hour, "too old", slice)
		}),
		undone("ExpireDeliveries of none yet", func(ctx context.Context, tx store.Tx) (int, error) {
			return tx.ExpireDeliveries(ctx, "held", event.Pending, year, "too old", slice)
		}),
		undone("OpenActions", func(ctx context.Context, tx store.Tx) (int, error) {
			list, err := tx.OpenActions(ctx, slice)
			return len(list), err
		}),
		undone("PurgeActions", func(ctx context.Context, tx store.Tx) (int, error) { return tx.PurgeActions(ctx, time.Hour, slice) }),
		undone("PurgeActions of none yet", func(ctx context.Context, tx store.Tx) (int, error) { return tx.PurgeActions(ctx, year, slice) }),
		{"FindSession", func(ctx context.Context, e store.Engine) (int, error) {
			_, _, err := e.FindSession(ctx, store.SecretID{1})
			if errors.Is(err, store.ErrNotFound) {
				err = nil
			}
			return 1, err
		}},
		{"FindLink", func(ctx context.Context, e store.Engine) (int, error) {
			_, err := e.FindLink(ctx, store.SecretID{1})
			if errors.Is(err, store.ErrNotFound) {
				err = nil
			}
			return 1, err
		}},
		{"ListSessions", func(ctx context.Context, e store.Engine) (int, error) {
			list, err := e.ListSessions(ctx)
			return len(list), err
		}},
		undone("TouchSession", func(ctx context.Context, tx store.Tx) (int, error) { return 1, tx.TouchSession(ctx, store.SecretID{1}) }),
		undone("PurgeSessions", func(ctx context.Context, tx store.Tx) (int, error) {
			n, err := tx.PurgeSessions(ctx, slice)
			return 2 * n, err // and as many links
		}),
		undone("PurgeKeys", func(ctx context.Context, tx store.Tx) (int, error) { return tx.PurgeKeys(ctx, slice) }),
		undone("PurgeDead", func(ctx context.Context, tx store.Tx) (int, error) {
			deleted, err := tx.PurgeDead(ctx, time.Hour, slice)
			return deleted.Count(), err
		}),
		undone("PurgeDead of none yet", func(ctx context.Context, tx store.Tx) (int, error) {
			deleted, err := tx.PurgeDead(ctx, year, slice)
			return deleted.Count(), err
		}),
		undone("PurgeEvents", func(ctx context.Context, tx store.Tx) (int, error) {
			_, seen, err := tx.PurgeEvents(ctx, store.Retention{Events: time.Hour, DeadLetters: year}, slice)
			return seen, err
		}),
		undone("PurgeEvents of none yet", func(ctx context.Context, tx store.Tx) (int, error) {
			_, seen, err := tx.PurgeEvents(ctx, store.Retention{Events: year, DeadLetters: year}, slice)
			return seen, err
		}),
	}
}

// errUndone ends a transaction that is not to last.
var errUndone = errors.New("undone")
