package api_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/logring"
)

func TestLogs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(t)
	_, err := c.Logs(t.Context(), 0, "", 0)
	require.Contains(t, refused(t, http.StatusServiceUnavailable, err).Detail, "start hookarr serve")

	ring := new(logring.Ring)
	r.Service.Logs = ring
	log := slog.New(ring.Handler(slog.NewTextHandler(new(bytes.Buffer), nil), nil))
	log.Info("one")
	log.Warn("two")
	got, err := c.Logs(t.Context(), 0, "", 0)
	require.NoError(t, err)
	require.Len(t, got.Lines, 2)
	require.Contains(t, got.Lines[0].Text, "level=INFO msg=one")
	require.Equal(t, "WARN", got.Lines[1].Level)
	require.EqualValues(t, 2, got.Next)
	got, err = c.Logs(t.Context(), 0, "warn", 0)
	require.NoError(t, err)
	require.Len(t, got.Lines, 1)

	// A long poll is over with the first line that is asked for.
	go func() {
		log.Info("three")
		log.Error("four")
	}()
	got, err = c.Logs(t.Context(), got.Next, "error", 25*time.Second)
	require.NoError(t, err)
	require.Len(t, got.Lines, 1)
	require.Contains(t, got.Lines[0].Text, "msg=four")
	require.EqualValues(t, 4, got.Next)
	got, err = c.Logs(t.Context(), got.Next, "", time.Second)
	require.NoError(t, err)
	require.Empty(t, got.Lines)

	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	_, err = c.Logs(ctx, got.Next, "", 25*time.Second)
	require.ErrorIs(t, err, context.Canceled)

	status, _, _ := r.call(t, http.MethodGet, "/logs?level=loud", operateToken, "")
	require.Equal(t, http.StatusUnprocessableEntity, status)
	status, _, text := r.call(t, http.MethodGet, "/logs", viewToken, "")
	require.Equal(t, http.StatusForbidden, status, text)
}
