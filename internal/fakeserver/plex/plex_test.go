package plex_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/hookarr/hookarr/internal/fakeserver"
	"github.com/hookarr/hookarr/internal/fakeserver/plex"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type bench struct {
	*testing.T
	*plex.Server
	url string
}

func start(t *testing.T, s *plex.Server) *bench {
	t.Helper()
	s.Disk = &fakeserver.Disk{}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.Close()
		s.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return &bench{t, s, server.URL}
}

// ask returns the status, and of JSON the container.
func (b *bench) ask(method, path string, header ...string) (status int, body string, container map[string]any) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, b.url+path, http.NoBody)
	require.NoError(b, err)
	r.Header.Set("X-Plex-Token", plex.Token)
	r.Header.Set("Accept", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	require.NoError(b, err)
	raw, err := io.ReadAll(resp.Body)
	require.NoError(b, err)
	require.NoError(b, resp.Body.Close())
	var all struct{ MediaContainer map[string]any }
	_ = json.Unmarshal(raw, &all)
	return resp.StatusCode, string(raw), all.MediaContainer
}

func (b *bench) scan(section, folder string) {
	b.Helper()
	status, body, _ := b.ask(http.MethodGet, "/library/sections/"+section+"/refresh?path="+url.QueryEscape(folder))
	require.Equal(b, http.StatusOK, status)
	require.Empty(b, body, "nothing is said of what becomes of it")
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	b := start(t, &plex.Server{Guest: "guest", ScanMethod: http.MethodGet})
	key := b.AddSection(plex.Shows, "TV", "/tv")
	for _, c := range []struct {
		method, path string
		header       []string
		want         int
	}{
		{http.MethodGet, "/identity", []string{"X-Plex-Token", ""}, http.StatusOK},
		{http.MethodGet, "/library/sections", []string{"X-Plex-Token", ""}, http.StatusUnauthorized},
		{http.MethodGet, "/library/sections", []string{"X-Plex-Token", "guest"}, http.StatusOK},
		{http.MethodGet, "/services/browse", []string{"X-Plex-Token", "guest"}, http.StatusForbidden},
		{http.MethodPut, "/library/sections/" + key + "/refresh", nil, http.StatusNotFound},
		{http.MethodPost, "/library/sections/" + key + "/refresh", nil, http.StatusNotFound},
		{http.MethodGet, "/library/sections/99/refresh", nil, http.StatusNotFound},
		{http.MethodGet, "/library/metadata/99", nil, http.StatusNotFound},
	} {
		status, _, _ := b.ask(c.method, c.path, c.header...)
		require.Equal(t, c.want, status, "%s %s", c.method, c.path)
	}
	_, body, _ := b.ask(http.MethodGet, "/library/sections", "Accept", "*/*")
	require.Contains(t, body, "<?xml", "JSON is for those who ask for it")
}

func TestScans(t *testing.T) {
	t.Parallel()
	b := start(t, &plex.Server{Takes: 50 * time.Millisecond})
	key := b.AddSection(plex.Shows, "TV", "/tv")
	b.Disk.Add("/tv/Show/Season 1/Show S01E01.mkv", 1)
	b.Disk.Add("/tv/Show/Season 2/Show S02E01.mkv", 1)
	b.scan(key, "/tv/Show/Season 1")
	b.scan(key, "/tv/Show/Season 2")
	require.Empty(t, b.Files(), "it takes its time")
	require.Eventually(t, func() bool { return len(b.Files()) == 1 }, time.Minute, time.Millisecond)
	scans := b.Scans()
	require.True(t, scans[0].Done)
	require.True(t, scans[1].Lost, "it came while another was made")

	_, _, c := b.ask(http.MethodGet, "/library/sections/"+key+"/all?type=4&X-Plex-Container-Size=1")
	require.EqualValues(t, 1, c["totalSize"])
	b.Disk.Remove("/tv/Show/Season 1")
	b.scan(key, "/tv/Show/Season 1")
	require.Eventually(t, func() bool { return b.Scans()[2].Done }, time.Minute, time.Millisecond)
	require.Len(t, b.Files(), 1, "of a folder that is not there nothing is noticed")
	b.scan(key, "/tv/Show")
	require.Eventually(t, func() bool { return b.Scans()[3].Done }, time.Minute, time.Millisecond)
	require.Equal(t, []string{"/tv/Show/Season 2/Show S02E01.mkv"}, b.Files())
}

func TestTrash(t *testing.T) {
	t.Parallel()
	b := start(t, &plex.Server{KeepTrash: true})
	key := b.AddSection(plex.Movies, "Movies", "/movies")
	b.Disk.Add("/movies/Film (2020)/Film.mkv", 1)
	b.Disk.Add("/movies/Other (2020)/Other.mkv", 1)
	b.ScanAll()
	b.Disk.Remove("/movies/Film (2020)")
	b.ScanAll()
	require.Equal(t, []string{"/movies/Other (2020)/Other.mkv"}, b.Files())
	require.NotEmpty(t, b.Key("/movies/Film (2020)/Film.mkv"), "it is in the trash")
	status, _, _ := b.ask(http.MethodPut, "/library/sections/"+key+"/emptyTrash")
	require.Equal(t, http.StatusOK, status)
	require.Empty(t, b.Key("/movies/Film (2020)/Film.mkv"))
	require.Equal(t, 1, b.Emptied())
}

func TestBrowse(t *testing.T) {
	t.Parallel()
	b := start(t, &plex.Server{})
	b.Disk.Add("/tv/Show/a.mkv", 1)
	list := func(folder string) (int, map[string]any) {
		status, _, c := b.ask(http.MethodGet, "/services/browse/"+base64.StdEncoding.EncodeToString([]byte(folder))+"?includeFiles=1")
		return status, c
	}
	_, c := list("/tv/Show")
	require.EqualValues(t, 1, c["size"])
	status, c := list("/nowhere")
	require.Equal(t, http.StatusOK, status)
	require.EqualValues(t, 0, c["size"], "a folder that is not there looks empty")
}

func TestARestartForgetsScans(t *testing.T) {
	t.Parallel()
	b := start(t, &plex.Server{Takes: 2 * time.Second})
	key := b.AddSection(plex.Movies, "Movies", "/movies")
	b.Disk.Add("/movies/Film (2020)/Film.mkv", 1)
	b.scan(key, "/movies")
	b.Stop()
	b.Start()
	time.Sleep(2500 * time.Millisecond)
	require.Empty(t, b.Files())
	b.scan(key, "/movies")
	require.Eventually(t, func() bool { return len(b.Files()) == 1 }, time.Minute, time.Millisecond)
}
