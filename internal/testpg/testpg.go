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
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// shared is the server of this process's tests. It ends with the process.
var shared = sync.OnceValues(func() (string, error) {
	if server := os.Getenv("TEST_DATABASE_URL"); server != "" {
		return server, nil
	}
	s, err := Start(false)
	if err != nil {
		return "", err
	}
	return s.URL(), nil
})

// New returns the URL of an empty database, which is dropped when the test ends. It is
// on the server that TEST_DATABASE_URL names, or on a private one, which does not
// survive a power cut: see Cluster for one that does.
func New(t testing.TB) string {
	t.Helper()
	server, err := shared()
	require.NoError(t, err)
	name := "hookarr_test_" + strings.ToLower(rand.Text()[:12])
	execute(t, server, "CREATE DATABASE "+name)
	t.Cleanup(func() { execute(t, server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	u, err := url.Parse(server)
	require.NoError(t, err)
	u.Path = "/" + name
	return u.String()
}

// Cluster returns a durable server that the test may stop and start.
func Cluster(t testing.TB) *TestServer {
	t.Helper()
	s, err := Start(true)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop()) })
	return &TestServer{t: t, server: s}
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

func execute(t testing.TB, server, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(ctx)) }()
	_, err = conn.Exec(ctx, statement)
	require.NoError(t, err)
}
