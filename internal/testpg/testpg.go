// Package testpg gives tests a real Postgres.
package testpg

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// shared is the private server of this process's tests. It ends with the process.
var shared = sync.OnceValues(func() (*Server, error) { return Start(false) })

func sharedURL() (string, error) {
	if server := os.Getenv("TEST_DATABASE_URL"); server != "" {
		return server, nil
	}
	s, err := shared()
	if err != nil {
		return "", err
	}
	return s.URL(), nil
}

// New returns the URL of an empty database, which is dropped when the test ends. It is
// on the server that TEST_DATABASE_URL names, or on a private one, which does not
// survive a power cut: see Cluster for one that does.
func New(tb testing.TB) string {
	tb.Helper()
	server, err := sharedURL()
	require.NoError(tb, err)
	name := "hookarr_test_" + strings.ToLower(rand.Text()[:12])
	execute(tb, server, "CREATE DATABASE "+name)
	tb.Cleanup(func() { execute(tb, server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	u, err := url.Parse(server)
	require.NoError(tb, err)
	u.Path = "/" + name
	return u.String()
}

// Cluster returns a durable server that the test may stop and start.
func Cluster(tb testing.TB) *TestServer {
	tb.Helper()
	s, err := Start(true)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Stop()) })
	return &TestServer{t: tb, server: s}
}

// TestServer is a server whose failures are the test's.
type TestServer struct {
	t      testing.TB
	server *Server
}

// URL is that of the server's database.
func (s *TestServer) URL() string { return s.server.URL() }

// StopImmediate ends the server as a crash would: without a checkpoint.
func (s *TestServer) StopImmediate() {
	s.t.Helper()
	require.NoError(s.t, s.server.StopImmediate())
}

// Start starts the server again, on the same address.
func (s *TestServer) Start() {
	s.t.Helper()
	require.NoError(s.t, s.server.Start())
}

func execute(tb testing.TB, server, statement string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	require.NoError(tb, err)
	defer func() { require.NoError(tb, conn.Close(ctx)) }()
	_, err = conn.Exec(ctx, statement)
	require.NoError(tb, err)
}
