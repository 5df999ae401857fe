package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/internal/fakeserver"
	"github.com/hookarr/hookarr/internal/fakeserver/jellyfin"
	"github.com/hookarr/hookarr/internal/fakeserver/plex"
)

const (
	plexToken   = "a-plex-token-for-tests-only"
	jellyfinKey = "a-jellyfin-key-for-tests-only"
	// seasonFolder is where the media servers see the season's files.
	seasonFolder = "/media/tv/The Long Season/Season 02/"
)

// household is a Sonarr's server of two media servers and a chat, which have the disk under
// paths of their own.
type household struct {
	*server
	disk     *fakeserver.Disk
	plex     *plex.Server
	jellyfin *jellyfin.Server
	discord  *endpoint.Discord
}

func newHousehold(t *testing.T, url, types string) *household {
	t.Helper()
	h := &household{disk: &fakeserver.Disk{}, discord: &endpoint.Discord{}}
	h.disk.Mkdir("/media/tv")
	h.disk.Add("/media/tv/Another Show/Season 01/Another Show - S01E01.mkv", 1<<30)
	h.plex = &plex.Server{Disk: h.disk, Token: plexToken, Delay: 100 * time.Millisecond, Takes: 300 * time.Millisecond}
	h.plex.AddSection(plex.Shows, "TV Shows", "/media/tv")
	h.plex.ScanAll()
	h.jellyfin = jellyfin.New(jellyfin.Settings{
		Key: jellyfinKey, Disk: h.disk,
		Libraries: []jellyfin.Library{{Name: "Shows", Kind: jellyfin.Shows, Locations: []string{"/media/tv"}}},
	})
	h.jellyfin.RefreshAll()
	plexURL, jellyfinURL := httptest.NewServer(h.plex), httptest.NewServer(h.jellyfin)
	t.Cleanup(plexURL.Close)
	t.Cleanup(h.plex.Close)
	t.Cleanup(jellyfinURL.Close)
	t.Cleanup(h.jellyfin.Close)
	h.server = newServer(t, settings{
		database: url, plugin: "sonarr",
		targets: fmt.Sprintf(`plex:
  plugin: plex
  retry: {initial: 200ms, max_interval: 2s}
  group: {wait: 1s, max_wait: 30s}
  config: {url: %q, token: %s, map: [{from: /tv, to: /media/tv}], anchors: [/media/tv/Another Show]}
jellyfin:
  plugin: jellyfin
  retry: {initial: 200ms, max_interval: 2s}
  group: {wait: 1s, max_wait: 30s}
  config: {url: %q, api_key: %s, map: [{from: /tv, to: /media/tv}], anchors: [/media/tv/Another Show]}
chat:
  plugin: discord
  retry: {initial: 200ms}
  group: {by: download, wait: 500ms, max_wait: 30s}
  config: %s`, plexURL.URL, plexToken, jellyfinURL.URL, jellyfinKey, discordOf(t, h.discord).config),
		routes: fmt.Sprintf(`- {name: libraries, from: ["*"], types: ["media.*", "file.*", import.completed], to: [plex, jellyfin]}
- {name: people, from: ["*"], types: [%s], to: [chat]}`, types),
	})
	return h
}

func episodeFile(n int) string { return fmt.Sprintf("The Long Season - S02E%02d.mkv", n) }

// importSeason puts the files of the season on the disk, but for those that are to come late,
// and has Sonarr tell of them all.
func (h *household) importSeason(t *testing.T, late ...int) {
	t.Helper()
	for n := 1; n <= seasonFiles; n++ {
		if !slices.Contains(late, n) {
			h.disk.Add(seasonFolder+episodeFile(n), 1<<30)
		}
	}
	h.together(t, func() { sendSeason(t, h.server, 1, seasonFiles, 0) })
}

// together has the events that a function sends be one group for each media server, however
// long that takes.
func (h *household) together(t *testing.T, send func()) {
	t.Helper()
	for _, target := range []string{"plex", "jellyfin"} {
		cli(t, h.server, "targets", "pause", target)
	}
	send()
	h.resume(t)
}

// awaitShown waits until one message says that both servers have the season, and checks that
// they do.
func (h *household) awaitShown(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		all := strings.Join(asJSON(t, h.discord.Messages()), "")
		return strings.Contains(all, "48 episodes available on Plex and Jellyfin") || strings.Contains(all, "48 episodes available on Jellyfin and Plex")
	}, waitTimeout, 100*time.Millisecond, "the chat says %v", lazy(func() any { return asJSON(t, h.discord.Messages()) }))
	require.Len(t, h.discord.Messages(), 1, "one message tells the story")
	require.Empty(t, h.discord.Refused())
	require.Equal(t, seasonFiles, shown(h.plex.Files()))
	require.Equal(t, seasonFiles, shown(h.jellyfin.Paths()))
	h.noneDead(t)
}

// lazy is printed when a test fails and not before.
type lazy func() any

func (l lazy) String() string { return fmt.Sprint(l()) }

// shown are how many files of the season a list has.
func shown(files []string) int {
	n := 0
	for _, f := range files {
		if strings.Contains(f, "The Long Season - S02E") {
			n++
		}
	}
	return n
}

// A season reaches both media servers by one scan each, every episode is proven, and the
// message about the import says where it can be watched. The faults are those that leave
// libraries without files elsewhere.
func TestSeasonIsShown(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		h := newHousehold(t, url, `"*"`)
		h.start()
		h.importSeason(t)
		h.awaitShown(t)
		require.Equal(t, 1, h.seasonScans(), "one scan of Plex: %v", h.plex.Scans())
		require.Equal(t, 1, h.jellyfin.Count("library")+h.jellyfin.Count("item")+h.jellyfin.Count("monitor"), "one refresh: %v", h.jellyfin.Refreshes())
		out, err := h.cli("deliveries", "list", "--state", "verifying")
		require.NoError(t, err, out)
		require.NotContains(t, out, "plex")
	})
	type step = func(t *testing.T, h *household)
	for name, fault := range map[string]struct {
		late          []int // episodes
		before, after step
	}{
		"a scan is lost while busy": {before: func(_ *testing.T, h *household) {
			h.plex.LoseScans(1)
			h.jellyfin.Lose(1)
		}},
		"a file appears late": {late: []int{7}, before: func(_ *testing.T, h *household) {
			h.disk.AddLater(seasonFolder+episodeFile(7), 1<<30, 8*time.Second)
		}},
		"the media servers are restarted": {after: func(_ *testing.T, h *household) {
			h.plex.Stop()
			h.jellyfin.Stop()
			time.Sleep(time.Second)
			h.plex.Start()
			h.jellyfin.Start()
		}},
		"tokens are revoked": {after: func(t *testing.T, h *household) {
			h.plex.SetToken("another")
			h.jellyfin.SetKey("another")
			h.awaitTargets(t, "misconfigured")
			h.plex.SetToken(plexToken)
			h.jellyfin.SetKey(jellyfinKey)
			h.resume(t)
		}},
		"Hookarr is killed": {after: func(t *testing.T, h *household) {
			// Killed between the chat's answer and its record, it would post once more.
			require.Eventually(t, func() bool {
				out, err := h.cli("deliveries", "list", "--target", "chat", "--state", "delivered")
				return err == nil && strings.Contains(out, "chat")
			}, waitTimeout, 50*time.Millisecond, "the chat was told nothing")
			h.kill()
			h.start()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHousehold(t, sqliteURL(t), `"*"`)
			h.start()
			if fault.before != nil {
				fault.before(t, h)
			}
			h.importSeason(t, fault.late...)
			if fault.after != nil {
				require.Eventually(t, func() bool { return h.seasonScans() > 0 }, waitTimeout, 10*time.Millisecond, "no scan was asked for")
				fault.after(t, h)
			}
			h.awaitShown(t)
		})
	}
}

// awaitTargets waits until both media servers' targets are in a state.
func (h *household) awaitTargets(t *testing.T, state string) {
	t.Helper()
	list := func() any { out, _ := h.cli("targets", "list"); return out }
	require.Eventually(t, func() bool { return strings.Count(fmt.Sprint(list()), state) >= 2 }, waitTimeout, 200*time.Millisecond, "the targets: %v", lazy(list))
}

func (h *household) resume(t *testing.T) {
	t.Helper()
	for _, target := range []string{"plex", "jellyfin"} {
		out, err := h.cli("targets", "resume", target)
		require.NoError(t, err, out)
	}
}

// seasonScans is how many scans of folders of the season Plex was asked for.
func (h *household) seasonScans() int {
	n := 0
	for folder, count := range h.plex.ScansOf() {
		if strings.HasPrefix(folder, strings.TrimSuffix(seasonFolder, "Season 02/")) || folder+"/" == strings.TrimSuffix(seasonFolder, "Season 02/") {
			n += count
		}
	}
	return n
}

func (h *household) noneDead(t *testing.T) {
	t.Helper()
	out, err := h.cli("deliveries", "list", "--state", "dead")
	require.NoError(t, err, out)
	require.NotContains(t, out, "plex")
	require.NotContains(t, out, "jellyfin")
}

// While the disk is not mounted, nothing is scanned and nothing leaves a library; when it is
// back, what waited is shown.
func TestVanishedMountEmptiesNoLibrary(t *testing.T) {
	t.Parallel()
	h := newHousehold(t, sqliteURL(t), "health.*")
	h.start()
	before := len(h.plex.Scans())
	refreshes := len(h.jellyfin.Refreshes())
	h.disk.Unmount("/media/tv", false)
	sendSeason(t, h.server, 1, seasonFiles, 0)
	h.awaitTargets(t, "does not see the anchor /media/tv/Another Show")
	require.Len(t, h.plex.Scans(), before, "nothing is scanned")
	require.Len(t, h.jellyfin.Refreshes(), refreshes)
	require.Len(t, h.plex.Files(), 1, "and nothing removed")
	require.Len(t, h.jellyfin.Paths(), 1)
	h.disk.Mount("/media/tv")
	for n := 1; n <= seasonFiles; n++ {
		h.disk.Add(seasonFolder+episodeFile(n), 1<<30)
	}
	h.resume(t)
	require.Eventually(t, func() bool { return shown(h.plex.Files()) == seasonFiles && shown(h.jellyfin.Paths()) == seasonFiles }, waitTimeout, 100*time.Millisecond)
	h.noneDead(t)
}

// The file is asked by a plugin that is started for it, and the server by the one that runs.
func TestOptionsAreAsked(t *testing.T) {
	t.Parallel()
	database := sqliteURL(t)
	h := newHousehold(t, database, "health.*")
	h.start()
	socket := filepath.Join(filepath.Dir(strings.TrimPrefix(database, "sqlite://")), "hookarr.sock")
	for _, where := range [][]string{nil, {"--socket", socket}} {
		for target, library := range map[string]string{"plex": "TV Shows", "jellyfin": "Shows"} {
			out, err := h.cli(append([]string{"targets", "options", target, "libraries"}, where...)...)
			require.NoError(t, err, out)
			require.Contains(t, out, library+"  ")
			require.Contains(t, out, "series in /media/tv")
		}
		out, err := h.cli(append([]string{"targets", "options", "chat"}, where...)...)
		require.Error(t, err)
		require.Contains(t, out, "the plugin of target chat does not tell which values a setting may have")
	}
}

// A thousand renames are scans of folders, and a deletion reaches the servers.
func TestRenamesAreScannedByFolder(t *testing.T) {
	t.Parallel()
	const folders, files = 20, 50
	h := newHousehold(t, sqliteURL(t), "health.*")
	name := func(season, n int, form string) string {
		return fmt.Sprintf("The Long Season/Season %02d/The Long Season %s S%02dE%02d.mkv", season, form, season, n)
	}
	inTitle := func(season, n int, form string) string {
		return strings.TrimPrefix(name(season, n, form), "The Long Season/")
	}
	for season := 1; season <= folders; season++ {
		for n := 1; n <= files; n++ {
			h.disk.Add("/media/tv/"+name(season, n, "old"), 1<<30)
		}
	}
	h.plex.ScanAll()
	h.jellyfin.RefreshAll()
	h.start()
	scans := len(h.plex.Scans())
	rename := func(season, n int) {
		h.disk.Rename("/media/tv/"+name(season, n, "old"), "/media/tv/"+name(season, n, "new"))
		body := fmt.Appendf(nil, `{
  "series": {"id": 7, "title": "The Long Season", "path": "/tv/The Long Season", "tvdbId": 4711, "type": "standard", "year": 2020},
  "renamedEpisodeFiles": [{"id": %d, "previousPath": "/tv/%s", "previousRelativePath": "%s", "path": "/tv/%s", "relativePath": "%s", "size": 1073741824}],
  "eventType": "Rename", "instanceName": "Sonarr", "applicationUrl": ""}`, season*100+n,
			name(season, n, "old"), inTitle(season, n, "old"), name(season, n, "new"), inTitle(season, n, "new"))
		require.Equal(t, http.StatusAccepted, postEpisode(h.server, body).status)
	}
	h.together(t, func() {
		for season := 1; season <= folders; season++ {
			for n := 1; n <= files; n++ {
				rename(season, n)
			}
		}
	})
	all := func(files []string, form string) int {
		n := 0
		for _, f := range files {
			if strings.Contains(f, "The Long Season "+form) {
				n++
			}
		}
		return n
	}
	require.Eventually(t, func() bool {
		return all(h.plex.Files(), "new") == folders*files && all(h.plex.Files(), "old") == 0 &&
			all(h.jellyfin.Paths(), "new") == folders*files && all(h.jellyfin.Paths(), "old") == 0
	}, waitTimeout, 200*time.Millisecond, "%v", lazy(func() any {
		list, _ := h.cli("targets", "list")
		waiting, _ := h.cli("deliveries", "list", "--state", "verifying")
		return fmt.Sprintf("Plex has %d new and %d old, Jellyfin %d and %d of %d\n%s\n%s\n%v", all(h.plex.Files(), "new"), all(h.plex.Files(), "old"),
			all(h.jellyfin.Paths(), "new"), all(h.jellyfin.Paths(), "old"), folders*files, list, waiting, h.plex.ScansOf())
	}))
	made := len(h.plex.Scans()) - scans
	t.Logf("%d renames: %d scans of Plex, %d refreshes of Jellyfin", folders*files, made, len(h.jellyfin.Refreshes()))
	require.LessOrEqual(t, made, 3*folders, "scans are of folders, and not of files")
	h.noneDead(t)
}
