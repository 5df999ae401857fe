package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// The raw body is written as it is, but not to a terminal.
func TestRawBodyOnATerminal(t *testing.T) {
	t.Parallel()
	file, s := newDatabase(t)
	_, err := s.Accept(t.Context(), &store.Acceptance{Event: event.Event{
		ID: id(1), Source: "radarr", Origin: sdk.OriginWebhook, State: event.Undecodable, Request: event.Request{Body: []byte(hostile)},
	}})
	require.NoError(t, err)
	near, far := terminal(t)
	c := &cli{in: bytes.NewReader(nil), out: far, err: io.Discard, environ: func() []string { return nil }}
	require.Zero(t, c.run(t.Context(), []string{"events", "body", id(1).String(), "--config", file}))
	seen := make([]byte, 1<<10)
	n, err := near.Read(seen)
	require.NoError(t, err)
	require.Equal(t, harmless, string(seen[:n]))
}

// terminal returns both ends of one: what is written to far is seen at near.
func terminal(t *testing.T) (near, far *os.File) {
	t.Helper()
	near, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = near.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(near.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(near.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	far, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = far.Close() })
	return near, far
}
