package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/sdk"
)

// counted is Radarr with one movie, and how often it was called.
func counted(t *testing.T) (*fakearr.Arr, *api.Powers, *atomic.Int32) {
	t.Helper()
	a := fakearr.New(fakearr.Radarr, fakearr.Options{})
	_, err := a.Add(t.Context(), fakearr.Title{Name: "Dune", Year: 2021, TMDB: 438631, Overview: "Paul arrives.", Genres: []string{"Science Fiction"}})
	require.NoError(t, err)
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		a.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return a, powers(api.Config{BaseURL: server.URL, APIKey: sdk.Secret(a.APIKey())}), &calls
}

func TestFetchAsksOnce(t *testing.T) {
	t.Parallel()
	_, p, calls := counted(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			e, err := p.Fetch(context.Background(), imported())
			if err != nil || e.Media.Overview != "Paul arrives." {
				t.Errorf("%+v: %v", e.Media, err)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 4, calls.Load(), "status, movie, quality profiles and its files")
}

func TestFetchLeavesTheEventAlone(t *testing.T) {
	t.Parallel()
	a, p, calls := counted(t)
	e := imported()
	e.Media.Overview, e.Media.Genres, e.Media.IDs = "The webhook's.", []string{"Drama"}, map[string]string{"imdb": "tt1160419"}
	fetched, err := p.Fetch(t.Context(), e)
	require.NoError(t, err)
	require.Equal(t, "The webhook's.", fetched.Media.Overview)
	require.Equal(t, []string{"Drama"}, fetched.Media.Genres)
	require.Equal(t, 2021, fetched.Media.Year)
	require.Equal(t, map[string]string{"imdb": "tt1160419", "tmdb": "438631"}, fetched.Media.IDs)
	require.Zero(t, e.Media.Year, "the caller's event is not changed")
	require.Len(t, e.Media.IDs, 1)

	before := calls.Load()
	for _, e := range []sdk.Event{
		{Type: sdk.TypeHealthIssue},
		{Type: sdk.TypeTest, Media: &sdk.Media{ID: "1"}},
		{Type: sdk.TypeMediaDeleted, Media: &sdk.Media{ID: "1"}},
		{Type: sdk.TypeReleaseGrabbed, Media: &sdk.Media{Title: "without an id"}},
	} {
		fetched, err := p.Fetch(t.Context(), e)
		require.NoError(t, err)
		require.Equal(t, e, fetched)
	}
	require.Equal(t, before, calls.Load())

	unknown := sdk.Event{Type: sdk.TypeMediaImported, Media: &sdk.Media{Kind: "movie", ID: "99", Title: "Gone"}, Files: []sdk.File{{ID: "9"}}}
	fetched, err = p.Fetch(t.Context(), unknown)
	require.NoError(t, err)
	require.Equal(t, unknown, fetched)

	a.Trouble(fakearr.Trouble{Delay: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = p.Fetch(ctx, sdk.Event{Type: sdk.TypeMediaImported, Media: &sdk.Media{ID: "2"}})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
