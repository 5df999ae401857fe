package paths_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/paths"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// told is what instances answer. It looks titles up by their ids, as targets do.
type told struct {
	mu      sync.Mutex
	answers map[string]sdk.Folders
	errs    map[string]error
	asked   []string
}

func (t *told) Folders(_ context.Context, kind host.Kind, instance string, q sdk.FoldersQuery) (sdk.Folders, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = append(t.asked, fmt.Sprintf("%s %s %d %d", kind, instance, q.Sample, len(q.Titles)))
	answer := t.answers[instance]
	if kind == host.KindTarget {
		held := answer.Titles
		answer.Titles = nil
		for _, wanted := range q.Titles {
			for _, title := range held {
				if title.IDs["tmdb"] == wanted.IDs["tmdb"] {
					answer.Titles = append(answer.Titles, title)
				}
			}
		}
	}
	return answer, t.errs[instance]
}

func settings(t *testing.T) (*config.Config, *route.Table) {
	t.Helper()
	c := &config.Config{
		Sources: map[string]config.Source{"radarr": {Plugin: "radarr"}, "sonarr": {Plugin: "sonarr"}, "prowlarr": {Plugin: "prowlarr"}, "other": {Plugin: "radarr"}},
		Targets: map[string]config.Target{"plex": {Plugin: "plex"}, "chat": {Plugin: "discord"}},
		Routes: []config.Route{
			{Name: "films", From: []string{"radarr", "prowlarr"}, When: `event.media.year >= 2000`, To: []string{"plex"}},
			{Name: "series", From: []string{"sonarr"}, To: []string{"plex", "chat"}},
			{Name: "rest", To: []string{"chat"}},
		},
	}
	routes, err := route.New(c.Routes)
	require.NoError(t, err)
	return c, routes
}

// stored keeps events by source and type.
type stored map[string][][]byte

func (s stored) ReadNormalized(_ context.Context, f store.EventFilter) ([][]byte, error) {
	if f.State != event.Routed || time.Since(f.Since) < 29*24*time.Hour || f.Limit > 100 {
		return nil, errors.New("nobody can pay for that")
	}
	return s[f.Source+" "+string(f.Type)], nil
}

func normalized(t *testing.T, e sdk.Event) []byte {
	t.Helper()
	data, err := json.Marshal(e)
	require.NoError(t, err)
	return data
}

func TestTheExaminerAsksThoseWhoseEventsGoThere(t *testing.T) {
	t.Parallel()
	c, routes := settings(t)
	plugins := &told{
		answers: map[string]sdk.Folders{
			"radarr": source("radarr", "movie", []string{"/movies"}, titles("movie", "/movies", "M", 3)).Folders,
			"plex":   server(libraries{library("Movies", "movie", "/data/movies")}, titles("movie", "/data/movies", "M", 3)),
		},
		errs: map[string]error{"prowlarr": fmt.Errorf("folders: %w", host.ErrUnsupported), "sonarr": errors.New("API key refused by http://nas:8989")},
	}
	movie := func(id string, year int, path string) sdk.Event {
		return sdk.Event{ID: id, Source: "radarr", Type: sdk.TypeMediaImported, Title: "M", Media: &sdk.Media{Year: year, Path: path}}
	}
	past := stored{
		"radarr media.imported": {
			normalized(t, movie("1", 2010, "/movies/M 1")), normalized(t, movie("old", 1990, "/nowhere")), []byte("no JSON"),
			normalized(t, sdk.Event{ID: "2", Type: sdk.TypeMediaImported, Media: &sdk.Media{Year: 2001}, Files: []sdk.File{{Path: "/other/x.mkv"}}}),
			normalized(t, movie("pathless", 2010, "")),
		},
	}
	r, err := (&paths.Examiner{Plugins: plugins, Events: past}).Examine(t.Context(), "plex", c, routes)
	require.NoError(t, err)
	require.Equal(t, paths.Wrong, r.Verdict)
	require.Equal(t, []pathmap.Pair{{From: "/movies", To: "/data/movies"}}, pairs(r))
	require.Equal(t, "plex", r.Plugin)
	require.Equal(t, []paths.Asked{{Name: "prowlarr", Silent: true}, {Name: "radarr", Titles: 3, Found: 3}, {Name: "sonarr", Problem: "API key refused by http://nas:8989"}}, r.Sources)
	require.Equal(t, 2, r.Events.Tried)
	require.Equal(t, 2, r.Events.Missed)
	require.Equal(t, 1, r.Events.Then)
	require.Equal(t, "/other", r.Events.Examples[0].Path)
	require.Len(t, plugins.asked, 5)
	require.Equal(t, "target plex 0 0", plugins.asked[0])
	require.Equal(t, "target plex 0 3", plugins.asked[4])
	require.Contains(t, plugins.asked, "source radarr 20 0")
}

func TestTheExaminerSaysWhatItCannotFindOut(t *testing.T) {
	t.Parallel()
	c, routes := settings(t)
	plugins := &told{errs: map[string]error{"chat": host.ErrUnsupported}}
	_, err := (&paths.Examiner{Plugins: plugins}).Examine(t.Context(), "chat", c, routes)
	require.ErrorIs(t, err, paths.ErrNoFolders)
	require.Equal(t, []string{"target chat 0 0"}, plugins.asked, "nobody else is troubled")
	plugins = &told{errs: map[string]error{"plex": errors.New("401")}}
	_, err = (&paths.Examiner{Plugins: plugins}).Examine(t.Context(), "plex", c, routes)
	require.EqualError(t, err, "ask target plex for its libraries: 401")
	plugins = &told{answers: map[string]sdk.Folders{"plex": {Map: []pathmap.Pair{{From: "x"}}}}}
	_, err = (&paths.Examiner{Plugins: plugins}).Examine(t.Context(), "plex", c, routes)
	require.ErrorContains(t, err, "tells a path map that is none: map[0].from")
}

func TestTheWatchTellsOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	problem, failure := "reaches no library: …", error(nil)
	targets := []string{"plex"}
	var found map[string][]string
	var fresh []string
	w := paths.Watch{
		Targets: func() []string { return targets },
		Examine: func(context.Context, string) (paths.Report, error) {
			return paths.Report{Roots: []paths.Root{{Source: "radarr", Path: "/movies", Reach: paths.Reach{Problem: problem}}}}, failure
		},
		Found: func(problems map[string][]string) { found = problems },
		New:   func(_ context.Context, _ string, problems []string) { fresh = append(fresh, problems...) },
		Log:   slog.New(slog.NewTextHandler(&log, nil)),
	}
	look := func(warnings, infos int) {
		t.Helper()
		w.Look(t.Context())
		require.Equal(t, warnings, strings.Count(log.String(), "level=WARN"), log.String())
		require.Equal(t, infos, strings.Count(log.String(), "level=INFO"), log.String())
	}
	look(1, 0)
	require.Equal(t, map[string][]string{"plex": {"root folder /movies of radarr: reaches no library: …"}}, found)
	require.Equal(t, found, w.Known())
	look(1, 0)
	failure = errors.New("no answer")
	look(1, 0)
	require.Len(t, found["plex"], 1, "a server that is down changes nothing")
	failure, problem = nil, "differs"
	look(2, 0)
	problem = ""
	look(2, 1)
	require.Empty(t, w.Known(), "what is right is not there")
	look(2, 1)
	targets = nil
	look(2, 1)
	require.Empty(t, found)
	require.Equal(t, []string{"root folder /movies of radarr: reaches no library: …", "root folder /movies of radarr: differs"}, fresh)
}

func TestTheWatchEnds(t *testing.T) {
	t.Parallel()
	w := paths.Watch{Targets: func() []string { return nil }}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { w.Run(ctx); close(ended) }()
	w.Again()
	w.Again()
	cancel()
	<-ended
}

// A plugin that answers with more than it was asked for does not hold the server up: what is
// compared grows with the square of it.
func TestMoreThanWasAskedForIsLeftOut(t *testing.T) {
	t.Parallel()
	c, routes := settings(t)
	answer := sdk.Folders{}
	for i := range 5000 {
		answer.Titles = append(answer.Titles, sdk.FolderTitle{Kind: "movie", IDs: map[string]string{"tmdb": "1"}, Path: fmt.Sprintf("/films/%d/M", i)})
		answer.Roots = append(answer.Roots, sdk.Folder{Path: fmt.Sprintf("/films/%d", i)})
	}
	plugins := &told{answers: map[string]sdk.Folders{"radarr": answer, "plex": answer}}
	x := paths.Examiner{Plugins: plugins}
	report, err := x.Examine(t.Context(), "plex", c, routes)
	require.NoError(t, err)
	require.Contains(t, plugins.asked, "target plex 0 20")
	require.LessOrEqual(t, len(report.Roots), 200)
}
