package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/paths"
	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/internal/fakeserver"
	"github.com/hookarr/hookarr/internal/fakeserver/plex"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// media is an imitated Plex, with imitated applications that have the same files by other
// paths.
type media struct {
	t       *testing.T
	plex    *plex.Server
	url     string
	sources map[string]*fakearr.Arr
	urls    map[string]string
}

func newMedia(t *testing.T) *media {
	t.Helper()
	m := &media{t: t, plex: &plex.Server{Disk: &fakeserver.Disk{}}, sources: map[string]*fakearr.Arr{}, urls: map[string]string{}}
	server := httptest.NewServer(m.plex)
	t.Cleanup(func() { server.Close(); m.plex.Close() })
	m.url = server.URL
	return m
}

// app adds an application with root folders.
func (m *media) app(name string, app fakearr.App, roots ...string) *media {
	a := fakearr.New(app, fakearr.Options{})
	var folders []fakearr.RootFolder
	for _, root := range roots {
		folders = append(folders, fakearr.RootFolder{Path: root})
	}
	a.SetRootFolders(folders...)
	server := httptest.NewServer(a)
	m.t.Cleanup(server.Close)
	m.sources[name], m.urls[name] = a, server.URL
	return m
}

// has gives an application titles in a folder, that Plex has in another; none is where it
// lacks them.
func (m *media) has(name, from, to string, titles ...string) *media {
	m.t.Helper()
	ctx := context.Background()
	for _, title := range titles {
		id := 0
		for _, r := range title {
			id = id*131 + int(r)
		}
		id &= 0xffffff
		of := fakearr.Title{Name: title, Year: 2000, TMDB: id, TVDB: id, Path: pathmap.Join(from, title), Episodes: []fakearr.Episode{{Season: 1, Number: 1, Title: "One"}}}
		added, err := m.sources[name].Add(ctx, of)
		require.NoError(m.t, err)
		d, err := m.sources[name].Grab(ctx, added.ID, fakearr.Release{})
		require.NoError(m.t, err)
		_, err = m.sources[name].Import(ctx, d.ID)
		require.NoError(m.t, err)
		if to == "" {
			continue
		}
		folder := pathmap.Join(to, title)
		m.plex.Know(folder, title, map[string]string{"tmdb": strconv.Itoa(id), "tvdb": strconv.Itoa(id)})
		m.plex.Disk.Add(pathmap.Join(folder, title+" S01E01.mkv"), 1)
	}
	m.plex.ScanAll()
	return m
}

// config writes a configuration with a map, or without one.
func (m *media) config(yaml string) string {
	m.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "plugins: {dir: %s}\ndatabase: {url: \"sqlite://%s\"}\nsources:\n", pluginDir(m.t), filepath.Join(m.t.TempDir(), "none.db"))
	for name, a := range m.sources {
		plugin, _, _ := strings.Cut(name, "-")
		fmt.Fprintf(&b, "  %s: {plugin: %s, auth: [{none: {}}], config: {base_url: %q, api_key: %s}}\n", name, plugin, m.urls[name], a.APIKey())
	}
	fmt.Fprintf(&b, "targets:\n  plex:\n    plugin: plex\n    config:\n      url: %q\n      token: %s\n", m.url, plex.Token)
	for line := range strings.SplitSeq(strings.TrimSuffix(yaml, "\n"), "\n") {
		fmt.Fprintf(&b, "      %s\n", line)
	}
	b.WriteString("routes:\n  - {name: media, to: [plex]}\n")
	return write(m.t, b.String())
}

func report(t *testing.T, r result) (report paths.Report) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(r.out), &report), r.err)
	return report
}

// TestPaths has real plugins ask imitated applications and an imitated server: what is
// proposed is right once it is pasted.
func TestPaths(t *testing.T) {
	t.Parallel()
	films, series := []string{"Alien", "Brazil", "Heat", "Ran"}, []string{"Dark", "Severance"}
	tests := map[string]struct {
		media func(m *media) *media
		want  []pathmap.Pair
		agree int
	}{
		"containers with mounts of their own": {func(m *media) *media {
			m.plex.AddSection(plex.Movies, "Movies", "/data/media/movies")
			m.plex.AddSection(plex.Shows, "TV Shows", "/data/media/tv")
			return m.app("radarr", fakearr.Radarr, "/movies").has("radarr", "/movies", "/data/media/movies", films...).
				app("sonarr", fakearr.Sonarr, "/tv").has("sonarr", "/tv", "/data/media/tv", series...)
		}, []pathmap.Pair{{From: "/movies", To: "/data/media/movies"}, {From: "/tv", To: "/data/media/tv"}}, 6},
		"a Windows application and a Linux server": {func(m *media) *media {
			m.plex.AddSection(plex.Movies, "Movies", "/srv/movies")
			return m.app("radarr", fakearr.Radarr, `D:\Media\Movies`).has("radarr", `D:\Media\Movies`, "/srv/movies", films...)
		}, []pathmap.Pair{{From: `D:\Media\Movies`, To: "/srv/movies"}}, 4},
		"a container and a Windows server with a share": {func(m *media) *media {
			m.plex.AddSection(plex.Movies, "Movies", `\\NAS\Movies`)
			return m.app("radarr", fakearr.Radarr, "/movies").has("radarr", "/movies", `\\NAS\Movies`, films...)
		}, []pathmap.Pair{{From: "/movies", To: `\\NAS\Movies`}}, 4},
		"case": {func(m *media) *media {
			m.plex.AddSection(plex.Movies, "Movies", "/media/movies")
			return m.app("radarr", fakearr.Radarr, "/Media/Movies").has("radarr", "/Media/Movies", "/media/movies", films...)
		}, []pathmap.Pair{{From: "/Media/Movies", To: "/media/movies"}}, 4},
		"instances whose folders are called the same": {func(m *media) *media {
			m.plex.AddSection(plex.Movies, "Movies", "/data/hd")
			m.plex.AddSection(plex.Movies, "4K", "/data/uhd")
			return m.app("radarr", fakearr.Radarr, "/movies").has("radarr", "/movies", "/data/hd", films...).
				app("radarr-4k", fakearr.Radarr, "/movies").has("radarr-4k", "/movies", "/data/uhd", "Dune", "Tenet")
		}, []pathmap.Pair{{From: "/movies", To: "/data/hd", Source: "radarr"}, {From: "/movies", To: "/data/uhd", Source: "radarr-4k"}}, 6},
		"a movie of two instances, in two libraries": {func(m *media) *media {
			m.plex.AddSection(plex.Movies, "Movies", "/data/hd")
			m.plex.AddSection(plex.Movies, "4K", "/data/uhd")
			return m.app("radarr", fakearr.Radarr, "/movies").has("radarr", "/movies", "/data/hd", films...).
				app("radarr-4k", fakearr.Radarr, "/movies-4k").has("radarr-4k", "/movies-4k", "/data/uhd", "Alien", "Dune", "Heat")
		}, []pathmap.Pair{{From: "/movies", To: "/data/hd"}, {From: "/movies-4k", To: "/data/uhd"}}, 7},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := test.media(newMedia(t))
			r := run(t, "paths", "plex", "--json", "--config", m.config(""))
			require.Equal(t, exitError, r.code, r.err)
			found := report(t, r)
			require.Equal(t, paths.Wrong, found.Verdict, r.out)
			require.Equal(t, test.agree, found.Titles.Agree, r.out)
			require.Zero(t, found.Titles.Right)
			var got []pathmap.Pair
			for _, p := range found.Proposed {
				got = append(got, p.Pair)
			}
			require.Equal(t, test.want, got)

			r = run(t, "paths", "plex", "--json", "--config", m.config(found.YAML))
			require.Equal(t, exitOK, r.code, r.out+r.err)
			again := report(t, r)
			require.Equal(t, paths.Right, again.Verdict, r.out)
			require.Equal(t, again.Titles.Found, again.Titles.Right)
			require.Empty(t, again.Disagreements)
			require.Empty(t, again.Proposed)
			require.Len(t, again.Map, len(test.want))
		})
	}
}

func TestPathsAreShownToPeople(t *testing.T) {
	t.Parallel()
	m := newMedia(t)
	m.plex.AddSection(plex.Movies, "Movies", "/data/movies")
	m.plex.AddSection(plex.Movies, "Kids", "/data/kids")
	m.plex.AddSection(plex.Shows, "TV Shows", "/data/tv")
	m.app("radarr", fakearr.Radarr, "/movies", "/more/films").has("radarr", "/movies", "/data/movies", "Alien", "Brazil", "Heat").
		has("radarr", "/movies", "/data/kids", "Up").has("radarr", "/movies", "", "Wanted")
	m.app("sonarr", fakearr.Sonarr, "/tv").has("sonarr", "/tv", "/data/tv", "Dark")
	file := m.config("")
	r := run(t, "paths", "plex", "--config", file)
	require.Equal(t, exitError, r.code)
	require.Regexp(t, `^note: no stored events are looked at: there is no database at \S+: hookarr serve makes it\n$`, r.err)
	golden(t, "paths.txt", r.out)

	r = run(t, "check", "--online", "--config", file)
	require.Equal(t, exitOK, r.code, r.err)
	require.Contains(t, r.err, "warning: ")
	require.Contains(t, r.err, "targets.plex: 4 of 5 titles agree with the proposed map, and 0 with no map, as now: see hookarr paths plex")
	require.Contains(t, r.err, "targets.plex: root folder /tv of sonarr: reaches no library, as the server has none in or above /tv: see hookarr paths plex")
	require.NotContains(t, run(t, "check", "--config", file).err, "see hookarr paths")

	require.NoError(t, os.Remove(file))
	m.plex.SetToken("another")
	r = run(t, "paths", "plex", "--config", m.config(""))
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.err, "ask target plex for its libraries: ")
	require.NotContains(t, r.err, plex.Token)
}
