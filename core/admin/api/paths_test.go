package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/admintest"
	"github.com/hookarr/hookarr/core/admin/client"
	"github.com/hookarr/hookarr/core/paths"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// libraries are what plugins tell: that target news is a Discord channel, and that of ops.
type libraries struct{ err error }

func (l libraries) Folders(_ context.Context, kind host.Kind, instance string, _ sdk.FoldersQuery) (sdk.Folders, error) {
	title := func(path string) []sdk.FolderTitle {
		return []sdk.FolderTitle{{Kind: "movie", Title: "Arrival", IDs: map[string]string{"tmdb": "329865"}, Path: path}}
	}
	switch {
	case instance == "news":
		return sdk.Folders{}, host.ErrUnsupported
	case kind == host.KindSource:
		return sdk.Folders{Roots: []sdk.Folder{{Path: "/movies", Kind: "movie"}}, Titles: title("/movies/Arrival")}, nil
	default:
		return sdk.Folders{Roots: []sdk.Folder{{Path: "/data/films", Library: "Films", Kind: "movie"}}, Titles: title("/data/films/Arrival")}, l.err
	}
}

func TestPathsOfATarget(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := client.Socket(r.socket)
	t.Cleanup(c.Close)
	_, err := c.Paths(t.Context(), "ops")
	require.Equal(t, http.StatusServiceUnavailable, problemOf(t, err).Status, "no plugin runs")
	r.Service.Folders = libraries{}

	for path, title := range map[string]string{"/movies/Arrival": "Arrival", "/elsewhere/Dune": "Dune"} {
		a := admintest.Imported(title, "ops")
		e := sdk.Event{Source: "radarr", Type: sdk.TypeMediaImported, Title: title, Media: &sdk.Media{Title: title, Year: 2016, Path: path}}
		a.Event.Normalized, err = json.Marshal(e)
		require.NoError(t, err)
		r.Accept(t, a)
	}
	found, err := c.Paths(t.Context(), "ops")
	require.NoError(t, err)
	require.Equal(t, paths.Wrong, found.Verdict)
	require.Equal(t, "1 of 1 titles agree with the proposed map, and 0 with no map, as now", found.Summary)
	require.Equal(t, []paths.Proposal{{Pair: pathmap.Pair{From: "/movies", To: "/data/films"}, Titles: 1, Why: "1 title is there"}}, found.Proposed)
	require.Equal(t, "Films", found.Roots[0].Then.Library)
	require.Equal(t, 2, found.Events.Tried)
	require.Equal(t, 2, found.Events.Missed)
	require.Equal(t, 1, found.Events.Then)

	_, err = c.Paths(t.Context(), "news")
	require.Equal(t, http.StatusConflict, problemOf(t, err).Status)
	require.ErrorContains(t, err, "target news has no paths to compare: its plugin knows no libraries")
	_, err = c.Paths(t.Context(), "op")
	require.Equal(t, http.StatusNotFound, problemOf(t, err).Status)
	require.ErrorContains(t, err, `did you mean "ops"?`)
	r.Service.Folders = libraries{errors.New("the token is refused")}
	_, err = c.Paths(t.Context(), "ops")
	require.Equal(t, http.StatusBadGateway, problemOf(t, err).Status)
	require.ErrorContains(t, err, "ask target ops for its libraries: the token is refused")
}

func problemOf(t *testing.T, err error) *admin.Problem {
	t.Helper()
	p, ok := errors.AsType[*admin.Problem](err)
	require.True(t, ok, "%v", err)
	return p
}
