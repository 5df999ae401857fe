package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/api"
	"github.com/hookarr/hookarr/core/admin/door"
	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/operate"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/sqlite"
	"github.com/hookarr/hookarr/sdk"
)

const (
	viewToken    = "view-0123456789abcdef"
	operateToken = "operate-0123456789abcdef"
	sourceSecret = "source-0123456789abcdef"
	settings     = `
listen: 127.0.0.1:0
admin:
  listen: 127.0.0.1:0
  tokens:
    - {name: dashboard, role: view, token: ` + viewToken + `}
    - {name: ci, role: operate, token: ` + operateToken + `}
sources:
  radarr: {plugin: radarr, auth: [{hmac: {preset: github, secrets: [` + sourceSecret + `]}}]}
targets:
  ops: {plugin: webhook, config: {url: "https://user:` + sourceSecret + `@example.com"}}
  news: {plugin: discord}
routes:
  - {name: imports, types: ["media.*"], to: [ops]}
  - {name: old, when: "event.media.year < 2000", to: [ops, news]}
`
)

// rig is an API over real doors and a real database. No server runs behind it.
type rig struct {
	url, socket string
	service     *admin.Service
	operate     *operate.Service
	store       *store.Store
	config      *config.Config
	log         *buffer
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

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{log: new(buffer)}
	log := slog.New(slog.NewTextHandler(r.log, nil))
	dir, err := os.MkdirTemp("", "hookarr-api") //nolint:usetesting // the directory of a test may be too long for a socket
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	file := filepath.Join(dir, "hookarr.yaml")
	require.NoError(t, os.WriteFile(file, []byte(settings), 0o600))
	r.config, err = config.Loader{Environ: func() []string { return nil }}.Load(file)
	require.NoError(t, err)
	routes, err := route.New(r.config.Routes)
	require.NoError(t, err)
	r.store, err = sqlite.Open(t.Context(), filepath.Join(dir, "hookarr.db"), log)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.store.Close()) })
	require.NoError(t, r.store.Migrate(t.Context()))

	r.operate = operate.New(operate.Options{
		Store: r.store, Router: func() operate.Router { return routes }, Log: log, Pause: time.Millisecond,
		Targets: func() []string { return slices.Sorted(maps.Keys(r.config.Targets)) },
	})
	r.service = &admin.Service{
		Store: r.store, Settings: fixed{r.config, routes}, Program: admin.Version{Version: "test", Go: "go"},
		Operate: r.operate,
	}
	t.Cleanup(func() {
		require.NotContains(t, r.log.String(), "0123456789abcdef", "a secret is in the log")
		require.NotContains(t, r.log.String(), "panic")
	})
	handler, err := api.New(api.Options{Service: r.service, Once: r.store, Log: log})
	require.NoError(t, err)
	network, err := door.Network(door.Options{
		Config: r.config, Limiter: new(auth.Limiter), Public: http.NotFoundHandler(), API: handler, Log: log,
	})
	require.NoError(t, err)
	server := httptest.NewServer(network)
	t.Cleanup(server.Close)
	r.url = server.URL

	r.socket = filepath.Join(dir, "hookarr.sock")
	listener, err := door.ListenSocket(t.Context(), r.socket)
	require.NoError(t, err)
	local := &http.Server{Handler: door.Socket(http.NotFoundHandler(), handler), ConnContext: door.ConnContext, ReadHeaderTimeout: time.Second}
	go func() { _ = local.Serve(listener) }()
	t.Cleanup(func() { require.NoError(t, local.Close()) })
	return r
}

// imported is a routed event of a film with a delivery to each target.
func imported(title string, targets ...string) *store.Acceptance {
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

func (r *rig) accept(t *testing.T, a *store.Acceptance) *store.Acceptance {
	t.Helper()
	_, err := r.store.Accept(t.Context(), a)
	require.NoError(t, err)
	return a
}

// bury makes a delivery a dead letter after one attempt.
func (r *rig) bury(t *testing.T, id uuid.UUID) {
	t.Helper()
	_, err := r.store.Settle(t.Context(), &store.Settlement{
		DeliveryID: id, State: event.Dead, Reason: "gave up",
		Attempt: &event.Attempt{
			DeliveryID: id, Number: 1, StartedAt: time.Now().UTC(), Elapsed: time.Millisecond, Class: sdk.ClassPermanent, Status: 400,
			Message: "bad request", Excerpt: "no", Counted: true,
		},
	})
	require.NoError(t, err)
}

// call makes a request over the network and returns the status, the head and the body.
func (r *rig) call(t *testing.T, method, path, token, body string, header ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.url+api.Prefix+path, strings.NewReader(body))
	require.NoError(t, err)
	if token != "" {
		req.Header.Set("X-Api-Key", token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NotContains(t, string(text), "0123456789abcdef", "a secret is in the answer")
	if resp.StatusCode >= http.StatusBadRequest {
		require.Equal(t, admin.ProblemType, resp.Header.Get("Content-Type"), string(text))
		var p admin.Problem
		require.NoError(t, json.Unmarshal(text, &p))
		require.Equal(t, resp.StatusCode, p.Status)
		require.NotEmpty(t, p.Title)
		require.NotEmpty(t, p.Detail)
	}
	return resp.StatusCode, resp.Header, string(text)
}

func overSocket(path string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
}
