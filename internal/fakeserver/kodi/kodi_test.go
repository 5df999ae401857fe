package kodi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakeserver"
	"github.com/hookarr/hookarr/internal/fakeserver/kodi"
)

func setup() (*kodi.Server, *fakeserver.Disk) {
	disk := new(fakeserver.Disk)
	disk.Add("/nas/movies/A (2020)/a.mkv", 7)
	disk.Add("/nas/tv/Show/Season 01/1.mkv", 7)
	return kodi.New(disk, kodi.Config{Username: "kodi", Password: "k", Sources: []kodi.Source{
		{Label: "Movies", Content: kodi.Movies, Path: "smb://nas/movies/", Folder: "/nas/movies"},
		{Label: "Shows", Content: kodi.TVShows, Path: "smb://nas/tv/", Folder: "/nas/tv"},
	}}), disk
}

// call returns the result, or the code of the error.
func call(t *testing.T, s *kodi.Server, method string, params map[string]any) any {
	t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	require.NoError(t, err)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/jsonrpc", bytes.NewReader(body))
	r.SetBasicAuth("kodi", "k")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code, "whatever is wrong")
	var a struct {
		Result any
		Error  *struct{ Code int }
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &a))
	if a.Error != nil {
		return a.Error.Code
	}
	return a.Result
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s, _ := setup()
	require.Equal(t, -32601, call(t, s, "VideoLibrary.Guess", nil))
	require.Equal(t, -32602, call(t, s, "VideoLibrary.Scan", map[string]any{"folder": "x"}))
	require.Equal(t, -32602, call(t, s, "Files.GetDirectory", map[string]any{"directory": "/etc/"}))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/jsonrpc", http.NoBody)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	require.Equal(t, http.StatusUnauthorized, w.Code)
	r.SetBasicAuth("kodi", "k")
	w = httptest.NewRecorder()
	s.ServeHTTP(w, r)
	require.Equal(t, http.StatusUnsupportedMediaType, w.Code)
}

func TestScans(t *testing.T) {
	t.Parallel()
	s, _ := setup()
	scan := func(directory string) {
		require.Equal(t, "OK", call(t, s, "VideoLibrary.Scan", map[string]any{"directory": directory, "showdialogs": false}))
	}
	scan("smb://nas/movies/A (2020)")
	scan("SMB://NAS/movies/A (2020)/")
	require.Empty(t, s.Items(), "no slash, another spelling")
	scan("smb://nas/movies/A (2020)/")
	require.Len(t, s.Items(), 1)

	scan("smb://nas/tv/Show/")
	require.Equal(t, "smb://nas/tv/Show/Season 01/", s.Items()[1].Show, "a new show by itself")

	s, _ = setup()
	s.Configure(func(c *kodi.Config) { c.ScanTime = time.Hour })
	scan("")
	require.Equal(t, map[string]any{"Library.IsScanningVideo": true}, call(t, s, "XBMC.GetInfoBooleans", map[string]any{"booleans": []string{"Library.IsScanningVideo"}}))
	scan("")
	require.Equal(t, 1, s.Stopped(), "the second ends the first")
	require.Empty(t, s.Items())
	require.Equal(t, map[string]any{"Library.IsScanningVideo": false}, call(t, s, "XBMC.GetInfoBooleans", map[string]any{"booleans": []string{"Library.IsScanningVideo"}}))
}

func TestCleaning(t *testing.T) {
	t.Parallel()
	s, disk := setup()
	call(t, s, "VideoLibrary.Scan", nil)
	require.Len(t, s.Items(), 2)
	disk.Remove("/nas/tv/Show")
	disk.Remove("/nas/movies/A (2020)")
	call(t, s, "VideoLibrary.Scan", nil)
	require.Len(t, s.Items(), 2, "a scan forgets nothing")
	clean := func(directory, content string) int {
		call(t, s, "VideoLibrary.Clean", map[string]any{"directory": directory, "content": content, "showdialogs": false})
		return len(s.Items())
	}
	require.Equal(t, 2, clean("smb://nas/tv/", ""), "the content has to be said")
	require.Equal(t, 2, clean("smb://nas/tv/Show/", "tvshows"), "of shows, the whole source alone")
	require.Equal(t, 1, clean("smb://nas/tv/", "tvshows"))
	disk.Unmount("/nas/movies", true)
	require.Equal(t, 1, clean("smb://nas/movies/", "movies"))
	disk.Mount("/nas/movies")
	require.Equal(t, 0, clean("smb://nas/movies/A (2020)/", "movies"))
}
