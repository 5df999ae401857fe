package enrich

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/sqlite"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type fetchFunc func(ctx context.Context) (json.RawMessage, error)

func (f fetchFunc) Fetch(ctx context.Context, _ string, _ json.RawMessage) (json.RawMessage, error) {
	return f(ctx)
}

const original = `{"id":"e1","source":"radarr","type":"media.imported","title":"Sintel","fingerprint":"f"}`

func TestWork(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fetch fetchFunc
		want  string
	}{
		"enriched": {
			func(context.Context) (json.RawMessage, error) {
				return []byte(`{"id":"forged","source":"forged","origin":"forged","type":"media.imported","title":"Sintel","media":{"overview":"o"}}`), nil
			},
			`{"id":"e1","source":"radarr","type":"media.imported","title":"Sintel","fingerprint":"f","media":{"overview":"o"}}`,
		},
		"the application does not answer": {
			func(context.Context) (json.RawMessage, error) { return nil, errors.New("connection refused") }, original,
		},
		"the application is silent": {
			func(ctx context.Context) (json.RawMessage, error) { <-ctx.Done(); return nil, ctx.Err() }, original,
		},
		"the source cannot": {
			func(context.Context) (json.RawMessage, error) { return nil, fmt.Errorf("no: %w", host.ErrUnsupported) }, original,
		},
		"no event": {
			func(context.Context) (json.RawMessage, error) { return []byte(`[]`), nil }, original,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hookarr.db"), slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			require.NoError(t, s.Migrate(t.Context()))
			a := &store.Acceptance{Enrich: true, Event: event.Event{
				ID: event.NewID(), Source: "radarr", State: event.Routed, Origin: sdk.OriginWebhook, Normalized: []byte(original),
			}}
			a.Deliveries = []event.Delivery{{ID: event.NewID(), EventID: a.Event.ID, Target: "ops", Route: "all"}}
			_, err = s.Accept(t.Context(), a)
			require.NoError(t, err)

			w := &Worker{Fetcher: test.fetch, Store: s, Log: slog.New(slog.DiscardHandler), FetchTimeout: time.Second}
			require.NoError(t, w.Work(t.Context(), job(a.Event.ID)))
			work, err := s.LoadWork(t.Context(), a.Deliveries[0].ID)
			require.NoError(t, err)
			require.JSONEq(t, test.want, string(work.Event.Normalized))
			none, err := s.ReconcileTarget(t.Context(), "ops", 0, 10)
			require.NoError(t, err)
			require.Zero(t, none, "the delivery has its job")
		})
	}
}

func TestEventThatIsGone(t *testing.T) {
	t.Parallel()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hookarr.db"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	w := &Worker{Store: s, Log: slog.New(slog.DiscardHandler)}
	require.NoError(t, w.Work(t.Context(), job(uuid.New())))
}

func job(id uuid.UUID) *river.Job[store.EnrichArgs] {
	return &river.Job[store.EnrichArgs]{JobRow: &rivertype.JobRow{}, Args: store.EnrichArgs{EventID: id}}
}
