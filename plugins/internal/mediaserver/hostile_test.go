package mediaserver

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

// libraries is a server that has some, and nothing else.
type libraries struct {
	Server

	all   []Library
	items []Item
}

func (l libraries) Libraries(context.Context) ([]Library, error)   { return l.all, nil }
func (l libraries) Scan(context.Context, Scan) error               { return nil }
func (l libraries) Find(context.Context, Query) ([]Item, error)    { return l.items, nil }
func (l libraries) List(context.Context, string) ([]string, error) { return []string{"x"}, nil }

func targetOf(t *testing.T, s Server) *Target {
	t.Helper()
	target, err := New(sdk.Env{Instance: "plex", HTTP: new(sdk.HTTP)}, s, Options{Kind: "plex", Name: "Plex"}, Config{})
	require.NoError(t, err)
	return target
}

// A folder that is in one of those that are in another belongs to the outermost.
func TestFoldersInFoldersInFolders(t *testing.T) {
	t.Parallel()
	tv := &Library{ID: "tv"}
	at := func(folder string) change {
		return change{Change: Change{Path: folder + "/a.mkv"}, library: tv, folder: folder}
	}
	folders := foldersOf([]change{at("/tv/Show/Season 1"), at("/tv/Show"), at("/tv/Show/Season 1/Extras"), at("/tv/Show/Season 1/Extras/More")})
	require.Len(t, folders, 1)
	require.Equal(t, "/tv/Show", folders[0].path)
	require.Len(t, folders[0].changes, 4)
}

// What is remembered of each folder has to fit into a receipt, or all are scanned again with
// every question.
func TestFoldersOfAReceipt(t *testing.T) {
	t.Parallel()
	tv := &Library{ID: "tv", Roots: []string{"/tv", "/tv2"}}
	var changes []change
	for i := range 50_000 {
		folder := fmt.Sprintf("/tv%s/%d", []string{"", "2"}[i%2], i)
		changes = append(changes, change{Change: Change{Path: folder + "/a.mkv"}, library: tv, folder: folder})
	}
	folders := foldersOf(changes)
	require.Len(t, folders, 2)
	require.Equal(t, "/tv", folders[0].path)
	require.Len(t, folders[0].changes, 25_000)
	s := stateOf(nil, folders)
	require.Less(t, len(s.encode()), 4<<10)
}

// An event of 16 MiB may name so many files, each in a folder of its own.
func TestManyFolders(t *testing.T) {
	t.Parallel()
	const n = 50_000
	gone := event(sdk.TypeFileDeleted, func(e *sdk.Event) {
		for i := range n {
			e.DeletedFiles = append(e.DeletedFiles, sdk.File{Path: fmt.Sprintf("/tv/%d/a", i)})
		}
	})
	came := event(sdk.TypeMediaImported, func(e *sdk.Event) {
		for i := range n {
			e.Files = append(e.Files, sdk.File{Path: fmt.Sprintf("/tv/%d/b", i)})
		}
	})
	target := targetOf(t, libraries{all: []Library{{ID: "tv", Roots: []string{"/tv"}}}})
	r, err := target.Verify(t.Context(), sdk.Delivery{ID: "d", Events: []sdk.Event{gone, came}, Accepted: &sdk.Receipt{}, Final: true})
	require.ErrorContains(t, err, "Plex has 0 of 50000 files")
	require.Len(t, r.Events, 1)
}

// No path of a file is so long. To look at all folders that it is in takes the square of its
// length.
func TestPathsThatAreNone(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("/a", 1<<20)
	e := event(sdk.TypeMediaImported, func(e *sdk.Event) { e.Files = files("/tv"+long, "/tv/Show/a.mkv") })
	require.Equal(t, []string{"+/tv/Show/a.mkv"}, asked(read([]sdk.Event{e}, mapped(t))))
	e = event(sdk.TypeMediaDeleted, func(e *sdk.Event) { e.FilesDeleted, e.Media.Path = true, "/tv"+long })
	require.Equal(t, []string{"Show"}, read([]sdk.Event{e}, mapped(t)).pathless)
	e = event(sdk.TypeFileRenamed, func(e *sdk.Event) { e.RenamedFiles = []sdk.Rename{{From: "/tv/a", To: "/tv" + long}} })
	w := read([]sdk.Event{e}, mapped(t))
	require.Empty(t, w.changes)
	require.Equal(t, []string{"Show"}, w.pathless)

	_, ok := NewPathSet("/tv").Match("/tv" + long)
	require.False(t, ok)

	target := targetOf(t, libraries{all: []Library{{ID: "tv", Roots: []string{"/tv" + long, "/tv"}}}})
	libs, err := target.libraries(t.Context(), false)
	require.NoError(t, err)
	require.Equal(t, []string{"/tv"}, libs[0].Roots)
}

func TestTooManyLibraries(t *testing.T) {
	t.Parallel()
	_, err := targetOf(t, libraries{all: make([]Library, 1_000_000)}).libraries(t.Context(), false)
	require.ErrorContains(t, err, "more than 2000 libraries")
}

// What a server says of each file is not all kept: the notes of 100,000 files are no use.
func TestNotesAreFew(t *testing.T) {
	t.Parallel()
	var p proof
	for i := range 1000 {
		p.note(strconv.Itoa(i))
	}
	require.Len(t, p.notes, maxNotes)
}

func TestListingsAreBounded(t *testing.T) {
	t.Parallel()
	s := targetOf(t, manyNames{}).look()
	for i := range 6 {
		_, err := s.list(t.Context(), fmt.Sprintf("/tv/%d", i))
		require.NoError(t, err)
	}
	held := 0
	for _, l := range s.seen {
		held += len(l.in)
	}
	require.LessOrEqual(t, held, maxNames)
}

type manyNames struct{ libraries }

func (manyNames) List(context.Context, string) ([]string, error) {
	names := make([]string, 100_000)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names, nil
}

// Empty items take two bytes of an answer, and hundreds of memory.
func TestAnswersOfTooManyValues(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"objects": "[" + strings.Repeat("{},", 2_000_000) + "{}]",
		"nulls":   "[" + strings.Repeat("null,", 2_000_000) + "null]",
		"lists":   strings.Repeat("[", 2_000_000),
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		t.Cleanup(server.Close)
		h := new(sdk.HTTP)
		h.LimitBody(maxAnswer)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
		require.NoError(t, err)
		var into []struct{ A, B, C string }
		require.ErrorContains(t, JSON(h, req, nil, &into, ""), "more than 1000000 values", name)
		require.Empty(t, into)
	}
	require.False(t, countsMore([]byte(`["a,b,c","d\",[,{,e"]`), 2), "what is in texts does not count")
	require.True(t, countsMore([]byte(`["\\",1,2]`), 2))
}
