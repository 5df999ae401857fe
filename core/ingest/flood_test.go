package ingest_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/ingest"
)

const (
	attacker = "127.0.0.1"
	somebody = "127.0.0.2"
)

// flood is many connections from one address, each with a body that stalls.
type flood struct {
	b     *bundle
	conns []net.Conn
	sent  sync.WaitGroup
	gone  sync.WaitGroup
	// ended counts connections that the server closed.
	ended atomic.Int64
}

// dialFrom connects to the server from an address of this machine.
func (b *bundle) dialFrom(ctx context.Context, addr string) (net.Conn, error) {
	u, err := url.Parse(b.url)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}
	return d.DialContext(ctx, "tcp", u.Host)
}

// stall sends n forged requests, all but the end of each. The last byte of a body is
// what tells a genuine one from others.
func (b *bundle) stall(from string, n, size int, chunked bool) *flood {
	b.t.Helper()
	f := &flood{b: b}
	r := b.unsigned("")
	r.Header.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("0", 64))
	request := b.head(r, fmt.Sprintf("Content-Length: %d", size)) + strings.Repeat("x", size-100)
	if chunked {
		request = b.head(r, "Transfer-Encoding: chunked") + fmt.Sprintf("%x\r\n", size) + strings.Repeat("x", size-100)
	}
	b.t.Cleanup(f.hangUp)
	for range n {
		conn, err := b.dialFrom(b.t.Context(), from)
		require.NoError(b.t, err)
		f.conns = append(f.conns, conn)
		f.sent.Go(func() { _, _ = io.WriteString(conn, request) })
		f.gone.Go(func() {
			_, _ = io.Copy(io.Discard, conn)
			f.ended.Add(1)
		})
	}
	f.sent.Wait()
	return f
}

func (f *flood) hangUp() {
	for _, conn := range f.conns {
		_ = conn.Close()
	}
	f.gone.Wait()
}

// settle waits until every body has been given up or has all the memory it asks for.
func (f *flood) settle(size int) {
	f.b.t.Helper()
	require.Eventually(f.b.t, func() bool {
		full := 0
		unfinished, _ := f.b.intake.Held()
		for _, held := range unfinished {
			if held > int64(size)-100 {
				full++
			}
		}
		return full+int(f.ended.Load()) >= len(f.conns)
	}, time.Minute, 10*time.Millisecond)
}

// hold stalls one body and waits until it holds its memory, of which there must be
// enough.
func (b *bundle) hold(from string, size int) *flood {
	b.t.Helper()
	alike := func() (n int) {
		unfinished, _ := b.intake.Held()
		for _, held := range unfinished {
			if held > int64(size) && held < int64(size)+1<<10 {
				n++
			}
		}
		return n
	}
	before := alike()
	f := b.stall(from, 1, size, false)
	require.Eventually(b.t, func() bool { return alike() > before }, time.Minute, 10*time.Millisecond)
	return f
}

// fill takes the rest of the memory, but for less than a webhook needs.
func (b *bundle) fill(from string) {
	b.t.Helper()
	for {
		_, free := b.intake.Held()
		// A body beyond 8 KiB is held twice while it grows.
		if free > 8<<10 {
			free /= 2
		}
		size := min(free, mebi) - 1<<10
		if size < 1<<10 {
			return
		}
		b.hold(from, int(size))
	}
}

// postFrom posts a genuine webhook from an address of this machine.
func (b *bundle) postFrom(addr, body string) reply {
	b.t.Helper()
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return b.dialFrom(ctx, addr) },
	}
	res, err := transport.RoundTrip(b.request(body))
	require.NoError(b.t, err)
	return readReply(b.t, res)
}

func webhook(title string, size int) string {
	return fmt.Sprintf(`{"type":"media.imported","title":%q,"summary":%q}`, title, strings.Repeat("x", size))
}

// Whoever reaches the port can fill the memory for bodies, which must keep out nobody:
// an Arr app drops events for up to an hour after a webhook that failed.
func TestStalledBodiesKeepNobodyOut(t *testing.T) {
	t.Parallel()
	const most, total = 4 * mebi, 16 * mebi // a quarter of the defaults
	for _, tc := range []struct {
		conns, size int
		chunked     bool
	}{
		{20, most, false},
		{100, most, false},
		{20, most - 100, true},
		{100, mebi, false},
		{1200, 64 << 10, false},
	} {
		t.Run(fmt.Sprintf("%d of %d, chunked %t", tc.conns, tc.size, tc.chunked), func(t *testing.T) {
			t.Parallel()
			b := setup(t, with(func(o *ingest.Options) {
				o.MaxBody, o.MaxBodies, o.BodyTimeout = most, total, 10*time.Minute
				o.DecodeTimeout, o.AcceptTimeout = time.Minute, time.Minute
			}))
			floods := b.stall(attacker, tc.conns, tc.size, tc.chunked)
			floods.settle(tc.size)
			for i, from := range []string{somebody, attacker} {
				b.fill(attacker)
				require.Equal(t, http.StatusAccepted, b.postFrom(from, webhook(fmt.Sprint("small ", i), 2<<10)).status, from)
				b.fill(attacker)
				require.Equal(t, http.StatusAccepted, b.postFrom(from, webhook(fmt.Sprint("big ", i), 3_500_000)).status, from)
			}
			unfinished, _ := b.intake.Held()
			require.Greater(t, len(unfinished), 5, "no more is given up than newcomers need")
			floods.hangUp()
		})
	}
}

// What is held by who hung up, sent too slowly or had to make room comes back.
func TestMemoryComesBack(t *testing.T) {
	t.Parallel()
	b := setup(t, with(func(o *ingest.Options) {
		o.MaxBody, o.MaxBodies, o.BodyTimeout = mebi, 4*mebi, time.Second
	}))
	first := b.stall(attacker, 3, mebi, false)
	first.hangUp()
	require.Eventually(t, b.intake.Idle, time.Minute, 10*time.Millisecond)

	second := b.stall(attacker, 12, mebi, false)
	second.gone.Wait()
	require.Eventually(t, b.intake.Idle, time.Minute, 10*time.Millisecond)
	require.NotZero(t, b.metric("hookarr_requests_rejected_total", "busy", "radarr"))
	require.NotZero(t, b.metric("hookarr_requests_rejected_total", "slow", "radarr"))
	require.Equal(t, http.StatusAccepted, b.post(imported).status)
	require.Eventually(t, b.intake.Idle, time.Minute, 10*time.Millisecond)
}

// A client that goes on failing to authenticate is the first to make room, and is read
// all the same while there is room.
func TestThrottledClientMakesRoomFirst(t *testing.T) {
	t.Parallel()
	b := setup(t, with(func(o *ingest.Options) {
		o.MaxBody, o.MaxBodies, o.BodyTimeout, o.AcceptTimeout = mebi, 8*mebi, 10*time.Minute, time.Minute
	}))
	for range 21 {
		b.do(b.unsigned(imported))
	}
	body := webhook("early", mebi/2)
	early, err := b.dialFrom(t.Context(), somebody)
	require.NoError(t, err)
	defer func() { _ = early.Close() }()
	_, err = io.WriteString(early, b.head(b.request(body), fmt.Sprintf("Content-Length: %d", len(body)))+body[:len(body)-1])
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		unfinished, _ := b.intake.Held()
		return len(unfinished) == 1 && unfinished[0] > mebi/2
	}, time.Minute, 10*time.Millisecond)

	attack := b.hold(attacker, mebi)
	for i := range 5 {
		b.hold(fmt.Sprintf("127.0.1.%d", i), mebi)
	}
	b.fill("127.0.1.9")
	require.Equal(t, http.StatusAccepted, b.postFrom("127.0.0.3", imported).status)
	require.Eventually(t, func() bool { return attack.ended.Load() == 1 }, time.Minute, 10*time.Millisecond)
	require.Equal(t, http.StatusAccepted, b.postFrom(attacker, webhook("genuine", 10)).status)

	_, err = io.WriteString(early, body[len(body)-1:])
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, b.read(early).status)
}

// Over HTTP/2 a body is a stream, of which a connection has many.
func TestStalledStreamsKeepNobodyOut(t *testing.T) {
	t.Parallel()
	b := setup(t, with(func(o *ingest.Options) {
		o.MaxBody, o.MaxBodies, o.BodyTimeout, o.AcceptTimeout = mebi, 4*mebi, 10*time.Minute, time.Minute
	}))
	server := httptest.NewUnstartedServer(b.intake)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	b.url = server.URL + "/hooks/radarr"

	var attack sync.WaitGroup
	defer attack.Wait()
	for range 8 {
		body, rest := io.Pipe()
		defer func() { _ = rest.Close() }()
		r := b.unsigned("")
		r.Header.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("0", 64))
		r.Body, r.ContentLength = body, mebi
		attack.Go(func() {
			if res, err := server.Client().Do(r); err == nil {
				_ = res.Body.Close()
			}
		})
		_, _ = rest.Write(make([]byte, mebi-100))
	}
	for range 3 {
		r := b.request(webhook(uuid.NewString(), mebi/2))
		r.Close = false
		res, err := server.Client().Do(r)
		require.NoError(t, err)
		require.Equal(t, 2, res.ProtoMajor)
		require.Equal(t, http.StatusAccepted, readReply(t, res).status)
	}
	require.NotZero(t, b.metric("hookarr_requests_rejected_total", "busy", "radarr"))
}
