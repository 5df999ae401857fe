package plugintest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// Target is a served target plugin with one instance.
type Target struct{ *Plugin }

// StartTarget serves a target plugin until the test ends. See [Config] for config.
func StartTarget[C any](tb testing.TB, info sdk.Info, ctor sdk.NewTarget[C], config any) *Target {
	tb.Helper()
	p, err := sdk.NewTargetPlugin(info, ctor)
	return &Target{start(tb, p, err, config)}
}

// Outcome is what became of an attempt: its class, and what operators see of it.
type Outcome = host.Outcome

// Attempt is what a target is given; function Delivery makes the first of some events.
type Attempt = host.Delivery

// Deliver makes one attempt over the wire. The error is for a call that broke: the
// plugin panicked, or did not answer before ctx ended.
func (t *Target) Deliver(ctx context.Context, d host.Delivery) (Outcome, error) {
	return t.client.Deliver(ctx, Instance, d)
}

// Verify has the target find out whether what it accepted is there, as the host does after
// a receipt with VerifyAfter. The last time is final.
func (t *Target) Verify(ctx context.Context, d host.Delivery, accepted sdk.Receipt, final bool) (Outcome, error) {
	return t.client.Verify(ctx, Instance, d, accepted, final)
}

// Folders asks the target where its server's files are. The error matches
// host.ErrUnsupported for a plugin without sdk.FeatureFolders.
func (t *Target) Folders(ctx context.Context, q sdk.FoldersQuery) (sdk.Folders, error) {
	return t.client.Folders(ctx, Instance, q)
}

// Test has the target test its endpoint with an event, or with its own for nil. The
// error is for a call that broke, or a plugin without sdk.FeatureTest.
func (t *Target) Test(ctx context.Context, event json.RawMessage) (Outcome, error) {
	return t.client.Test(ctx, Instance, event)
}

// Preview returns the request that the target would make, and why it is not as it was to
// be. The error matches host.ErrUnsupported for a plugin without sdk.FeaturePreview.
func (t *Target) Preview(ctx context.Context, d host.Delivery) (host.Preview, error) {
	return t.client.Preview(ctx, Instance, d)
}

// token is in the path of an endpoint's URL that is not public, as a credential that must
// not show.
const token = "plugintest-tNq7vX2mKc9R"

// endpoint is an HTTP server that a target delivers to.
type endpoint struct {
	*httptest.Server
	suite TargetSuite

	mu       sync.Mutex
	answer   http.HandlerFunc
	refused  []error
	requests int
}

func newEndpoint(tb testing.TB, suite TargetSuite) *endpoint {
	tb.Helper()
	e := &endpoint{suite: suite}
	e.Server = httptest.NewServer(e)
	tb.Cleanup(e.Close)
	return e
}

// url returns the endpoint's URL.
func (e *endpoint) url() string { return e.URL + e.path() }

// path is that of the URL, with the secret in it unless the URL is public.
func (e *endpoint) path() string {
	if e.suite.PublicURL {
		return "/hooks"
	}
	return "/hooks/" + token
}

// answers sets what the endpoint does with requests; nil accepts them.
func (e *endpoint) answers(h http.HandlerFunc) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = h
}

func (e *endpoint) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.requests
}

// refusals returns what Accepts said against requests.
func (e *endpoint) refusals() []error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.refused
}

// ServeHTTP implements http.Handler.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	e.requests++
	answer := e.answer
	e.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	e.accept(w, r)
}

// accept judges a request and answers the way the endpoint does to a good one.
func (e *endpoint) accept(w http.ResponseWriter, r *http.Request) {
	if e.suite.Accepts != nil {
		if err := e.suite.Accepts(r); err != nil {
			e.mu.Lock()
			e.refused = append(e.refused, err)
			e.mu.Unlock()
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	if e.suite.Answer != nil {
		e.suite.Answer(w)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// echo answers with a status and everything that the request had in it.
func echo(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "%s %s%s\n", r.Method, r.Host, r.RequestURI)
		_ = r.Header.Write(w)
		_, _ = io.Copy(w, r.Body)
	}
}

// deadURL returns a URL that refuses connections.
func (e *endpoint) deadURL(tb testing.TB) string {
	tb.Helper()
	l, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return "http://" + l.Addr().String() + e.path()
}
