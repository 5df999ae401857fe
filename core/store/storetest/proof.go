package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// verifying is an accepted event whose delivery to ops its endpoint has accepted. The next
// question for its proof is due in an hour.
func verifying(t *testing.T, s *store.Store, title string) event.Delivery {
	t.Helper()
	a := acceptance(title, "ops")
	accept(t, s, a)
	w := load(t, s, a.Deliveries[0].ID)
	id := w.Delivery.ID
	settle(t, s, store.Settlement{
		DeliveryID: id, Target: "ops", State: event.Verifying, Delay: time.Hour, Reason: "1 of 2 files", MessageID: "m1", Receipt: []byte{1},
		Attempt: attempt(id, 1, sdk.ClassOK, true), Read: w.Delivery, Proof: proofAt(w.Now, 0),
	})
	return load(t, s, id).Delivery
}

func proofAt(now time.Time, asks int) *event.Proof {
	return &event.Proof{AcceptedAt: now, Within: 30 * time.Minute, By: now.Add(30 * time.Minute), Asks: asks}
}

// asked is what the answer to the next question for a proof comes to.
func asked(d event.Delivery, state event.DeliveryState, class sdk.Class) store.Settlement {
	a := attempt(d.ID, d.Attempts, class, false)
	a.Ask = d.Proof.Asks + 1
	proof := d.Proof
	proof.Asks++
	return store.Settlement{
		DeliveryID: d.ID, Target: d.Target, State: state, Delay: time.Hour, Reason: d.Reason, MessageID: d.MessageID, Receipt: d.Receipt,
		Attempt: a, Read: d, Proof: &proof,
	}
}

// testVerifying keeps what is known of a proof, and the last question of each class.
func testVerifying(t *testing.T, db Database) {
	s := db.Store
	d := verifying(t, s, "one")
	require.Equal(t, event.Verifying, d.State)
	require.Equal(t, 1, d.Attempts)
	require.Equal(t, "m1", d.MessageID)
	require.Equal(t, []byte{1}, d.Receipt)
	require.Equal(t, *proofAt(d.Proof.AcceptedAt, 0), d.Proof)
	require.WithinDuration(t, time.Now().Add(time.Hour), d.DueAt, time.Minute)

	// A message that was accepted is shown.
	shown := acceptance("shown", "ops")
	accept(t, s, shown)
	first := shown.Deliveries[0].ID
	_, err := s.LeaseMessage(t.Context(), "ops", "radarr/story", first, time.Minute)
	require.NoError(t, err)
	w := load(t, s, first)
	settle(t, s, store.Settlement{
		DeliveryID: first, Target: "ops", State: event.Verifying, MessageID: "m7", Attempt: attempt(first, 1, sdk.ClassOK, true),
		Read: w.Delivery, Proof: proofAt(w.Now, 0), Shown: &store.Shown{Key: "radarr/story", Events: []uuid.UUID{shown.Event.ID}, Anew: true},
	})
	lease, err := s.LeaseMessage(t.Context(), "ops", "radarr/story", d.ID, time.Minute)
	require.NoError(t, err)
	require.Equal(t, first, lease.Delivery)
	require.Equal(t, "m7", lease.MessageID)

	for _, class := range []sdk.Class{sdk.ClassOK, sdk.ClassOK, sdk.ClassRetryable, sdk.ClassOK} {
		settle(t, s, asked(load(t, s, d.ID).Delivery, event.Verifying, class))
	}
	found, attempts, err := s.FindDelivery(t.Context(), d.ID)
	require.NoError(t, err)
	require.Equal(t, 1, found.Attempts, "questions are not counted")
	require.Equal(t, 4, found.Proof.Asks)
	var asks []int
	for _, a := range attempts {
		asks = append(asks, a.Ask)
	}
	require.Equal(t, []int{0, 3, 4}, asks, "the acceptance, and the last question of each class")

	last := asked(found, event.Delivered, sdk.ClassOK)
	settle(t, s, last)
	found, attempts, err = s.FindDelivery(t.Context(), d.ID)
	require.NoError(t, err)
	require.Equal(t, event.Delivered, found.State)
	require.Equal(t, 5, found.Proof.Asks)
	require.Len(t, attempts, 4)
	require.Equal(t, 5, attempts[3].Ask)
	require.False(t, attempts[3].Counted)
}

// testVerifyingCounts has everything that counts deliveries by state know the state.
func testVerifyingCounts(t *testing.T, db Database) {
	s, ctx := db.Store, t.Context()
	d := verifying(t, s, "one")
	counts, err := s.CountDeliveries(ctx)
	require.NoError(t, err)
	require.Equal(t, []store.DeliveryCount{{Target: "ops", State: event.Verifying, Count: 1}}, counts)
	list, err := s.ListDeliveries(ctx, store.DeliveryFilter{Target: "ops", State: event.Verifying})
	require.NoError(t, err)
	require.Len(t, list, 1)
	open, err := s.OpenTargets(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"ops"}, open)

	require.EqualValues(t, 1, db.Exec(t, "DELETE FROM river_job"))
	n, err := s.ReconcileTarget(ctx, "ops", 0, 10)
	require.NoError(t, err)
	require.Zero(t, n, "it is not due")
	db.Exec(t, "UPDATE deliveries SET due_at = created_at")
	n, err = s.ReconcileTarget(ctx, "ops", 0, 10)
	require.NoError(t, err)
	require.Equal(t, 1, n, "its job was lost")

	p, err := s.Purge(ctx, store.Retention{Events: -time.Minute, DeadLetters: -time.Minute}, 10)
	require.NoError(t, err)
	require.Zero(t, p.Events.Count(), "its event is needed")

	n, err = s.ExpireDeliveries(ctx, "ops", time.Hour, "too old", 10)
	require.NoError(t, err)
	require.Zero(t, n)
	n, err = s.ExpireDeliveries(ctx, "ops", time.Microsecond, "too old", 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	found := load(t, s, d.ID).Delivery
	require.Equal(t, event.Dead, found.State)
	require.Equal(t, d.Proof, found.Proof, "people read when it was accepted")
}

// testVerifyingIsHeld leaves what is to be proven out of digests, and probes with it where
// there is nothing else.
func testVerifyingIsHeld(t *testing.T, db Database) {
	s, ctx := db.Store, t.Context()
	s.Digest = func(store.Target) bool { return true }
	d := verifying(t, s, "one")
	a, b := acceptance("two", "ops"), acceptance("three", "ops")
	accept(t, s, a)
	hold := func(row *store.Target, now time.Time) {
		row.Begin(store.HoldBreaker, "503", now)
		row.ProbeAt = now.Add(-time.Hour)
	}
	probe := func() uuid.UUID {
		t.Helper()
		id, err := s.Probe(ctx, "ops", anHour)
		require.NoError(t, err)
		return id
	}
	change(t, db, hold)
	require.Equal(t, a.Deliveries[0].ID, probe(), "what was not accepted yet goes first")
	accept(t, s, b)
	change(t, db, func(row *store.Target, _ time.Time) { row.Probe = uuid.Nil })
	require.NoError(t, s.Release(ctx, "ops"))
	require.Equal(t, event.Superseded, load(t, s, b.Deliveries[0].ID).Delivery.State)
	found := load(t, s, d.ID).Delivery
	require.Equal(t, event.Verifying, found.State)
	require.Equal(t, d.DueAt, found.DueAt)

	db.Exec(t, "UPDATE deliveries SET state = 'dead' WHERE state = 'pending'")
	change(t, db, hold)
	require.Equal(t, d.ID, probe())
}

// testVerifyingIsOperated has operators retry, cancel and move what is to be proven.
func testVerifyingIsOperated(t *testing.T, db Database) {
	s := db.Store
	retried, cancelled, moved := verifying(t, s, "one"), verifying(t, s, "two"), verifying(t, s, "three")
	db.Exec(t, "UPDATE river_job SET state = 'scheduled', scheduled_at = '2100-01-01 00:00:00'")
	_, skipped := operate(t, s, store.Step{Action: action(store.ActionRetry), Retry: []uuid.UUID{retried.ID}})
	require.Empty(t, skipped)
	d := load(t, s, retried.ID).Delivery
	require.Equal(t, event.Pending, d.State)
	require.Zero(t, d.Proof, "a new attempt has a proof of its own")
	require.Equal(t, 1, d.RetriedAfter)
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("ops")))

	// A question that was under way has been overtaken.
	back := acceptance("back")
	answer := asked(retried, event.Verifying, sdk.ClassOK)
	answer.Events = []*store.Acceptance{back}
	settle(t, s, answer)
	found := load(t, s, retried.ID).Delivery
	require.Equal(t, event.Pending, found.State)
	require.Equal(t, d.DueAt, found.DueAt)
	_, _, err := s.FindEvent(t.Context(), back.Event.ID)
	require.ErrorIs(t, err, store.ErrNotFound, "the next question tells it again")

	_, skipped = operate(t, s, store.Step{Action: action(store.ActionCancel), Cancel: []uuid.UUID{cancelled.ID}})
	require.Empty(t, skipped)
	require.Equal(t, event.Cancelled, load(t, s, cancelled.ID).Delivery.State)
	require.EqualValues(t, 2, db.Exec(t, "UPDATE river_job SET priority = priority"), "its job is gone")

	_, skipped = operate(t, s, store.Step{Action: action(store.ActionRename), Move: []uuid.UUID{moved.ID}, MoveTo: "plex"})
	require.Empty(t, skipped)
	d = load(t, s, moved.ID).Delivery
	require.Equal(t, "plex", d.Target)
	require.Equal(t, event.Verifying, d.State)
	require.Equal(t, moved.Proof, d.Proof)
	require.EqualValues(t, 1, db.Exec(t, "UPDATE river_job SET priority = priority WHERE queue = 'target_plex'"))
}

// testHandedBack accepts what a target handed back once, with its deliveries and groups.
func testHandedBack(t *testing.T, db Database) {
	s := db.Store
	group := gathered(t, s, "first", byDownload()).Deliveries[0].ID
	d := verifying(t, s, "one")
	back := acceptance("available", "chat")
	back.Event.Origin = sdk.OriginTarget
	back.Owe("ops", "all", byDownload())
	answer := asked(d, event.Verifying, sdk.ClassOK)
	answer.Events = []*store.Acceptance{back}

	for range 2 {
		settle(t, s, answer) // again, as after a commit of which nobody knows
	}
	e, deliveries, err := s.FindEvent(t.Context(), back.Event.ID)
	require.NoError(t, err)
	require.Equal(t, sdk.OriginTarget, e.Origin)
	require.Len(t, deliveries, 2)
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("chat")))
	w := load(t, s, group)
	require.Equal(t, []string{"first", "available"}, titles(w.Events))
	require.Equal(t, sdk.OriginTarget, w.Events[1].Origin)

	// Two workers that had asked at once, as after a network that was divided.
	d = load(t, s, d.ID).Delivery
	var wg sync.WaitGroup
	ids := make([]uuid.UUID, 4)
	for i := range ids {
		again := acceptance("again")
		ids[i] = again.Event.ID
		answer := asked(d, event.Verifying, sdk.ClassOK)
		answer.Events = []*store.Acceptance{again}
		wg.Go(func() {
			if _, err := s.Settle(t.Context(), &answer); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	stored := 0
	for _, id := range ids {
		if _, _, err := s.FindEvent(t.Context(), id); err == nil {
			stored++
		}
	}
	require.Equal(t, 1, stored)

	// What is over hands nothing back.
	settle(t, s, asked(load(t, s, d.ID).Delivery, event.Delivered, sdk.ClassOK))
	late := acceptance("late")
	answer = asked(load(t, s, d.ID).Delivery, event.Delivered, sdk.ClassOK)
	answer.Events = []*store.Acceptance{late}
	settle(t, s, answer)
	_, _, err = s.FindEvent(t.Context(), late.Event.ID)
	require.ErrorIs(t, err, store.ErrNotFound)
}

// testHandedBackRaces has settlements hand events back into groups that others join, flush
// and close meanwhile. Every event is stored and owed once.
func testHandedBackRaces(t *testing.T, db Database) {
	const n = 20
	s := db.Store
	keys := []string{"radarr/download/1", "radarr/download/2", "radarr/download/3"}
	joining := func(title string, from int) *store.Acceptance {
		a := acceptance(title)
		for i := range keys {
			g := byDownload()
			g.Key = keys[(from+i)%len(keys)]
			a.Owe("ops", "all", g)
		}
		return a
	}
	var answers []store.Settlement
	var all []*store.Acceptance
	for i := range n {
		answer := asked(verifying(t, s, "one"), event.Delivered, sdk.ClassOK)
		for j := range 2 {
			answer.Events = append(answer.Events, joining("back", i+j))
		}
		all = append(all, answer.Events...)
		answers = append(answers, answer)
	}
	var wg sync.WaitGroup
	for i, answer := range answers {
		wg.Go(func() {
			if _, err := s.Settle(t.Context(), &answer); err != nil {
				t.Error(err)
			}
		})
		a := joining("hook", i)
		all = append(all, a)
		wg.Go(func() {
			if _, err := s.Accept(t.Context(), a); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, a := range all {
		require.Len(t, deliveriesOf(t, s, a.Event.ID), len(keys))
	}
}

// testOvertakenAnswers has two workers at one delivery, as after a network that was divided.
// Nothing ends without the events that its end hands back.
func testOvertakenAnswers(t *testing.T, db Database) {
	s := db.Store
	stored := func(a *store.Acceptance) bool {
		_, _, err := s.FindEvent(t.Context(), a.Event.ID)
		return err == nil
	}
	read := verifying(t, s, "asked twice")
	settle(t, s, asked(read, event.Verifying, sdk.ClassOK))
	proof := asked(read, event.Delivered, sdk.ClassOK)
	back := acceptance("available")
	proof.Events = []*store.Acceptance{back}
	settle(t, s, proof)
	d := load(t, s, read.ID).Delivery
	require.Equal(t, event.Verifying, d.State, "the next question tells it")
	require.Equal(t, 1, d.Proof.Asks)
	require.False(t, stored(back))
	proof = asked(d, event.Delivered, sdk.ClassOK)
	proof.Events = []*store.Acceptance{back}
	settle(t, s, proof)
	require.Equal(t, event.Delivered, load(t, s, read.ID).Delivery.State)
	require.True(t, stored(back))

	// An attempt that was overtaken by one that failed has brought the delivery there.
	a := acceptance("attempted twice", "ops")
	accept(t, s, a)
	read = load(t, s, a.Deliveries[0].ID).Delivery
	settle(t, s, store.Settlement{
		DeliveryID: read.ID, Target: "ops", State: event.Pending, Delay: time.Hour, Attempt: attempt(read.ID, 1, sdk.ClassRetryable, true),
	})
	back = acceptance("there at once")
	settle(t, s, store.Settlement{
		DeliveryID: read.ID, Target: "ops", State: event.Delivered, Attempt: attempt(read.ID, 1, sdk.ClassOK, true), Read: read,
		Events: []*store.Acceptance{back},
	})
	require.Equal(t, event.Delivered, load(t, s, read.ID).Delivery.State)
	require.True(t, stored(back))
}
