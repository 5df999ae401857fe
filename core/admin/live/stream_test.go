package live_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/live"
)

// answer is the head of an answer, and its lines as they come.
type answer struct {
	*bufio.Scanner
	status, proto int
	header        http.Header
}

// open opens a stream of a server.
func open(t *testing.T, server *httptest.Server) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitTimeout)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := server.Client().Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, resp.Body.Close()) })
	return answer{bufio.NewScanner(resp.Body), resp.StatusCode, resp.ProtoMajor, resp.Header}
}

// until reads lines until one is there that is wanted.
func until(t *testing.T, lines answer, wanted string) {
	t.Helper()
	for lines.Scan() {
		if lines.Text() == wanted {
			return
		}
	}
	require.FailNow(t, "the stream has ended", "before %q: %v", wanted, lines.Err())
}

// wrapped hides what a ResponseWriter can beside writing.
type wrapped struct{ http.ResponseWriter }

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestStream(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		s := openSQLite(t)
		h, _ := newHub(t, s)
		stream := &live.Stream{Hub: h, Heartbeat: 250 * time.Millisecond}
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { stream.ServeHTTP(wrapped{w}, r) }))
		// Streams last longer than answers may take.
		server.Config.WriteTimeout = 2 * time.Second
		if server.EnableHTTP2 = http2; http2 {
			server.StartTLS()
		} else {
			server.Start()
		}
		t.Cleanup(server.Close)
		lines := open(t, server)
		require.Equal(t, http.StatusOK, lines.status)
		require.Equal(t, http2, lines.proto == 2)
		require.Equal(t, "text/event-stream", lines.header.Get("Content-Type"))
		require.Equal(t, "no-store, no-transform", lines.header.Get("Cache-Control"))
		require.Equal(t, "no", lines.header.Get("X-Accel-Buffering"))
		require.Empty(t, lines.header.Get("Content-Encoding"))
		until(t, lines, "event: resync")
		until(t, lines, "data: {}")
		for range 10 {
			until(t, lines, ":")
		}
		a := accept(t, s, acceptance("Arrival"))
		until(t, lines, "event: events")
		until(t, lines, `data: {"ids":["`+a.Event.ID.String()+`"]}`)
		until(t, lines, "")

		h.Close()
		for lines.Scan() {
		}
		require.NoError(t, lines.Err(), "it ends as an answer does")
	}
}

func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	h, _ := newHub(t, openSQLite(t))
	for i := range live.MaxWatchers {
		_, err := h.Watch(as(t, i))
		require.NoError(t, err)
	}
	server := httptest.NewServer(&live.Stream{Hub: h})
	t.Cleanup(server.Close)
	lines := open(t, server)
	require.Equal(t, http.StatusServiceUnavailable, lines.status)
	require.Equal(t, "5", lines.header.Get("Retry-After"))
	require.Equal(t, admin.ProblemType, lines.header.Get("Content-Type"))
	require.True(t, lines.Scan())
	require.Contains(t, lines.Text(), live.ErrFull.Error())
}

// TestStreamOfSomebodyWhoMayNot has a session that is revoked.
func TestStreamOfSomebodyWhoMayNot(t *testing.T) {
	t.Parallel()
	h, _ := newHub(t, openSQLite(t))
	var revoked atomic.Bool
	type key struct{}
	stream := &live.Stream{Hub: h, Heartbeat: time.Millisecond, Still: func(ctx context.Context) bool {
		return ctx.Value(key{}) == "who" && !revoked.Load()
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stream.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, "who")))
	}))
	t.Cleanup(server.Close)
	lines := open(t, server)
	for range 10 {
		until(t, lines, ":")
	}
	revoked.Store(true)
	for lines.Scan() {
	}
	require.NoError(t, lines.Err())
}

// TestStreamEndsWithItsRequest has a server that cancels its requests when it stops.
func TestStreamEndsWithItsRequest(t *testing.T) {
	t.Parallel()
	h, _ := newHub(t, openSQLite(t))
	stopping, stop := context.WithCancel(t.Context())
	stream := &live.Stream{Hub: h, Heartbeat: time.Hour}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(stopping, cancel)()
		stream.ServeHTTP(w, r.WithContext(ctx)) //nolint:contextcheck // it is derived from the request's
	}))
	t.Cleanup(server.Close)
	lines := open(t, server)
	until(t, lines, "event: resync")
	stop()
	var rest strings.Builder
	for lines.Scan() {
		rest.WriteString(lines.Text())
	}
	require.NoError(t, lines.Err())
	require.Equal(t, "data: {}", rest.String())
	require.NoError(t, server.Config.Shutdown(t.Context()), "nothing holds the server up")
}
