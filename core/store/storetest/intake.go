package storetest

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

func testMigrate(t *testing.T, db Database) {
	ctx := t.Context()
	require.ErrorIs(t, db.Store.Ready(ctx), store.ErrNotMigrated)
	other := db.Reopen(t)
	var wg sync.WaitGroup
	errs := make(chan error, 4)
	for _, s := range []*store.Store{db.Store, other, db.Store, other} {
		wg.Go(func() { errs <- s.Migrate(ctx) })
	}
	wg.Wait()
	for range 4 {
		require.NoError(t, <-errs)
	}
	require.NoError(t, db.Store.Ready(ctx))
	require.NoError(t, db.Store.Migrate(ctx), "again")
}

func testNewer(t *testing.T, db Database) {
	require.Positive(t, db.Exec(t, "INSERT INTO river_migration (line, version) VALUES ('main', 9999)"))
	require.ErrorIs(t, db.Store.Ready(t.Context()), store.ErrNewer)
	require.ErrorIs(t, db.Store.Migrate(t.Context()), store.ErrNewer)
}

func testAcceptKeeps(t *testing.T, db Database) {
	a := acceptance("Sintel", "ops", "chat")
	require.Equal(t, store.Accepted{EventID: a.Event.ID}, accept(t, db.Store, a))

	e, deliveries, err := db.Store.FindEvent(t.Context(), a.Event.ID)
	require.NoError(t, err)
	require.Equal(t, a.Event, e)
	require.Len(t, deliveries, 2)
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("ops")))
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("chat")))

	work := load(t, db.Store, a.Deliveries[0].ID)
	e.State, e.Summary, e.Fingerprint, e.Request = "", "", "", event.Request{}
	require.Equal(t, e, work.Event, "what attempts need")
	request, err := db.Store.LoadRequest(t.Context(), a.Event.ID)
	require.NoError(t, err)
	require.Equal(t, a.Event.Request, request)
	require.Equal(t, event.Pending, work.Delivery.State)
	require.Equal(t, "all", work.Delivery.Route)
	require.Zero(t, work.Target)
	require.Equal(t, work.Delivery.CreatedAt, work.Delivery.DueAt)
	require.WithinDuration(t, work.Now, work.Delivery.CreatedAt, time.Minute)

	_, err = db.Store.LoadWork(t.Context(), uuid.New())
	require.ErrorIs(t, err, store.ErrNotFound)
	_, _, err = db.Store.FindEvent(t.Context(), uuid.New())
	require.ErrorIs(t, err, store.ErrNotFound)
}

func testAcceptConcurrently(t *testing.T, db Database) {
	const n = 200
	var wg sync.WaitGroup
	results := make(chan store.Accepted, n)
	for i := range n {
		wg.Go(func() {
			a := acceptance(strconv.Itoa(i), "ops")
			a.Keys = []store.DedupKey{{Key: fmt.Sprint("fp:", i/2), Window: time.Hour}} // each key twice
			if accepted, err := db.Store.Accept(t.Context(), a); err == nil {
				results <- accepted
			}
		})
	}
	wg.Wait()
	close(results)
	fresh, ids := 0, map[uuid.UUID]int{}
	for accepted := range results {
		ids[accepted.EventID]++
		if !accepted.Duplicate {
			fresh++
		}
	}
	require.Equal(t, n/2, fresh)
	require.Len(t, ids, n/2)
	for id, times := range ids {
		require.Equal(t, 2, times, id)
	}
	require.EqualValues(t, n/2, jobs(t, db, store.TargetQueue("ops")))
}

func testDuplicates(t *testing.T, db Database) {
	keys := func(keys ...string) (list []store.DedupKey) {
		for _, k := range keys {
			list = append(list, store.DedupKey{Key: k, Window: time.Hour})
		}
		return list
	}
	first := acceptance("first", "ops")
	first.Keys = keys("id:1", "body:1")
	accept(t, db.Store, first)

	again := acceptance("again", "ops")
	again.Keys = keys("id:2", "body:1")
	require.Equal(t, store.Accepted{EventID: first.Event.ID, Duplicate: true}, accept(t, db.Store, again))
	_, _, err := db.Store.FindEvent(t.Context(), again.Event.ID)
	require.ErrorIs(t, err, store.ErrNotFound, "a duplicate is not stored")
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("ops")))

	elsewhere := acceptance("elsewhere")
	elsewhere.Event.Source = "radarr-4k"
	elsewhere.Keys = keys("body:1")
	require.False(t, accept(t, db.Store, elsewhere).Duplicate, "keys are a source's own")
}

func testKeysExpire(t *testing.T, db Database) {
	key := []store.DedupKey{{Key: "fp:1", Window: 50 * time.Millisecond}}
	first := acceptance("first")
	first.Keys = key
	accept(t, db.Store, first)
	require.Eventually(t, func() bool {
		next := acceptance("next")
		next.Keys = key
		accepted, err := db.Store.Accept(t.Context(), next)
		return err == nil && !accepted.Duplicate
	}, time.Minute, 20*time.Millisecond)
}

func testRepetitionRenewsNothing(t *testing.T, db Database) {
	first := acceptance("first")
	first.Keys = []store.DedupKey{{Key: "fp:1", Window: time.Hour}}
	accept(t, db.Store, first)
	again := acceptance("again")
	again.Keys = []store.DedupKey{{Key: "body:1", Window: time.Hour}, {Key: "fp:1", Window: time.Hour}}
	require.True(t, accept(t, db.Store, again).Duplicate)
	other := acceptance("other")
	other.Keys = []store.DedupKey{{Key: "body:1", Window: time.Hour}}
	require.False(t, accept(t, db.Store, other).Duplicate, "a repetition keeps no keys")
}

func testClears(t *testing.T, db Database) {
	report := func(typ, clears sdk.Type) bool {
		a := acceptance(string(typ))
		a.Event.Type, a.Event.CorrelationKey, a.Clears = typ, "health:Disk", clears
		a.Keys = []store.DedupKey{{Key: "fp:" + string(typ), Window: time.Hour}}
		return accept(t, db.Store, a).Duplicate
	}
	require.False(t, report(sdk.TypeHealthIssue, sdk.TypeHealthRestored))
	require.True(t, report(sdk.TypeHealthIssue, sdk.TypeHealthRestored), "said twice")
	require.False(t, report(sdk.TypeHealthRestored, sdk.TypeHealthIssue))
	require.False(t, report(sdk.TypeHealthIssue, sdk.TypeHealthRestored), "broke again")
	require.False(t, report(sdk.TypeHealthRestored, sdk.TypeHealthIssue), "restored again")

	signed := acceptance("signed")
	signed.Event.Type, signed.Event.CorrelationKey = sdk.TypeHealthIssue, "health:Net"
	signed.Keys = []store.DedupKey{{Key: "id:1", Window: time.Hour}}
	accept(t, db.Store, signed)
	restored := acceptance("restored")
	restored.Event.CorrelationKey, restored.Clears = "health:Net", sdk.TypeHealthIssue
	accept(t, db.Store, restored)
	replay := acceptance("replay")
	replay.Keys = signed.Keys
	require.True(t, accept(t, db.Store, replay).Duplicate, "a signed id is never freed")
}

func testForeignText(t *testing.T, db Database) {
	bad := acceptance("a\x00b\xffc", "ops")
	bad.Event.Request.Body = []byte("raw \x00 \xff")
	good := acceptance("good", "ops")
	var wg sync.WaitGroup
	for _, a := range []*store.Acceptance{bad, good} {
		wg.Go(func() { _, _ = db.Store.Accept(t.Context(), a) })
	}
	wg.Wait()
	e, _, err := db.Store.FindEvent(t.Context(), bad.Event.ID)
	require.NoError(t, err)
	require.Equal(t, "a\uFFFDb\uFFFDc", e.Title)
	require.Equal(t, bad.Event.Request.Body, e.Request.Body)
	_, _, err = db.Store.FindEvent(t.Context(), good.Event.ID)
	require.NoError(t, err)
	settle(t, db.Store, store.Settlement{DeliveryID: bad.Deliveries[0].ID, State: event.Dead, Reason: "no\x00\xff"})
	require.Equal(t, "no\uFFFD\uFFFD", load(t, db.Store, bad.Deliveries[0].ID).Delivery.Reason)
}

func testResolve(t *testing.T, db Database) {
	deferredEvent := func() *store.Acceptance {
		a := acceptance("")
		a.Event.State, a.Event.Normalized, a.Event.Type = event.Deferred, nil, ""
		accept(t, db.Store, a)
		return a
	}
	a := deferredEvent()
	require.EqualValues(t, 1, jobs(t, db, store.DecodeQueue("radarr")))

	decoded := acceptance("decoded", "ops")
	decoded.Event.ID, decoded.Event.Traceparent = a.Event.ID, ""
	decoded.Keys = []store.DedupKey{{Key: "fp:x", Window: time.Hour}}
	accepted, err := db.Store.Resolve(t.Context(), decoded)
	require.NoError(t, err)
	require.False(t, accepted.Duplicate)
	e, deliveries, err := db.Store.FindEvent(t.Context(), a.Event.ID)
	require.NoError(t, err)
	require.Equal(t, event.Routed, e.State)
	require.Equal(t, "decoded", e.Title)
	require.Equal(t, a.Event.Request.Body, e.Request.Body)
	require.Equal(t, a.Event.Traceparent, e.Traceparent, "it was taken in once")
	require.Len(t, deliveries, 1)
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("ops")))

	_, err = db.Store.Resolve(t.Context(), decoded)
	require.NoError(t, err)
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("ops")), "resolved once")

	b := deferredEvent()
	repeated := acceptance("decoded", "ops")
	repeated.Event.ID, repeated.Keys = b.Event.ID, decoded.Keys
	accepted, err = db.Store.Resolve(t.Context(), repeated)
	require.NoError(t, err)
	require.Equal(t, store.Accepted{EventID: a.Event.ID, Duplicate: true}, accepted)
	e, deliveries, err = db.Store.FindEvent(t.Context(), b.Event.ID)
	require.NoError(t, err)
	require.Equal(t, event.Duplicate, e.State)
	require.Empty(t, deliveries)
}

// testRepetitions keeps what was dropped, by webhook and when decoded late.
func testRepetitions(t *testing.T, db Database) {
	first := acceptance("one", "ops")
	first.Keys = []store.DedupKey{{Key: "fp:1", Window: time.Hour}}
	accept(t, db.Store, first)
	again, late := acceptance("again"), acceptance("late")
	again.Keys, late.Keys = first.Keys, first.Keys
	accept(t, db.Store, again)
	late.Event.State = event.Deferred
	deferred := *late
	deferred.Keys = nil
	accept(t, db.Store, &deferred)
	late.Event.State = event.Routed
	accepted, err := db.Store.Resolve(t.Context(), late)
	require.NoError(t, err)
	require.True(t, accepted.Duplicate)
	list, err := db.Store.ListRepetitions(t.Context(), first.Event.ID, 10)
	require.NoError(t, err)
	require.Equal(t, []store.Repetition{
		{ID: again.Event.ID, EventID: first.Event.ID, SeenAt: again.Event.ReceivedAt, Origin: sdk.OriginWebhook},
		{ID: late.Event.ID, EventID: first.Event.ID, SeenAt: late.Event.ReceivedAt, Origin: sdk.OriginWebhook},
	}, list)
}
