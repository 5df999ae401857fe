package app

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// dial connects from an address of this machine.
func dial(t *testing.T, to net.Addr, from string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := d.DialContext(t.Context(), "tcp", to.String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	return conn
}

// get sends a request and returns the status of its answer, or 0 for a connection that
// was closed.
func get(t *testing.T, conn net.Conn) int {
	t.Helper()
	return getPath(t, conn, "/")
}

func getPath(t *testing.T, conn net.Conn, path string) int {
	t.Helper()
	if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: test\r\n\r\n"); err != nil {
		return 0
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	_, err = io.Copy(io.Discard, res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

// bounding serves h with room for few connections.
func bounding(t *testing.T, most int, h http.Handler) (net.Addr, *boundedListener) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := newBoundedListener(l, most)
	server := (&servers{log: slog.New(slog.DiscardHandler)}).server(h)
	go func() { _ = server.Serve(c) }()
	t.Cleanup(func() { _ = server.Close() })
	return l.Addr(), c
}

func (l *boundedListener) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.conns)
}

// Connections are bounded, and strangers who hold them keep nobody else out, neither a
// newcomer nor who is connected already.
func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	addr, c := bounding(t, 8, http.NotFoundHandler())
	early := dial(t, addr, "127.0.0.2")
	require.Equal(t, http.StatusNotFound, get(t, early))
	for range 50 {
		dial(t, addr, "127.0.0.1")
	}
	require.Equal(t, http.StatusNotFound, get(t, dial(t, addr, "127.0.0.3")))
	require.Equal(t, http.StatusNotFound, get(t, early))
	require.Equal(t, http.StatusNotFound, get(t, dial(t, addr, "127.0.0.1")), "of their network too")
	require.Equal(t, 8, c.size())
}

// Who waits makes room before who is being served: both may come through one proxy.
func TestServedConnectionsAreKept(t *testing.T) {
	t.Parallel()
	arrived, proceed := make(chan struct{}), make(chan struct{})
	addr, _ := bounding(t, 3, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-proceed
	}))
	served := dial(t, addr, "127.0.0.1")
	_, err := io.WriteString(served, "GET / HTTP/1.1\r\nHost: test\r\n\r\n")
	require.NoError(t, err)
	<-arrived
	waiting := dial(t, addr, "127.0.0.1")
	for range 5 {
		dial(t, addr, "127.0.0.1")
	}
	_, err = waiting.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF, "the oldest that waits is closed")
	close(proceed)
	res, err := http.ReadResponse(bufio.NewReader(served), nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
}

// Behind one proxy neither senders nor strangers close what operators have open, or the
// reverse.
func TestClientsKeepNoOthersOut(t *testing.T) {
	t.Parallel()
	const most = 9
	as := map[string]client{"/hooks": sender, "/pages": operator}
	for few, many := range map[string]string{"/pages": "/hooks", "/hooks": "/pages"} {
		for _, many := range []string{many, "/wrong"} {
			t.Run(few+" and many of "+many, func(t *testing.T) {
				t.Parallel()
				addr, c := bounding(t, most, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					if client, ok := as[r.URL.Path]; ok {
						proven(r.Context(), client)
					}
				}))
				var kept []net.Conn
				for range 2 {
					kept = append(kept, dial(t, addr, "127.0.0.1"))
					require.Equal(t, http.StatusOK, getPath(t, kept[len(kept)-1], few))
				}
				for range 3 * most {
					require.Equal(t, http.StatusOK, getPath(t, dial(t, addr, "127.0.0.1"), many))
				}
				for _, conn := range kept {
					require.Equal(t, http.StatusOK, getPath(t, conn, few))
				}
				require.Equal(t, http.StatusOK, getPath(t, dial(t, addr, "127.0.0.1"), many), "nor are they kept out")
				require.Equal(t, most, c.size())
			})
		}
	}
}

// Connections that end leave their place.
func TestConnectionsThatEndLeaveTheirPlace(t *testing.T) {
	t.Parallel()
	addr, c := bounding(t, 8, http.NotFoundHandler())
	for range 20 {
		conn := dial(t, addr, "127.0.0.1")
		require.Equal(t, http.StatusNotFound, get(t, conn))
		require.NoError(t, conn.Close())
	}
	require.Eventually(t, func() bool { return c.size() == 0 }, time.Minute, time.Millisecond)
}

// one is a listener that one connection comes to.
type one struct{ conns chan net.Conn }

func (l one) Accept() (net.Conn, error) {
	conn, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (l one) Close() error { return nil }

func (l one) Addr() net.Addr { return &net.TCPAddr{} }

// A client that does not read its answer is not waited for.
func TestAnswerThatNobodyReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := (&servers{log: slog.New(slog.DiscardHandler)}).server(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
		}))
		near, far := net.Pipe()
		l := one{make(chan net.Conn, 1)}
		l.conns <- near
		done := make(chan struct{})
		go func() {
			_ = server.Serve(l)
			close(done)
		}()
		_, err := io.WriteString(far, "GET / HTTP/1.1\r\nHost: test\r\n\r\n")
		require.NoError(t, err)
		time.Sleep(answerTimeout + time.Second)
		synctest.Wait()
		_, err = io.WriteString(far, "x")
		require.ErrorIs(t, err, io.ErrClosedPipe)
		close(l.conns)
		<-done
	})
}
