package eventtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hookarr/hookarr/sdk"
)

// Endpoint is a service that enforces its limits.
type Endpoint interface {
	http.Handler
	// URL is the webhook's on a server.
	URL(server string) string
	// Refused is why requests were refused, in order.
	Refused() []string
}

// Accepted judges a request to any path by the limits of an endpoint.
func Accepted(e Endpoint, r *http.Request) error {
	u, err := url.Parse(e.URL("http://127.0.0.1"))
	if err != nil {
		return fmt.Errorf("read the endpoint's URL: %w", err)
	}
	u.RawQuery = r.URL.RawQuery
	r = r.Clone(r.Context())
	r.URL = u
	answer := httptest.NewRecorder()
	e.ServeHTTP(answer, r)
	if answer.Code >= http.StatusMultipleChoices {
		return fmt.Errorf("answered %d: %s", answer.Code, strings.Join(e.Refused(), "; "))
	}
	return nil
}

// Post posts a message to an endpoint and wants it to be accepted.
func Post(t require.TestingT, e Endpoint, message any) {
	payload, err := json.Marshal(message)
	require.NoError(t, err)
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/", bytes.NewReader(payload))
	r.Header.Set("Content-Type", "application/json")
	require.NoError(t, Accepted(e, r), "%s", payload)
}

// Check hands any events to post, which fails for one that the endpoint refuses.
func Check(t *testing.T, post func(require.TestingT, sdk.Event)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) { post(t, Any().Draw(t, "event")) })
}

// Fuzz hands events in fuzzed JSON to post, beginning with [Events].
func Fuzz(f *testing.F, post func(require.TestingT, sdk.Event)) {
	f.Helper()
	for _, c := range Events() {
		raw, err := json.Marshal(c.Event)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var e sdk.Event
		if json.Unmarshal(raw, &e) == nil {
			post(t, e)
		}
	})
}
