package e2e

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/testport"
)

// TestStrangerSendsNoBody: a request whose body never comes ends all the same, wherever it
// goes.
func TestStrangerSendsNoBody(t *testing.T) {
	t.Parallel()
	pages := testport.Addr(t)
	srv := newServer(t, settings{
		database: sqliteURL(t), targets: webhookTarget(newReceiver(t)), routes: everything,
		top: "\nadmin: {listen: '" + pages + "', tokens: [{name: admin, role: operate, token: admin-0123456789abcdef}]}",
	})
	hooks := strings.TrimPrefix(srv.url, "http://")
	srv.url = "http://" + pages
	srv.start()
	var conns []net.Conn
	send := func(addr, line string) {
		conn, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, conn.Close()) })
		_, err = fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\nContent-Length: 100000\r\n\r\n", line)
		require.NoError(t, err)
		conns = append(conns, conn)
	}
	for _, line := range []string{
		"GET /healthz", "GET /readyz", "GET /metrics", "GET /assets/x", "GET /login", "PUT /login", "GET /events", "GET //x", "GET /x/../y", "OPTIONS *",
	} {
		send(pages, line)
	}
	for _, line := range []string{"GET /", "GET /hooks/radarr", "GET //x", "OPTIONS *"} {
		send(hooks, line)
	}
	for _, conn := range conns {
		_, _ = io.Copy(io.Discard, conn)
	}
}
