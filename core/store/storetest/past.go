package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
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

// acceptPast takes in what a record tells whose webhook may have come from a while
// before it to a day after.
func acceptPast(t *testing.T, db Database, a *store.Acceptance, key string, at time.Time) store.Accepted {
	t.Helper()
	accepted, err := db.Store.AcceptPast(t.Context(), a, store.PastRecord{Key: key, From: at.Add(-10 * time.Minute), To: at.Add(24 * time.Hour)})
	require.NoError(t, err)
	return accepted
}

func testPastEvents(t *testing.T, db Database) {
	webhook := acceptance("Sintel", "ops")
	accept(t, db.Store, webhook)
	at := webhook.Event.ReceivedAt

	twin := past("Sintel", "ops")
	known := store.Accepted{EventID: webhook.Event.ID, Duplicate: true}
	require.Equal(t, known, acceptPast(t, db, twin, "1", at.Add(9*time.Minute)), "it came by webhook")
	require.Equal(t, known, acceptPast(t, db, past("Sintel", "ops"), "1", at.Add(9*time.Minute)), "read again")
	require.Equal(t, store.Accepted{EventID: twin.Event.ID}, acceptPast(t, db, twin, "2", at), "the webhook was that of the first record")
	again := past("Sintel", "ops")
	require.Equal(t, store.Accepted{EventID: twin.Event.ID, Duplicate: true}, acceptPast(t, db, again, "2", at), "read again")
	third := past("Sintel", "ops")
	require.Equal(t, store.Accepted{EventID: third.Event.ID}, acceptPast(t, db, third, "3", at), "it happened once more")
	other := past("Sintel", "ops")
	other.Event.Source = "another"
	require.Equal(t, store.Accepted{EventID: other.Event.ID}, acceptPast(t, db, other, "1", at))

	e, deliveries, err := db.Store.FindEvent(t.Context(), twin.Event.ID)
	require.NoError(t, err)
	require.Equal(t, twin.Event, e)
	require.Len(t, deliveries, 1)
	require.EqualValues(t, 4, jobs(t, db, store.TargetQueue("ops")))
}

// A webhook may come long after what it tells, as through a relay, and before or after
// the record of it is read.
func testWebhookOfAnotherTime(t *testing.T, db Database) {
	webhook := acceptance("Sintel", "ops")
	webhook.Keys = []store.DedupKey{{Key: "fp:Sintel", Window: time.Millisecond}}
	accept(t, db.Store, webhook)
	at := webhook.Event.ReceivedAt
	time.Sleep(5 * time.Millisecond) // until the key has expired
	known := store.Accepted{EventID: webhook.Event.ID, Duplicate: true}
	require.Equal(t, known, acceptPast(t, db, past("Sintel", "ops"), "1", at.Add(-20*time.Hour)))

	keyed := acceptance("Tears", "ops")
	keyed.Keys = []store.DedupKey{{Key: "fp:Tears", Window: time.Hour}}
	accept(t, db.Store, keyed)
	known = store.Accepted{EventID: keyed.Event.ID, Duplicate: true}
	require.Equal(t, known, acceptPast(t, db, past("Tears", "ops"), "2", keyed.Event.ReceivedAt.Add(48*time.Hour)), "by a clock that is off")
	second := past("Tears", "ops")
	require.Equal(t, store.Accepted{EventID: second.Event.ID}, acceptPast(t, db, second, "3", keyed.Event.ReceivedAt.Add(48*time.Hour)))

	// The first webhook is the record's; the next like it is new when its window is over.
	late := func() store.Accepted {
		a := acceptance("Tears", "ops")
		a.Keys = []store.DedupKey{{Key: "fp:Tears", Window: time.Millisecond}}
		accepted := accept(t, db.Store, a)
		accepted.EventID = map[bool]uuid.UUID{true: accepted.EventID}[accepted.Duplicate]
		return accepted
	}
	require.Equal(t, store.Accepted{EventID: second.Event.ID, Duplicate: true}, late())
	time.Sleep(5 * time.Millisecond)
	require.Zero(t, late())
}

func testRenames(t *testing.T, db Database) {
	rename := func(source, from, to string, at time.Time) {
		a := acceptance(from + to)
		a.Event.Source, a.Event.Type, a.Event.ReceivedAt = source, sdk.TypeFileRenamed, at
		a.Event.ID = event.FirstID(at)
		a.Event.ID[15] = from[0]
		a.Event.Normalized = fmt.Appendf(nil, `{"renamed_files":[{"from":%q,"to":%q},{"from":"x","to":"y"}]}`, from, to)
		accept(t, db.Store, a)
	}
	now := time.Now().UTC().Truncate(time.Second)
	rename("radarr", "c", "d", now)
	rename("radarr", "a", "b", now.Add(-time.Minute))
	rename("radarr", "old", "older", now.Add(-time.Hour))
	rename("another", "other", "others", now)
	accept(t, db.Store, acceptance("no rename"))
	all, err := db.Store.ListRenames(t.Context(), "radarr", now.Add(-time.Minute))
	require.NoError(t, err)
	require.Equal(t, []sdk.Rename{{From: "a", To: "b"}, {From: "x", To: "y"}, {From: "c", To: "d"}, {From: "x", To: "y"}}, all)
	none, err := db.Store.ListRenames(t.Context(), "nobody", now.Add(-time.Minute))
	require.NoError(t, err)
	require.Empty(t, none)
}

// A webhook that arrives after its twin keeps its richer body on that event.
func testLateWebhook(t *testing.T, db Database) {
	twin := past("Sintel", "ops")
	acceptPast(t, db, twin, "1", time.Now())
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

func testForgetCursor(t *testing.T, db Database) {
	c := store.Cursor{From: time.Unix(1, 0).UTC(), ReadTo: time.Unix(2, 0).UTC()}
	for _, source := range []string{"radarr", "sonarr"} {
		require.NoError(t, db.Store.SaveCursor(t.Context(), source, c))
	}
	require.NoError(t, db.Store.ForgetCursor(t.Context(), "radarr"))
	require.NoError(t, db.Store.ForgetCursor(t.Context(), "radarr"), "again")
	_, err := db.Store.FindCursor(t.Context(), "radarr")
	require.ErrorIs(t, err, store.ErrNotFound)
	kept, err := db.Store.FindCursor(t.Context(), "sonarr")
	require.NoError(t, err)
	require.Equal(t, c, kept)
}

func testAskCatchup(t *testing.T, db Database) {
	for range 3 {
		require.NoError(t, db.Store.AskCatchup(t.Context(), "radarr"))
	}
	require.NoError(t, db.Store.AskCatchup(t.Context(), "sonarr"))
	require.EqualValues(t, 2, jobs(t, db, store.CatchupQueue))

	db.Exec(t, "UPDATE river_job SET state = 'scheduled', scheduled_at = '2999-01-01 00:00:00.000' WHERE kind = 'catchup'")
	require.NoError(t, db.Store.AskCatchup(t.Context(), "radarr"))
	require.EqualValues(t, 1, jobs(t, db, store.CatchupQueue), "the other waits on")
}

// Deliveries of an event that is enriched wait for it, without jobs.
func testEnrich(t *testing.T, db Database) {
	require.NoError(t, db.Store.Hold(t.Context(), "held", store.HoldPaused, ""))
	a := acceptance("Sintel", "ops", "chat", "held")
	a.Enrich = true
	accept(t, db.Store, a)
	require.EqualValues(t, 1, jobs(t, db, store.EnrichQueue))
	require.Zero(t, jobs(t, db, store.TargetQueue("ops")))

	require.NoError(t, db.Store.Enriched(t.Context(), a.Event.ID, []byte(`{"more":true}`)))
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("ops")))
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("chat")))
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("held")))
	require.JSONEq(t, `{"more":true}`, string(load(t, db.Store, a.Deliveries[0].ID).Event.Normalized))

	require.NoError(t, db.Store.Enriched(t.Context(), a.Event.ID, nil), "without an answer")
	require.JSONEq(t, `{"more":true}`, string(load(t, db.Store, a.Deliveries[0].ID).Event.Normalized))

	id := a.Deliveries[0].ID
	settle(t, db.Store, store.Settlement{DeliveryID: id, State: event.Pending, Delay: time.Hour, Attempt: attempt(id, 1, sdk.ClassRetryable, true)})
	require.NoError(t, db.Store.Enriched(t.Context(), a.Event.ID, nil), "by a job that ran again")
	work := load(t, db.Store, id)
	require.WithinDuration(t, work.Now.Add(time.Hour), work.Delivery.DueAt, time.Minute, "its time is that of its job")

	idle := acceptance("Nowhere")
	idle.Enrich = true
	accept(t, db.Store, idle)
	require.EqualValues(t, 1, jobs(t, db, store.EnrichQueue), "nothing waits for it")
}
