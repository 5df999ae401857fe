package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// changes are of the way of a webhook.
func (s Seeded) changes() []Statement {
	return []Statement{
		undone("ClaimKeys", func(ctx context.Context, tx store.Tx) (int, error) {
			claims := []store.Claim{
				{Source: "radarr", Key: "fp:400000", Window: time.Hour, Owner: event.NewID()},
				{Source: "radarr", Key: "fp:new", Window: time.Hour, Owner: event.NewID()},
			}
			_, err := tx.ClaimKeys(ctx, claims)
			return len(claims), err
		}),
		undone("FreeKeys", func(ctx context.Context, tx store.Tx) (int, error) {
			return 100, tx.FreeKeys(ctx, "radarr", "health 10")
		}),
		undone("DropKeys", func(ctx context.Context, tx store.Tx) (int, error) {
			return 1, tx.DropKeys(ctx, "radarr", []string{"fp:400000", "fp:new"})
		}),
		undone("ShortenKey", func(ctx context.Context, tx store.Tx) (int, error) {
			return 1, tx.ShortenKey(ctx, "radarr", "fp:400000", s.EventID(400_000), time.Minute)
		}),
		undone("FindTwin of a record that was read", s.twin("past:100", "none")),
		undone("FindTwin by fingerprint", s.twin("past:new", "often")),
		undone("FindTwin by key", s.twin("past:new", "none", "fp:400000", "fp:400010")),
		undone("FindTwin of none", s.twin("past:new", "none", "fp:none")),
		undone("LockDeferred", func(ctx context.Context, tx store.Tx) (int, error) {
			_, err := tx.LockDeferred(ctx, s.EventID(18))
			return 1, err
		}),
		undone("DecodeEvent", func(ctx context.Context, tx store.Tx) (int, error) {
			return 1, tx.DecodeEvent(ctx, &event.Event{ID: s.EventID(18), State: event.Routed, Type: sdk.TypeMediaAdded})
		}),
		undone("KeepRequests", func(ctx context.Context, tx store.Tx) (int, error) {
			kept, err := tx.KeepRequests(ctx, []*event.Event{{ID: s.EventID(400_000)}})
			return len(kept), err
		}),
		undone("EnrichEvent", func(ctx context.Context, tx store.Tx) (int, error) {
			waiting, err := tx.EnrichEvent(ctx, s.EventID(19), []byte("{}"))
			return 1 + len(waiting), err
		}),
		undone("InsertRepetitions", func(ctx context.Context, tx store.Tx) (int, error) {
			return 1, tx.InsertRepetitions(ctx, []store.Repetition{{ID: event.NewID(), EventID: s.EventID(1), SeenAt: time.Now()}})
		}),
		undone("LockTargets and SaveTarget", func(ctx context.Context, tx store.Tx) (int, error) {
			rows, _, err := tx.LockTargets(ctx, []string{"held", "ops"})
			if err != nil {
				return 0, err
			}
			return len(rows), tx.SaveTarget(ctx, rows["held"])
		}),
		undone("PauseQueue", func(ctx context.Context, tx store.Tx) (int, error) {
			return 1, tx.PauseQueue(ctx, "target_held", false)
		}),
		undone("InsertEvents", func(ctx context.Context, tx store.Tx) (int, error) {
			e := &event.Event{ID: event.NewID(), Source: "radarr", State: event.Routed, Type: sdk.TypeMediaImported}
			d := store.NewDelivery{Delivery: event.Delivery{ID: event.NewID(), EventID: e.ID, Target: "ops"}}
			_, err := tx.InsertEvents(ctx, []*event.Event{e}, []store.NewDelivery{d})
			return 2, err
		}),
		undone("RetryDeliveries", s.operate(func(ctx context.Context, tx store.Tx, ids []uuid.UUID) error { return tx.RetryDeliveries(ctx, ids) })),
		undone("MoveDeliveries", s.operate(func(ctx context.Context, tx store.Tx, ids []uuid.UUID) error {
			return tx.MoveDeliveries(ctx, ids, "new")
		})),
		undone("CancelDeliveries", s.operate(func(ctx context.Context, tx store.Tx, ids []uuid.UUID) error {
			list, err := tx.LockDeliveries(ctx, ids)
			if err != nil {
				return err
			}
			return tx.CancelDeliveries(ctx, list)
		})),
		undone("KeepEventsOf", s.operate(func(ctx context.Context, tx store.Tx, ids []uuid.UUID) error {
			return tx.KeepEventsOf(ctx, ids, event.Pending)
		})),
		undone("LiveJobs", s.operate(func(ctx context.Context, tx store.Tx, ids []uuid.UUID) error {
			ids = ids[:len(ids)/2] // River reads and writes a lot of JSON for each
			jobs := make([]river.InsertManyParams, len(ids))
			for i, id := range ids {
				jobs[i] = store.DeliverJob(id, "held")
			}
			live, err := tx.LiveJobs(ctx, jobs)
			if err != nil {
				return err
			}
			return errors.Join(tx.HurryJobs(ctx, live), tx.MoveJobs(ctx, live, "target_new"), tx.DropJobs(ctx, live))
		})),
		undone("KeepEvents", func(ctx context.Context, tx store.Tx) (int, error) {
			states, err := tx.KeepEvents(ctx, []uuid.UUID{s.EventID(1), s.EventID(400_000)})
			return len(states), err
		}),
		undone("InsertAction, LockAction, SaveAction and InsertChanges", func(ctx context.Context, tx store.Tx) (int, error) {
			a := &store.Action{ID: event.NewID(), State: store.ActionRunning}
			if err := tx.InsertAction(ctx, a); err != nil {
				return 0, err
			}
			if _, err := tx.LockAction(ctx, a.ID); err != nil {
				return 0, err
			}
			return 4, errors.Join(tx.SaveAction(ctx, a), tx.InsertChanges(ctx, []store.ActionChange{{EventID: s.EventID(1), ActionID: a.ID}}))
		}),
		undone("AddJobs", func(ctx context.Context, tx store.Tx) (int, error) {
			return tx.AddJobs(ctx, []river.InsertManyParams{store.DeliverJob(event.NewID(), "ops"), store.DecodeJob(event.NewID(), "radarr")})
		}),
		undone("SettleDeliveries and InsertAttempts", func(ctx context.Context, tx store.Tx) (int, error) {
			var list []*store.Settlement
			var attempts []*event.Attempt
			for i := 41; i <= 441; i += 20 {
				list = append(list, &store.Settlement{DeliveryID: s.DeliveryID(i), State: event.Pending, Delay: time.Minute})
				attempts = append(attempts, attempt(s.DeliveryID(i), 1, sdk.ClassRetryable, true))
			}
			settled, err := tx.SettleDeliveries(ctx, list)
			if err != nil {
				return 0, err
			}
			return 2 * len(settled), tx.InsertAttempts(ctx, attempts)
		}),
		undone("LockDeliveries, SaveProofs and InsertAttempts of questions", func(ctx context.Context, tx store.Tx) (int, error) {
			var list []*store.Settlement
			var attempts []*event.Attempt
			var ids []uuid.UUID
			for i := 205; i <= 20_205; i += 200 {
				list = append(list, &store.Settlement{DeliveryID: s.DeliveryID(i), Proof: &event.Proof{AcceptedAt: s.Start, By: s.Start, Asks: 7}})
				ask := attempt(s.DeliveryID(i), 1, sdk.ClassRetryable, false)
				ask.Ask = 7
				attempts, ids = append(attempts, ask), append(ids, s.DeliveryID(i))
			}
			found, err := tx.LockDeliveries(ctx, ids)
			if err != nil {
				return 0, err
			}
			return 3 * len(found), errors.Join(tx.SaveProofs(ctx, list), tx.InsertAttempts(ctx, attempts))
		}),
	}
}

// operate does something to pending deliveries, each of which is far from the others.
func (s Seeded) operate(do func(ctx context.Context, tx store.Tx, ids []uuid.UUID) error) func(ctx context.Context, tx store.Tx) (int, error) {
	return func(ctx context.Context, tx store.Tx) (int, error) {
		var ids []uuid.UUID
		for i := 41; i <= 20_000; i += 400 {
			ids = append(ids, s.DeliveryID(i))
		}
		return len(ids), do(ctx, tx, ids)
	}
}

func (s Seeded) twin(readKey, fingerprint string, keys ...string) func(ctx context.Context, tx store.Tx) (int, error) {
	at := s.Start.Add(300_000 * SeededStep)
	return func(ctx context.Context, tx store.Tx) (int, error) {
		id, err := tx.FindTwin(ctx, store.TwinQuery{
			Source: "radarr", ReadKey: readKey, Fingerprint: fingerprint, From: at, To: at.Add(time.Hour), Keys: keys,
		})
		if id == uuid.Nil {
			return 0, err
		}
		return 1, err
	}
}

// undone is a Statement in a transaction that is undone.
func undone(name string, do func(ctx context.Context, tx store.Tx) (int, error)) Statement {
	return Statement{Name: name, Run: func(ctx context.Context, e store.Engine) (n int, err error) {
		err = e.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			if n, err = do(ctx, tx); err != nil {
				return err
			}
			return errUndone
		})
		if errors.Is(err, errUndone) {
			err = nil
		}
		return n, err
	}}
}
