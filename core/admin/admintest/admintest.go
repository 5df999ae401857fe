// Package admintest makes an admin.Service over a real database for tests. No server runs
// behind it.
package admintest

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/operate"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/sqlite"
	"github.com/hookarr/hookarr/sdk"
)

// The tokens of the configuration, and the secret that is in its source and target.
const (
	ViewToken    = "view-0123456789abcdef"
	OperateToken = "operate-0123456789abcdef"
	SourceSecret = "source-0123456789abcdef"
)

// secret is a part of each of them.
const secret = "0123456789abcdef"

const settings = `
listen: 127.0.0.1:0
admin:
  listen: 127.0.0.1:0
  tokens:
    - {name: dashboard, role: view, token: ` + ViewToken + `}
    - {name: ci, role: operate, token: ` + OperateToken + `}
sources:
  radarr: {plugin: radarr, auth: [{hmac: {preset: github, secrets: [` + SourceSecret + `]}}]}
targets:
  ops: {plugin: webhook, config: {url: "https://user:` + SourceSecret + `@example.com"}}
  news: {plugin: discord}
routes:
  - {name: imports, types: ["media.*"], to: [ops]}
  - {name: old, when: "event.media.year < 2000", to: [ops, news]}
`

// Rig is a service over a real database.
type Rig struct {
	// Dir is a directory that is short enough for a socket.
	Dir     string
	Service *admin.Service
	Operate *operate.Service
	Store   *store.Store
	Config  *config.Config
	Log     *slog.Logger

	text *buffer
}

// fixed are settings that nobody reloads.
type fixed struct {
	config *config.Config
	routes *route.Table
}

func (f fixed) Config() *config.Config { return f.config }
func (f fixed) Routes() *route.Table   { return f.routes }

// buffer is a log that is written by many.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// New returns a service over an empty database, and checks in the end that no secret is in
// the log.
func New(t *testing.T) *Rig {
	t.Helper()
	r := &Rig{text: new(buffer)}
	r.Log = slog.New(slog.NewTextHandler(r.text, nil))
	var err error
	r.Dir, err = os.MkdirTemp("", "hookarr-admin") //nolint:usetesting // the directory of a test may be too long for a socket
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(r.Dir)) })
	file := filepath.Join(r.Dir, "hookarr.yaml")
	require.NoError(t, os.WriteFile(file, []byte(settings), 0o600))
	r.Config, err = config.Loader{Environ: func() []string { return nil }}.Load(file)
	require.NoError(t, err)
	routes, err := route.New(r.Config.Routes)
	require.NoError(t, err)
	r.Store, err = sqlite.Open(t.Context(), filepath.Join(r.Dir, "hookarr.db"), r.Log)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Store.Close()) })
	require.NoError(t, r.Store.Migrate(t.Context()))

	r.Operate = operate.New(operate.Options{
		Store: r.Store, Router: func() operate.Router { return routes }, Log: r.Log, Pause: time.Millisecond,
		Targets: func() []string { return slices.Sorted(maps.Keys(r.Config.Targets)) },
	})
	r.Service = &admin.Service{
		Store: r.Store, Settings: fixed{r.Config, routes}, Program: admin.Version{Version: "test", Go: "go"},
		Operate: r.Operate, Outage: r.Store.Outage,
	}
	t.Cleanup(func() {
		require.NotContains(t, r.text.String(), secret, "a secret is in the log")
		require.NotContains(t, r.text.String(), "panic")
	})
	return r
}

// Logged is what was logged.
func (r *Rig) Logged() string { return r.text.String() }

// Imported returns a routed event of a film with a delivery to each target.
func Imported(title string, targets ...string) *store.Acceptance {
	e := sdk.Event{
		ID: "1", Source: "radarr", Type: sdk.TypeMediaImported, Title: title, Summary: "Imported " + title, App: "radarr",
		Media: &sdk.Media{Title: title, Year: 2016},
	}
	normalized, _ := json.Marshal(e)
	a := &store.Acceptance{Event: event.Event{
		ID: event.NewID(), Source: "radarr", State: event.Routed, Origin: sdk.OriginWebhook, ReceivedAt: time.Now().UTC(),
		Request: event.Request{Method: "POST", Query: "q=private", Header: http.Header{"User-Agent": {"Radarr/6"}}, Body: []byte(`{"raw":"` + title + `"}`)},
		Type:    e.Type, Title: title, Summary: e.Summary, Fingerprint: title, Normalized: normalized,
	}}
	for _, target := range targets {
		a.Deliveries = append(a.Deliveries, event.Delivery{ID: event.NewID(), EventID: a.Event.ID, Target: target, Route: "imports"})
	}
	return a
}

// Accept stores an event.
func (r *Rig) Accept(t *testing.T, a *store.Acceptance) *store.Acceptance {
	t.Helper()
	_, err := r.Store.Accept(t.Context(), a)
	require.NoError(t, err)
	return a
}

// MakeDead makes a delivery a dead letter after one attempt.
func (r *Rig) MakeDead(t *testing.T, id uuid.UUID) {
	t.Helper()
	_, err := r.Store.Settle(t.Context(), &store.Settlement{
		DeliveryID: id, State: event.Dead, Reason: "gave up",
		Attempt: &event.Attempt{
			DeliveryID: id, Number: 1, StartedAt: time.Now().UTC(), Elapsed: time.Millisecond, Class: sdk.ClassPermanent, Status: 400,
			Message: "bad request", Excerpt: "no", Counted: true,
		},
	})
	require.NoError(t, err)
}
