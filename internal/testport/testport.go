// Package testport finds ports for the servers that tests start.
package testport

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// The ports are none of those that connections begin from: one of these may be taken before
// its server listens, or while it is down for a moment, also by who tries to connect to it.
const (
	lowest = 10_000
	count  = 22_000
)

// given counts the ports from one that differs from process to process, so that none is given twice.
var given = func() *atomic.Uint32 { //nolint:gochecknoglobals // they are the process's
	var first atomic.Uint32
	first.Store(rand.Uint32N(count))
	return &first
}()

var errNoPort = errors.New("no port is free")

// Free is a port of the loopback interface on which nobody listens.
func Free() (int, error) {
	for range count {
		port := lowest + int(given.Add(1)%count)
		l, err := net.Listen("tcp", address(port))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return 0, fmt.Errorf("find a free port: %w", err)
		}
		return port, nil
	}
	return 0, errNoPort
}

// Addr is the address of a free port.
func Addr(tb testing.TB) string {
	tb.Helper()
	port, err := Free()
	require.NoError(tb, err)
	return address(port)
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
