package jellyfin_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/hookarr/hookarr/internal/fakeserver"
	"github.com/hookarr/hookarr/internal/fakeserver/jellyfin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "0123456789abcdef0123456789abcdef"

type testBundle struct {
	server *jellyfin.Server
	disk   *fakeserver.Disk
	url    string
	client *http.Client
}

func setup(t *testing.T, change func(s *jellyfin.Settings)) testBundle {
	t.Helper()
	disk := &fakeserver.Disk{}
	disk.Add("/data/tv/Fargo (2014)/Season 1/Fargo S01E01.mkv", 1)
	disk.Add("/data/movies/Dune (2021)/Dune (2021) 1080p.mkv", 1)
	settings := jellyfin.Settings{
		Key: key, UserToken: "user", Disk: disk,
		Libraries: []jellyfin.Library{
			{Name: "Shows", Kind: jellyfin.Shows, Locations: []string{"/data/tv"}},
			{Name: "Movies", Kind: jellyfin.Movies, Locations: []string{"/data/movies"}},
		},
		Identify: func(_ jellyfin.Kind, name string, _ int) map[string]string {
			if name == "Dune" {
				return map[string]string{"tmdb": "438631"}
			}
			return nil
		},
	}
	if change != nil {
		change(&settings)
	}
	server := jellyfin.New(settings)
	web := httptest.NewServer(server)
	t.Cleanup(func() {
		server.Close()
		web.Close()
	})
	server.RefreshAll()
	return testBundle{server, disk, web.URL, web.Client()}
}

func (b testBundle) do(t *testing.T, method, path, body string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.url+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", `MediaBrowser Token="`+key+`"`)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := b.client.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(raw)
}

// items are those that a query finds, by path.
func (b testBundle) items(t *testing.T, query url.Values, header ...string) map[string]map[string]any {
	t.Helper()
	query.Set("Recursive", "true")
	query.Set("Fields", "Path,ProviderIds,MediaSources")
	status, body := b.do(t, http.MethodGet, "/Items?"+query.Encode(), "", header...)
	require.Equal(t, http.StatusOK, status)
	var answer struct{ Items []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	found := map[string]map[string]any{}
	for _, it := range answer.Items {
		found[it["Path"].(string)] = it
	}
	return found
}

func (b testBundle) id(t *testing.T, path string) string {
	t.Helper()
	it := b.items(t, url.Values{})[path]
	require.NotNil(t, it, path)
	return it["Id"].(string)
}

func (b testBundle) idle(t *testing.T) {
	t.Helper()
	require.Eventually(t, b.server.Idle, time.Minute, time.Millisecond)
}

func TestReportsWaitAndMergeIntoTheirParent(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.disk.Add("/data/movies/Heat (1995)/Heat (1995).mkv", 1)
	b.disk.Add("/data/movies/Ran (1985)/Ran (1985).mkv", 1)
	status, _ := b.do(t, http.MethodPost, "/Library/Media/Updated", `{"Updates":[{"Path":"/data/movies/Heat (1995)","UpdateType":"Created"},{"Path":"/data/movies/Ran (1985)"}]}`)
	require.Equal(t, http.StatusNoContent, status)
	require.Empty(t, b.server.Refreshes())
	b.idle(t)
	require.Equal(t, []jellyfin.Refresh{{Kind: "monitor", Type: "Folder", Name: "movies"}}, b.server.Refreshes())
	require.Len(t, b.server.Paths(), 4)
}

func TestReportsOfNothingAreAnswered204(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	for path, want := range map[string]int{"/elsewhere/a.mkv": http.StatusNoContent, "/data/tv/.hidden": http.StatusNoContent, "": http.StatusBadRequest} {
		status, _ := b.do(t, http.MethodPost, "/Library/Media/Updated", `{"Updates":[{"Path":"`+path+`"}]}`)
		require.Equal(t, want, status, path)
	}
	b.idle(t)
	require.Empty(t, b.server.Refreshes())
	require.Equal(t, 2, b.server.Stats().Swallowed)
}

func TestRefreshes(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.disk.Add("/data/tv/Fargo (2014)/Season 1/Fargo S01E02.mkv", 1)
	b.disk.Add("/data/movies/Dune (2021)/Dune (2021) 2160p.mkv", 2)
	refresh := func(id string) int {
		status, _ := b.do(t, http.MethodPost, "/Items/"+id+"/Refresh?metadataRefreshMode=Default", "")
		b.idle(t)
		return status
	}
	require.Equal(t, http.StatusNotFound, refresh("00000000000000000000000000000000"))
	require.Equal(t, http.StatusNoContent, refresh(b.id(t, "/data/tv/Fargo (2014)")))
	require.Contains(t, b.server.Paths(), "/data/tv/Fargo (2014)/Season 1/Fargo S01E02.mkv")

	// The refresh of a movie finds no other file, that of its library does: as a version.
	movie := b.id(t, "/data/movies/Dune (2021)/Dune (2021) 1080p.mkv")
	require.Equal(t, http.StatusNoContent, refresh(movie))
	require.NotContains(t, b.server.Paths(), "/data/movies/Dune (2021)/Dune (2021) 2160p.mkv")
	_, folders := b.do(t, http.MethodGet, "/Library/VirtualFolders", "")
	var libraries []struct{ Name, ItemID string }
	require.NoError(t, json.Unmarshal([]byte(folders), &libraries))
	require.Equal(t, http.StatusNoContent, refresh(libraries[1].ItemID))
	it := b.items(t, url.Values{"ParentId": {libraries[1].ItemID}})["/data/movies/Dune (2021)/Dune (2021) 1080p.mkv"]
	require.Len(t, it["MediaSources"], 2)
	require.Equal(t, map[string]any{"Tmdb": "438631"}, it["ProviderIds"])
	require.Equal(t, 2, b.server.Count("item"))
	require.Equal(t, 1, b.server.Count("library"))
}

func TestWhatIsGoneIsRemovedAndAnEmptyRootIsSkipped(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.disk.Unmount("/data/tv", false)
	b.disk.Remove("/data/movies/Dune (2021)")
	b.disk.Add("/data/movies/Ran (1985)/Ran (1985).mkv", 1)
	status, _ := b.do(t, http.MethodPost, "/Library/Refresh", "")
	require.Equal(t, http.StatusNoContent, status)
	b.idle(t)
	require.Equal(t, []string{"/data/movies/Ran (1985)/Ran (1985).mkv", "/data/tv/Fargo (2014)/Season 1/Fargo S01E01.mkv"}, b.server.Paths())
	require.Equal(t, []string{"Dune"}, b.server.Stats().Removed)
}

func TestRestartsAndBusyServersLose(t *testing.T) {
	t.Parallel()
	b := setup(t, func(s *jellyfin.Settings) { s.RefreshTime = 200 * time.Millisecond })
	series := b.id(t, "/data/tv/Fargo (2014)")
	b.server.LoseBusy(true)
	for range 2 {
		status, _ := b.do(t, http.MethodPost, "/Items/"+series+"/Refresh", "")
		require.Equal(t, http.StatusNoContent, status)
	}
	require.True(t, b.server.Refreshes()[1].Lost)
	b.server.Stop()
	resp, err := b.client.Get(b.url + "/System/Info/Public")
	if err == nil {
		_ = resp.Body.Close()
	}
	require.Error(t, err)
	b.server.Starting()
	status, _ := b.do(t, http.MethodGet, "/System/Info/Public", "")
	require.Equal(t, http.StatusServiceUnavailable, status)
	b.server.Start()
	b.idle(t)
	status, _ = b.do(t, http.MethodGet, "/System/Info", "")
	require.Equal(t, http.StatusOK, status)
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	old := func(s *jellyfin.Settings) { s.Version, s.LegacyAuth = "10.11.4", true }
	emby := func(s *jellyfin.Settings) { s.Emby = true }
	for name, tc := range map[string]struct {
		change func(*jellyfin.Settings)
		header string
		value  string
		path   string
		want   int
	}{
		"token":                {nil, "Authorization", `MediaBrowser Token="` + key + `"`, "/Library/VirtualFolders", 200},
		"legacy header in 12":  {nil, "X-Emby-Token", key, "/Library/VirtualFolders", 401},
		"legacy query in 12":   {nil, "X-No", "", "/Library/VirtualFolders?api_key=" + key, 401},
		"legacy header in 10":  {old, "X-Emby-Token", key, "/Library/VirtualFolders", 200},
		"ancient":              {func(s *jellyfin.Settings) { s.Version = "10.7.7" }, "Authorization", `MediaBrowser Token="` + key + `"`, "/Library/VirtualFolders", 401},
		"user reads":           {nil, "Authorization", `MediaBrowser Token="user"`, "/System/Info", 200},
		"user is no admin":     {nil, "Authorization", `MediaBrowser Token="user"`, "/Library/VirtualFolders", 403},
		"user reports":         {nil, "Authorization", `MediaBrowser Token="user"`, "/Environment/DirectoryContents?path=/data", 403},
		"emby":                 {emby, "X-Emby-Token", key, "/emby/Library/VirtualFolders/Query", 200},
		"emby knows no other":  {emby, "Authorization", `MediaBrowser Token="` + key + `"`, "/System/Info", 401},
		"nothing":              {nil, "Authorization", "", "/System/Info", 401},
		"nothing but a folder": {nil, "Authorization", `MediaBrowser Token="` + key + `"`, "/Environment/DirectoryContents?path=/no", 404},
	} {
		b := setup(t, tc.change)
		status, _ := b.do(t, http.MethodGet, tc.path, "", "Authorization", "", tc.header, tc.value)
		require.Equal(t, tc.want, status, name)
	}
}

func TestEmbyFindsByPathAndIDs(t *testing.T) {
	t.Parallel()
	const file = "/data/movies/Dune (2021)/Dune (2021) 1080p.mkv"
	for _, emby := range []bool{true, false} {
		b := setup(t, func(s *jellyfin.Settings) { s.Emby = emby })
		want := map[bool]int{true: 1, false: 4}[emby]
		require.Len(t, b.items(t, url.Values{"Path": {file}}, "X-Emby-Token", key), want)
		require.Len(t, b.items(t, url.Values{"AnyProviderIdEquals": {"imdb.tt1,tmdb.438631"}}, "X-Emby-Token", key), want)
		require.Len(t, b.items(t, url.Values{"SearchTerm": {"dune"}, "Years": {"2021"}}, "X-Emby-Token", key), 1)
	}
}
