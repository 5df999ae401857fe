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
		Config:  func(endpointURL string) any { return map[string]any{"webhook_url": endpointURL} },
		Accepts: accepted,
		Answer:  func(w http.ResponseWriter) { _, _ = io.WriteString(w, "ok") },
	})
}

// accepted judges a request to any path by Slack's limits.
func accepted(r *http.Request) error {
	var s endpoint.Slack
	u, err := url.Parse(s.URL("http://127.0.0.1"))
	if err != nil {
		return err
	}
	r = r.Clone(r.Context())
	r.URL = u
	s.ServeHTTP(httptest.NewRecorder(), r)
	if len(s.Messages()) != 1 {
		return errors.New("refused: " + strings.Join(s.Refused(), "; "))
	}
	return nil
}
