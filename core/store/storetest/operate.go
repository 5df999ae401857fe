package storetest

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// action is one of an operator.
func action(what store.ActionKind) *store.Action {
	return &store.Action{ID: event.NewID(), What: what, Who: "root", Via: "socket", State: store.ActionDone}
}

// operate does a step of a new action.
func operate(t *testing.T, s *store.Store, step store.Step) (store.Action, map[uuid.UUID]string) {
	t.Helper()
	step.New = true
	skipped, err := s.Operate(t.Context(), &step)
	require.NoError(t, err)
	return *step.Action, skipped
}

// dead is an accepted event whose delivery to ops is a dead letter after two attempts.
func dead(t *testing.T, db Database, title string) *store.Acceptance {
	t.Helper()
	a := acceptance(title, "ops")
	accept(t, db.Store, a)
	id := a.Deliveries[0].ID
	settle(t, db.Store, store.Settlement{DeliveryID: id, State: event.Pending, Attempt: attempt(id, 1, sdk.ClassRetryable, true)})
	settle(t, db.Store, store.Settlement{
		DeliveryID: id, State: event.Dead, Crashes: 3, Reason: "crashed the plugin 3 times", Attempt: attempt(id, 2, sdk.ClassUnavailable, true),
	})
	db.Exec(t, "DELETE FROM river_job") // its worker's end
	return a
}

func testRetry(t *testing.T, db Database) {
	a, delivered, waiting := dead(t, db, "one"), acceptance("two", "ops"), acceptance("three", "ops")
	accept(t, db.Store, delivered)
	accept(t, db.Store, waiting)
	id, done, later := a.Deliveries[0].ID, delivered.Deliveries[0].ID, waiting.Deliveries[0].ID
	settle(t, db.Store, store.Settlement{DeliveryID: done, State: event.Delivered, Attempt: attempt(done, 1, sdk.ClassOK, true)})
	settle(t, db.Store, store.Settlement{DeliveryID: later, State: event.Pending, Delay: time.Hour, Attempt: attempt(later, 1, sdk.ClassRetryable, true)})
	require.EqualValues(t, 2, db.Exec(t, "UPDATE river_job SET state = 'scheduled', scheduled_at = '2100-01-01 00:00:00'"))
	absent := uuid.New()

	got, skipped := operate(t, db.Store, store.Step{Action: action(store.ActionRetry), Retry: []uuid.UUID{id, done, later, absent}})
	require.Equal(t, map[uuid.UUID]string{done: "it is delivered", absent: "not found"}, skipped)
	require.Equal(t, 2, got.Done)
	require.Equal(t, 2, got.Skipped)

	work := load(t, db.Store, id)
	d := work.Delivery
	require.Equal(t, event.Pending, d.State)
	require.Equal(t, 2, d.Attempts)
	require.Equal(t, 2, d.RetriedAfter, "its schedule begins anew")
	require.WithinDuration(t, work.Now, d.RetriedAt, time.Minute)
	require.Equal(t, d.RetriedAt, d.Began())
	require.Equal(t, d.RetriedAt, d.DueAt)
	require.True(t, d.Suspect, "what crashed its plugin runs alone")
	require.Zero(t, d.Crashes)
	require.WithinDuration(t, work.Now, load(t, db.Store, later).Delivery.DueAt, time.Minute)
	require.EqualValues(t, 2, db.Exec(t, "UPDATE river_job SET priority = 1 WHERE queue = 'target_ops' AND state = 'available' AND scheduled_at < '2100-01-01 00:00:00'"))
	// Once more makes no second job.
	operate(t, db.Store, store.Step{Action: action(store.ActionRetry), Retry: []uuid.UUID{id}})
	require.EqualValues(t, 2, jobs(t, db, store.TargetQueue("ops")))

	// The end of a hold gives it the place of its retry, and not one that is too old.
	db.Exec(t, "UPDATE deliveries SET due_at = due_at + 1000 * (due_at - created_at), attempts = 1")
	require.NoError(t, db.Store.Hold(t.Context(), "ops", store.HoldPaused, "a test"))
	require.NoError(t, db.Store.Release(t.Context(), "ops"))
	d = load(t, db.Store, id).Delivery
	require.Equal(t, d.RetriedAt, d.DueAt)

	stories, err := db.Store.ActionsOf(t.Context(), a.Event.ID, 10)
	require.NoError(t, err)
	require.Len(t, stories, 2)
	require.Equal(t, got.ID, stories[0].ID)
	require.Equal(t, id, stories[0].DeliveryID)
	require.Equal(t, "root", stories[0].Who)
	require.Equal(t, got, stories[0].Action)
	found, err := db.Store.FindAction(t.Context(), got.ID)
	require.NoError(t, err)
	require.Equal(t, got, found)
}

func testCancel(t *testing.T, db Database) {
	gone, waiting, running := dead(t, db, "one"), acceptance("two", "ops"), acceptance("three", "ops")
	accept(t, db.Store, waiting)
	require.EqualValues(t, 1, db.Exec(t, "UPDATE river_job SET priority = 2"))
	accept(t, db.Store, running)
	require.EqualValues(t, 1, db.Exec(t, "UPDATE river_job SET state = 'running' WHERE priority = 1"))
	ids := []uuid.UUID{gone.Deliveries[0].ID, waiting.Deliveries[0].ID, running.Deliveries[0].ID}
	_, skipped := operate(t, db.Store, store.Step{Action: action(store.ActionCancel), Cancel: ids})
	require.Empty(t, skipped)
	for _, id := range ids {
		require.Equal(t, event.Cancelled, load(t, db.Store, id).Delivery.State)
	}
	require.Equal(t, "cancelled by root; last: crashed the plugin 3 times", load(t, db.Store, ids[0]).Delivery.Reason)
	require.EqualValues(t, 1, db.Exec(t, "UPDATE river_job SET priority = 1"), "a worker has it")
	// Its worker comes too late.
	settle(t, db.Store, store.Settlement{DeliveryID: ids[2], State: event.Delivered, Attempt: attempt(ids[2], 1, sdk.ClassOK, true)})
	require.Equal(t, event.Cancelled, load(t, db.Store, ids[2]).Delivery.State)
	_, skipped = operate(t, db.Store, store.Step{Action: action(store.ActionCancel), Cancel: ids[:1]})
	require.Equal(t, map[uuid.UUID]string{ids[0]: "it is cancelled"}, skipped)
	// Who changes their mind retries, and the event is not purged meanwhile.
	operate(t, db.Store, store.Step{Action: action(store.ActionRetry), Retry: ids[1:2]})
	require.Equal(t, event.Pending, load(t, db.Store, ids[1]).Delivery.State)
	require.EqualValues(t, 1, db.Exec(t, "UPDATE events SET crashes = 0 WHERE purge_after > received_at"))
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("ops")))
}

func testMove(t *testing.T, db Database) {
	gone, waiting, other := dead(t, db, "one"), acceptance("two", "ops"), acceptance("three", "chat")
	accept(t, db.Store, waiting)
	accept(t, db.Store, other)
	ids := []uuid.UUID{gone.Deliveries[0].ID, waiting.Deliveries[0].ID}
	operate(t, db.Store, store.Step{Action: action(store.ActionRename), Move: ids, MoveTo: "ops-new"})
	for _, id := range ids {
		require.Equal(t, "ops-new", load(t, db.Store, id).Delivery.Target)
	}
	require.Equal(t, event.Dead, load(t, db.Store, ids[0]).Delivery.State)
	require.EqualValues(t, 0, jobs(t, db, store.TargetQueue("ops")))
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("ops-new")))
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("chat")))
}

func testReplay(t *testing.T, db Database) {
	a := acceptance("one", "ops")
	accept(t, db.Store, a)
	first := load(t, db.Store, a.Deliveries[0].ID).Delivery
	before := db.Written(t)
	replayed := func(was event.State, targets ...string) store.Replay {
		r := store.Replay{Was: was, Acceptance: store.Acceptance{Event: event.Event{ID: a.Event.ID}}}
		for _, target := range targets {
			r.Deliveries = append(r.Deliveries, event.Delivery{ID: event.NewID(), Target: target, Route: "all"})
		}
		return r
	}
	one := replayed(event.Routed, "chat")
	act, skipped := operate(t, db.Store, store.Step{Action: action(store.ActionReplay), Replay: []store.Replay{one}})
	require.Empty(t, skipped)
	require.Equal(t, 1, act.Done)
	d := load(t, db.Store, one.Deliveries[0].ID).Delivery
	require.Equal(t, event.Pending, d.State)
	require.Equal(t, a.Event.ID, d.EventID)
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("chat")))
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("ops")))
	require.Equal(t, first, load(t, db.Store, first.ID).Delivery, "the others are left alone")
	require.NotEqual(t, before, db.Written(t))

	// One that was purged or changed meanwhile is skipped.
	absent := store.Replay{Was: event.Routed, Acceptance: store.Acceptance{Event: event.Event{ID: uuid.New()}}}
	_, skipped = operate(t, db.Store, store.Step{Action: action(store.ActionReplay), Replay: []store.Replay{absent, replayed(event.Undecodable, "chat")}})
	require.Equal(t, map[uuid.UUID]string{absent.Event.ID: "not found", a.Event.ID: "it has become routed meanwhile"}, skipped)

	// Decoded anew, it waits to be enriched once, although it did already.
	again := replayed(event.Routed, "chat", "ops")
	again.Redecoded, again.Enrich = true, true
	again.Event = a.Event
	again.Event.Title, again.Event.Normalized = "another", []byte(`{"title":"another"}`)
	for range 2 {
		operate(t, db.Store, store.Step{Action: action(store.ActionReplay), Replay: []store.Replay{again}})
		for i := range again.Deliveries {
			again.Deliveries[i].ID = event.NewID()
		}
	}
	e, deliveries, err := db.Store.FindEvent(t.Context(), a.Event.ID)
	require.NoError(t, err)
	require.Equal(t, "another", e.Title)
	require.Equal(t, again.Event.Normalized, e.Normalized)
	require.Len(t, deliveries, 6)
	require.EqualValues(t, 1, jobs(t, db, store.EnrichQueue))

	// An event that goes nowhere has a story all the same.
	none := replayed(event.Routed)
	act, _ = operate(t, db.Store, store.Step{Action: action(store.ActionReplay), Replay: []store.Replay{none}})
	stories, err := db.Store.ActionsOf(t.Context(), a.Event.ID, 50)
	require.NoError(t, err)
	last := stories[len(stories)-1]
	require.Equal(t, act.ID, last.ID)
	require.Equal(t, uuid.Nil, last.DeliveryID)
}

// testBulkAction works an action page by page: what went on elsewhere, or has ended, does
// nothing more.
func testBulkAction(t *testing.T, db Database) {
	ctx := t.Context()
	var ids []uuid.UUID
	for i := range 4 {
		ids = append(ids, dead(t, db, strconv.Itoa(i)).Deliveries[0].ID)
	}
	a := action(store.ActionRetry)
	a.State, a.Matched = store.ActionRunning, 4
	a.Args = store.ActionArgs{Deliveries: &store.DeliveryFilter{Target: "ops", State: event.Dead}}
	require.NoError(t, db.Store.BeginAction(ctx, a))
	require.EqualValues(t, 1, jobs(t, db, store.OperateQueue))
	stale := *a
	_, err := db.Store.Operate(ctx, &store.Step{Action: a, Retry: ids[:2], Cursor: ids[1]})
	require.NoError(t, err)
	require.Equal(t, 2, a.Done)
	_, err = db.Store.Operate(ctx, &store.Step{Action: &stale, Retry: ids[:2], Cursor: ids[1]})
	require.ErrorIs(t, err, store.ErrOvertaken)
	require.Zero(t, stale.Done)
	found, err := db.Store.FindAction(ctx, a.ID)
	require.NoError(t, err)
	require.Equal(t, *a, found)

	db.Exec(t, "DELETE FROM river_job WHERE queue = 'operate'")
	n, err := db.Store.ReconcileActions(ctx, 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	n, err = db.Store.ReconcileActions(ctx, 10)
	require.NoError(t, err)
	require.Zero(t, n)

	running, err := db.Store.ListActions(ctx, store.ActionFilter{Running: true})
	require.NoError(t, err)
	require.Equal(t, []store.Action{*a}, running)
	ended, ok, err := db.Store.EndAction(ctx, a.ID, store.ActionStopped, "stopped by root")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, store.ActionStopped, ended.State)
	_, ok, err = db.Store.EndAction(ctx, a.ID, store.ActionDone, "")
	require.NoError(t, err)
	require.False(t, ok)
	_, err = db.Store.Operate(ctx, &store.Step{Action: a, Retry: ids[2:], Cursor: ids[3], End: true})
	require.ErrorIs(t, err, store.ErrOvertaken)
	require.Equal(t, event.Dead, load(t, db.Store, ids[3]).Delivery.State)
	_, _, err = db.Store.EndAction(ctx, uuid.New(), store.ActionDone, "")
	require.ErrorIs(t, err, store.ErrNotFound)
	running, err = db.Store.ListActions(ctx, store.ActionFilter{Running: true})
	require.NoError(t, err)
	require.Empty(t, running)

	// Ended ones are purged once nothing of that time is left, with the stories of events.
	p, err := db.Store.Purge(ctx, store.Retention{Events: time.Hour, DeadLetters: time.Hour}, 10)
	require.NoError(t, err)
	require.Zero(t, p.Actions)
	p, err = db.Store.Purge(ctx, store.Retention{}, 10)
	require.NoError(t, err)
	require.Equal(t, 1, p.Actions)
	_, err = db.Store.FindAction(ctx, a.ID)
	require.ErrorIs(t, err, store.ErrNotFound)
}

// testRequests keeps what attempts have sent, of failed and of delivered ones.
func testRequests(t *testing.T, db Database) {
	a := acceptance("one", "ops")
	id := a.Deliveries[0].ID
	accept(t, db.Store, a)
	failed, last := attempt(id, 1, sdk.ClassRetryable, true), attempt(id, 2, sdk.ClassOK, true)
	failed.Request = "POST /\x00"
	last.Request = string(make([]byte, event.MaxRequest)) + "more"
	settle(t, db.Store, store.Settlement{DeliveryID: id, State: event.Pending, Attempt: failed})
	settle(t, db.Store, store.Settlement{DeliveryID: id, State: event.Delivered, Attempt: last})
	_, attempts, err := db.Store.FindDelivery(t.Context(), id)
	require.NoError(t, err)
	require.Len(t, attempts, 2)
	require.Equal(t, "POST /\uFFFD", attempts[0].Request)
	require.Equal(t, store.CutRequest(last.Request), attempts[1].Request)
	require.NotContains(t, attempts[1].Request, "more")
}
