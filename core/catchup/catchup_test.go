package catchup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/ingest"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/sqlite"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// app is an application with a history, in pages.
type app struct {
	records []time.Time
	perPage int
	// trouble ends a call for the page.
	trouble map[string]error
	// nameless is how many of the first records make no event.
	nameless int
	queries  []sdk.HistoryQuery
}

func (a *app) History(_ context.Context, _ string, q sdk.HistoryQuery) (host.Past, error) {
	a.queries = append(a.queries, q)
	if err := a.trouble[q.Cursor]; err != nil {
		return host.Past{}, err
	}
	var in []time.Time
	for _, at := range a.records {
		if !at.Before(q.Since) && at.Before(q.Until) {
			in = append(in, at)
		}
	}
	begin, _ := strconv.Atoi(q.Cursor)
	end := min(begin+a.perPage, len(in))
	past := host.Past{Cursor: strconv.Itoa(end), More: end < len(in)}
	for i, at := range in[begin:end] {
		if begin+i < a.nameless {
			past.Events = append(past.Events, host.PastEvent{Event: sdk.Event{Time: at}, JSON: []byte(`{}`)})
			continue
		}
		past.Events = append(past.Events, host.PastEvent{
			Event: sdk.Event{Type: sdk.TypeMediaImported, Title: at.Format(time.TimeOnly), Time: at, Fingerprint: at.String()},
			JSON:  []byte(`{"title":"a record"}`), Record: []byte(`{}`),
		})
	}
	return past, nil
}

// bench is a reader of one source over a real database.
type bench struct {
	*Reader
	app   *app
	store *store.Store
	now   time.Time
}

func setup(t *testing.T, settings config.Catchup) *bench {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hookarr.db"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	gate, err := auth.New(config.Source{Auth: []config.Auth{{None: &config.None{}}}}, nil)
	require.NoError(t, err)
	router, err := route.New([]config.Route{{Name: "all", To: []string{"ops"}}})
	require.NoError(t, err)
	b := &bench{app: &app{perPage: 10}, store: s, now: time.Now().UTC().Truncate(time.Second)}
	clock := func() time.Time { return b.now }
	log := slog.New(slog.DiscardHandler)
	generation := ingest.NewGeneration(map[string]ingest.Source{"radarr": {Gate: gate}}, router)
	intake := ingest.New(ingest.Options{Generation: func() *ingest.Generation { return generation }, Store: s, Log: log, Now: clock})
	b.Reader = New(Options{
		Sources: func() map[string]config.Catchup { return map[string]config.Catchup{"radarr": settings} }, Historian: b.app, Rememberer: intake, Store: s,
		Log: log, Metrics: prometheus.NewRegistry(), Now: clock,
	})
	return b
}

func defaults() config.Catchup {
	return config.Catchup{
		Enabled: true, Interval: 15 * time.Minute, Lag: 2 * time.Minute, Overlap: 10 * time.Minute, MaxAge: 7 * 24 * time.Hour,
	}
}

// happened adds records, one a minute from at on.
func (b *bench) happened(at time.Time, n int) {
	for i := range n {
		b.app.records = append(b.app.records, at.Add(time.Duration(i)*time.Minute))
	}
}

func (b *bench) catchUp(t *testing.T) Result {
	t.Helper()
	r, err := b.CatchUp(t.Context(), "radarr")
	require.NoError(t, err)
	return r
}

// titles are those of the stored events, oldest first.
func (b *bench) titles(t *testing.T) []string {
	t.Helper()
	events, err := b.store.ListEvents(t.Context(), store.EventFilter{Limit: 1000})
	require.NoError(t, err)
	titles := make([]string, 0, len(events))
	for _, e := range slices.Backward(events) {
		titles = append(titles, e.Title)
	}
	return titles
}

func TestFirstContactIsQuiet(t *testing.T) {
	t.Parallel()
	b := setup(t, defaults())
	b.happened(b.now.Add(-time.Hour), 60)
	require.Zero(t, b.catchUp(t))
	b.now = b.now.Add(15 * time.Minute)
	require.Zero(t, b.catchUp(t), "what came before the first contact stays away")
}

// However late the first run is, nothing is missed since the process began.
func TestBegin(t *testing.T) {
	t.Parallel()
	b := setup(t, defaults())
	require.NoError(t, b.Begin(t.Context()))
	b.happened(b.now, 5)
	b.now = b.now.Add(time.Hour)
	require.NoError(t, b.Begin(t.Context()), "again")
	require.Equal(t, Result{Accepted: 5}, b.catchUp(t))
}

func TestFirstContactMayGoBack(t *testing.T) {
	t.Parallel()
	settings := defaults()
	settings.Since = 30 * time.Minute
	b := setup(t, settings)
	b.happened(b.now.Add(-time.Hour), 60)
	require.Equal(t, Result{Accepted: 28}, b.catchUp(t), "less the lag")
}

func TestMissedEventsComeOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, defaults())
	b.catchUp(t)
	away := b.now
	b.happened(away, 50)
	b.now = away.Add(time.Hour)
	require.Equal(t, Result{Accepted: 50}, b.catchUp(t))
	require.Zero(t, b.catchUp(t).Accepted)
	b.now = b.now.Add(15 * time.Minute)
	require.Zero(t, b.catchUp(t).Accepted)
	titles := b.titles(t)
	require.Len(t, titles, 50)
	require.Equal(t, away.Format(time.TimeOnly), titles[0], "oldest first")

	counts, err := b.store.CountDeliveries(t.Context())
	require.NoError(t, err)
	require.Equal(t, 50, counts[0].Count)
}

// A record that is written late, or by a clock that is behind, is found in the overlap.
func TestLateRecordsAreFound(t *testing.T) {
	t.Parallel()
	b := setup(t, defaults())
	b.catchUp(t)
	begin := b.now
	b.now = begin.Add(time.Hour)
	require.Zero(t, b.catchUp(t))
	end := b.now.Add(-2 * time.Minute) // of what was read
	b.app.records = []time.Time{end.Add(-11 * time.Minute), end.Add(-9 * time.Minute)}
	b.now = b.now.Add(15 * time.Minute)
	require.Equal(t, Result{Accepted: 1}, b.catchUp(t), "the one in the overlap")
}

func TestLag(t *testing.T) {
	t.Parallel()
	b := setup(t, defaults())
	b.catchUp(t)
	b.now = b.now.Add(time.Hour)
	b.happened(b.now.Add(-time.Minute), 1)
	require.Zero(t, b.catchUp(t), "its webhook may be on its way")
	b.now = b.now.Add(2 * time.Minute)
	require.Equal(t, Result{Accepted: 1}, b.catchUp(t))
}

func TestMaxAge(t *testing.T) {
	t.Parallel()
	settings := defaults()
	settings.MaxAge = time.Hour
	b := setup(t, settings)
	b.catchUp(t)
	b.happened(b.now, 24*60)
	b.now = b.now.Add(24 * time.Hour)
	require.Equal(t, Result{Accepted: 58}, b.catchUp(t))
}

// A run that was cut off goes on where it ended.
func TestResume(t *testing.T) {
	t.Parallel()
	b := setup(t, defaults())
	b.catchUp(t)
	b.happened(b.now, 50)
	b.now = b.now.Add(time.Hour)
	b.app.trouble = map[string]error{"30": errors.New("it went away")}
	r, err := b.CatchUp(t.Context(), "radarr")
	require.ErrorContains(t, err, "catch up with radarr: it went away")
	reason, since := b.Trouble("radarr")
	require.Contains(t, reason, "it went away")
	require.False(t, since.IsZero())
	require.Equal(t, Result{Accepted: 30}, r)
	first := b.app.queries[len(b.app.queries)-1].Since

	b.app.trouble = nil
	r = b.catchUp(t)
	reason, _ = b.Trouble("radarr")
	require.Empty(t, reason)
	require.Equal(t, 20, r.Accepted)
	require.Less(t, r.Known, 30, "not from the beginning")
	require.True(t, b.app.queries[len(b.app.queries)-1].Since.After(first))
	require.Len(t, b.titles(t), 50)
}

func TestHistoryOutOfOrder(t *testing.T) {
	t.Parallel()
	b := setup(t, defaults())
	b.catchUp(t)
	b.happened(b.now, 25)
	slices.Reverse(b.app.records)
	b.app.records = append(b.app.records, b.app.records[:5]...) // and some twice
	b.now = b.now.Add(time.Hour)
	require.Equal(t, Result{Accepted: 25, Known: 5}, b.catchUp(t))
}

func TestHistoryThatDoesNotMoveOn(t *testing.T) {
	t.Parallel()
	b := setup(t, defaults())
	b.catchUp(t)
	b.now = b.now.Add(time.Hour)
	b.o.Historian = stuck{}
	_, err := b.CatchUp(t.Context(), "radarr")
	require.ErrorContains(t, err, "does not move on")
}

// A record that makes no event keeps no other from coming.
func TestDamagedRecord(t *testing.T) {
	t.Parallel()
	b := setup(t, defaults())
	b.catchUp(t)
	b.happened(b.now, 3)
	b.app.nameless = 1
	b.now = b.now.Add(time.Hour)
	require.Equal(t, Result{Accepted: 2}, b.catchUp(t))
}

// ahead is a plugin that lists what the application's wrong clock wrote, whatever it
// was asked for.
type ahead struct {
	*app
	record time.Time
}

func (a ahead) History(ctx context.Context, source string, q sdk.HistoryQuery) (host.Past, error) {
	past, err := a.app.History(ctx, source, q)
	if past.More {
		past.Events = append(past.Events, host.PastEvent{
			Event: sdk.Event{Type: sdk.TypeMediaImported, Title: "ahead", Time: a.record, Fingerprint: "ahead"}, JSON: []byte(`{}`),
		})
	}
	return past, err
}

func TestARecordOfTheFuture(t *testing.T) {
	t.Parallel()
	b := setup(t, defaults())
	b.catchUp(t)
	b.happened(b.now, 30)
	b.now = b.now.Add(time.Hour)
	b.o.Historian = ahead{b.app, b.now.AddDate(5, 0, 0)}
	b.app.trouble = map[string]error{"20": errors.New("it went away")}
	_, err := b.CatchUp(t.Context(), "radarr")
	require.Error(t, err)
	c, err := b.store.FindCursor(t.Context(), "radarr")
	require.NoError(t, err)
	require.False(t, c.ReadTo.After(b.now), "read to %s", c.ReadTo)
}

// A cursor that a wrong clock took to the future comes back, and what happened
// meanwhile with it.
func TestACursorInTheFuture(t *testing.T) {
	t.Parallel()
	for name, from := range map[string]time.Duration{"read to the future": -24 * time.Hour, "begins in the future": 3 * 365 * 24 * time.Hour} {
		settings := defaults()
		settings.Since = 2 * time.Hour
		b := setup(t, settings)
		future := b.now.AddDate(5, 0, 0)
		require.NoError(t, b.store.SaveCursor(t.Context(), "radarr", store.Cursor{From: b.now.Add(from), ReadTo: future}), name)
		b.happened(b.now.Add(-time.Hour), 30)
		require.Equal(t, Result{Accepted: 30}, b.catchUp(t), name)
		c, err := b.store.FindCursor(t.Context(), "radarr")
		require.NoError(t, err)
		require.False(t, c.ReadTo.After(b.now), name)
		require.False(t, c.From.After(b.now), name)
		b.happened(b.now, 5)
		b.now = b.now.Add(15 * time.Minute)
		require.Equal(t, 5, b.catchUp(t).Accepted, name)
	}
}

type stuck struct{}

func (stuck) History(_ context.Context, _ string, q sdk.HistoryQuery) (host.Past, error) {
	return host.Past{Cursor: q.Cursor, More: true}, nil
}

func TestSourceWithoutHistory(t *testing.T) {
	t.Parallel()
	settings := defaults()
	settings.Since = 10 * time.Minute
	b := setup(t, settings)
	b.app.trouble = map[string]error{"": fmt.Errorf("no: %w", host.ErrUnsupported)}
	require.NoError(t, b.Begin(t.Context()))
	require.Zero(t, b.catchUp(t))
	b.app.trouble = nil
	b.happened(b.now.Add(-time.Hour), 60)
	b.now = b.now.Add(2 * time.Minute)
	require.NoError(t, b.Begin(t.Context()))
	require.Equal(t, Result{Accepted: 8}, b.catchUp(t), "the first contact is when the source is configured for it")

	b = setup(t, defaults())
	b.app.trouble = map[string]error{"": host.ErrUnsupported}
	require.Zero(t, b.catchUp(t))
	_, err := b.store.FindCursor(t.Context(), "radarr")
	require.ErrorIs(t, err, store.ErrNotFound, "though nothing was old enough to be asked for")
	r, err := b.CatchUp(t.Context(), "nobody")
	require.NoError(t, err)
	require.Zero(t, r)
}
