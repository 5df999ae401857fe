package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// past is an event that a source's history tells.
func past(title string, targets ...string) *store.Acceptance {
	a := acceptance(title, targets...)
	a.Event.Origin = sdk.OriginCatchup
	a.Event.Request.Method, a.Event.Request.Query, a.Event.Request.Header = "", "", nil
	a.Event.Request.Body = []byte(`{"record":1}`)
	a.Keys = []store.DedupKey{{Key: "fp:" + title, Window: time.Hour}}
	return a
}

func testPastEvents(t *testing.T, db Database) {
	const span = 10 * time.Minute
	webhook := acceptance("Sintel", "ops")
	accept(t, db.Store, webhook)
	at := webhook.Event.ReceivedAt

	acceptPast := func(a *store.Acceptance, at time.Time) store.Accepted {
		accepted, err := db.Store.AcceptPast(t.Context(), a, at, span)
		require.NoError(t, err)
		return accepted
	}
	twin := past("Sintel", "ops")
	require.Equal(t, store.Accepted{EventID: webhook.Event.ID, Duplicate: true}, acceptPast(twin, at.Add(-span+time.Minute)), "it came by webhook")
	require.Equal(t, store.Accepted{EventID: twin.Event.ID}, acceptPast(twin, at.Add(-span-time.Minute)), "it happened before, too")
	again := past("Sintel", "ops")
	require.Equal(t, store.Accepted{EventID: twin.Event.ID, Duplicate: true}, acceptPast(again, at.Add(-time.Hour)), "its key is taken")
	other := past("Sintel", "ops")
	other.Event.Source = "another"
	require.Equal(t, store.Accepted{EventID: other.Event.ID}, acceptPast(other, at))

	e, deliveries, err := db.Store.FindEvent(t.Context(), twin.Event.ID)
	require.NoError(t, err)
	require.Equal(t, twin.Event, e)
	require.Len(t, deliveries, 1)
	require.EqualValues(t, 3, jobs(t, db, store.TargetQueue("ops")))
}

// A webhook that arrives after its twin keeps its richer body on that event.
func testLateWebhook(t *testing.T, db Database) {
	twin := past("Sintel", "ops")
	_, err := db.Store.AcceptPast(t.Context(), twin, time.Now(), time.Minute)
	require.NoError(t, err)
	for i, body := range []string{`{"rich":1}`, `{"rich":2}`} {
		webhook := acceptance("Sintel", "ops")
		webhook.Event.Request.Body = []byte(body)
		webhook.Keys = twin.Keys
		require.Equal(t, store.Accepted{EventID: twin.Event.ID, Duplicate: true}, accept(t, db.Store, webhook))
		e, deliveries, err := db.Store.FindEvent(t.Context(), twin.Event.ID)
		require.NoError(t, err)
		require.Len(t, deliveries, 1)
		require.JSONEq(t, `{"rich":1}`, string(e.Request.Body), "webhook %d", i)
		require.Equal(t, "POST", e.Request.Method)
		require.Equal(t, webhook.Event.Request.Header, e.Request.Header)
		require.Equal(t, sdk.OriginCatchup, e.Origin)
	}
}

func testCursors(t *testing.T, db Database) {
	_, err := db.Store.FindCursor(t.Context(), "radarr")
	require.ErrorIs(t, err, store.ErrNotFound)
	at := func(minute int) time.Time { return time.Date(2026, 11, 25, 10, minute, 0, 0, time.UTC) }
	for _, step := range []struct{ save, want store.Cursor }{
		{store.Cursor{From: at(1), ReadTo: at(1)}, store.Cursor{From: at(1), ReadTo: at(1)}},
		{store.Cursor{From: at(5), ReadTo: at(9)}, store.Cursor{From: at(1), ReadTo: at(9)}},
		{store.Cursor{From: at(5), ReadTo: at(8)}, store.Cursor{From: at(1), ReadTo: at(9)}},
	} {
		require.NoError(t, db.Store.SaveCursor(t.Context(), "radarr", step.save))
		c, err := db.Store.FindCursor(t.Context(), "radarr")
		require.NoError(t, err)
		require.Equal(t, step.want, c)
	}
}

func testAskCatchup(t *testing.T, db Database) {
	for range 3 {
		require.NoError(t, db.Store.AskCatchup(t.Context(), "radarr"))
	}
	require.NoError(t, db.Store.AskCatchup(t.Context(), "sonarr"))
	require.EqualValues(t, 2, jobs(t, db, store.CatchupQueue))
}

// Deliveries of an event that is enriched wait for it, without jobs.
func testEnrich(t *testing.T, db Database) {
	require.NoError(t, db.Store.HoldTarget(t.Context(), store.HoldRequest{Target: "held", Kind: store.HoldPaused}))
	a := acceptance("Sintel", "ops", "chat", "held")
	a.Enrich = true
	accept(t, db.Store, a)
	require.EqualValues(t, 1, jobs(t, db, store.EnrichQueue))
	require.Zero(t, jobs(t, db, store.TargetQueue("ops")))

	require.NoError(t, db.Store.Enriched(t.Context(), a.Event.ID, []byte(`{"more":true}`)))
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("ops")))
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("chat")))
	require.Zero(t, jobs(t, db, store.TargetQueue("held")))
	require.JSONEq(t, `{"more":true}`, string(load(t, db.Store, a.Deliveries[0].ID).Event.Normalized))

	require.NoError(t, db.Store.Enriched(t.Context(), a.Event.ID, nil), "without an answer")
	require.JSONEq(t, `{"more":true}`, string(load(t, db.Store, a.Deliveries[0].ID).Event.Normalized))

	idle := acceptance("Nowhere")
	idle.Enrich = true
	accept(t, db.Store, idle)
	require.EqualValues(t, 1, jobs(t, db, store.EnrichQueue), "nothing waits for it")
}
