package audiobookshelf_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakeserver"
	"github.com/hookarr/hookarr/internal/fakeserver/audiobookshelf"
)

func setup() (*audiobookshelf.Server, *fakeserver.Disk) {
	disk := new(fakeserver.Disk)
	disk.Add("/books/Author/Book/1.mp3", 7)
	disk.Add("/books/Author/Book/2.mp3", 7)
	disk.Add("/books/single.m4b", 7)
	return audiobookshelf.New(disk, audiobookshelf.Config{
		Version: "2.36.0", Token: "k", Libraries: []audiobookshelf.Library{{ID: "l", Name: "Books", Kind: "book", Folders: []string{"/books"}}},
	}), disk
}

func ask(t *testing.T, s *audiobookshelf.Server, method, at, token, body string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, at, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestScans(t *testing.T) {
	t.Parallel()
	busy, _ := setup()
	busy.Busy("l", time.Hour)
	status, _ := ask(t, busy, http.MethodPost, "/api/libraries/l/scan", "k", "")
	require.Equal(t, http.StatusOK, status, "nobody is told that it was dropped")
	require.Equal(t, 1, busy.Dropped())
	_, tasks := ask(t, busy, http.MethodGet, "/api/tasks", "k", "")
	require.Contains(t, tasks, `"action":"library-scan"`)

	s, disk := setup()
	_, _ = ask(t, s, http.MethodPost, "/api/libraries/l/scan", "k", "")
	items := s.Items()
	require.Len(t, items, 2)
	require.Equal(t, "/books/Author/Book", items[0].Path)
	require.Len(t, items[0].Files, 2)
	require.True(t, items[1].IsFile)
	disk.Unmount("/books", false)
	_, _ = ask(t, s, http.MethodPost, "/api/libraries/l/scan", "k", "")
	require.True(t, s.Items()[0].Missing, "a disk that is gone looks like a deletion")

	status, _ = ask(t, s, http.MethodPost, "/api/libraries/x/scan", "k", "")
	require.Equal(t, http.StatusNotFound, status)
	status, _ = ask(t, s, http.MethodPost, "/api/libraries/l/scan", "wrong", "")
	require.Equal(t, http.StatusUnauthorized, status)
	s.Configure(func(c *audiobookshelf.Config) { c.NotAdmin = true })
	status, _ = ask(t, s, http.MethodPost, "/api/libraries/l/scan", "k", "")
	require.Equal(t, http.StatusForbidden, status)
}

func TestTheWatcherSaysYes(t *testing.T) {
	t.Parallel()
	s, _ := setup()
	report := func(path string) int {
		status, _ := ask(t, s, http.MethodPost, "/api/watcher/update", "k", `{"libraryId":"l","type":"add","path":"`+path+`"}`)
		return status
	}
	require.Equal(t, http.StatusOK, report("/elsewhere/x.mp3"))
	require.Empty(t, s.Items())
	s.Configure(func(c *audiobookshelf.Config) { c.NoWatcher = true })
	require.Equal(t, http.StatusOK, report("/books/Author/Book/1.mp3"))
	require.Empty(t, s.Items())
	s.Configure(func(c *audiobookshelf.Config) { c.NoWatcher = false })
	require.Equal(t, http.StatusOK, report("/books/Author/Book/1.mp3"))
	require.Len(t, s.Items(), 1)
	require.Equal(t, http.StatusBadRequest, report(""))
}

func TestPathExists(t *testing.T) {
	t.Parallel()
	s, disk := setup()
	exists := func() string {
		_, answer := ask(t, s, http.MethodPost, "/api/filesystem/pathexists", "k", `{"folderPath":"/books","directory":"Author/Book/3.mp3"}`)
		return strings.TrimSpace(answer)
	}
	require.JSONEq(t, `{"exists":false}`, exists())
	_, _ = ask(t, s, http.MethodPost, "/api/libraries/l/scan", "k", "")
	require.JSONEq(t, `{"exists":true,"libraryItemTitle":"Book"}`, exists(), "the book is there, and not the file")
	disk.Add("/books/Author/Book/3.mp3", 1)
	require.JSONEq(t, `{"exists":true}`, exists())
	status, _ := ask(t, s, http.MethodPost, "/api/filesystem/pathexists", "k", `{"folderPath":"/","directory":"etc"}`)
	require.Equal(t, http.StatusNotFound, status)
	status, _ = ask(t, s, http.MethodGet, "/api/filesystem?path=/nothing", "k", "")
	require.Equal(t, http.StatusBadRequest, status)
}
