package storetest

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// Groups, messages, folds and silences of the seeded database, by number from 1. Group i, of
// the target news, has the key "key" and i, and ten events from number 10*i on; those above
// SeededClosed are open. Message i, of that target, has the key "story" and i and tells five
// events, and the fold of "file" and i has expired below SeededFolds/4. Silences above
// SeededEnded are active.
const (
	SeededGroups   = 20_000
	SeededClosed   = 19_000
	SeededMessages = 20_000
	SeededFolds    = 20_000
	SeededSilences = 20_000
	SeededEnded    = 19_500
)

// GroupID is the id of the group with a number.
func (s Seeded) GroupID(i int) uuid.UUID { return s.id(0x84, i) }

// SilenceID is the id of the silence with a number.
func (s Seeded) SilenceID(i int) uuid.UUID { return s.id(0x85, i) }

// groups are looks at groups and what changes them.
func (s Seeded) groups() []Statement {
	const closed, open = 5000, SeededClosed + 500
	key := "key" + strconv.Itoa(open)
	return []Statement{
		{"LoadMembers", func(ctx context.Context, e store.Engine) (int, error) {
			list, err := e.LoadMembers(ctx, s.GroupID(closed), 1<<20)
			return len(list), err
		}},
		{"ListMembers", func(ctx context.Context, e store.Engine) (int, error) {
			list, err := e.ListMembers(ctx, s.GroupID(closed), 100)
			return len(list), err
		}},
		{"FindEvent of a group", func(ctx context.Context, e store.Engine) (int, error) {
			_, deliveries, err := e.FindEvent(ctx, s.EventID(10*closed+5))
			return 1 + len(deliveries), err
		}},
		undone("OpenGroup and JoinGroup", func(ctx context.Context, tx store.Tx) (int, error) {
			for _, key := range []string{key, "new"} {
				d := event.Delivery{ID: event.NewID(), EventID: s.EventID(1), Target: "news", Route: "all"}
				g, err := tx.OpenGroup(ctx, d, key)
				if err != nil {
					return 0, err
				}
				join := store.Join{Group: g.ID, Events: []uuid.UUID{s.EventID(1), s.EventID(2)}}
				join.Wait, join.MaxWait = time.Minute, time.Hour
				if err := tx.JoinGroup(ctx, join); err != nil {
					return 0, err
				}
			}
			return 6, nil
		}),
		undone("FlushGroup", func(ctx context.Context, tx store.Tx) (int, error) {
			_, err := tx.FlushGroup(ctx, event.GroupRef{Target: "news", Route: "all", Key: key})
			return 1, err
		}),
		undone("FlushGroup of none", func(ctx context.Context, tx store.Tx) (int, error) {
			_, err := tx.FlushGroup(ctx, event.GroupRef{Target: "news", Route: "all", Key: "none"})
			return 1, err
		}),
		undone("CloseGroup", func(ctx context.Context, tx store.Tx) (int, error) {
			_, err := tx.CloseGroup(ctx, s.GroupID(open), true)
			_, again := tx.CloseGroup(ctx, s.GroupID(closed), true)
			return 2, errors.Join(err, again)
		}),
		undone("ClaimFold", func(ctx context.Context, tx store.Tx) (int, error) {
			for _, key := range []string{"file100", "file15000", "new"} {
				c := store.FoldClaim{Target: "news", Key: key, Delivery: s.GroupID(open), Upgrade: true, Window: time.Hour}
				if _, err := tx.ClaimFold(ctx, c); err != nil {
					return 0, err
				}
			}
			return 3, nil
		}),
		undone("MergePending", func(ctx context.Context, tx store.Tx) (int, error) {
			merged, err := tx.MergePending(ctx, "held", event.NewID(), []uuid.UUID{s.DeliveryID(41)}, 500)
			return len(merged), err
		}),
		undone("MergePending of groups", func(ctx context.Context, tx store.Tx) (int, error) {
			merged, err := tx.MergePending(ctx, "news", event.NewID(), nil, 500)
			return 10 * len(merged), err
		}),
		undone("DropJobsOf", func(ctx context.Context, tx store.Tx) (int, error) {
			var ids []uuid.UUID
			for i := 1; i <= SeededDeliveries-20_000; i += 20 {
				ids = append(ids, s.DeliveryID(i))
			}
			return len(ids), tx.DropJobsOf(ctx, "held", ids)
		}),
		undone("KeepEventsOf a group", func(ctx context.Context, tx store.Tx) (int, error) {
			return 10, tx.KeepEventsOf(ctx, []uuid.UUID{s.GroupID(closed)}, event.Delivered)
		}),
		undone("ExpireDeliveries of groups", func(ctx context.Context, tx store.Tx) (int, error) {
			return tx.ExpireDeliveries(ctx, "news", event.Pending, 0, "too old", 500)
		}),
	}
}

// messages are what is done to messages, folds and silences.
func (s Seeded) messages() []Statement {
	const slice, number = 500, 5000
	year := 365 * 24 * time.Hour
	return []Statement{
		undone("a message", func(ctx context.Context, tx store.Tx) (int, error) {
			for _, key := range []string{"story5000", "new"} {
				c, _, err := tx.LockCorrelation(ctx, "news", key)
				if err != nil {
					return 0, err
				}
				if err := tx.SaveCorrelation(ctx, &c); err != nil {
					return 0, err
				}
				if _, err := tx.CorrelationEvents(ctx, "news", key); err != nil {
					return 0, err
				}
				if err := tx.AddCorrelationEvents(ctx, "news", key, []uuid.UUID{s.EventID(1), s.EventID(2)}); err != nil {
					return 0, err
				}
				if err := tx.ForgetCorrelationEvents(ctx, "news", key); err != nil {
					return 0, err
				}
			}
			return 10, nil
		}),
		undone("PurgeCorrelations", func(ctx context.Context, tx store.Tx) (int, error) {
			n, err := tx.PurgeCorrelations(ctx, time.Hour, slice)
			return 6 * n, err
		}),
		undone("PurgeCorrelations of none yet", func(ctx context.Context, tx store.Tx) (int, error) {
			return tx.PurgeCorrelations(ctx, year, slice)
		}),
		undone("PurgeFolds", func(ctx context.Context, tx store.Tx) (int, error) { return tx.PurgeFolds(ctx, slice) }),
		{"ListSilences", func(ctx context.Context, e store.Engine) (int, error) {
			list, _, err := e.ListSilences(ctx, time.Hour)
			return len(list), err
		}},
		undone("InsertSilence", func(ctx context.Context, tx store.Tx) (int, error) {
			return tx.InsertSilence(ctx, &store.Silence{ID: event.NewID(), Expression: "true"}, time.Hour)
		}),
		undone("ExpireSilence and CountSilenced", func(ctx context.Context, tx store.Tx) (int, error) {
			_, _, err := tx.ExpireSilence(ctx, s.SilenceID(SeededEnded+1))
			return 3, errors.Join(err, tx.CountSilenced(ctx, map[uuid.UUID]int{s.SilenceID(number): 1, s.SilenceID(number + 1): 2}))
		}),
		undone("PurgeSilences", func(ctx context.Context, tx store.Tx) (int, error) { return tx.PurgeSilences(ctx, time.Hour, slice) }),
		undone("PurgeSilences of none yet", func(ctx context.Context, tx store.Tx) (int, error) {
			return tx.PurgeSilences(ctx, year, slice)
		}),
	}
}

// listsOfGroups are deliveries and events of groups, with every combination of filters.
func (s Seeded) listsOfGroups() []Statement {
	var all []Statement
	for _, target := range []string{"", "news", "chat"} {
		for _, state := range []event.DeliveryState{"", event.Pending, event.Delivered, event.Dead} {
			f := store.DeliveryFilter{Target: target, State: state, EventID: s.EventID(50_005)}
			all = append(all, Statement{"list deliveries of a grouped event, " + target + "," + string(state), func(ctx context.Context, e store.Engine) (int, error) {
				ids, err := e.DeliveryIDs(ctx, f, 50)
				return len(ids), err
			}})
		}
	}
	return append(all, Statement{"SummarizeEvents of groups", func(ctx context.Context, e store.Engine) (int, error) {
		ids := make([]uuid.UUID, 50)
		for i := range ids {
			ids[i] = s.EventID(1001 + 1000*i)
		}
		list, err := e.SummarizeEvents(ctx, ids)
		return 2 * len(list), err
	}}, undone("PurgeEvents of groups", func(ctx context.Context, tx store.Tx) (int, error) {
		_, seen, err := tx.PurgeEvents(ctx, store.Retention{Events: 27 * 24 * time.Hour, DeadLetters: time.Hour}, 500)
		return 3 * seen, err
	}))
}
