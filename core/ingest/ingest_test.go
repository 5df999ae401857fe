package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/ingest"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/sqlite"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// now is the intake's time, which signatures are made for.
var now = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

const secret = "s3cret-of-the-test"

// bundle is an intake with a database behind it.
type bundle struct {
	t       testing.TB
	intake  *ingest.Intake
	store   *store.Store
	decoder *decoder
	clock   *clock
	metrics *prometheus.Registry
	log     *buffer
	gate    *auth.Gate // of the source radarr
	url     string
}

type option func(*ingest.Options, map[string]config.Source)

func withSource(name string, s config.Source) option {
	return func(_ *ingest.Options, sources map[string]config.Source) { sources[name] = s }
}

func with(edit func(*ingest.Options)) option {
	return func(o *ingest.Options, _ map[string]config.Source) { edit(o) }
}

func hmacSource(preset string, secrets ...sdk.Secret) config.Source {
	return config.Source{Auth: []config.Auth{{HMAC: &config.HMAC{Preset: preset, Secrets: secrets}}}}
}

func setup(tb testing.TB, opts ...option) *bundle {
	tb.Helper()
	b := &bundle{t: tb, decoder: &decoder{}, clock: &clock{now: now}, metrics: prometheus.NewRegistry(), log: &buffer{}}
	log := slog.New(slog.NewJSONHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s, err := sqlite.Open(tb.Context(), filepath.Join(tb.TempDir(), "hookarr.db"), slog.New(slog.DiscardHandler))
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	require.NoError(tb, s.Migrate(tb.Context()))
	b.store = s
	table, err := route.New([]config.Route{{Name: "all", Types: []string{"*", "test", "unknown"}, To: []string{"ops", "phone"}}})
	require.NoError(tb, err)

	sources := map[string]config.Source{"radarr": hmacSource("github", secret)}
	o := ingest.Options{
		Decoder: b.decoder, Store: s,
		Log: log, Metrics: b.metrics, Now: b.clock.Now, AcceptTimeout: time.Minute,
	}
	for _, opt := range opts {
		opt(&o, sources)
	}
	known := map[string]ingest.Source{}
	for name, source := range sources {
		gate, err := auth.New(source, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
		require.NoError(tb, err)
		known[name] = ingest.Source{Gate: gate, Window: source.Dedup.Window}
	}
	b.gate = known["radarr"].Gate
	generation := ingest.NewGeneration(known, table)
	o.Generation = func() *ingest.Generation { return generation }
	b.intake = ingest.New(o)
	server := httptest.NewServer(b.intake)
	tb.Cleanup(server.Close)
	b.url = server.URL + "/hooks/radarr"
	return b
}

// reply is what a sender gets.
type reply struct {
	status int
	header http.Header
	body   string
	closes bool
	ID     string
	Error  string
}

func (b *bundle) do(r *http.Request) reply {
	b.t.Helper()
	res, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(b.t, err)
	return readReply(b.t, res)
}

func readReply(tb testing.TB, res *http.Response) reply {
	tb.Helper()
	raw, err := io.ReadAll(res.Body)
	require.NoError(tb, err)
	require.NoError(tb, res.Body.Close())
	got := reply{status: res.StatusCode, header: res.Header, body: string(raw), closes: res.Close}
	if res.Header.Get("Content-Type") == "application/json" {
		require.NoError(tb, json.Unmarshal(raw, &got))
	}
	return got
}

// request is signed as the source radarr asks for.
func (b *bundle) request(body string) *http.Request {
	b.t.Helper()
	r := b.unsigned(body)
	require.NoError(b.t, b.gate.Sign(r, []byte(body), uuid.NewString(), b.clock.Now()))
	return r
}

func (b *bundle) unsigned(body string) *http.Request {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url, strings.NewReader(body))
	require.NoError(b.t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Close = true // as the Arr apps do
	return r
}

func (b *bundle) post(body string) reply {
	b.t.Helper()
	return b.do(b.request(body))
}

// accepted posts a body that is to be stored, and returns what was.
func (b *bundle) accepted(body string) event.Event {
	b.t.Helper()
	got := b.post(body)
	require.Equal(b.t, http.StatusAccepted, got.status, got.body)
	return b.find(got.ID)
}

func (b *bundle) find(id string) event.Event {
	b.t.Helper()
	e, _, err := b.store.FindEvent(b.t.Context(), uuid.MustParse(id))
	require.NoError(b.t, err)
	return e
}

// stored counts the events in the database.
func (b *bundle) stored() int {
	b.t.Helper()
	events, err := b.store.ListEvents(b.t.Context(), store.EventFilter{Limit: 1000})
	require.NoError(b.t, err)
	return len(events)
}

// logged returns the lines of the log with a message.
func (b *bundle) logged(message string) []map[string]any {
	b.t.Helper()
	var found []map[string]any
	for line := range strings.Lines(b.log.String()) {
		var fields map[string]any
		require.NoError(b.t, json.Unmarshal([]byte(line), &fields))
		if fields["msg"] == message {
			found = append(found, fields)
		}
	}
	return found
}

// metric returns the value of a counter, or the count of a histogram, whose labels
// have the given values in the order of their names.
func (b *bundle) metric(name string, labels ...string) float64 {
	b.t.Helper()
	families, err := b.metrics.Gather()
	require.NoError(b.t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var values []string
			for _, l := range m.GetLabel() {
				values = append(values, l.GetValue())
			}
			if f.GetName() == name && strings.Join(values, ",") == strings.Join(labels, ",") {
				return m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return 0
}

// decoder is a source plugin that does what its test says, or reads the event from the
// body.
type decoder struct {
	mu    sync.Mutex
	next  func(ctx context.Context) (host.Decoded, error)
	calls int
	alone int
	last  sdk.Request
}

func (d *decoder) answers(f func(ctx context.Context) (host.Decoded, error)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next = f
}

func (d *decoder) fails(err error) {
	d.answers(func(context.Context) (host.Decoded, error) { return host.Decoded{}, err })
}

func (d *decoder) hangs() {
	d.answers(func(ctx context.Context) (host.Decoded, error) {
		<-ctx.Done()
		return host.Decoded{}, ctx.Err()
	})
}

func (d *decoder) recovers() { d.answers(nil) }

func (d *decoder) counts() (calls, alone int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls, d.alone
}

// Decode understands a JSON form of host.Decoded with the event's fields beside.
func (d *decoder) Decode(ctx context.Context, source string, r sdk.Request) (host.Decoded, error) {
	d.mu.Lock()
	d.calls++
	d.last = r
	next := d.next
	d.mu.Unlock()
	if next != nil {
		return next(ctx)
	}
	var body struct {
		sdk.Event
		Skip    string
		Invalid string
		Test    bool
	}
	if understood := json.Unmarshal(r.Body, &body) == nil; !understood {
		return host.Decoded{Invalid: "not JSON"}, nil
	}
	if body.Skip != "" || body.Invalid != "" {
		return host.Decoded{Skip: body.Skip, Invalid: body.Invalid, Test: body.Test}, nil
	}
	e := body.Event
	e.ID, e.Source = r.ID, source
	raw, err := json.Marshal(e)
	return host.Decoded{Event: &e, JSON: raw}, err
}

func (d *decoder) DecodeAlone(ctx context.Context, source string, r sdk.Request) (host.Decoded, error) {
	d.mu.Lock()
	d.alone++
	d.mu.Unlock()
	return d.Decode(ctx, source, r)
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type buffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// outage is a database that goes away.
type outage struct {
	ingest.Accepter
	mu   sync.Mutex
	down bool
}

func (o *outage) set(down bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.down = down
}

func (o *outage) Accept(ctx context.Context, a *store.Acceptance) (store.Accepted, error) {
	o.mu.Lock()
	down := o.down
	o.mu.Unlock()
	if down {
		return store.Accepted{}, errors.New("connection refused")
	}
	return o.Accepter.Accept(ctx, a)
}
