package navidrome_test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakeserver"
	"github.com/hookarr/hookarr/internal/fakeserver/navidrome"
)

func setup() (*navidrome.Server, *fakeserver.Disk) {
	disk := new(fakeserver.Disk)
	disk.Add("/music/Artist/Album/Song.flac", 7)
	disk.Add("/music/Artist/Other/Second.flac", 7)
	return navidrome.New(disk, navidrome.Config{
		Version: "0.59.1", Username: "admin", Password: "sesame", Libraries: []navidrome.Library{{ID: 1, Name: "Music", Path: "/music"}},
	}), disk
}

// rest calls a method with a token, as clients do, and returns the answer's content.
func rest(t *testing.T, s *navidrome.Server, method string, params url.Values) map[string]any {
	t.Helper()
	sum := md5.Sum([]byte("sesamesalt"))
	form := url.Values{"u": {"admin"}, "t": {hex.EncodeToString(sum[:])}, "s": {"salt"}, "v": {"1.16.1"}, "c": {"test"}, "f": {"json"}}
	maps.Copy(form, params)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/rest/"+method+".view?"+form.Encode(), http.NoBody))
	require.Equal(t, http.StatusOK, w.Code, "whatever is wrong")
	var a map[string]map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &a), w.Body.String())
	return a["subsonic-response"]
}

func errorOf(answer map[string]any) any {
	e, _ := answer["error"].(map[string]any)
	return e["code"]
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s, _ := setup()
	require.EqualValues(t, 40, errorOf(rest(t, s, "ping", url.Values{"s": {"another"}})))
	require.EqualValues(t, 10, errorOf(rest(t, s, "ping", url.Values{"c": {""}})))
	require.EqualValues(t, 70, errorOf(rest(t, s, "startScan", url.Values{"target": {"9:Artist"}})))
	require.EqualValues(t, 0, errorOf(rest(t, s, "startScan", url.Values{"target": {"Artist"}})))
	s.Configure(func(c *navidrome.Config) { c.NotAdmin = true })
	require.EqualValues(t, 50, errorOf(rest(t, s, "startScan", nil)))
	require.Empty(t, s.Scans())
}

func TestScans(t *testing.T) {
	t.Parallel()
	s, disk := setup()
	s.Busy(time.Hour)
	answer := rest(t, s, "startScan", nil)
	require.Equal(t, "ok", answer["status"], "nobody is told that it was dropped")
	require.Equal(t, 1, s.Dropped())
	s.Busy(0)
	rest(t, s, "startScan", url.Values{"target": {"1:Artist/Album"}})
	require.Len(t, s.Songs(), 1)
	rest(t, s, "startScan", nil)
	require.Len(t, s.Songs(), 2)

	disk.Remove("/music/Artist/Other")
	rest(t, s, "startScan", url.Values{"target": {"1:Artist/Other"}})
	require.Len(t, s.Songs(), 1, "a folder that is gone is a target")
	disk.Unmount("/music", true)
	rest(t, s, "startScan", nil)
	require.Len(t, s.Songs(), 1, "a library that is gone is left as it is")
	s.FailNextScan("no")
	rest(t, s, "startScan", nil)
	require.Equal(t, "no", rest(t, s, "getScanStatus", nil)["scanStatus"].(map[string]any)["error"])
}

func TestPathsAreInvented(t *testing.T) {
	t.Parallel()
	s, _ := setup()
	s.Tag("/music/Artist/Album/Song.flac", navidrome.Song{Title: "T", Album: "A", Artist: "B"})
	rest(t, s, "startScan", nil)
	path := func() any {
		found := rest(t, s, "search3", url.Values{"query": {"t a b"}})["searchResult3"].(map[string]any)["song"].([]any)
		return found[0].(map[string]any)["path"]
	}
	require.Equal(t, "B/A/T.flac", path())
	s.Configure(func(c *navidrome.Config) { c.RealPaths = true })
	require.Equal(t, "/music/Artist/Album/Song.flac", path())
}

func TestPages(t *testing.T) {
	t.Parallel()
	s, _ := setup()
	rest(t, s, "startScan", nil)
	ask := func(method, at, token, body string) (int, string) {
		r := httptest.NewRequestWithContext(t.Context(), method, at, strings.NewReader(body))
		r.Header.Set("X-ND-Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	status, _ := ask(http.MethodPost, "/auth/login", "", `{"username":"admin","password":"wrong"}`)
	require.Equal(t, http.StatusUnauthorized, status)
	_, answer := ask(http.MethodPost, "/auth/login", "", `{"username":"admin","password":"sesame"}`)
	var user struct{ Token string }
	require.NoError(t, json.Unmarshal([]byte(answer), &user))
	status, _ = ask(http.MethodGet, "/api/song", "", "")
	require.Equal(t, http.StatusUnauthorized, status)
	_, answer = ask(http.MethodGet, "/api/song?path=artist/album&_start=0&_end=10", user.Token, "")
	require.Contains(t, answer, `"path":"Artist/Album/Song.flac"`)
	require.NotContains(t, answer, "Second")
	s.Configure(func(c *navidrome.Config) { c.NotAdmin = true })
	status, _ = ask(http.MethodGet, "/api/library", user.Token, "")
	require.Equal(t, http.StatusForbidden, status)
}
