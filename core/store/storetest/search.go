package storetest

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// testSearch finds events by what no index tells.
func testSearch(t *testing.T, db Database) {
	add := func(change func(e *event.Event)) uuid.UUID {
		a := acceptance("plain", "ops")
		change(&a.Event)
		accept(t, db.Store, a)
		return a.Event.ID
	}
	title := add(func(e *event.Event) { e.Title = "Amélie 日本" })
	summary := add(func(e *event.Event) { e.Summary = "Imported 100% of AMÉLIE" })
	normalized := add(func(e *event.Event) {
		e.Normalized = []byte(`{"media":{"title":"amélie","year":2001},"episodes":[{"season":1},{"season":2}],"upgrade":true}`)
	})
	body := add(func(e *event.Event) { e.Request.Body = []byte("\xff\x00<\xc3\x89COLE> am\xc3\xa9lie") })
	add(func(e *event.Event) { e.Request.Body = []byte(strings.Repeat(" ", 64<<10) + "amélie") })
	story := add(func(e *event.Event) { e.CorrelationKey, e.Source = "another", "sonarr" })
	for _, c := range []struct {
		name string
		f    store.EventFilter
		want []uuid.UUID
	}{
		{"any case", store.EventFilter{Text: "AmÉlie"}, []uuid.UUID{body, normalized, summary, title}},
		{"an oldest first", store.EventFilter{Text: "amélie", Oldest: true}, []uuid.UUID{title, summary, normalized, body}},
		{"no pattern", store.EventFilter{Text: "0%"}, []uuid.UUID{summary}},
		{"after foreign bytes", store.EventFilter{Text: "<école>"}, []uuid.UUID{body}},
		{"with an index", store.EventFilter{Text: "plain", Source: "sonarr"}, []uuid.UUID{story}},
		{"a story", store.EventFilter{CorrelationKey: "another"}, []uuid.UUID{story}},
		{"a field", store.EventFilter{Fields: []store.Field{{Path: "media.title", Value: "AMÉLIE"}, {Path: "media.year", Value: "2001"}}}, []uuid.UUID{normalized}},
		{"a field of an item", store.EventFilter{Fields: []store.Field{{Path: "episodes.season", Value: "2"}}}, []uuid.UUID{normalized}},
		{"a flag", store.EventFilter{Fields: []store.Field{{Path: "upgrade", Value: "true"}}}, []uuid.UUID{normalized}},
		{"no such field", store.EventFilter{Fields: []store.Field{{Path: "media", Value: ""}}}, nil},
		{"too far behind", store.EventFilter{Text: "amélie", After: body, Before: story}, nil},
	} {
		page, err := db.Store.SearchEvents(t.Context(), c.f)
		require.NoError(t, err)
		require.Equal(t, c.want, eventIDs(page.Events), c.name)
		require.Equal(t, uuid.Nil, page.Next, c.name)
		count, err := db.Store.CountEvents(t.Context(), c.f)
		require.NoError(t, err)
		require.Equal(t, store.Count{N: len(c.want)}, count, c.name)
	}
	page, err := db.Store.SearchEvents(t.Context(), store.EventFilter{Text: "amélie", Limit: 3})
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{body, normalized, summary}, eventIDs(page.Events))
	page, err = db.Store.SearchEvents(t.Context(), store.EventFilter{Text: "amélie", Limit: 3, Before: page.Next})
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{title}, eventIDs(page.Events))
}

func eventIDs(list []store.EventSummary) (ids []uuid.UUID) {
	for _, e := range list {
		ids = append(ids, e.ID)
	}
	return ids
}

// testSearchStops looks at no more than 5,000 rows and says where it stopped.
func testSearchStops(t *testing.T, db Database) {
	a := acceptance("needle", "ops")
	accept(t, db.Store, a)
	errs := make(chan error, 5001)
	var wg sync.WaitGroup
	for part := range 256 {
		wg.Go(func() {
			for i := part; i < cap(errs); i += 256 {
				_, err := db.Store.Accept(t.Context(), acceptance(strconv.Itoa(i)))
				errs <- err
			}
		})
	}
	wg.Wait()
	for range cap(errs) {
		require.NoError(t, <-errs)
	}
	page, err := db.Store.SearchEvents(t.Context(), store.EventFilter{Text: "NEEDLE"})
	require.NoError(t, err)
	require.Empty(t, page.Events)
	require.NotEqual(t, uuid.Nil, page.Next)
	page, err = db.Store.SearchEvents(t.Context(), store.EventFilter{Text: "NEEDLE", Before: page.Next})
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{a.Event.ID}, eventIDs(page.Events))
	count, err := db.Store.CountEvents(t.Context(), store.EventFilter{Text: "NEEDLE"})
	require.NoError(t, err)
	require.Equal(t, store.Count{N: 1}, count)
	count, err = db.Store.CountEvents(t.Context(), store.EventFilter{Source: "radarr"})
	require.NoError(t, err)
	require.Equal(t, store.Count{N: 5002}, count)
}

// testTimes bounds lists by when rows came.
func testTimes(t *testing.T, db Database) {
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	var events, deliveries []uuid.UUID
	for i := range 5 {
		a := acceptance(strconv.Itoa(i), "ops")
		a.Event.ID, a.Deliveries[0].ID = event.FirstID(day.AddDate(0, 0, i)), event.FirstID(day.AddDate(0, 0, i))
		a.Event.ReceivedAt = day.AddDate(0, 0, i)
		accept(t, db.Store, a)
		events, deliveries = append(events, a.Event.ID), append(deliveries, a.Deliveries[0].ID)
	}
	since, until := day.AddDate(0, 0, 1), day.AddDate(0, 0, 3)
	for _, source := range []string{"", "radarr"} {
		for _, state := range []event.State{"", event.Routed} {
			list, err := db.Store.ListEvents(t.Context(), store.EventFilter{Source: source, State: state, Since: since, Until: until, Oldest: true})
			require.NoError(t, err)
			require.Equal(t, events[1:3], eventIDs(list))
		}
	}
	for _, f := range []store.DeliveryFilter{
		{},
		{Target: "ops"},
		{State: event.Pending},
		{States: []event.DeliveryState{event.Dead, event.Pending}},
		{Source: "radarr", Type: sdk.TypeMediaImported, Route: "all", Text: "2"},
		{EventID: events[2]},
		{EventID: events[2], Target: "ops", States: []event.DeliveryState{event.Pending}},
	} {
		f.Since, f.Until = since, until
		list, err := db.Store.ListDeliveries(t.Context(), f)
		require.NoError(t, err)
		want := []uuid.UUID{deliveries[2]}
		if f.Text == "" && f.EventID == uuid.Nil {
			want = append(want, deliveries[1])
		}
		var got []uuid.UUID
		for _, d := range list {
			got = append(got, d.ID)
		}
		require.Equal(t, want, got, "%+v", f)
	}
	for _, f := range []store.DeliveryFilter{
		{Source: "sonarr"},
		{Type: sdk.TypeTest},
		{Route: "other"},
		{Text: "none"},
		{States: []event.DeliveryState{event.Dead}},
		{EventID: events[2], States: []event.DeliveryState{event.Dead}},
		{Until: time.Unix(0, 0)},
	} {
		list, err := db.Store.ListDeliveries(t.Context(), f)
		require.NoError(t, err)
		require.Empty(t, list, "%+v", f)
	}
}

func testPrefixes(t *testing.T, db Database) {
	ctx := t.Context()
	for _, id := range []string{"019a0000-0000-7000-8000-000000000001", "019a0000-0000-7000-8000-000000000002", "019b0000-0000-7000-8000-000000000001"} {
		a := acceptance(id, "ops")
		a.Event.ID, a.Deliveries[0].ID = uuid.MustParse(id), uuid.MustParse(id)
		accept(t, db.Store, a)
	}
	for prefix, want := range map[string]int{
		"019a": 2, "019A0000-0": 2, "019a000000007000800000000000000": 2, "019a0000-0000-7000-8000-000000000001": 1, "019": 3, "019b": 1, "02": 0,
		"": 0, "019x": 0, "019a0000-0000-7000-8000-0000000000011": 0, "-": 0,
	} {
		events, err := db.Store.FindEventsByPrefix(ctx, prefix, 10)
		require.NoError(t, err)
		require.Len(t, events, want, prefix)
		deliveries, err := db.Store.FindDeliveriesByPrefix(ctx, prefix, 10)
		require.NoError(t, err)
		require.Equal(t, events, deliveries)
	}
	events, err := db.Store.FindEventsByPrefix(ctx, "019", 2)
	require.NoError(t, err)
	require.Len(t, events, 2)
}

func testLastSeen(t *testing.T, db Database) {
	none, err := db.Store.LastSeen(t.Context())
	require.NoError(t, err)
	require.Empty(t, none)
	at := time.Now().UTC().Truncate(time.Second)
	last := map[string]store.Seen{}
	for i, c := range []struct {
		source string
		typ    sdk.Type
		state  event.State
	}{
		{"sonarr", sdk.TypeMediaImported, event.Routed},
		{"sonarr", sdk.TypeMediaImported, event.Duplicate},
		{"radarr", "", event.Deferred},
		{"radarr", sdk.TypeTest, event.Routed},
		{"radarr", sdk.TypeMediaImported, event.Undecodable},
		{"radarr", sdk.TypeMediaImported, event.Routed},
		{"radarr", sdk.TypeTest, event.Routed},
	} {
		a := acceptance(strconv.Itoa(i))
		a.Event.Source, a.Event.Type, a.Event.State, a.Event.ReceivedAt = c.source, c.typ, c.state, at.Add(time.Duration(i)*time.Minute)
		accept(t, db.Store, a)
		last[c.source+string(c.typ)] = store.Seen{Source: c.source, Type: c.typ, EventID: a.Event.ID, At: a.Event.ReceivedAt}
	}
	seen, err := db.Store.LastSeen(t.Context())
	require.NoError(t, err)
	require.Equal(t, []store.Seen{last["radarr"], last["radarrmedia.imported"], last["radarrtest"], last["sonarrmedia.imported"]}, seen)
}
