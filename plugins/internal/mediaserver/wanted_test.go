package mediaserver

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

func mapped(t require.TestingT, pairs ...pathmap.Pair) pathmap.Map {
	m, err := pathmap.New(pairs)
	require.NoError(t, err)
	return m
}

// asked writes what is wanted: + for what is to be there, - for what is to be gone, ~ for
// what is gone and not waited for.
func asked(w wanted) []string {
	var all []string
	for _, c := range w.changes {
		sign := "+"
		switch {
		case c.unproven:
			sign = "~"
		case c.Gone:
			sign = "-"
		}
		if c.Folder {
			sign += "/"
		}
		all = append(all, sign+c.Path)
	}
	return all
}

func event(t sdk.Type, change func(*sdk.Event)) sdk.Event {
	e := sdk.Event{
		ID: "1", Source: "sonarr", Type: t, Title: "Show",
		Media: &sdk.Media{Kind: "series", Title: "Show", Path: "/tv/Show"},
	}
	change(&e)
	return e
}

func files(paths ...string) []sdk.File {
	var all []sdk.File
	for _, p := range paths {
		all = append(all, sdk.File{Path: p})
	}
	return all
}

func TestRead(t *testing.T) {
	t.Parallel()
	importing := func(paths ...string) sdk.Event {
		return event(sdk.TypeMediaImported, func(e *sdk.Event) { e.Files = files(paths...) })
	}
	deleting := func(paths ...string) sdk.Event {
		return event(sdk.TypeFileDeleted, func(e *sdk.Event) { e.DeletedFiles = files(paths...) })
	}
	for name, c := range map[string]struct {
		events []sdk.Event
		want   []string
	}{
		"an import": {[]sdk.Event{importing("/tv/Show/a.mkv")}, []string{"+/tv/Show/a.mkv"}},
		"an import and the end of all": {
			[]sdk.Event{importing("/tv/Show/a.mkv"), event(sdk.TypeImportCompleted, func(e *sdk.Event) { e.Files = files("/tv/Show/a.mkv", "/tv/Show/b.mkv") })},
			[]string{"+/tv/Show/a.mkv", "+/tv/Show/b.mkv"},
		},
		"a relative path": {
			[]sdk.Event{event(sdk.TypeMediaImported, func(e *sdk.Event) { e.Files = []sdk.File{{RelativePath: "Season 1/a.mkv"}} })},
			[]string{"+/tv/Show/Season 1/a.mkv"},
		},
		"a folder alone":         {[]sdk.Event{event(sdk.TypeMediaImported, func(*sdk.Event) {})}, []string{"+//tv/Show"}},
		"imported and then gone": {[]sdk.Event{importing("/tv/Show/a.mkv"), deleting("/tv/Show/a.mkv")}, []string{"-/tv/Show/a.mkv"}},
		"gone and then imported": {[]sdk.Event{deleting("/tv/Show/a.mkv"), importing("/tv/Show/a.mkv")}, []string{"+/tv/Show/a.mkv"}},
		"gone for an upgrade":    {[]sdk.Event{event(sdk.TypeFileDeletedForUpgrade, func(e *sdk.Event) { e.DeletedFiles = files("/tv/Show/a.mkv") })}, nil},
		"a rename":               {[]sdk.Event{event(sdk.TypeFileRenamed, func(e *sdk.Event) { e.RenamedFiles = []sdk.Rename{{From: "/tv/a", To: "/tv/b"}} })}, []string{"-/tv/a", "+/tv/b"}},
		"a rename to the same":   {[]sdk.Event{event(sdk.TypeFileRenamed, func(e *sdk.Event) { e.RenamedFiles = []sdk.Rename{{From: "/tv/a", To: "/tv/a"}} })}, []string{"+/tv/a"}},
		"a rename there and back": {[]sdk.Event{event(sdk.TypeFileRenamed, func(e *sdk.Event) {
			e.RenamedFiles = []sdk.Rename{{From: "/tv/a", To: "/tv/b"}, {From: "/tv/b", To: "/tv/a"}}
		})}, []string{"+/tv/a", "-/tv/b"}},
		"an upgrade":              {[]sdk.Event{event(sdk.TypeMediaUpgraded, func(e *sdk.Event) { e.Files, e.DeletedFiles = files("/tv/Show/b.mkv"), files("/tv/Show/a.mkv") })}, []string{"+/tv/Show/b.mkv", "~/tv/Show/a.mkv"}},
		"an upgrade in its place": {[]sdk.Event{event(sdk.TypeMediaUpgraded, func(e *sdk.Event) { e.Files, e.DeletedFiles = files("/tv/Show/a.mkv"), files("/tv/Show/a.mkv") })}, []string{"+/tv/Show/a.mkv"}},
		"imported and upgraded":   {[]sdk.Event{importing("/tv/Show/a.mkv"), event(sdk.TypeMediaUpgraded, func(e *sdk.Event) { e.Files, e.DeletedFiles = files("/tv/Show/b.mkv"), files("/tv/Show/a.mkv") })}, []string{"~/tv/Show/a.mkv", "+/tv/Show/b.mkv"}},
		"a title with its files":  {[]sdk.Event{event(sdk.TypeMediaDeleted, func(e *sdk.Event) { e.FilesDeleted = true })}, []string{"-//tv/Show"}},
		"a title without them":    {[]sdk.Event{event(sdk.TypeMediaDeleted, func(e *sdk.Event) { e.FilesKept, e.DeletedFiles = true, files("/tv/Show/a.mkv") })}, nil},
		"an album and not its artist": {[]sdk.Event{event(sdk.TypeMediaDeleted, func(e *sdk.Event) {
			e.FilesDeleted, e.Media.Kind, e.Media.Path = true, "artist", "/music/Radiohead"
			e.Albums, e.DeletedFiles = []sdk.Album{{Title: "Kid A"}}, files("/music/Radiohead/Kid A/1.flac")
		})}, []string{"-/music/Radiohead/Kid A/1.flac"}},
		"a book and not its author": {[]sdk.Event{event(sdk.TypeMediaDeleted, func(e *sdk.Event) {
			e.FilesDeleted, e.Media.Kind, e.Media.Path = true, "book", "/books/Sanderson"
		})}, nil},
		"a change of metadata": {[]sdk.Event{event(sdk.TypeMediaUpdated, func(e *sdk.Event) { e.Files = files("/tv/Show/a.mkv") })}, nil},
		"what a server told":   {[]sdk.Event{event(sdk.TypeLibraryAvailable, func(e *sdk.Event) { e.Files = files("/tv/Show/a.mkv") })}, nil},
	} {
		require.Equal(t, c.want, asked(read(c.events, pathmap.Map{})), name)
	}
}

func TestReadMapsPathsBySource(t *testing.T) {
	t.Parallel()
	m := mapped(t, pathmap.Pair{From: "/tv", To: `D:\TV`}, pathmap.Pair{From: "/tv", To: `\\nas\4k`, Source: "sonarr-4k"})
	e := event(sdk.TypeMediaImported, func(e *sdk.Event) { e.Files = files("/tv/Show/Season 1/a.mkv") })
	other := e
	other.Source = "sonarr-4k"
	w := read([]sdk.Event{e, other}, m)
	require.Equal(t, []string{`+D:\TV\Show\Season 1\a.mkv`, `+\\nas\4k\Show\Season 1\a.mkv`}, asked(w))
	require.Equal(t, `D:\TV\Show`, w.titles[0].Path)
	require.Len(t, w.titles, 2)
}

// After any events, what is wanted of a path is what the last that spoke of it says.
func TestTheLastWordCounts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		disk := map[string]bool{}
		var events []sdk.Event
		name := func(label string) string {
			return "/tv/Show/" + rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, label) + ".mkv"
		}
		for range rapid.IntRange(1, 12).Draw(t, "events") {
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				p := name("import")
				disk[p] = true
				events = append(events, event(sdk.TypeMediaImported, func(e *sdk.Event) { e.Files = files(p) }))
			case 1:
				p := name("delete")
				disk[p] = false
				events = append(events, event(sdk.TypeFileDeleted, func(e *sdk.Event) { e.DeletedFiles = files(p) }))
			case 2:
				from, to := name("from"), name("to")
				disk[from] = false
				disk[to] = true
				events = append(events, event(sdk.TypeFileRenamed, func(e *sdk.Event) { e.RenamedFiles = []sdk.Rename{{From: from, To: to}} }))
			case 3:
				old, now := name("old"), name("new")
				disk[old] = false
				disk[now] = true
				events = append(events, event(sdk.TypeMediaUpgraded, func(e *sdk.Event) { e.Files, e.DeletedFiles = files(now), files(old) }))
			}
		}
		w := read(events, pathmap.Map{})
		require.Len(t, w.changes, len(disk))
		for _, c := range w.changes {
			require.Equal(t, disk[c.Path], !c.Gone, c.Path)
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, typ := range sdk.Types() {
		raw, err := json.Marshal(event(typ, func(e *sdk.Event) { e.Files, e.DeletedFiles = files(`C:\a\b`), files("//nas/x", "") }))
		require.NoError(f, err)
		f.Add(raw)
	}
	libs := []Library{{ID: "1", Roots: []string{"/tv", `C:\`, `\\nas\x`, ""}}}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var e sdk.Event
		if json.Unmarshal(raw, &e) != nil {
			return
		}
		w := read([]sdk.Event{e, e}, mapped(t, pathmap.Pair{From: "/tv", To: `D:\TV`}))
		target := &Target{}
		target.placeIn(&w, libs)
		folders := foldersOf(w.changes)
		n := 0
		for _, folder := range folders {
			n += len(folder.changes)
		}
		require.LessOrEqual(t, n, len(w.changes))
		s := stateOf(nil, folders)
		require.Less(t, len(s.encode()), 4096)
	})
}

func TestNearest(t *testing.T) {
	t.Parallel()
	libs := []Library{
		{Name: "Movies", Kinds: []string{"movie"}, Roots: []string{"/data/media/movies"}},
		{Name: "TV", Kinds: []string{"series"}, Roots: []string{"/data/media/tv"}},
		{Name: "Anime", Kinds: []string{"series"}, Roots: []string{"/data/media/anime", `E:\Anime`}},
	}
	for path, want := range map[string][3]string{
		"/mnt/media/tv/Show/a.mkv":  {"TV", "/data/media/tv", "/mnt/media/tv"},
		"/tv/Show/a.mkv":            {"TV", "/data/media/tv", "/tv"},
		`D:\Media\anime\Show\a.mkv`: {"Anime", "/data/media/anime", `D:\Media\anime`},
		"/downloads/a.mkv":          {"", "", ""},
		"/tv":                       {"", "", ""},
	} {
		l, root, from := nearest(libs, Change{Title: Title{Kind: "series"}, Path: path})
		name := ""
		if l != nil {
			name = l.Name
		}
		require.Equal(t, want, [3]string{name, root, from}, path)
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	var changes []change
	lib := &Library{ID: "1"}
	for n := range 1000 {
		changes = append(changes, change{Change: Change{Path: fmt.Sprintf("/movies/%d/a.mkv", n)}, library: lib, folder: fmt.Sprintf("/movies/%d", n)})
	}
	folders := foldersOf(changes)
	require.Len(t, folders, 1000)
	s := stateOf(nil, folders)
	for i := 0; i < 1000; i += 3 {
		s.setSent(i, true)
	}
	s.setSent(9, false)
	s.Asked, s.Again = 100, 100
	raw := s.encode()
	require.Less(t, len(raw), 400, "a receipt's state is 4 KiB at most")
	again := stateOf(&sdk.Receipt{State: raw}, folders)
	require.True(t, again.sent(3))
	require.False(t, again.sent(9))
	require.False(t, again.sent(10))
	require.Equal(t, 100, again.Asked)

	// A map that changed in the meantime makes other folders: nothing of them was sent.
	folders[0].path = "/elsewhere"
	require.False(t, func() bool { s := stateOf(&sdk.Receipt{State: raw}, folders); return s.sent(3) }())
	for _, nonsense := range []string{"", "{", `{"of":1}`, "null", strings.Repeat("9", 100)} {
		s := stateOf(&sdk.Receipt{State: []byte(nonsense)}, folders)
		require.Len(t, s.Sent, 125)
	}
}

func TestFolders(t *testing.T) {
	t.Parallel()
	tv, movies := &Library{ID: "tv"}, &Library{ID: "movies"}
	at := func(l *Library, folder string, gone bool) change {
		return change{Change: Change{Path: folder + "/a.mkv", Gone: gone}, library: l, folder: folder}
	}
	var got []string
	for _, f := range foldersOf([]change{
		at(tv, "/tv/Old/Season 1", true), at(tv, "/tv/Show/Season 1", false), at(tv, "/tv/Show/Season 1/", true), at(tv, "/tv/Show2", false),
		at(movies, "/tv/Show", false), at(tv, "/tv/Deep", true), at(tv, "/tv/Deep/Season 1", false),
		{Change: Change{Path: "/nowhere"}},
	}) {
		got = append(got, fmt.Sprintf("%s %s %d", f.library.ID, f.path, len(f.changes)))
	}
	require.Equal(t, []string{"tv /tv/Show/Season 1 2", "tv /tv/Show2 1", "movies /tv/Show 1", "tv /tv/Deep 2", "tv /tv/Old/Season 1 1"}, got,
		"where something comes is first, and what is in another is part of it")
}

func TestPauses(t *testing.T) {
	t.Parallel()
	r := &run{Target: &Target{options: Options{Pause: time.Second}}}
	var got []time.Duration
	for r.state.Asked = range 6 {
		got = append(got, r.pause())
	}
	require.Equal(t, []time.Duration{1e9, 2e9, 4e9, 8e9, 15e9, 15e9}, got)
	r.state.Asked, r.state.Again = 0, 1000
	require.Equal(t, 15*time.Second, r.pause())
	r.waiting = true
	require.Equal(t, time.Second, r.pause())
}

func TestPathSet(t *testing.T) {
	t.Parallel()
	s := NewPathSet("/tv/Show", "/tv/Show/Season 1/a.mkv", `D:\TV\x.mkv`)
	for path, want := range map[string]string{
		"/tv/Show/Season 1/a.mkv": "/tv/Show/Season 1/a.mkv", "/tv/Show/b.mkv": "/tv/Show", "/tv/Show2/a.mkv": "", "d:/tv/X.MKV": `D:\TV\x.mkv`, "/": "", "relative": "",
	} {
		got, ok := s.Match(path)
		require.Equal(t, want, got, path)
		require.Equal(t, want != "", ok, path)
	}
}
