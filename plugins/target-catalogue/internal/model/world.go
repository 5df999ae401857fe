// Package model imitates applications, their libraries and the events that they send, for
// tests: what a catalogue has of the events is compared with what the applications have.
package model

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

// World is some applications whose users do things at random. It knows nothing of how a
// catalogue works.
type World struct {
	random *rand.Rand
	apps   []*app
	now    time.Time
	events []sdk.Event
	serial int
}

// app is an application: one source.
type app struct {
	source, name, kind string
	// nameless: its events give no ids of files.
	nameless bool
	titles   []*title
	lastID   int
	lastFile int
}

type title struct {
	id, name, path, poster string
	ids                    map[string]string
	year                   int
	monitored              bool
	profile                string
	tags                   []string
	overview               string
	parts                  []*part
	files                  []*file
}

type part struct {
	kind, id, name string
	season, number int
	// album is that of a track.
	album string
	// told is that an event has shown it: nothing else can be known.
	told bool
}

type file struct {
	id, path, quality string
	size              int64
	parts             []*part
	edition           string
}

// NewWorld returns applications without titles. The same seed makes the same events.
func NewWorld(seed uint64) *World {
	return &World{
		random: rand.New(rand.NewPCG(seed, 11)), //nolint:gosec // the same seed makes the same events
		now:    time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC),
		apps: []*app{
			{source: "radarr", name: "radarr", kind: "movie"},
			{source: "radarr-4k", name: "radarr", kind: "movie"},
			{source: "sonarr", name: "sonarr", kind: "series"},
			{source: "lidarr", name: "lidarr", kind: "artist"},
			{source: "old", name: "whisparr", kind: "scene", nameless: true},
		},
	}
}

// Events has n things happen and returns what the applications tell of them, in the order
// in which they happened.
func (w *World) Events(n int) []sdk.Event {
	w.events = nil
	for len(w.events) < n {
		w.step()
	}
	return w.events
}

// step is one thing that happens.
func (w *World) step() {
	a := pick(w, w.apps)
	if len(a.titles) == 0 || w.random.IntN(12) == 0 {
		w.add(a)
		return
	}
	t := pick(w, a.titles)
	switch n := w.random.IntN(100); {
	case n < 35:
		w.importFile(a, t)
	case n < 50 && len(t.files) > 0:
		w.upgrade(a, t, pick(w, t.files))
	case n < 65 && len(t.files) > 0:
		w.rename(a, t)
	case n < 75 && len(t.files) > 0:
		w.deleteFile(a, t, w.random.IntN(len(t.files)))
	case n < 85:
		w.edit(a, t)
	case n < 87 && len(t.files) > 0 && !a.nameless:
		w.retag(a, t)
	case n < 89 && len(t.files) > 0 && !a.nameless:
		w.editFile(a, t)
	case n < 91 && a.kind == "artist" && len(t.parts) > 0:
		w.deleteAlbum(a, t)
	case n < 94:
		w.deleteTitle(a, t)
	case n < 97:
		w.tell(a, t, sdk.TypeReleaseGrabbed, nil)
	default:
		w.event(a, sdk.TypeHealthIssue)
	}
}

// event is one of an application, now. Of ten, one has the time of the one before.
func (w *World) event(a *app, typ sdk.Type) *sdk.Event {
	if w.random.IntN(10) > 0 {
		w.now = w.now.Add(time.Duration(1+w.random.IntN(90_000)) * time.Microsecond)
	}
	w.serial++
	w.events = append(w.events, sdk.Event{
		ID: fmt.Sprintf("0197f000-0000-7000-8000-%012d", w.serial), Source: a.source, App: a.name, Origin: sdk.OriginWebhook,
		Type: typ, Time: w.now, Title: "Something",
	})
	return &w.events[len(w.events)-1]
}

// tell is an event about a title. The parts are those concerned.
func (w *World) tell(a *app, t *title, typ sdk.Type, parts []*part) *sdk.Event {
	e := w.event(a, typ)
	e.Media = &sdk.Media{
		Kind: a.kind, ID: t.id, Title: t.name, Year: t.year, Path: t.path, IDs: t.ids, Tags: slices.Clone(t.tags),
		Overview: t.overview, Poster: t.poster,
	}
	if typ == sdk.TypeMediaAdded || typ == sdk.TypeMediaUpdated {
		e.Origin = sdk.OriginSnapshot // no webhook has what follows
		e.Media.Monitored, e.Media.QualityProfile = new(t.monitored), t.profile
	}
	var albums int
	for _, p := range parts {
		switch p.kind {
		case "episode":
			e.Episodes = append(e.Episodes, sdk.Episode{ID: p.id, Season: p.season, Number: new(p.number), Title: p.name})
		case "album":
			albums++
			e.Albums = append(e.Albums, sdk.Album{ID: p.id, Title: p.name})
		case "track":
			e.Tracks = append(e.Tracks, sdk.Track{ID: p.id, Title: p.name})
		}
	}
	if albums == 1 && typ != sdk.TypeMediaAdded && typ != sdk.TypeMediaUpdated {
		e.Media.Poster, e.Media.Overview = "https://covers.example/"+parts[0].id, "Of the album"
	}
	for _, p := range parts {
		p.told = p.told || typ != sdk.TypeReleaseGrabbed
	}
	return e
}

func (w *World) add(a *app) {
	a.lastID++
	film := w.random.IntN(200)
	t := &title{
		id: strconv.Itoa(a.lastID), name: fmt.Sprintf("Title %d", film), year: 1950 + film%70, monitored: w.random.IntN(2) == 0,
		ids:     map[string]string{"tmdb": strconv.Itoa(1000 + film), "imdb": fmt.Sprintf("tt%07d", film)},
		profile: "HD", path: fmt.Sprintf("/%s/Title %d (%d)", a.source, film, a.lastID), poster: "https://posters.example/a",
	}
	if w.random.IntN(10) == 0 && a.lastID > 3 {
		// An old backup was restored: the row number is given once more.
		id := strconv.Itoa(1 + w.random.IntN(a.lastID))
		if !slices.ContainsFunc(a.titles, func(o *title) bool { return o.id == id }) {
			t.id = id
		}
	}
	switch a.kind {
	case "series":
		for n := range 1 + w.random.IntN(8) {
			t.parts = append(t.parts, &part{kind: "episode", id: fmt.Sprintf("%d-%d", a.lastID, n), season: 1 + n/4, number: 1 + n%4, name: fmt.Sprintf("Episode %d", n)})
		}
	case "artist":
		for n := range 1 + w.random.IntN(3) {
			w.newAlbum(a, t, n)
		}
	}
	a.titles = append(a.titles, t)
	var albums []*part
	for _, p := range t.parts {
		if p.kind != "track" {
			albums = append(albums, p)
		}
	}
	w.tell(a, t, sdk.TypeMediaAdded, albums)
}

func (*World) newAlbum(a *app, t *title, n int) {
	id := fmt.Sprintf("a%d-%d", a.lastID, n)
	t.parts = append(t.parts, &part{kind: "album", id: id, name: fmt.Sprintf("Album %d", n)})
	for track := range 3 {
		t.parts = append(t.parts, &part{kind: "track", id: fmt.Sprintf("%s-%d", id, track), name: fmt.Sprintf("Track %d", track), album: id})
	}
}

// edit changes what an application knows of a title.
func (w *World) edit(a *app, t *title) {
	var fields []string
	switch w.random.IntN(7) {
	case 0:
		t.monitored = !t.monitored
		fields = []string{"monitored"}
	case 1:
		t.tags = pick(w, [][]string{nil, {"kids"}, {"kids", "4k"}})
		fields = []string{"tags"}
	case 2:
		t.name += "!"
		fields = []string{"title"}
	case 3:
		t.overview = pick(w, []string{"", "A plot", "Another plot"})
		fields = []string{"overview"}
	case 4:
		t.profile = pick(w, []string{"HD", "4K"})
		fields = []string{"quality_profile"}
	case 5:
		t.ids = map[string]string{"tmdb": strconv.Itoa(w.random.IntN(9)), pick(w, []string{"imdb", "tvdb"}): strconv.Itoa(w.random.IntN(9))}
		fields = []string{"ids"}
	case 6:
		if a.kind != "series" {
			t.poster = fmt.Sprintf("https://posters.example/%d", w.random.IntN(9))
			fields = []string{"poster"}
			break
		}
		w.editEpisodes(t)
		w.tell(a, t, sdk.TypeMediaUpdated, t.parts).Fields = []string{"episodes"}
		return
	}
	w.tell(a, t, sdk.TypeMediaUpdated, nil).Fields = fields
}

// editEpisodes renames an episode, or takes away one without a file.
func (w *World) editEpisodes(t *title) {
	i := w.random.IntN(len(t.parts))
	if len(t.parts) > 1 && !slices.ContainsFunc(t.files, func(f *file) bool { return slices.Contains(f.parts, t.parts[i]) }) {
		t.parts = slices.Delete(t.parts, i, i+1)
		return
	}
	t.parts[i].name += "!"
}

func (w *World) deleteTitle(a *app, t *title) {
	e := w.tell(a, t, sdk.TypeMediaDeleted, nil)
	e.FilesDeleted = w.random.IntN(2) == 0
	a.titles = slices.DeleteFunc(a.titles, func(o *title) bool { return o == t })
}

func pick[T any](w *World, of []T) T { return of[w.random.IntN(len(of))] }
