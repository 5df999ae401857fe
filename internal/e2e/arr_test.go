package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/sdk"
)

// arrApp is an imitated application with a server that knows its API.
type arrApp struct {
	*fakearr.Arr
	server   *server
	endpoint *receiver
	database string
}

// newArrApp routes all events to one endpoint, and types besides that have to be named.
func newArrApp(t *testing.T, app fakearr.App, plugin, database, more string, types ...string) *arrApp {
	t.Helper()
	arr := fakearr.New(app, fakearr.Options{})
	api := httptest.NewServer(arr)
	t.Cleanup(api.Close)
	endpoint := newReceiver(t)
	srv := newServer(t, settings{
		database: database, plugin: plugin, targets: webhookTarget(endpoint),
		routes: fmt.Sprintf(`- {name: everything, types: ["*", %s], to: [ops]}`, strings.Join(types, ", ")),
		auth:   "[{header: {name: X-Api-Key, value: a-header-for-tests-only}}, {basic: {username: arr, password: a-password-for-tests}}]",
		source: fmt.Sprintf("catchup: {interval: 1s, lag: 0s}\n%s\nconfig: {base_url: %q, api_key: %s}",
			more, api.URL, arr.APIKey()),
	})
	return &arrApp{Arr: arr, server: srv, endpoint: endpoint, database: database}
}

// title is one that every application can have.
func title(n int) fakearr.Title {
	name := fmt.Sprintf("Title %d", n)
	return fakearr.Title{
		Name: name, Year: 2020, Released: "2020-05-17", TMDB: 1000 + n, TVDB: 2000 + n, MusicBrainz: fmt.Sprint("mb-", n),
		Overview: "What " + name + " is about.", Genres: []string{"Drama"}, Poster: "https://images.example/poster.jpg",
		Episodes: []fakearr.Episode{{Season: 1, Number: 1, Title: "Pilot", Aired: "2020-05-17"}},
		Albums:   []fakearr.Album{{Title: "First", Released: "2020-05-17", Tracks: []fakearr.Track{{Number: "1", Title: "One"}, {Number: "2", Title: "Two"}}}},
	}
}

func release(name string) fakearr.Release {
	return fakearr.Release{Name: name + ".2020.1080p-GRP", Indexer: "Indexer", Quality: "Bluray-1080p", Group: "GRP", Size: 1 << 30}
}

func (a *arrApp) add(t *testing.T, n int) fakearr.Title {
	t.Helper()
	added, err := a.Add(t.Context(), title(n))
	require.NoError(t, err)
	return added
}

// grabAndImport is the usual story of a download.
func (a *arrApp) grabAndImport(t *testing.T, of fakearr.Title) {
	t.Helper()
	d, err := a.Grab(t.Context(), of.ID, release(of.Name))
	require.NoError(t, err)
	_, err = a.Import(t.Context(), d.ID)
	require.NoError(t, err)
}

// types counts what the endpoint took, by type.
func (a *arrApp) types() map[sdk.Type]int {
	counts := map[sdk.Type]int{}
	for _, d := range a.endpoint.all() {
		counts[d.Event.Type]++
	}
	return counts
}

// awaitReading waits until the history was read from a time on that is not before now: a second
// end of a reading is of one that began later.
func (a *arrApp) awaitReading(t *testing.T) {
	t.Helper()
	ended := func() float64 {
		return a.server.samples("hookarr_catchup_last_success_timestamp_seconds")[`{source="radarr"}`]
	}
	for range 2 {
		last := ended()
		require.Eventually(t, func() bool { return ended() > last }, waitTimeout, 50*time.Millisecond)
	}
}

// arrs are the applications with the plugins of their sources.
var arrs = map[fakearr.App]string{ //nolint:gochecknoglobals // a table of tests
	fakearr.Radarr: "radarr", fakearr.Sonarr: "sonarr", fakearr.Lidarr: "lidarr",
	fakearr.WhisparrV2: "whisparr", fakearr.WhisparrV3: "whisparr",
}

func eachArr(t *testing.T, test func(t *testing.T, app fakearr.App, plugin string)) {
	t.Helper()
	for _, app := range slices.Sorted(maps.Keys(arrs)) {
		t.Run(string(app), func(t *testing.T) {
			t.Parallel()
			test(t, app, arrs[app])
		})
	}
}

func sqliteURL(t *testing.T) string { return "sqlite://" + t.TempDir() + "/hookarr.db" }

// An application is connected with one command; what it then sends arrives.
func TestConnect(t *testing.T) {
	t.Parallel()
	eachArr(t, func(t *testing.T, app fakearr.App, plugin string) {
		a := newArrApp(t, app, plugin, sqliteURL(t), "")
		a.server.start()

		out, err := a.server.cli("connect", "radarr", "--check")
		require.Equal(t, 2, exitCode(err), out)
		out, err = a.server.cli("connect", "radarr", "--dry-run")
		require.NoError(t, err, out)
		require.Empty(t, a.Events(), "nothing was changed")
		out, err = a.server.cli("connect", "radarr")
		require.NoError(t, err, out)
		require.Contains(t, out, "its test arrived as")
		out, err = a.server.cli("connect", "radarr")
		require.NoError(t, err, "connecting again: %s", out)
		out, err = a.server.cli("connect", "radarr", "--check", "--json")
		require.NoError(t, err, out)
		var checked struct {
			Connected bool
			Changes   []sdk.Change
		}
		require.NoError(t, json.Unmarshal([]byte(out), &checked))
		require.True(t, checked.Connected)
		require.Empty(t, checked.Changes)

		of := a.add(t, 1)
		a.grabAndImport(t, of)
		upgraded, err := a.Upgrade(t.Context(), of.ID, release("Better"))
		require.NoError(t, err)
		require.NoError(t, a.Rename(t.Context(), of.ID, "renamed"))
		a.Health(t.Context(), fakearr.Check{Level: "error", Type: "RootFolderCheck", Message: "Missing root folder"})
		a.HealthRestored(t.Context(), "RootFolderCheck")
		a.Update(t.Context(), "9.9.9.9999")
		if app != fakearr.Lidarr {
			require.NoError(t, a.DeleteFile(t.Context(), upgraded[0].ID, "missingFromDisk"))
		}
		require.NoError(t, a.Delete(t.Context(), of.ID, true))

		sent := 0
		for _, e := range a.Events() {
			for _, p := range e.Posts {
				require.Equal(t, fakearr.Delivered, p.Outcome, "%s: %v", e.Type, p.Err)
				if e.Type != "Test" {
					sent++
				}
			}
		}
		require.Greater(t, sent, 7)
		a.endpoint.await(t, sent)
		types := a.types()
		for _, want := range []sdk.Type{
			sdk.TypeMediaAdded, sdk.TypeReleaseGrabbed, sdk.TypeMediaImported, sdk.TypeMediaUpgraded, sdk.TypeFileRenamed,
			sdk.TypeHealthIssue, sdk.TypeHealthRestored, sdk.TypeAppUpdated, sdk.TypeMediaDeleted,
		} {
			require.NotZero(t, types[want], "%s in %v", want, types)
		}
		require.Zero(t, types[sdk.TypeUnknown])

		out, err = a.server.cli("connect", "radarr", "--remove")
		require.NoError(t, err, out)
		out, err = a.server.cli("connect", "radarr", "--check")
		require.Equal(t, 2, exitCode(err), out)
	})
}

// skews are how far the applications' clocks are off.
var skews = map[fakearr.App]time.Duration{ //nolint:gochecknoglobals // a table of tests
	fakearr.Sonarr: time.Hour, fakearr.Lidarr: -time.Hour, fakearr.WhisparrV2: 5 * time.Minute, fakearr.WhisparrV3: -5 * time.Minute,
}

// What happened while Hookarr was away comes from the application's history, once,
// whatever the application's clock says.
func TestCatchup(t *testing.T) {
	t.Parallel()
	eachArr(t, func(t *testing.T, app fakearr.App, plugin string) {
		begun := time.Now()
		a := newArrApp(t, app, plugin, sqliteURL(t), "")
		a.Trouble(fakearr.Trouble{ClockSkew: skews[app]})
		a.server.start()
		out, err := a.server.cli("connect", "radarr")
		require.NoError(t, err, out)
		var titles []fakearr.Title
		for n := range 26 {
			titles = append(titles, a.add(t, n))
		}
		a.grabAndImport(t, titles[0])
		require.NoError(t, a.Rename(t.Context(), titles[0].ID, "first"))
		// A first reading, of what came by webhook.
		const told, missed = 29, 51
		require.Eventually(t, func() bool { return len(a.endpoint.all()) >= told }, waitTimeout, 50*time.Millisecond)
		a.awaitReading(t)
		require.NoError(t, a.server.stop())
		// The history has both renames of the title within a minute.
		require.NoError(t, a.Rename(t.Context(), titles[0].ID, "second"))
		for _, of := range titles[1:] {
			a.grabAndImport(t, of)
		}
		require.Greater(t, a.Count(fakearr.Dropped)+a.Count(fakearr.Failed), missed-1, "the application loses what it cannot post")
		a.server.start()
		a.endpoint.await(t, told+missed)
		a.awaitReading(t)
		a.awaitReading(t)
		types := a.types()
		require.Equal(t, map[sdk.Type]int{sdk.TypeMediaAdded: 26, sdk.TypeReleaseGrabbed: 26, sdk.TypeMediaImported: 26, sdk.TypeFileRenamed: 2}, types)
		caught := 0
		for _, d := range a.endpoint.all() {
			require.WithinRange(t, d.Event.Time, begun.Add(-time.Minute), time.Now().Add(time.Minute))
			if d.Event.Origin == sdk.OriginCatchup {
				caught++
				for _, r := range d.Event.RenamedFiles {
					require.Contains(t, r.From, "first")
					require.Contains(t, r.To, "second")
				}
				require.NotEmpty(t, d.Event.Summary)
				if caught == 1 {
					out, err := a.server.cli("events", "show", d.Event.ID)
					require.NoError(t, err, out)
					require.Contains(t, out, "read from the application's history")
				}
			}
		}
		require.Equal(t, missed, caught)
	})
}

// A history is read as soon as Hookarr is back: it waits neither for its interval nor
// for what was to be tried again when an application did not answer.
func TestCatchupAtStart(t *testing.T) {
	t.Parallel()
	a := newArrApp(t, fakearr.Radarr, "radarr", sqliteURL(t), "")
	start := func() { a.server.start("HOOKARR_SOURCES__RADARR__CATCHUP_INTERVAL=1h") }
	start()
	of := a.add(t, 1)
	a.Trouble(fakearr.Trouble{Status: 503})
	a.server.kill()
	start()
	failed := regexp.MustCompile(`hookarr_catchup_failures_total\{source="radarr"\} [1-9]`)
	require.Eventually(t, func() bool {
		// The run that the kill interrupted may be made up for, beside the one of the start.
		return failed.MatchString(a.server.metrics(t))
	}, waitTimeout, 50*time.Millisecond)
	a.Trouble(fakearr.Trouble{})
	a.grabAndImport(t, of)
	a.server.kill()
	start()
	a.endpoint.await(t, 2)
	require.Equal(t, map[sdk.Type]int{sdk.TypeReleaseGrabbed: 1, sdk.TypeMediaImported: 1}, a.types())
}

// With enrich, what a webhook leaves out is there; when the application does not
// answer, the event goes out without it.
func TestEnrich(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		a := newArrApp(t, fakearr.Radarr, "radarr", url, "enrich: true")
		a.server.start()
		out, err := a.server.cli("connect", "radarr")
		require.NoError(t, err, out)
		of := a.add(t, 1)
		a.grabAndImport(t, of)
		a.endpoint.await(t, 3)
		for _, d := range a.endpoint.all() {
			require.Equal(t, "What Title 1 is about.", d.Event.Media.Overview, d.Event.Type)
			require.Equal(t, "https://images.example/poster.jpg", d.Event.Media.Poster)
		}
		require.NoError(t, a.server.stop())
		a.server.start(inTime)
		a.Trouble(fakearr.Trouble{Hang: true})
		a.add(t, 2)
		a.endpoint.await(t, 4)
		a.Trouble(fakearr.Trouble{})
	})
}

func TestConnectSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	a := newArrApp(t, fakearr.Radarr, "radarr", sqliteURL(t), "")
	out, err := a.server.cli("connect", "radarr")
	require.Equal(t, 1, exitCode(err), out)
	require.Contains(t, out, "is not connected", "the server does not run: the application's test fails")
	a.server.start()
	for trouble, want := range map[fakearr.Trouble]string{
		{Status: 401}: "refuse", {Status: 404}: "no ", {Status: 500}: "500", {HTML: true}: "API",
	} {
		a.Trouble(trouble)
		out, err := a.server.cli("connect", "radarr")
		require.Equal(t, 1, exitCode(err), out)
		require.Contains(t, out, want, "%+v", trouble)
		require.NotContains(t, out, a.APIKey())
	}
	a.Trouble(fakearr.Trouble{})

	wrong := newArrApp(t, fakearr.Sonarr, "radarr", sqliteURL(t), "")
	out, err = wrong.server.cli("connect", "radarr")
	require.Equal(t, 1, exitCode(err), out)
	require.Contains(t, out, "Sonarr")

	out, err = a.server.cli("connect", "sonar")
	require.Equal(t, 2, exitCode(err), out)
	require.Contains(t, out, `no source "sonar"`)
}

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	return -1
}
