package compat

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk/host"
)

const (
	// waitTimeout is for what must happen and takes the time it takes.
	waitTimeout = time.Minute
	// pollInterval is the pause between two looks.
	pollInterval = 5 * time.Millisecond
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testHost is today's host over a directory of plugins.
type testHost struct {
	*pluginhost.Host
	log *logBuffer
}

// logBuffer collects a log.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// newHost returns a host that has started nothing. It is stopped with the test.
func newHost(t *testing.T, dir string) *testHost {
	t.Helper()
	return newHostWith(t, dir, pluginhost.Timing{})
}

func newHostWith(t *testing.T, dir string, timing pluginhost.Timing) *testHost {
	t.Helper()
	timing.Start, timing.Exit, timing.Ready, timing.HealthTimeout = waitTimeout, waitTimeout, waitTimeout, waitTimeout
	h := &testHost{log: &logBuffer{}}
	h.Host = pluginhost.New(pluginhost.Options{
		Dirs:   []string{dir},
		Log:    slog.New(slog.NewJSONHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Timing: timing,
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Second)
		defer cancel()
		_ = h.Stop(ctx)
		if t.Failed() {
			t.Log(h.log)
		}
	})
	return h
}

// startHost starts instances and requires every plugin to be ready.
func startHost(t *testing.T, dir string, instances ...pluginhost.Instance) *testHost {
	t.Helper()
	h := newHost(t, dir)
	require.NoError(t, h.Start(t.Context(), instances))
	for _, s := range h.Status() {
		require.Equal(t, pluginhost.Ready, s.State, "%s: %s", s.Plugin, s.Reason)
	}
	return h
}

// delivery has its event's title as id.
func delivery(title string) host.Delivery {
	return host.Delivery{ID: title, Attempt: 1, Events: []json.RawMessage{event(title)}}
}

func event(title string) json.RawMessage {
	raw, err := json.Marshal(map[string]any{"id": "e1", "type": "test", "title": title, "time": "2026-11-23T10:00:00Z"})
	if err != nil {
		panic(err) //nolint:forbidigo // a test's own literal
	}
	return raw
}
