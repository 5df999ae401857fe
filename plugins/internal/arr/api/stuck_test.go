package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

// titled tells records by the title that the application has.
type titled struct{ Library }

func (titled) Part(r *Record) string { return string(r.ID) }

func (l titled) Tell(ctx context.Context, t Told) (sdk.Event, error) {
	movie, err := Lookup[struct{ Title string }](ctx, l.Library, "movie/"+string(t.First().MovieID), nil)
	return sdk.Event{Title: movie.Title + "."}, err
}

func (titled) Details(context.Context, sdk.Event) (sdk.Event, error) { return sdk.Event{}, nil }

// An application that fails over a title is asked again, and not for ever.
func TestAnApplicationThatFailsOverATitle(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(r.URL.Path, "/system/status"):
			_, _ = w.Write([]byte(`{"appName":"Radarr","version":"6.1.0"}`))
		case strings.HasSuffix(r.URL.Path, "/movie/1"):
			_, _ = w.Write([]byte(`{"title":"Sintel"}`))
		case strings.HasSuffix(r.URL.Path, "/movie/2"):
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte(`{"message":"database is locked"}`))
		case strings.HasSuffix(r.URL.Path, "/movie/3"):
			w.WriteHeader(http.StatusNotFound)
		default:
			_, _ = w.Write([]byte(`[{"id":1,"movieId":1,"date":"2026-11-23T10:00:00Z","eventType":"grabbed"},
				{"id":2,"movieId":2,"date":"2026-11-23T10:05:00Z","eventType":"grabbed"},
				{"id":3,"movieId":3,"date":"2026-11-23T10:06:00Z","eventType":"grabbed"}]`))
		}
	}))
	t.Cleanup(server.Close)
	p := New(sdk.Env{Instance: "arr", HTTP: &sdk.HTTP{}}, Config{BaseURL: server.URL, APIKey: "k"}, App{
		Name: arr.Radarr, API: "v3", Reader: func(l Library) Reader { return titled{l} },
	})
	q := sdk.HistoryQuery{Since: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	page, err := p.History(t.Context(), q)
	require.NoError(t, err)
	require.Len(t, page.Events, 1)
	require.True(t, page.More)
	q.Cursor = page.Cursor
	for range 2 {
		_, err = p.History(t.Context(), q)
		require.ErrorContains(t, err, "failed: 500 Internal Server Error (database is locked)")
	}
	p.stuck.since = p.stuck.since.Add(-titleTimeout)
	page, err = p.History(t.Context(), q)
	require.NoError(t, err)
	require.Len(t, page.Events, 2, "the other is not held up any longer")
	require.Equal(t, ".", page.Events[0].Event.Title)
	require.Equal(t, ".", page.Events[1].Event.Title, "and what the application lacks is told at once")
}
