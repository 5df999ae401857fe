package ingest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/ingest"
	"github.com/hookarr/hookarr/sdk/host"
)

const mebi = 1 << 20

// dial sends raw bytes to the server and returns what it answers.
func (b *bundle) dial(head string) (net.Conn, func() reply) {
	b.t.Helper()
	u, err := url.Parse(b.url)
	require.NoError(b.t, err)
	conn, err := (&net.Dialer{}).DialContext(b.t.Context(), "tcp", u.Host)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { _ = conn.Close() })
	require.NoError(b.t, conn.SetDeadline(time.Now().Add(time.Minute)))
	_, err = io.WriteString(conn, head)
	require.NoError(b.t, err)
	return conn, func() reply {
		b.t.Helper()
		return b.read(conn)
	}
}

func (b *bundle) read(conn net.Conn) reply {
	b.t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(b.t, err)
	return readReply(b.t, res)
}

func (b *bundle) head(r *http.Request, lines ...string) string {
	b.t.Helper()
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: test\r\n", r.Method, r.URL.RequestURI())
	for name := range r.Header {
		lines = append(lines, name+": "+r.Header.Get(name))
	}
	return head + strings.Join(lines, "\r\n") + "\r\n\r\n"
}

func TestSixteenMebibytesFit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := `{"type":"media.imported","title":"` + strings.Repeat("x", 16*mebi-36) + `"}`
	require.Len(t, body, 16*mebi)
	e := b.accepted(body)
	require.Len(t, e.Request.Body, 16*mebi)
	require.Equal(t, event.Routed, e.State)

	r := b.request(body)
	r.ContentLength = -1
	require.Equal(t, http.StatusOK, b.do(r).status, "chunked")
}

func TestSeventeenMebibytesDoNot(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("x", 17*mebi)
	for name, length := range map[string]int64{"declared": 17 * mebi, "chunked": -1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			r := b.request(body)
			r.ContentLength = length
			got := b.do(r)
			require.Equal(t, http.StatusRequestEntityTooLarge, got.status)
			require.Contains(t, got.Error, "16777216")
			require.InDelta(t, 1, b.metric("hookarr_requests_rejected_total", "too_large", "radarr"), 0)
			require.Zero(t, b.stored())
		})
	}
	b := setup(t)
	r := b.request(body[:16*mebi+1])
	r.ContentLength = -1
	require.Equal(t, http.StatusRequestEntityTooLarge, b.do(r).status, "one byte too many")
}

// A declared size, a missing credential and an address are judged without the body:
// the answer comes while the client has sent none of it.
func TestAnsweredBeforeTheBodyIsSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for want, head := range map[int]string{
		http.StatusRequestEntityTooLarge: b.head(b.request("x"), "Content-Length: 99999999999"),
		http.StatusUnauthorized:          b.head(b.unsigned("x"), "Content-Length: 100"),
		http.StatusNotFound:              "POST /hooks/nobody HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n",
		http.StatusMethodNotAllowed:      "GET /hooks/radarr HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n",
	} {
		_, answer := b.dial(head)
		got := answer()
		require.Equal(t, want, got.status)
		require.True(t, got.closes)
	}
}

func TestBodyThatEndsEarly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, head := range []string{
		b.head(b.request(imported), fmt.Sprintf("Content-Length: %d", len(imported)+1)),
		b.head(b.request(imported), "Transfer-Encoding: chunked"),
	} {
		conn, answer := b.dial(head + imported)
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
		require.Equal(t, http.StatusBadRequest, answer().status)
	}
	require.InDelta(t, 2, b.metric("hookarr_requests_rejected_total", "incomplete", "radarr"), 0)
	require.Zero(t, b.stored())
}

func TestBodyThatNeverComes(t *testing.T) {
	t.Parallel()
	b := setup(t, with(func(o *ingest.Options) { o.BodyTimeout = 50 * time.Millisecond }))
	_, answer := b.dial(b.head(b.request(imported), fmt.Sprintf("Content-Length: %d", len(imported))) + imported[:10])
	got := answer()
	require.Equal(t, http.StatusRequestTimeout, got.status)
	require.InDelta(t, 1, b.metric("hookarr_requests_rejected_total", "slow", "radarr"), 0)
	require.Zero(t, b.stored())
}

func TestConnectionServesAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, with(func(o *ingest.Options) { o.BodyTimeout = 2 * time.Second }))
	conn, first := b.dial(b.head(b.request(imported), fmt.Sprintf("Content-Length: %d", len(imported))) + imported)
	require.Equal(t, http.StatusAccepted, first().status)
	// The deadline of the first body must not be that of the connection.
	timer := time.NewTimer(2500 * time.Millisecond)
	defer timer.Stop()
	<-timer.C
	_, err := io.WriteString(conn, b.head(b.request("x"), "Content-Length: 1")+"x")
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, b.read(conn).status)
}

func TestBodiesInFlightAreBoundedInSum(t *testing.T) {
	t.Parallel()
	b := setup(t, with(func(o *ingest.Options) {
		o.MaxBody, o.MaxBodies, o.AcceptTimeout = 8<<10, 10<<10, 10*time.Second
		o.DecodeTimeout = time.Minute
	}))
	reached, proceed := make(chan struct{}), make(chan struct{})
	b.decoder.answers(blocked(reached, proceed))
	big := func(c string) *http.Request { return b.request(strings.Repeat(c, 7<<10)) }
	first, second, third := big("a"), big("b"), big("c")
	var wg sync.WaitGroup
	var got reply
	wg.Go(func() { got = b.do(first) })
	<-reached

	busy := b.do(second)
	require.Equal(t, http.StatusServiceUnavailable, busy.status)
	require.NotEmpty(t, busy.header.Get("Retry-After"))
	require.InDelta(t, 1, b.metric("hookarr_requests_rejected_total", "busy", "radarr"), 0)

	close(proceed)
	wg.Wait()
	require.Equal(t, http.StatusAccepted, got.status)
	b.decoder.recovers()
	require.Equal(t, http.StatusAccepted, b.do(third).status, "memory is given back")
}

func TestThousandsOfHeaders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.request(imported)
	for i := range 2000 {
		r.Header.Set(fmt.Sprintf("X-Header-%d", i), "x")
	}
	got := b.do(r)
	require.Equal(t, http.StatusAccepted, got.status)
	require.GreaterOrEqual(t, len(b.find(got.ID).Request.Header), 2000)

	signatures := b.request("other")
	for range 1000 {
		signatures.Header.Add("X-Hub-Signature-256", "sha256="+strings.Repeat("0", 64))
	}
	require.Equal(t, http.StatusUnauthorized, b.do(signatures).status)
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, withSource("sonarr", hmacSource("github", secret)))
	var wg sync.WaitGroup
	const workers, each = 8, 25
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				r := b.request(fmt.Sprintf(`{"type":"media.imported","title":"%d/%d"}`, w, i))
				want := http.StatusAccepted
				switch i % 5 {
				case 0:
					r.URL.Path = "/hooks/sonarr"
				case 1:
					r.Header.Del("X-Hub-Signature-256")
					want = 0
				}
				got := b.do(r)
				if want == 0 {
					require.Contains(t, []int{http.StatusUnauthorized, http.StatusTooManyRequests}, got.status)
					continue
				}
				require.Equal(t, want, got.status)
			}
		})
	}
	wg.Wait()
	require.Equal(t, workers*each*4/5, b.stored())
}

// oneConn is a listener that one connection comes to.
type oneConn struct{ conns chan net.Conn }

func (l oneConn) Accept() (net.Conn, error) {
	conn, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (l oneConn) Close() error { return nil }

func (l oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// A sender that does not read its answer is not waited for.
func TestAnswerThatNobodyReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate, err := auth.New(hmacSource("github", secret), nil)
		require.NoError(t, err)
		intake := ingest.New(ingest.Options{Generation: func() *ingest.Generation {
			return ingest.NewGeneration(map[string]ingest.Source{"radarr": {Gate: gate}}, nil)
		}})
		near, far := net.Pipe()
		l := oneConn{make(chan net.Conn, 1)}
		l.conns <- near
		done := make(chan struct{})
		go func() {
			_ = (&http.Server{Handler: intake}).Serve(l)
			close(done)
		}()
		_, err = io.WriteString(far, "POST /hooks/radarr HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n"+
			"X-Hub-Signature-256: sha256="+strings.Repeat("0", 64)+"\r\n\r\nx")
		require.NoError(t, err)
		time.Sleep(time.Minute)
		synctest.Wait()
		_, err = io.WriteString(far, "x")
		require.ErrorIs(t, err, io.ErrClosedPipe)
		close(l.conns)
		<-done
	})
}

// The deadline that the server sets for every answer does not count the work for one.
func TestSlowWorkIsAnswered(t *testing.T) {
	t.Parallel()
	b := setup(t, with(func(o *ingest.Options) { o.DecodeTimeout = 300 * time.Millisecond }))
	server := httptest.NewUnstartedServer(b.intake)
	server.Config.WriteTimeout = 50 * time.Millisecond
	server.Start()
	defer server.Close()
	b.url = server.URL + "/hooks/radarr"
	b.decoder.answers(func(ctx context.Context) (host.Decoded, error) {
		<-ctx.Done()
		return host.Decoded{}, ctx.Err()
	})
	require.Equal(t, http.StatusAccepted, b.post(imported).status)
}
