package operate_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/operate"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/postgres"
	"github.com/hookarr/hookarr/core/store/sqlite"
	"github.com/hookarr/hookarr/internal/testpg"
	"github.com/hookarr/hookarr/sdk"
)

var root = operate.Actor{Who: "root", Via: "socket"}

// bench is a service over a migrated database. Its routes bring imports to ops and chat.
type bench struct {
	*operate.Service
	store   *store.Store
	options operate.Options
	decoder *decoder
	url     string
}

// openStore opens a Postgres URL, or the path of an SQLite file.
func openStore(ctx context.Context, url string) (*store.Store, error) {
	if strings.HasPrefix(url, "postgres") {
		return postgres.Open(ctx, url, slog.New(slog.DiscardHandler))
	}
	return sqlite.Open(ctx, url, slog.New(slog.DiscardHandler))
}

// decoder is what a source plugin makes of stored requests. It routes nothing itself.
type decoder struct {
	errs  []error // returned first
	title string
	state event.State
}

func (d *decoder) Redecode(_ context.Context, e event.Event) (*store.Acceptance, error) {
	if len(d.errs) > 0 {
		err := d.errs[0]
		d.errs = d.errs[1:]
		return nil, err
	}
	e.State, e.Type, e.Title, e.Reason = d.state, sdk.TypeMediaImported, d.title, ""
	if d.state != event.Routed {
		e.Reason = "not JSON"
		return &store.Acceptance{Event: e}, nil
	}
	var err error
	e.Normalized, err = json.Marshal(sdk.Event{Type: e.Type, Title: e.Title, Time: time.Now()})
	return &store.Acceptance{Event: e}, err
}

// onEach runs a test over both databases.
func onEach(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	for name, url := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { t.Helper(); return filepath.Join(t.TempDir(), "hookarr.db") },
		"postgres": func(t *testing.T) string { t.Helper(); return testpg.New(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := url(t)
			s, err := openStore(t.Context(), at)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			require.NoError(t, s.Migrate(t.Context()))
			b := newBench(t, s)
			b.url = at
			test(t, b)
		})
	}
}

func newBench(t *testing.T, s *store.Store) *bench {
	t.Helper()
	routes, err := route.New([]config.Route{{Name: "all", To: []string{"ops", "chat"}}, {Name: "own", Types: []string{"hookarr.*"}, To: []string{"ops", "chat"}}})
	require.NoError(t, err)
	b := &bench{store: s, decoder: &decoder{state: event.Routed, title: "decoded anew"}}
	b.options = operate.Options{
		Store: s, Router: func() operate.Router { return routes }, Redecoder: b.decoder,
		Targets: func() []string { return []string{"ops", "chat", "archive"} }, Log: slog.New(slog.DiscardHandler), Pause: time.Microsecond,
	}
	b.Service = operate.New(b.options)
	return b
}

// accept stores an import with a pending delivery to each target.
func (b *bench) accept(t *testing.T, change func(e *event.Event), targets ...string) (event.Event, []event.Delivery) {
	t.Helper()
	a := &store.Acceptance{Event: event.Event{
		ID: event.NewID(), Source: "radarr", State: event.Routed, Origin: sdk.OriginWebhook, ReceivedAt: time.Now(),
		Request: event.Request{Method: "POST", Body: []byte(`{"eventType":"Download"}`)},
		Type:    sdk.TypeMediaImported, Title: "Dune",
	}}
	if change != nil {
		change(&a.Event)
	}
	if a.Event.State == event.Routed {
		var err error
		a.Event.Normalized, err = json.Marshal(sdk.Event{Type: a.Event.Type, Title: a.Event.Title, Time: time.Now()})
		require.NoError(t, err)
	}
	for _, target := range targets {
		a.Deliveries = append(a.Deliveries, event.Delivery{ID: event.NewID(), EventID: a.Event.ID, Target: target, Route: "all"})
	}
	_, err := b.store.Accept(t.Context(), a)
	require.NoError(t, err)
	return a.Event, a.Deliveries
}

func (b *bench) settle(t *testing.T, id uuid.UUID, state event.DeliveryState) {
	t.Helper()
	_, err := b.store.Settle(t.Context(), &store.Settlement{DeliveryID: id, State: state, Reason: "503"})
	require.NoError(t, err)
}

func (b *bench) deliveries(t *testing.T, e uuid.UUID) map[string][]event.Delivery {
	t.Helper()
	_, all, err := b.store.FindEvent(t.Context(), e)
	require.NoError(t, err)
	byTarget := make(map[string][]event.Delivery)
	for _, d := range all {
		byTarget[d.Target] = append(byTarget[d.Target], d)
	}
	return byTarget
}

func TestRetryAndCancelByID(t *testing.T) {
	t.Parallel()

	onEach(t, func(t *testing.T, b *bench) {
		e, deliveries := b.accept(t, nil, "ops", "chat")
		ops, chat := deliveries[0].ID, deliveries[1].ID
		b.settle(t, ops, event.Dead)
		b.settle(t, chat, event.Delivered)
		r, err := b.RetryDeliveries(t.Context(), root, []uuid.UUID{ops, chat, ops})
		require.NoError(t, err)
		require.Equal(t, 1, r.Changed)
		require.Equal(t, 1, r.Skipped)
		require.Equal(t, map[uuid.UUID]string{chat: "it is delivered"}, r.Reasons)
		require.Equal(t, event.Pending, b.deliveries(t, e.ID)["ops"][0].State)
		require.Equal(t, store.ActionDone, r.Action.State)

		r, err = b.CancelDeliveries(t.Context(), root, []uuid.UUID{ops})
		require.NoError(t, err)
		require.Equal(t, 1, r.Changed)
		require.Equal(t, event.Cancelled, b.deliveries(t, e.ID)["ops"][0].State)
		story, err := b.store.ActionsOf(t.Context(), e.ID, 10)
		require.NoError(t, err)
		require.Len(t, story, 2)
		require.Equal(t, store.ActionCancel, story[1].What)

		for _, ids := range [][]uuid.UUID{nil, make([]uuid.UUID, 0), manyIDs(1001)} {
			_, err = b.RetryDeliveries(t.Context(), root, ids)
			require.ErrorIs(t, err, operate.ErrInvalid)
		}
	})
}

func manyIDs(n int) []uuid.UUID {
	ids := make([]uuid.UUID, n)
	for i := range ids {
		ids[i] = event.NewID()
	}
	return ids
}

func TestReplayByID(t *testing.T) {
	t.Parallel()

	onEach(t, func(t *testing.T, b *bench) {
		ctx := t.Context()
		e, _ := b.accept(t, nil, "ops")
		alert, _ := b.accept(t, func(e *event.Event) {
			e.Source, e.Type, e.CorrelationKey = sdk.SourceHookarr, sdk.TypeTargetHeld, "target:ops"
		})
		unread, _ := b.accept(t, func(e *event.Event) { e.State, e.Type = event.Undecodable, "" })
		deferred, _ := b.accept(t, func(e *event.Event) { e.State, e.Type = event.Deferred, "" })
		past, _ := b.accept(t, func(e *event.Event) { e.Request, e.Origin = event.Request{}, sdk.OriginCatchup })
		absent := event.NewID()

		r, err := b.ReplayEvents(ctx, root, []uuid.UUID{e.ID, alert.ID, unread.ID, deferred.ID, absent}, operate.Replay{})
		require.NoError(t, err)
		require.Equal(t, 2, r.Changed)
		require.Equal(t, map[uuid.UUID]string{
			unread.ID: "no decoder understood it: have it decoded anew", deferred.ID: "it is not decoded yet, and goes out once it is", absent: "not found",
		}, r.Reasons)
		got := b.deliveries(t, e.ID)
		require.Len(t, got["ops"], 2, "replayed by the routes of today")
		require.Len(t, got["chat"], 1)
		require.Equal(t, "all", got["chat"][0].Route)
		got = b.deliveries(t, alert.ID)
		require.Empty(t, got["ops"], "an alert goes to no target that it is about")
		require.Len(t, got["chat"], 1)

		_, err = b.ReplayEvents(ctx, root, []uuid.UUID{e.ID}, operate.Replay{To: []string{"archive", "archive"}})
		require.NoError(t, err)
		require.Len(t, b.deliveries(t, e.ID)["archive"], 1)
		require.Empty(t, b.deliveries(t, e.ID)["archive"][0].Route, "no route brings it there")
		_, err = b.ReplayEvents(ctx, root, []uuid.UUID{e.ID}, operate.Replay{To: []string{"archve"}})
		require.ErrorIs(t, err, operate.ErrUnknownTarget)
		require.ErrorContains(t, err, `did you mean "archive"?`)

		b.decoder.errs = []error{errors.New("starting")}
		r, err = b.ReplayEvents(ctx, root, []uuid.UUID{unread.ID, past.ID}, operate.Replay{Redecode: true})
		require.NoError(t, err)
		require.Equal(t, map[uuid.UUID]string{past.ID: "it was stored without a request that could be decoded"}, r.Reasons)
		decoded, _, err := b.store.FindEvent(ctx, unread.ID)
		require.NoError(t, err)
		require.Equal(t, event.Routed, decoded.State)
		require.Equal(t, "decoded anew", decoded.Title)
		require.Len(t, b.deliveries(t, unread.ID)["ops"], 1)

		// What was understood before is not lost by a decoder that does not understand it.
		b.decoder.state = event.Undecodable
		r, err = b.ReplayEvents(ctx, root, []uuid.UUID{e.ID}, operate.Replay{Redecode: true})
		require.NoError(t, err)
		require.Equal(t, map[uuid.UUID]string{e.ID: "it is not understood: not JSON"}, r.Reasons)
		kept, _, err := b.store.FindEvent(ctx, e.ID)
		require.NoError(t, err)
		require.Equal(t, event.Routed, kept.State)

		// Without a server nothing is decoded, and routes may not be known.
		o := b.options
		o.Router, o.Redecoder, o.Targets = nil, nil, nil
		alone := operate.New(o)
		for _, r := range []operate.Replay{{Redecode: true}, {}} {
			_, err = alone.ReplayEvents(ctx, root, []uuid.UUID{e.ID}, r)
			require.ErrorIs(t, err, operate.ErrInvalid)
		}
		_, err = alone.ReplayEvents(ctx, root, []uuid.UUID{e.ID}, operate.Replay{To: []string{"ops"}})
		require.ErrorIs(t, err, operate.ErrUnknownTarget)
	})
}
