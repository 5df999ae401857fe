package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/store"
)

func TestReadiness(t *testing.T) {
	t.Parallel()
	var answer error
	var log bytes.Buffer
	r := readiness{
		ready: func(context.Context) error { return answer },
		log:   slog.New(slog.NewTextHandler(&log, nil)),
	}
	for _, step := range []struct {
		answer error
		want   string
		lines  int
	}{
		{nil, "", 0},
		{errors.New("connect to db.internal:5432 as hookarr"), "database unavailable", 1},
		{errors.New("connect to db.internal:5432 as hookarr, once more"), "database unavailable", 1},
		{fmt.Errorf("wrapped: %w", store.ErrNotMigrated), "migrations pending", 2},
		{store.ErrNewer, "database is newer than this hookarr", 3},
		{fmt.Errorf("%w: disk full", store.ErrUnwritable), "database cannot be written", 4},
		{nil, "", 5},
		{nil, "", 5},
	} {
		answer = step.answer
		require.Equal(t, step.want, r.check(t.Context()))
		require.Equal(t, step.lines, strings.Count(log.String(), "\n"), log.String())
	}
	require.Contains(t, log.String(), `level=WARN msg="not ready" reason="database unavailable" error="connect to db.internal:5432 as hookarr"`)
	require.Contains(t, log.String(), `level=INFO msg="ready again"`)
}
