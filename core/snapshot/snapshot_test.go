package snapshot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/ingest"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/postgres"
	"github.com/hookarr/hookarr/core/store/sqlite"
	"github.com/hookarr/hookarr/internal/testpg"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// app is an application with a library, which is read by its plugin in pages.
type app struct {
	items map[string]sdk.Item
	// trouble ends a call for the page.
	trouble map[string]error
	// reading is called before a page is read.
	reading func(cursor string)
	calls   int
}

func newApp(titles int) *app {
	a := &app{items: map[string]sdk.Item{}, trouble: map[string]error{}}
	for i := range titles {
		a.add(i + 1)
	}
	return a
}

// number is a title's, with leading zeroes so that keys have the order of numbers.
func number(i int) string { return fmt.Sprintf("%06d", i) }

// add adds a film with a file.
func (a *app) add(i int) {
	id, file, monitored := number(i), strconv.Itoa(1000+i), true
	media := &sdk.Media{
		Kind: "movie", ID: id, Title: "Film " + id, Year: 2000, IDs: map[string]string{"tmdb": id}, Path: "/movies/Film " + id,
		Overview: "A film.", Monitored: &monitored, QualityProfile: "HD", SizeBytes: int64(i),
	}
	a.items["movie/"+id] = sdk.Item{
		Key: "movie/" + id, GoneFingerprints: []string{"deleted " + id},
		Event: sdk.Event{
			App: "radarr", Type: sdk.TypeMediaAdded, Title: media.Title, Summary: "Added " + media.Title, Media: media, Fingerprint: "added " + id,
			CorrelationKey: "movie:" + id,
		},
	}
	a.importFile(i, file, "/movies/Film "+id+"/Film.mkv")
}

func (a *app) importFile(i int, file, path string) {
	title := a.items["movie/"+number(i)]
	m := *title.Event.Media
	a.items["file/"+file] = sdk.Item{
		Key: "file/" + file, Parent: title.Key, GoneFingerprints: []string{"file deleted " + file},
		Event: sdk.Event{
			App: "radarr", Type: sdk.TypeMediaImported, Title: m.Title, Summary: "Imported " + m.Title, Media: &m,
			Files: []sdk.File{{ID: file, Path: path, SizeBytes: 5, Quality: "HD"}}, Fingerprint: "import " + file,
		},
	}
}

func (a *app) change(key string, change func(e *sdk.Event)) {
	item := a.items[key]
	data, _ := json.Marshal(item.Event)
	var e sdk.Event
	_ = json.Unmarshal(data, &e)
	change(&e)
	item.Event = e
	a.items[key] = item
}

func (a *app) Snapshot(_ context.Context, _ string, q sdk.SnapshotQuery) (host.Snapshot, error) {
	a.calls++
	if a.reading != nil {
		a.reading(q.Cursor)
	}
	if err := a.trouble[q.Cursor]; err != nil {
		return host.Snapshot{}, err
	}
	var keys []string
	for key := range a.items {
		if key > q.Cursor {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	page := host.Snapshot{More: len(keys) > q.Limit, Total: len(a.items)}
	keys = keys[:min(len(keys), q.Limit)]
	for _, key := range keys {
		item := a.items[key]
		item.Event.Time, item.Event.Origin = time.Unix(0, 0), sdk.OriginSnapshot
		data, err := json.Marshal(item.Event)
		if err != nil {
			return host.Snapshot{}, err
		}
		page.Items = append(page.Items, host.Item{
			Key: item.Key, Parent: item.Parent, Event: item.Event, JSON: data, GoneFingerprints: item.GoneFingerprints,
		})
		page.Cursor = key
	}
	return page, nil
}

// bench is a reader of one source over a real database.
type bench struct {
	*Reader
	app    *app
	store  *store.Store
	intake *ingest.Intake
	url    string
	now    time.Time
	seen   int
}

// openStore opens a Postgres URL, or the path of an SQLite file.
func openStore(ctx context.Context, url string) (*store.Store, error) {
	if strings.HasPrefix(url, "postgres") {
		return postgres.Open(ctx, url, slog.New(slog.DiscardHandler))
	}
	return sqlite.Open(ctx, url, slog.New(slog.DiscardHandler))
}

// newReader is a reader over a store whose events go to ops.
func newReader(s *store.Store, a Snapshotter, now func() time.Time) (*Reader, *ingest.Intake, error) {
	gate, err := auth.New(config.Source{Auth: []config.Auth{{None: &config.None{}}}}, nil)
	if err != nil {
		return nil, nil, err
	}
	router, err := route.New([]config.Route{{Name: "all", Types: []string{"*", "media.updated"}, To: []string{"ops"}}})
	if err != nil {
		return nil, nil, err
	}
	log := slog.New(slog.DiscardHandler)
	generation := ingest.NewGeneration(map[string]ingest.Source{"radarr": {Gate: gate}}, router)
	intake := ingest.New(ingest.Options{Generation: func() *ingest.Generation { return generation }, Store: s, Log: log, Now: now})
	return New(Options{
		Sources: func() map[string]config.Snapshot {
			return map[string]config.Snapshot{"radarr": {Every: 24 * time.Hour}}
		},
		Snapshotter: a, Composer: intake, Store: s, Log: log, Metrics: prometheus.NewRegistry(), Now: now,
	}), intake, nil
}

// onEach runs a test over both databases, with a library of so many films.
func onEach(t *testing.T, titles int, test func(t *testing.T, b *bench)) {
	t.Helper()
	for name, url := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { t.Helper(); return filepath.Join(t.TempDir(), "hookarr.db") },
		"postgres": func(t *testing.T) string { t.Helper(); return testpg.New(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bench{app: newApp(titles), url: url(t), now: time.Now().UTC().Truncate(time.Second)}
			var err error
			b.store, err = openStore(t.Context(), b.url)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, b.store.Close()) })
			require.NoError(t, b.store.Migrate(t.Context()))
			b.Reader, b.intake, err = newReader(b.store, b.app, func() time.Time { return b.now })
			require.NoError(t, err)
			test(t, b)
		})
	}
}

// read reads the snapshot of the next day and returns what it told, in its order.
func (b *bench) read(t *testing.T) []sdk.Event {
	t.Helper()
	b.now = b.now.Add(25 * time.Hour)
	require.NoError(t, b.Run(t.Context(), "radarr", time.Time{}))
	return b.events(t)
}

// events are the events that have come since the last call.
func (b *bench) events(t *testing.T) []sdk.Event {
	t.Helper()
	var all []sdk.Event
	for after := uuid.Nil; ; {
		page, err := b.store.EventsAfter(t.Context(), "radarr", after, 500)
		require.NoError(t, err)
		for _, e := range page {
			after = e.ID
			var read sdk.Event
			require.NoError(t, json.Unmarshal(e.Normalized, &read))
			all = append(all, read)
		}
		if len(page) == 0 {
			break
		}
	}
	fresh := all[b.seen:]
	b.seen = len(all)
	return fresh
}

func (b *bench) state(t *testing.T) store.Snapshot {
	t.Helper()
	state, err := b.store.FindSnapshot(t.Context(), "radarr")
	require.NoError(t, err)
	return state
}

// webhook has an event come by webhook. Like the ids of events, it comes now; the clock of
// the reader is ahead.
func (b *bench) webhook(t *testing.T, e sdk.Event) store.Accepted {
	t.Helper()
	e.Source, e.Origin, e.Time = "radarr", sdk.OriginWebhook, b.now
	data, err := json.Marshal(e)
	require.NoError(t, err)
	a := &store.Acceptance{Event: event.Event{
		ID: event.NewID(), Source: "radarr", State: event.Routed, Origin: sdk.OriginWebhook, ReceivedAt: time.Now(),
		Request: event.Request{Method: "POST", Body: []byte(`{}`)}, Type: e.Type, Title: e.Title, Fingerprint: e.Fingerprint, Normalized: data,
	}}
	if e.Fingerprint != "" {
		a.Keys = []store.DedupKey{{Key: "fp:" + e.Fingerprint, Window: 24 * time.Hour}}
	}
	accepted, err := b.store.Accept(t.Context(), a)
	require.NoError(t, err)
	if !accepted.Duplicate {
		b.events(t) // it is none of a snapshot
	}
	return accepted
}

func tales(events []sdk.Event) []string {
	list := []string{}
	for _, e := range events {
		words := []string{string(e.Type), e.Title}
		if len(e.Fields) > 0 {
			words = append(words, strings.Join(e.Fields, ","))
		}
		for _, r := range e.RenamedFiles {
			words = append(words, r.From, ">", r.To)
		}
		list = append(list, strings.Join(words, " "))
	}
	return list
}

func TestFirstRunIsQuiet(t *testing.T) {
	t.Parallel()
	onEach(t, 250, func(t *testing.T, b *bench) {
		require.Empty(t, b.read(t))
		s := b.state(t)
		require.Equal(t, 500, s.Items)
		require.Equal(t, 250, s.Titles)
		require.Equal(t, 500, s.Total)
		require.Equal(t, 3, s.Pages)
		require.Equal(t, 1, s.EndedRun)
		require.Empty(t, s.Phase)

		require.Empty(t, b.read(t), "nothing has changed")
		require.Equal(t, 2, b.state(t).EndedRun)
		calls := b.app.calls
		require.NoError(t, b.Run(t.Context(), "radarr", time.Time{}))
		require.Equal(t, calls, b.app.calls, "it is not due")
	})
}

func TestOneChangedFieldIsOneEvent(t *testing.T) {
	t.Parallel()
	onEach(t, 250, func(t *testing.T, b *bench) {
		b.read(t)
		b.app.change("movie/000007", func(e *sdk.Event) {
			monitored := false
			e.Media.Monitored = &monitored
			e.Media.SizeBytes = 99 // by an import, which is told
		})
		b.app.change("movie/000008", func(e *sdk.Event) { e.Media.SizeBytes, e.Summary = 99, "Otherwise" })
		events := b.read(t)
		require.Equal(t, []string{"media.updated Film 000007 monitored"}, tales(events))
		e := events[0]
		require.Equal(t, sdk.OriginSnapshot, e.Origin)
		require.Equal(t, "Updated Film 000007: monitored", e.Summary)
		require.Empty(t, e.CorrelationKey)
		require.Equal(t, b.now, e.Time)
		require.False(t, *e.Media.Monitored)
		require.Empty(t, b.read(t))

		b.app.change("movie/000007", func(e *sdk.Event) {
			e.Media.QualityProfile, e.Media.Overview, e.Media.Genres = "4K", "", []string{"Drama"}
			e.Episodes = []sdk.Episode{{ID: "1"}}
		})
		require.Equal(t, []string{"media.updated Film 000007 episodes,genres,overview,quality_profile"}, tales(b.read(t)))
		counts, err := b.store.CountDeliveries(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, counts[0].Count, "each is delivered")
	})
}

func TestWhatNobodyToldIsTold(t *testing.T) {
	t.Parallel()
	onEach(t, 20, func(t *testing.T, b *bench) {
		b.read(t)
		b.app.add(21)
		delete(b.app.items, "movie/000003")
		delete(b.app.items, "file/1003") // goes with its title
		delete(b.app.items, "file/1004")
		b.app.importFile(5, "1005", "/movies/Film 000005/Elsewhere.mkv")
		b.app.change("file/1006", func(e *sdk.Event) { e.Files[0].Edition = "Extended" })
		b.app.importFile(7, "1007", "/elsewhere")
		b.app.change("file/1007", func(e *sdk.Event) { e.Files[0].SizeBytes = 6 })
		events := b.read(t)
		require.Equal(t, []string{
			"media.deleted Film 000003", "file.deleted Film 000004", "media.added Film 000021",
			"file.renamed Film 000005 /movies/Film 000005/Film.mkv > /movies/Film 000005/Elsewhere.mkv",
			"media.updated Film 000006 files",
			"file.renamed Film 000007 /movies/Film 000007/Film.mkv > /elsewhere", "media.updated Film 000007 files",
			"media.imported Film 000021",
		}, tales(events))
		require.Equal(t, map[string]string{"tmdb": "000003"}, events[0].Media.IDs)
		require.Equal(t, "deleted 000003", events[0].Fingerprint)
		require.Equal(t, "/movies/Film 000004/Film.mkv", events[1].DeletedFiles[0].Path)
		require.Equal(t, "Deleted a file of Film 000004", events[1].Summary)
		require.Equal(t, "added 000021", events[2].Fingerprint)
		require.Equal(t, b.now, events[2].Time)
		require.Empty(t, b.read(t))
	})
}

// What a webhook told is not told again, whatever it was.
func TestWebhookBeforeTheSnapshot(t *testing.T) {
	t.Parallel()
	onEach(t, 20, func(t *testing.T, b *bench) {
		b.now = b.now.Add(-25 * time.Hour)
		b.read(t)
		b.app.add(21)
		b.webhook(t, b.app.items["movie/000021"].Event)
		// An import of several files has a fingerprint of its own.
		imported := b.app.items["file/1021"].Event
		imported.Type, imported.Fingerprint = sdk.TypeImportCompleted, "of several"
		b.webhook(t, imported)
		// A rename by way of another path.
		b.webhook(t, sdk.Event{Type: sdk.TypeFileRenamed, Title: "r", RenamedFiles: []sdk.Rename{
			{From: "/x", To: "/y"}, {From: "/movies/Film 000005/Film.mkv", To: "/between"},
		}})
		b.webhook(t, sdk.Event{Type: sdk.TypeFileRenamed, Title: "r", RenamedFiles: []sdk.Rename{{From: "/between", To: "/moved"}}})
		b.app.importFile(5, "1005", "/moved")
		// An upgrade in place.
		upgraded := b.app.items["file/1006"].Event
		delete(b.app.items, "file/1006")
		b.app.importFile(6, "2006", "/movies/Film 000006/Film.mkv")
		upgraded.Type, upgraded.DeletedFiles, upgraded.Fingerprint = sdk.TypeMediaUpgraded, upgraded.Files, "import 2006"
		upgraded.Files = b.app.items["file/2006"].Event.Files
		b.webhook(t, upgraded)
		// A deletion of a file, and one of a title, by fingerprints alone.
		delete(b.app.items, "file/1007")
		b.webhook(t, sdk.Event{Type: sdk.TypeFileDeleted, Title: "d", Fingerprint: "file deleted 1007"})
		delete(b.app.items, "movie/000008")
		delete(b.app.items, "file/1008")
		b.webhook(t, sdk.Event{Type: sdk.TypeMediaDeleted, Title: "d", Fingerprint: "deleted 000008"})
		retagged := b.app.items["file/1009"].Event
		retagged.Type, retagged.Fingerprint = sdk.TypeFileRetagged, "retag"
		b.webhook(t, retagged)
		b.app.change("file/1009", func(e *sdk.Event) { e.Files[0].SizeBytes = 6 })

		require.Empty(t, tales(b.read(t)))
		s := b.state(t)
		require.Zero(t, s.Told)
		require.Equal(t, 8, s.Known)
		require.Empty(t, tales(b.read(t)))
	})
}

// A webhook that comes after the snapshot has told the same is a repetition, and its
// request is kept.
func TestWebhookAfterTheSnapshot(t *testing.T) {
	t.Parallel()
	onEach(t, 5, func(t *testing.T, b *bench) {
		b.read(t)
		b.app.add(6)
		delete(b.app.items, "movie/000001")
		delete(b.app.items, "file/1001")
		require.Equal(t, []string{"media.deleted Film 000001", "media.added Film 000006", "media.imported Film 000006"}, tales(b.read(t)))
		for _, e := range []sdk.Event{
			b.app.items["movie/000006"].Event, b.app.items["file/1006"].Event,
			{Type: sdk.TypeMediaDeleted, Title: "d", Fingerprint: "deleted 000001"},
		} {
			accepted := b.webhook(t, e)
			require.True(t, accepted.Duplicate, e.Type)
			kept, _, err := b.store.FindEvent(t.Context(), accepted.EventID)
			require.NoError(t, err)
			require.Equal(t, sdk.OriginSnapshot, kept.Origin)
			require.Equal(t, "POST", kept.Request.Method)
		}
		require.Empty(t, b.read(t))
	})
}

// What a webhook told, and then happened the other way without one, is told.
func TestTheOtherWayIsTold(t *testing.T) {
	t.Parallel()
	onEach(t, 5, func(t *testing.T, b *bench) {
		b.now = b.now.Add(-25 * time.Hour)
		b.read(t)
		// Deleted by webhook, and there again.
		b.webhook(t, sdk.Event{Type: sdk.TypeMediaDeleted, Title: "d", Fingerprint: "deleted 000001"})
		item := b.app.items["movie/000001"]
		item.Key, item.Event.Fingerprint = "movie/7", "added again"
		delete(b.app.items, "movie/000001")
		b.app.items["movie/7"] = item
		file := b.app.items["file/1001"]
		file.Parent = "movie/7"
		b.app.items["file/1001"] = file
		// Imported by webhook, and gone again.
		b.app.importFile(2, "3002", "/three")
		b.webhook(t, b.app.items["file/3002"].Event)
		delete(b.app.items, "file/3002")
		// Imported and deleted by webhook, and imported again: the fingerprint is taken.
		b.app.importFile(3, "3003", "/again")
		b.webhook(t, b.app.items["file/3003"].Event)
		b.webhook(t, sdk.Event{
			Type: sdk.TypeFileDeleted, Title: "d", Fingerprint: "file deleted 3003", DeletedFiles: b.app.items["file/3003"].Event.Files,
		})
		require.Equal(t, []string{"media.added Film 000001", "media.imported Film 000003"}, tales(b.read(t)))
	})
}

func TestDeletionsWaitForACompleteRun(t *testing.T) {
	t.Parallel()
	onEach(t, 250, func(t *testing.T, b *bench) {
		b.read(t)
		delete(b.app.items, "movie/000250")
		delete(b.app.items, "file/1250")
		b.app.add(251)
		last := "file/1200"
		b.app.trouble[last] = errors.New("it went away")
		b.now = b.now.Add(25 * time.Hour)
		require.ErrorContains(t, b.Run(t.Context(), "radarr", time.Time{}), "read the snapshot of radarr: it went away")
		require.Empty(t, b.events(t))
		s := b.state(t)
		require.Equal(t, "it went away", s.Trouble)
		require.Equal(t, store.SnapshotReading, s.Phase)
		require.Equal(t, last, s.Cursor)
		require.Error(t, b.Run(t.Context(), "radarr", time.Time{}))

		b.app.trouble = nil
		calls := b.app.calls
		require.NoError(t, b.Run(t.Context(), "radarr", time.Time{}))
		require.Equal(t, []string{"media.deleted Film 000250", "media.added Film 000251", "media.imported Film 000251"}, tales(b.events(t)))
		require.Equal(t, 2, b.app.calls-calls, "not from the beginning")
		require.Empty(t, b.state(t).Trouble)
	})
}

// A run that was cut off long ago begins anew.
func TestStaleRunBeginsAnew(t *testing.T) {
	t.Parallel()
	onEach(t, 250, func(t *testing.T, b *bench) {
		b.read(t)
		b.app.trouble["file/1200"] = errors.New("it went away")
		b.now = b.now.Add(25 * time.Hour)
		require.Error(t, b.Run(t.Context(), "radarr", time.Time{}))
		b.app.trouble = nil
		delete(b.app.items, "file/1001") // it was read
		b.now = b.now.Add(7 * time.Hour)
		require.NoError(t, b.Run(t.Context(), "radarr", time.Time{}))
		require.Equal(t, []string{"file.deleted Film 000001"}, tales(b.events(t)))
		require.Equal(t, 3, b.state(t).Run)
	})
}

func TestManyDeletionsAreWithheld(t *testing.T) {
	t.Parallel()
	onEach(t, 300, func(t *testing.T, b *bench) {
		b.now = b.now.Add(-8 * 24 * time.Hour)
		b.read(t)
		former := b.app.items
		b.app.items = map[string]sdk.Item{}
		for i := range 200 {
			for _, key := range []string{"movie/" + number(i+1), fmt.Sprintf("file/%d", 1001+i)} {
				b.app.items[key] = former[key]
			}
		}
		b.app.change("movie/000001", func(e *sdk.Event) { e.Media.Overview = "New." })
		require.Equal(t, []string{"media.updated Film 000001 overview"}, tales(b.read(t)), "the rest is told")
		s := b.state(t)
		require.Equal(t, "100 of 300 titles are gone at once, which is not told: if it is meant, hookarr sync radarr --allow-deletions tells it", s.Withheld)
		require.Equal(t, 100, s.TitlesGone)
		require.Empty(t, b.read(t), "still")

		kept := b.app.items
		b.app.items = former
		require.Equal(t, []string{"media.updated Film 000001 overview"}, tales(b.read(t)), "they are there again")
		require.Empty(t, b.state(t).Withheld)
		b.app.items = map[string]sdk.Item{}
		require.Empty(t, b.read(t), "an application without a title")
		require.Contains(t, b.state(t).Withheld, "300 of 300 titles")
		b.app.items = kept
		b.read(t)

		// Half of them were told by webhook by now.
		for i := 200; i < 260; i++ {
			b.webhook(t, sdk.Event{Type: sdk.TypeMediaDeleted, Title: "d", Fingerprint: "deleted " + number(i+1)})
		}
		b.now = time.Now().UTC()
		b.ask(t, store.SnapshotWish{})
		events := b.events(t)
		require.Len(t, events, 40)
		require.Equal(t, sdk.TypeMediaDeleted, events[0].Type)
		require.Empty(t, b.state(t).Withheld)
	})
}

// ask has an operator ask for a run, and reads it.
func (b *bench) ask(t *testing.T, wish store.SnapshotWish) {
	t.Helper()
	a := &store.Action{ID: event.NewID(), What: store.ActionSync, State: store.ActionDone, Who: "root", Via: "socket"}
	_, run, err := b.store.AskSnapshot(t.Context(), a, "radarr", wish)
	require.NoError(t, err)
	require.NoError(t, b.Run(t.Context(), "radarr", time.Time{}))
	require.Equal(t, run, b.state(t).EndedRun)
}

func TestDeletionsThatAreAllowed(t *testing.T) {
	t.Parallel()
	onEach(t, 300, func(t *testing.T, b *bench) {
		b.read(t)
		for i := range 250 {
			delete(b.app.items, fmt.Sprintf("file/%d", 1001+i))
		}
		require.Empty(t, b.read(t))
		require.Contains(t, b.state(t).Withheld, "250 of 300 files are gone at once")
		b.ask(t, store.SnapshotWish{AllowDeletions: true})
		require.Len(t, b.events(t), 250)
		require.Empty(t, b.state(t).Withheld)
		require.Empty(t, b.read(t))
		require.Zero(t, b.state(t).Wish)
	})
}

func TestFull(t *testing.T) {
	t.Parallel()
	onEach(t, 5, func(t *testing.T, b *bench) {
		b.ask(t, store.SnapshotWish{Full: true, To: "catalogue"})
		events := b.events(t)
		require.Len(t, events, 10)
		counts, err := b.store.CountDeliveries(t.Context())
		require.NoError(t, err)
		require.Len(t, counts, 1)
		require.Equal(t, "catalogue", counts[0].Target)
		require.Equal(t, 10, counts[0].Count)
		// Others hear of it by its webhook.
		require.False(t, b.webhook(t, b.app.items["movie/000001"].Event).Duplicate)

		b.app.change("movie/000002", func(e *sdk.Event) { e.Media.Overview = "New." })
		b.ask(t, store.SnapshotWish{Full: true, To: "catalogue"})
		events = b.events(t)
		require.Len(t, events, 11)
		require.Equal(t, "media.updated Film 000002 overview", tales(events)[10])

		b.app.change("movie/000002", func(e *sdk.Event) { e.Media.Overview = "Newer." })
		b.now = time.Now().Add(time.Hour)
		b.ask(t, store.SnapshotWish{Full: true})
		events = b.events(t)
		require.Len(t, events, 10, "the change is part of it")
		require.True(t, b.webhook(t, b.app.items["movie/000003"].Event).Duplicate)
		require.Empty(t, b.read(t))
	})
}

// Two who ask get what both want.
func TestAskedWhileItRuns(t *testing.T) {
	t.Parallel()
	onEach(t, 250, func(t *testing.T, b *bench) {
		b.read(t)
		var run int
		b.app.reading = func(cursor string) {
			if cursor != "" {
				b.app.reading = nil
				a := &store.Action{ID: event.NewID(), What: store.ActionSync, State: store.ActionDone}
				var err error
				_, run, err = b.store.AskSnapshot(t.Context(), a, "radarr", store.SnapshotWish{Full: true, To: "catalogue"})
				require.NoError(t, err)
			}
		}
		require.Len(t, b.read(t), 500)
		require.Equal(t, 3, run)
		require.Equal(t, 3, b.state(t).EndedRun)
		require.Nil(t, b.state(t).Asked)
	})
}

// What was found waits for its webhook, which may be on its way.
func TestLag(t *testing.T) {
	t.Parallel()
	onEach(t, 5, func(t *testing.T, b *bench) {
		b.now = b.now.Add(-25 * time.Hour)
		b.o.Sources = func() map[string]config.Snapshot {
			return map[string]config.Snapshot{"radarr": {Every: 24 * time.Hour, Lag: time.Minute}}
		}
		b.read(t)
		b.app.add(6)
		b.now = b.now.Add(25 * time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- b.Run(ctx, "radarr", time.Time{}) }()
		require.Eventually(t, func() bool { return b.state(t).Phase == store.SnapshotSettling }, time.Minute, time.Millisecond)
		b.webhook(t, b.app.items["movie/000006"].Event)
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		require.Empty(t, b.state(t).Trouble, "to be stopped is none")

		b.now = b.now.Add(2 * time.Minute)
		require.NoError(t, b.Run(t.Context(), "radarr", time.Time{}))
		require.Equal(t, []string{"media.imported Film 000006"}, tales(b.events(t)))
	})
}

func TestNoPower(t *testing.T) {
	t.Parallel()
	onEach(t, 5, func(t *testing.T, b *bench) {
		b.app.trouble[""] = fmt.Errorf("no: %w", host.ErrUnsupported)
		require.Empty(t, b.noRun(t))
		_, err := b.store.FindSnapshot(t.Context(), "radarr")
		require.ErrorIs(t, err, store.ErrNotFound)
		a := &store.Action{ID: event.NewID(), What: store.ActionSync, State: store.ActionDone}
		_, _, err = b.store.AskSnapshot(t.Context(), a, "radarr", store.SnapshotWish{})
		require.NoError(t, err)
		require.Empty(t, b.noRun(t))
		require.Contains(t, b.state(t).Trouble, "give base_url and api_key")
		require.Nil(t, b.state(t).Asked)
		require.NoError(t, b.Run(t.Context(), "nobody", time.Time{}))
	})
}

func (b *bench) noRun(t *testing.T) []sdk.Event {
	t.Helper()
	require.NoError(t, b.Run(t.Context(), "radarr", time.Time{}))
	return b.events(t)
}

func TestSnapshotThatDoesNotMoveOn(t *testing.T) {
	t.Parallel()
	onEach(t, 5, func(t *testing.T, b *bench) {
		b.o.Snapshotter = stuck{}
		b.now = b.now.Add(25 * time.Hour)
		require.ErrorContains(t, b.Run(t.Context(), "radarr", time.Time{}), "does not move on")
	})
}

type stuck struct{}

func (stuck) Snapshot(_ context.Context, _ string, q sdk.SnapshotQuery) (host.Snapshot, error) {
	return host.Snapshot{Cursor: q.Cursor, More: true}, nil
}

// A source that has always more is given up until the next snapshot is due.
func TestSnapshotThatNeverEnds(t *testing.T) {
	t.Parallel()
	onEach(t, 5, func(t *testing.T, b *bench) {
		more := &endless{}
		b.o.Snapshotter, b.maxPages = more, 10
		require.Empty(t, b.read(t))
		s := b.state(t)
		require.Empty(t, s.Phase)
		require.Contains(t, s.Trouble, "more than is read of one: more than 10 pages")
		require.Zero(t, s.EndedRun)
		require.Equal(t, 10, more.calls)
		require.Empty(t, b.noRun(t))
		require.Equal(t, 10, more.calls, "not before it is due")

		b.o.Snapshotter = b.app
		require.Empty(t, b.read(t))
		require.Empty(t, b.state(t).Trouble)
		require.Equal(t, 5, b.state(t).Titles)
	})
}

// endless goes on for ever, and comes back to where it was.
type endless struct{ calls int }

func (e *endless) Snapshot(context.Context, string, sdk.SnapshotQuery) (host.Snapshot, error) {
	e.calls++
	if e.calls > 100 {
		return host.Snapshot{}, errors.New("asked for ever")
	}
	return host.Snapshot{Cursor: strconv.Itoa(e.calls % 3), More: true}, nil
}
