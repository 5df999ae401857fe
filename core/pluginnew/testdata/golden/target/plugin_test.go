package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

const maxTitle = 50

// TestTarget holds the target to what Hookarr relies on.
func TestTarget(t *testing.T) {
	plugintest.TestTarget(t, info(), newTarget, plugintest.TargetSuite{
		Config:         func(endpointURL string) any { return map[string]any{"url": endpointURL, "max_title": maxTitle} },
		Accepts:        accepts,
		IdempotencyKey: func(r *http.Request) string { m, _ := read(r); return m.ID },
	})
}

// accepts judges a request as the real endpoint does: put its documented limits here.
func accepts(r *http.Request) error {
	m, err := read(r)
	if err != nil {
		return err
	}
	if n := utf8.RuneCountInString(m.Title); n == 0 || n > maxTitle {
		return fmt.Errorf("the title has %d characters", n)
	}
	return nil
}

func read(r *http.Request) (m message, err error) {
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		return m, errors.New("the request is no POST of JSON")
	}
	return m, json.NewDecoder(r.Body).Decode(&m)
}

func TestValidate(t *testing.T) {
	t.Parallel()
	target := plugintest.StartTarget(t, info(), newTarget, map[string]any{"url": "https://endpoint.example/hook"})
	for _, wrong := range []string{"endpoint.example", "ftp://endpoint.example", "http://169.254.169.254/", "https://a b"} {
		problems, err := target.Configure(t.Context(), plugintest.Config(t, map[string]any{"url": wrong}))
		if err != nil || len(problems) != 1 || problems[0].Key != "url" {
			t.Errorf("%s: want one problem of url, got %v, %v", wrong, problems, err)
		}
	}
}
