package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

func TestPlugin(t *testing.T) {
	t.Parallel()
	plugintest.TestTarget(t, info(), newTarget, plugintest.TargetSuite{
		Config: func(endpointURL string) any {
			return map[string]any{
				"webhook_url": endpointURL, "username": "Hookarr", "thread_id": "333333333333333333",
				"mention_roles": []string{"111111111111111111"},
			}
		},
		Accepts: accepted,
		Answer: func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"id":"1200000000000000000"}`)
		},
	})
}

// accepted judges a request to any path by Discord's limits.
func accepted(r *http.Request) error {
	var d endpoint.Discord
	u, err := url.Parse(d.URL("http://127.0.0.1") + "?" + r.URL.RawQuery)
	if err != nil {
		return err
	}
	r = r.Clone(r.Context())
	r.URL = u
	d.ServeHTTP(httptest.NewRecorder(), r)
	if len(d.Messages()) != 1 {
		return errors.New("refused: " + strings.Join(d.Refused(), "; "))
	}
	return nil
}
