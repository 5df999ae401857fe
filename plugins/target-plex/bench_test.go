package plex

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakeserver"
	"github.com/hookarr/hookarr/internal/fakeserver/plex"
	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

// bench is a served plugin, scaled so that minutes are milliseconds, and its server.
type bench struct {
	*testing.T
	plex   *plex.Server
	disk   *fakeserver.Disk
	url    string
	target *plugintest.Target
	shows  string
	movies string
}

func start(t *testing.T, change func(*plex.Server), config map[string]any) *bench {
	t.Helper()
	disk := &fakeserver.Disk{}
	s := &plex.Server{Disk: disk, Takes: 20 * time.Millisecond}
	if change != nil {
		change(s)
	}
	b := &bench{T: t, plex: s, disk: disk}
	b.shows = s.AddSection(plex.Shows, "TV Shows", "/data/tv")
	b.movies = s.AddSection(plex.Movies, "Movies", "/data/movies")
	disk.Add("/data/tv/Old Show/Season 01/Old Show - S01E01.mkv", 1)
	disk.Add("/data/movies/Old Movie (1999)/Old Movie.mkv", 1)
	disk.Add("/data/.mounted", 0)
	s.ScanAll()
	server := httptest.NewServer(s)
	t.Cleanup(func() { server.Close(); s.Close() })
	b.url = server.URL
	all := map[string]any{
		"url": server.URL, "token": plex.Token,
		"map": []map[string]string{{"from": "/tv", "to": "/data/tv"}, {"from": "/movies", "to": "/data/movies"}},
	}
	maps.Copy(all, config)
	b.target = plugintest.StartTarget(t, info(), scaled, all)
	return b
}

func scaled(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	return newPlex(env, c, mediaserver.Options{
		Settle: 15 * time.Millisecond, IdleTimeout: 300 * time.Millisecond, Pause: 10 * time.Millisecond,
		Offline: 20 * time.Millisecond, Refetch: time.Millisecond,
	})
}

// delivery is the events as a host delivers them.
func (b *bench) delivery(events ...sdk.Event) plugintest.Attempt {
	b.Helper()
	return plugintest.Delivery(b, "01980000-0000-7000-8000-000000000001", events...)
}

// call asks once.
func (b *bench) deliver(d plugintest.Attempt) plugintest.Outcome {
	b.Helper()
	o, err := b.target.Deliver(b.Context(), d)
	require.NoError(b, err)
	return o
}

func (b *bench) verify(d plugintest.Attempt, last plugintest.Outcome, final bool) plugintest.Outcome {
	b.Helper()
	o, err := b.target.Verify(b.Context(), d, last.Receipt, final)
	require.NoError(b, err)
	return o
}

// prove verifies as a host does until the outcome is more than a wait, and returns it with
// the number of calls. Trouble of the server is waited out.
func (b *bench) prove(d plugintest.Attempt, o plugintest.Outcome) (plugintest.Outcome, int) {
	b.Helper()
	end := time.Now().Add(3 * time.Minute)
	accepted := o
	for calls := 0; ; calls++ {
		require.False(b, time.Now().After(end), "not proven: %s %s %s", o.Class, o.Message, o.Receipt.Waits)
		switch {
		case o.Class == sdk.ClassOK && o.Receipt.VerifyAfter == 0, o.Class == sdk.ClassPermanent, o.Class == sdk.ClassMisconfigured:
			return o, calls
		case o.Class == sdk.ClassOK:
			accepted = o
			require.LessOrEqual(b, len(o.Receipt.State), 4<<10)
			require.NotEmpty(b, o.Receipt.Waits)
			time.Sleep(o.Receipt.VerifyAfter)
		default:
			time.Sleep(max(o.RetryAfter, 10*time.Millisecond))
		}
		o = b.verify(d, accepted, false)
	}
}

// proven delivers and verifies, and wants a proof.
func (b *bench) proven(events ...sdk.Event) plugintest.Outcome {
	b.Helper()
	d := b.delivery(events...)
	o, _ := b.prove(d, b.deliver(d))
	require.Equal(b, sdk.ClassOK, o.Class, o.Message)
	return o
}

// told decodes the events that were handed back.
func (b *bench) told(o plugintest.Outcome) []sdk.Event {
	b.Helper()
	var all []sdk.Event
	for _, e := range o.Events {
		var event sdk.Event
		require.NoError(b, json.Unmarshal(e.JSON, &event))
		all = append(all, event)
	}
	return all
}

const show = "/tv/Severance (2022)"

func severance() *sdk.Media {
	return &sdk.Media{Kind: "series", ID: "5", Title: "Severance", Year: 2022, IDs: map[string]string{"tvdb": "371980"}, Path: show}
}

// file is an episode's on the application's disk.
func episodeFile(season, n int, quality string) string {
	return fmt.Sprintf("%s/Season %02d/Severance - S%02dE%02d %s.mkv", show, season, season, n, quality)
}

// onDisk is the server's path of an application's.
func onDisk(path string) string { return "/data" + path }

func imported(season, n int) sdk.Event {
	return sdk.Event{
		ID: fmt.Sprintf("import-%d-%d", season, n), Source: "sonarr", App: "sonarr", Type: sdk.TypeMediaImported, Time: time.Unix(int64(n), 0).UTC(),
		Title: fmt.Sprintf("Severance S%02dE%02d", season, n), CorrelationKey: fmt.Sprintf("download:S%02d", season), Media: severance(),
		Episodes: []sdk.Episode{{ID: strconv.Itoa(season*100 + n), Season: season, Number: new(n)}},
		Files:    []sdk.File{{ID: strconv.Itoa(n), Path: episodeFile(season, n, "WEBDL-1080p"), SizeBytes: 1000}},
	}
}

func upgraded(season, n int) sdk.Event {
	e := imported(season, n)
	e.Type, e.Upgrade, e.ID = sdk.TypeMediaUpgraded, true, "upgrade"
	e.DeletedFiles = e.Files
	e.Files = []sdk.File{{ID: "99", Path: episodeFile(season, n, "Bluray-2160p"), SizeBytes: 5000}}
	return e
}

func deleted(season, n int) sdk.Event {
	e := imported(season, n)
	e.Type, e.ID, e.DeletedFiles, e.Files = sdk.TypeFileDeleted, fmt.Sprintf("delete-%d-%d", season, n), e.Files, nil
	e.CorrelationKey = fmt.Sprintf("series:5:file:%d", n)
	return e
}

// season puts a season on the server's disk and returns its imports.
func (b *bench) season(season, episodes int) []sdk.Event {
	var events []sdk.Event
	for n := 1; n <= episodes; n++ {
		e := imported(season, n)
		b.disk.Add(onDisk(e.Files[0].Path), 1000)
		events = append(events, e)
	}
	return events
}
