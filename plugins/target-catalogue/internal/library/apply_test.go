package library_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/target-catalogue/internal/library"
	"github.com/hookarr/hookarr/sdk"
)

// history applies events, of which each comes a second after the one before, and returns
// the changes of the last one.
type history struct {
	t     *testing.T
	shelf *library.Memory
	n     int
}

func newHistory(t *testing.T) *history {
	t.Helper()
	return &history{t: t, shelf: &library.Memory{}}
}

func (h *history) apply(e sdk.Event) []string {
	h.t.Helper()
	h.n++
	return h.applyAt(h.n, e)
}

// applyAt applies an event of another time than its turn.
func (h *history) applyAt(n int, e sdk.Event) []string {
	h.t.Helper()
	e.ID, e.Source, e.Time = fmt.Sprintf("event-%03d", n), "source", time.Date(2026, 11, 1, 10, 0, n, 0, time.UTC)
	changes, err := library.Apply(h.t.Context(), h.shelf, e)
	require.NoError(h.t, err)
	var said []string
	for _, c := range changes {
		require.Equal(h.t, e.ID, c.Event)
		line := c.Op + " " + c.Title.Kind + "/" + c.Title.ID
		if c.File != "" {
			line += " " + c.File + " " + c.Path
		}
		if c.OldPath != "" {
			line += " from " + c.OldPath
		}
		if len(c.Fields) > 0 {
			line += " " + strings.Join(c.Fields, ",")
		}
		said = append(said, line)
	}
	return said
}

// held are the keys of what is there.
func (h *history) held() []string {
	var all []string
	for _, t := range h.shelf.Titles() {
		if t.Held {
			all = append(all, t.Kind+"/"+t.ID)
		}
	}
	for _, p := range h.shelf.Parts() {
		if p.Held {
			all = append(all, p.Kind+"/"+p.ID)
		}
	}
	for _, f := range h.shelf.Files() {
		if f.Held {
			all = append(all, "file/"+f.ID+" "+f.Path)
		}
	}
	return all
}

func movie() *sdk.Media { return &sdk.Media{Kind: "movie", ID: "1", Title: "A Film", Path: "/films/a"} }

func artist() *sdk.Media {
	return &sdk.Media{Kind: "artist", ID: "1", Title: "A Band", Poster: "https://img.example/band.jpg"}
}

func TestChangesOfAFile(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	first, second := sdk.File{ID: "7", Path: "/films/a/a.mkv", Quality: "HDTV-720p"}, sdk.File{ID: "8", Path: "/films/a/a.mkv", Quality: "Bluray-1080p"}
	require.Equal(t, []string{"added movie/1"}, h.apply(sdk.Event{Type: sdk.TypeMediaAdded, Media: movie()}))
	require.Equal(t, []string{"file_added movie/1 7 /films/a/a.mkv"}, h.apply(sdk.Event{Type: sdk.TypeMediaImported, Media: movie(), Files: []sdk.File{first}}))
	require.Empty(t, h.applyAt(2, sdk.Event{Type: sdk.TypeMediaImported, Media: movie(), Files: []sdk.File{first}}), "again")
	require.Equal(t, []string{"file_removed movie/1 7 /films/a/a.mkv", "file_added movie/1 8 /films/a/a.mkv"},
		h.apply(sdk.Event{Type: sdk.TypeMediaUpgraded, Media: movie(), Files: []sdk.File{second}, DeletedFiles: []sdk.File{first}}))
	require.Equal(t, []string{"renamed movie/1 8 /films/a/b.mkv from /films/a/a.mkv"}, h.apply(sdk.Event{
		Type: sdk.TypeFileRenamed, Media: movie(), RenamedFiles: []sdk.Rename{{From: "/films/a/a.mkv", To: "/films/a/b.mkv"}},
	}), "by its path")
	require.Equal(t, []string{"file_updated movie/1 8 /films/a/b.mkv edition"}, h.apply(sdk.Event{
		Type: sdk.TypeImportCompleted, Media: movie(), Files: []sdk.File{{ID: "8", Path: "/films/a/b.mkv", Edition: "Uncut"}},
	}))
	require.Equal(t, []string{"updated movie/1 tags"}, h.apply(sdk.Event{
		Type: sdk.TypeMediaUpdated, Media: &sdk.Media{Kind: "movie", ID: "1", Title: "A Film", Tags: []string{"4k"}}, Fields: []string{"tags"},
	}))
	require.Empty(t, h.apply(sdk.Event{Type: sdk.TypeFileRenamed, Media: movie()}), "a webhook without tags says nothing of them")
	require.Equal(t, []string{"updated movie/1 tags"}, h.apply(sdk.Event{Type: sdk.TypeMediaUpdated, Media: movie(), Fields: []string{"media.tags"}}), "no more tags")
	require.Equal(t, []string{"file_removed movie/1 8 /films/a/b.mkv", "removed movie/1"}, h.apply(sdk.Event{Type: sdk.TypeMediaDeleted, Media: movie()}))
	require.Empty(t, h.held())
	require.Empty(t, h.applyAt(2, sdk.Event{Type: sdk.TypeMediaImported, Media: movie(), Files: []sdk.File{{ID: "9", Path: "/films/a/c.mkv"}}}), "too late")
	require.Empty(t, h.held())
	h.apply(sdk.Event{Type: sdk.TypeMediaAdded, Media: movie()})
	require.Equal(t, []string{"movie/1"}, h.held(), "the files are not back")
}

func TestOtherEventsSayNothing(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	file := []sdk.File{{ID: "7", Path: "/films/a/a.mkv"}}
	for _, typ := range append(sdk.Types(), "news.of_tomorrow") {
		e := sdk.Event{Type: typ, Media: movie(), Files: file}
		if !library.Concerns(e) {
			require.Empty(t, h.apply(e), typ)
		}
	}
	require.Empty(t, h.held())
	for _, m := range []*sdk.Media{nil, {Kind: "movie", Title: "No id"}, {ID: "1", Title: "No kind"}} {
		require.Empty(t, h.apply(sdk.Event{Type: sdk.TypeMediaImported, Media: m, Files: file}))
	}
}

// One file can hold two episodes. Which of several files holds which of several episodes is
// not said.
func TestEpisodesOfFiles(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	series := &sdk.Media{Kind: "series", ID: "1", Title: "A Series"}
	episodes := []sdk.Episode{{ID: "1", Season: 1, Number: new(1)}, {ID: "2", Season: 1, Number: new(2)}}
	h.apply(sdk.Event{Type: sdk.TypeMediaImported, Media: series, Episodes: episodes, Files: []sdk.File{{ID: "7", Path: "/a"}}})
	h.apply(sdk.Event{Type: sdk.TypeImportCompleted, Media: series, Episodes: episodes, Files: []sdk.File{{ID: "8", Path: "/b"}, {ID: "9", Path: "/c"}}})
	parts := map[string][]library.Key{}
	for _, f := range h.shelf.Files() {
		parts[f.ID] = f.Parts()
	}
	require.Equal(t, map[string][]library.Key{"7": {{Kind: "episode", ID: "1"}, {Kind: "episode", ID: "2"}}, "8": nil, "9": nil}, parts)
	late := sdk.Event{Type: sdk.TypeMediaImported, Media: series, Episodes: episodes[:1], Files: []sdk.File{{ID: "7", Path: "/a"}}}
	h.applyAt(0, late)
	require.Len(t, h.shelf.Files()[0].Parts(), 2, "what was said before")
	require.Equal(t, []string{"updated series/1 episodes"}, h.apply(sdk.Event{
		Type: sdk.TypeMediaUpdated, Media: series, Episodes: episodes[1:], Fields: []string{"episodes"},
	}), "the first is not listed any more")
	require.NotContains(t, h.held(), "episode/1")
}

func TestAlbums(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	one, two := sdk.Album{ID: "1", Title: "One"}, sdk.Album{ID: "2", Title: "Two"}
	h.apply(sdk.Event{Type: sdk.TypeMediaAdded, Media: artist(), Albums: []sdk.Album{one, two}})
	cover := artist()
	cover.Poster = "https://img.example/cover.jpg"
	h.apply(sdk.Event{Type: sdk.TypeMediaImported, Media: cover, Albums: []sdk.Album{one}, Tracks: []sdk.Track{{ID: "1"}, {ID: "2"}}, Files: []sdk.File{{ID: "7", Path: "/1"}, {ID: "8", Path: "/2"}}})
	h.apply(sdk.Event{Type: sdk.TypeMediaImported, Media: cover, Albums: []sdk.Album{two}, Tracks: []sdk.Track{{ID: "3"}}, Files: []sdk.File{{ID: "9", Path: "/3"}}})
	require.Equal(t, "https://img.example/band.jpg", h.shelf.Titles()[0].Fields.Text("poster"), "not the album's")
	h.apply(sdk.Event{Type: sdk.TypeMediaDeleted, NativeType: "AlbumDelete", Media: artist()})
	require.Len(t, h.held(), 9, "an album that is not named")
	require.Equal(t, []string{"file_removed artist/1 7 /1", "file_removed artist/1 8 /2", "updated artist/1 albums,tracks"},
		h.apply(sdk.Event{Type: sdk.TypeMediaDeleted, NativeType: "AlbumDelete", Media: artist(), Albums: []sdk.Album{one}}))
	require.Equal(t, []string{"artist/1", "album/2", "track/3", "file/9 /3"}, h.held())
	h.apply(sdk.Event{Type: sdk.TypeMediaDeleted, NativeType: "ArtistDelete", Media: artist()})
	require.Empty(t, h.held())
}

// Events of a book do not name its author, whose folder it is in.
func TestBooks(t *testing.T) {
	t.Parallel()
	book := func(id, folder string) *sdk.Media {
		return &sdk.Media{Kind: "book", ID: id, Title: "Book " + id, Path: folder}
	}
	imported := sdk.Event{Type: sdk.TypeMediaImported, Media: book("1", "/books/a"), Files: []sdk.File{{ID: "7", Path: "/books/a/1.epub"}}}
	author := &sdk.Media{Kind: "author", ID: "1", Title: "A Writer", Path: "/books/a"}
	h := newHistory(t)
	h.apply(imported)
	h.apply(sdk.Event{Type: sdk.TypeMediaImported, Media: book("2", "/books/b"), Files: []sdk.File{{ID: "8", Path: "/books/b/2.epub"}}})
	// A rename names the author alone.
	h.apply(sdk.Event{
		Type: sdk.TypeFileRenamed, Media: author, Files: []sdk.File{{ID: "7", Path: "/books/a/one.epub"}},
		RenamedFiles: []sdk.Rename{{From: "/books/a/1.epub", To: "/books/a/one.epub"}},
	})
	require.Equal(t, []string{"author/1", "book/1", "book/2", "file/7 /books/a/one.epub", "file/8 /books/b/2.epub"}, h.held())
	require.Equal(t, library.Key{Kind: "book", ID: "1"}, h.shelf.Files()[0].Title())
	h.apply(sdk.Event{Type: sdk.TypeMediaDeleted, NativeType: "BookDelete", Media: author})
	require.Contains(t, h.held(), "author/1", "a book that is not named")
	h.apply(sdk.Event{Type: sdk.TypeMediaDeleted, NativeType: "AuthorDelete", Media: author})
	require.Equal(t, []string{"book/2", "file/8 /books/b/2.epub"}, h.held())

	late := newHistory(t)
	late.applyAt(9, sdk.Event{Type: sdk.TypeMediaDeleted, NativeType: "AuthorDelete", Media: author})
	late.applyAt(1, imported)
	require.Empty(t, late.held())
	late.applyAt(10, imported)
	require.Len(t, late.held(), 2, "it was added again")
}

// What the decoders make of real webhooks is taken, in any order.
func TestEventsOfDecoders(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../../source-*/testdata/*.golden.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	slices.Reverse(files)
	shelves := map[string]*library.Memory{}
	for i, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		var e sdk.Event
		if json.Unmarshal(data, &e) != nil || e.Type == "" {
			continue // a body that makes no event
		}
		e.ID, e.Source = strconv.Itoa(i), filepath.Base(filepath.Dir(filepath.Dir(name)))
		if shelves[e.Source] == nil {
			shelves[e.Source] = &library.Memory{}
		}
		_, err = library.Apply(t.Context(), shelves[e.Source], e)
		require.NoError(t, err, name)
	}
	for _, source := range []string{"source-radarr", "source-sonarr", "source-lidarr", "source-readarr", "source-whisparr"} {
		require.NotNil(t, shelves[source], source)
		require.NotEmpty(t, shelves[source].Titles(), source)
		require.NotEmpty(t, shelves[source].Files(), source)
	}
}

func TestRank(t *testing.T) {
	t.Parallel()
	worstFirst := []string{"Unknown", "DVD", "HDTV-720p", "WEBRip-720p", "WEBDL-720p", "Bluray-720p", "HDTV-1080p", "Bluray-1080p", "Remux-1080p", "WEBDL-2160p", "Remux-2160p"}
	require.True(t, slices.IsSortedFunc(worstFirst, func(a, b string) int { return int(library.Rank(a) - library.Rank(b)) }))
	require.True(t, slices.IsSortedFunc([]string{"MP3-320", "AAC-VBR", "FLAC", "FLAC 24bit"}, func(a, b string) int { return int(library.Rank(a) - library.Rank(b)) }))
}

func TestSortTitle(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{"The Film": "film", "A  Film": "film", "An": "an", "The": "the", "Theatre": "theatre", "": ""} {
		require.Equal(t, want, library.SortTitle(title), title)
	}
}

// Two files change places in one event, and then the path of one of them is all that is
// known.
func TestFilesThatChangePlaces(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	for id, path := range map[string]string{"7": "/a", "8": "/b"} {
		h.apply(sdk.Event{Type: sdk.TypeMediaImported, Media: movie(), Files: []sdk.File{{ID: id, Path: path}}})
	}
	h.apply(sdk.Event{
		Type: sdk.TypeFileRenamed, Media: movie(), RenamedFiles: []sdk.Rename{{From: "/a", To: "/b"}, {From: "/b", To: "/a"}},
		Files: []sdk.File{{ID: "7", Path: "/b"}, {ID: "8", Path: "/a"}},
	})
	require.Equal(t, []string{"movie/1", "file/7 /b", "file/8 /a"}, h.held())
	h.apply(sdk.Event{Type: sdk.TypeFileRenamed, Media: movie(), RenamedFiles: []sdk.Rename{{From: "/b", To: "/c"}}})
	h.apply(sdk.Event{Type: sdk.TypeFileDeleted, Media: movie(), DeletedFiles: []sdk.File{{Path: "/a"}}})
	require.Equal(t, []string{"movie/1", "file/7 /c"}, h.held())
}

// After a backup was restored, an application gives its row numbers once more.
func TestNumberIsGivenOnceMore(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	former := movie()
	former.Tags, former.IDs = []string{"4k"}, map[string]string{"imdb": "tt1"}
	h.apply(sdk.Event{Type: sdk.TypeMediaAdded, Media: former})
	h.apply(sdk.Event{Type: sdk.TypeMediaDeleted, Media: movie()})
	h.apply(sdk.Event{Type: sdk.TypeMediaAdded, Media: movie()})
	require.Equal(t, []string{"movie/1"}, h.held())
	require.Nil(t, h.shelf.Titles()[0].Fields.Raw("tags"))
	require.Empty(t, h.shelf.Titles()[0].IDs())
}

// A media server that lost a title says nothing of what an application has.
func TestTargetsTellNothingOfALibrary(t *testing.T) {
	t.Parallel()
	e := sdk.Event{Type: sdk.TypeMediaDeleted, Media: &sdk.Media{Kind: "movie", ID: "1"}, Origin: sdk.OriginWebhook}
	require.True(t, library.Concerns(e))
	e.Origin = sdk.OriginTarget
	require.False(t, library.Concerns(e))
}
