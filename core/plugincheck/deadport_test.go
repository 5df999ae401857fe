package plugincheck

import (
	"net"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDeadPortStaysDead refuses who calls, and cannot be taken by another program.
func TestDeadPortStaysDead(t *testing.T) {
	t.Parallel()
	p, err := holdDeadPort(t.Context())
	require.NoError(t, err)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(p.number))
	_, err = net.Dial("tcp", address)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	_, err = net.Listen("tcp", address)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	p.close()
}
