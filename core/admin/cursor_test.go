package admin

import (
	"encoding/base64"
	"errors"
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
)

func TestCursor(t *testing.T) {
	t.Parallel()
	id := event.NewID()
	filter := EventFilter{Source: "radarr"}
	cursor, err := newCursor(id, filter)
	require.NoError(t, err)
	got, err := readCursor(cursor, filter)
	require.NoError(t, err)
	require.Equal(t, id, got)
	got, err = readCursor("", filter)
	require.NoError(t, err)
	require.Equal(t, uuid.Nil, got)

	for name, bad := range map[string]struct {
		cursor string
		filter any
		want   string
	}{
		"another filter":      {cursor, EventFilter{Source: "sonarr"}, "of a list with another filter"},
		"another list":        {cursor, DeliveryFilter{}, "of a list with another filter"},
		"no base64url":        {"*", filter, "not one of this API"},
		"short":               {cursor[:8], filter, "not one of this API"},
		"long":                {cursor + "AAAA", filter, "not one of this API"},
		"the beginning of it": {mustCursor(t, uuid.Nil, filter), filter, "another filter"},
	} {
		_, err := readCursor(bad.cursor, bad.filter)
		p, ok := errors.AsType[*Problem](err)
		require.True(t, ok, name)
		require.Equal(t, http.StatusUnprocessableEntity, p.Status)
		require.Contains(t, p.Detail, bad.want)
	}
}

func mustCursor(t *testing.T, id uuid.UUID, filter any) string {
	t.Helper()
	cursor, err := newCursor(id, filter)
	require.NoError(t, err)
	return cursor
}

func FuzzCursor(f *testing.F) {
	filter := EventFilter{Type: "media.imported"}
	good, err := newCursor(event.NewID(), filter)
	require.NoError(f, err)
	f.Add(good)
	f.Add("")
	f.Add(base64.RawURLEncoding.EncodeToString(make([]byte, 24)))
	f.Fuzz(func(t *testing.T, cursor string) {
		id, err := readCursor(cursor, filter)
		if err != nil {
			_, ok := errors.AsType[*Problem](err)
			require.True(t, ok)
			return
		}
		if cursor == "" {
			require.Equal(t, uuid.Nil, id)
			return
		}
		// What is taken is what was given out, and nothing that looks like it.
		again, err := newCursor(id, filter)
		require.NoError(t, err)
		require.Equal(t, again, cursor)
	})
}
