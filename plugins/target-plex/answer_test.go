package plex

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakeserver/plex"
	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

func TestNoLibrary(t *testing.T) {
	t.Parallel()
	b := start(t, nil, map[string]any{"map": nil})
	o := b.deliver(b.delivery(imported(1, 1)))
	require.Equal(t, sdk.ClassPermanent, o.Class, "it will not come by waiting")
	require.Equal(t, `no library of Plex has /tv/Severance (2022)/Season 01/Severance - S01E01 WEBDL-1080p.mkv: it has "TV Shows" (/data/tv), "Movies" (/data/movies); `+
		"nearest is \"TV Shows\": if /tv is /data/tv there, map it; `hookarr paths plugintest` proposes the map", o.Message)
	require.Empty(t, b.plex.Scans())

	// One that its owner adds is found without a restart.
	b.plex.AddSection(plex.Shows, "More Shows", "/tv")
	b.disk.Add("/tv/Severance (2022)/Season 01/Severance - S01E01 WEBDL-1080p.mkv", 1)
	time.Sleep(5 * time.Millisecond)
	require.Equal(t, "More Shows", b.told(b.proven(imported(1, 1)))[0].Library.Name)
}

func TestSectionsOfTheWrongKind(t *testing.T) {
	t.Parallel()
	b := start(t, func(s *plex.Server) { s.AddSection(plex.Movies, "Everything", "/data") }, map[string]any{"libraries": []string{"Everything"}})
	o := b.deliver(b.delivery(imported(1, 1)))
	require.Equal(t, sdk.ClassPermanent, o.Class)
	require.Contains(t, o.Message, `library "Everything" has the folder and is not for what is called series`)
}

func TestALibraryThatIsRenamed(t *testing.T) {
	t.Parallel()
	b := start(t, nil, map[string]any{"libraries": []string{"TV Shows"}})
	b.proven(b.season(1, 1)...)
	b.plex.RenameSection(b.shows, "Series")
	time.Sleep(5 * time.Millisecond)
	outcome, err := b.target.Test(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassMisconfigured, outcome.Class)
	require.Contains(t, outcome.Message, `Plex has no library "TV Shows"; it has "Series" (/data/tv), "Movies" (/data/movies): change libraries`)
}

func TestALibraryThatIsGone(t *testing.T) {
	t.Parallel()
	b := start(t, nil, nil)
	b.proven(b.season(1, 1)...)
	events := b.season(2, 1)
	b.plex.RemoveSection(b.shows)
	again := b.plex.AddSection(plex.Shows, "TV again", "/data/tv")
	d := b.delivery(events...)
	o := b.deliver(d)
	if o.Class == sdk.ClassRetryable {
		o = b.deliver(d)
	}
	o, _ = b.prove(d, o)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	scans := b.plex.Scans()
	require.Equal(t, again, scans[len(scans)-1].Section)
}

func TestMethodsOfScans(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			b := start(t, func(s *plex.Server) { s.ScanMethod = method }, nil)
			b.proven(b.season(1, 1)...)
			b.proven(b.season(2, 1)...)
			refused := 0
			for _, r := range b.plex.Requests() {
				if strings.Contains(r, "/refresh") && !strings.HasPrefix(r, method) {
					refused++
				}
			}
			require.LessOrEqual(t, refused, 1, "what it takes is remembered")
		})
	}
}

func TestNamesThatNeedEscapes(t *testing.T) {
	t.Parallel()
	b := start(t, nil, nil)
	const folder = "/movies/Tom & Jerry + 100% #1 ñ; a=b? (2021)"
	b.disk.Add(onDisk(folder)+"/Tom & Jerry.mkv", 1)
	b.proven(sdk.Event{
		ID: "1", Source: "radarr", Type: sdk.TypeMediaImported, Title: "Tom & Jerry (2021)",
		Media: &sdk.Media{Kind: "movie", Title: "Tom & Jerry + 100% #1 ñ; a=b?", Year: 2021, Path: folder},
		Files: []sdk.File{{Path: folder + "/Tom & Jerry.mkv"}},
	})
	require.Equal(t, map[string]int{onDisk(folder): 1}, b.plex.ScansOf())
}

func TestWithoutBrowse(t *testing.T) {
	t.Parallel()
	b := start(t, func(s *plex.Server) { s.NoBrowse = true }, nil)
	b.proven(b.season(1, 3)...)
	b.disk.Remove(onDisk(episodeFile(1, 2, "WEBDL-1080p")))
	b.proven(deleted(1, 2))
	require.Len(t, b.plex.Files(), 4)
}

func TestBadAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil  func(b *bench)
		config map[string]any
		class  sdk.Class
		says   string
	}{
		"a proxy's login page": {
			spoil: func(b *bench) { b.plex.ShowPage("<!DOCTYPE html><html><form>Log in</form></html>") },
			class: sdk.ClassMisconfigured, says: "a web page answers instead of the API",
		},
		"another program": {
			spoil: func(b *bench) { b.plex.ShowPage("pong") },
			class: sdk.ClassRetryable, says: "is the server too old, or another one?",
		},
		"a wrong token": {config: map[string]any{"token": "wrong"}, class: sdk.ClassMisconfigured, says: "check token"},
		"an old JWT": {
			config: map[string]any{"token": "eyJhbGciOi.eyJpc3Mi.c2ln"}, class: sdk.ClassMisconfigured, says: "the token is a JWT, which ends after 7 days",
		},
		"a guest's token":       {config: map[string]any{"token": "guest-token"}, class: sdk.ClassMisconfigured, says: "403"},
		"a server that is down": {spoil: func(b *bench) { b.plex.Stop() }, class: sdk.ClassRetryable, says: ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, func(s *plex.Server) { s.Guest = "guest-token" }, c.config)
			if c.spoil != nil {
				c.spoil(b)
			}
			o := b.deliver(b.delivery(b.season(1, 1)...))
			require.Equal(t, c.class, o.Class, o.Message)
			require.Contains(t, o.Message, c.says)
			require.Empty(t, b.plex.Scans())
			o, err := b.target.Test(t.Context(), nil)
			require.NoError(t, err)
			require.Equal(t, c.class, o.Class, o.Message)
		})
	}
}

// A server that is starting may have no libraries yet.
func TestNoLibrariesAtAll(t *testing.T) {
	t.Parallel()
	b := start(t, nil, nil)
	b.plex.RemoveSection(b.shows)
	b.plex.RemoveSection(b.movies)
	d := b.delivery(b.season(1, 1)...)
	o := b.deliver(d)
	require.Equal(t, sdk.ClassRetryable, o.Class, o.Message)
	b.plex.AddSection(plex.Shows, "TV Shows", "/data/tv")
	time.Sleep(5 * time.Millisecond)
	o, _ = b.prove(d, b.deliver(d))
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
}

// A server may answer with more than a page. What is asked for more of is bounded.
func TestPagesOfTooMany(t *testing.T) {
	t.Parallel()
	plex := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"MediaContainer":{"totalSize":1000000,"Metadata":[`+strings.Repeat(`{"ratingKey":"1"},`, 1000)+`{}]}}`)
	}))
	t.Cleanup(plex.Close)
	h := new(sdk.HTTP)
	h.LimitBody(1 << 20)
	found, err := (&server{http: h, base: plex.URL}).titles(t.Context(), mediaserver.Library{ID: "1"}, sdk.FolderTitle{Title: "x"})
	require.NoError(t, err)
	require.Len(t, found, likely)
}
