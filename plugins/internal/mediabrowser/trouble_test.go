package mediabrowser_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakeserver"
	"github.com/hookarr/hookarr/internal/fakeserver/jellyfin"
	"github.com/hookarr/hookarr/plugins/internal/mediabrowser"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// answer is a server or a proxy that answers everything alike.
func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestBadAnswersAreNamedAndClassed(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		for name, tc := range map[string]struct {
			h     http.HandlerFunc
			class sdk.Class
			says  string
		}{
			"a login page with 200": {answer(200, "text/html", "<!DOCTYPE html><title>Log in</title>"), sdk.ClassMisconfigured, "web page"},
			"a login page with 302": {answer(302, "text/html", ""), sdk.ClassMisconfigured, "redirects are not followed"},
			"HTML with 502":         {answer(502, "text/html", "<html>Bad Gateway</html>"), sdk.ClassRetryable, "502"},
			"half of an answer":     {answer(200, "application/json", `{"Items":[`), sdk.ClassRetryable, "not the JSON"},
			"another API":           {answer(200, "application/json", `"ok"`), sdk.ClassRetryable, "not the JSON"},
			"nothing":               {answer(200, "application/json", ""), sdk.ClassRetryable, "not the JSON"},
			"another server":        {answer(404, "text/plain", "404 page not found"), sdk.ClassMisconfigured, "404"},
			"its startup":           {answer(503, "text/html", "<html>starting"), sdk.ClassRetryable, "503"},
			"too many requests":     {answer(429, "text/plain", ""), sdk.ClassThrottled, "429"},
		} {
			b := setup(t, brand, change{})
			events := b.season("Fargo", 0)
			d := delivery(events...)
			b.fake.Instead(tc.h)
			for step, call := range map[string]func() error{
				"deliver": func() error { _, err := b.target.Deliver(t.Context(), d); return err },
				"test":    func() error { _, err := b.target.Test(t.Context(), d); return err },
				"folders": func() error { _, err := b.target.Folders(t.Context(), sdk.FoldersQuery{}); return err },
			} {
				err := call()
				class, _ := sdk.ClassOf(err)
				require.Equal(t, tc.class, class, "%s, %s: %v", name, step, err)
				require.ErrorContains(t, err, tc.says, "%s, %s", name, step)
				require.NotContains(t, err.Error(), key)
			}
			b.fake.Instead(nil)
			receipt, err := b.target.Deliver(t.Context(), d)
			require.NoError(t, err)
			b.fake.Instead(tc.h)
			d.Accepted = &receipt
			_, err = b.target.Verify(t.Context(), d)
			class, _ := sdk.ClassOf(err)
			require.Equal(t, tc.class, class, "%s, verify: %v", name, err)
			b.fake.Instead(nil)
			require.Equal(t, []sdk.Type{sdk.TypeLibraryAvailable}, types(b.proven(t, d)), name)
		}
	})
}

func TestRefusedKeysAreExplained(t *testing.T) {
	t.Parallel()
	jf, emby := mediabrowser.Jellyfin(), mediabrowser.Emby()
	for name, tc := range map[string]struct {
		brand  mediabrowser.Brand
		server func(s *jellyfin.Settings)
		key    sdk.Secret
		says   string
	}{
		"a wrong key":                {jf, nil, "wrong", "Jellyfin 12.0.0 does not know the key"},
		"a user's token":             {jf, nil, "a-user", "no administrator's"},
		"an old Jellyfin":            {jf, func(s *jellyfin.Settings) { s.Version = "10.7.7" }, key, "Jellyfin 10.7.7 is too old"},
		"Emby for Jellyfin":          {jf, func(s *jellyfin.Settings) { s.Emby = true }, key, "use the plugin emby"},
		"a wrong key of Emby":        {emby, nil, "wrong", "Settings, API Keys"},
		"a user's token of Emby":     {emby, nil, "a-user", "no administrator's"},
		"Jellyfin for Emby":          {emby, func(s *jellyfin.Settings) { s.Emby = false }, key, "this is Jellyfin 12.0.0, which since 12 refuses the header X-Emby-Token: use the plugin jellyfin"},
		"Jellyfin 10.11 with no key": {jf, func(s *jellyfin.Settings) { s.Version, s.LegacyAuth = "10.11.4", true }, "wrong", "Jellyfin 10.11.4 does not know the key"},
	} {
		b := setup(t, tc.brand, change{server: tc.server, config: func(c *mediabrowser.Config) { c.APIKey = tc.key }})
		e := episode("Fargo", 2014, 2)
		b.disk.Add(on(e.Files[0].Path), 1)
		for _, call := range []func() (sdk.Receipt, error){
			func() (sdk.Receipt, error) { return b.target.Deliver(t.Context(), delivery(e)) },
			func() (sdk.Receipt, error) { return b.target.Test(t.Context(), delivery(e)) },
		} {
			receipt, err := call()
			class, _ := sdk.ClassOf(err)
			require.Equal(t, sdk.ClassMisconfigured, class, "%s: %v", name, err)
			require.ErrorContains(t, err, tc.says, name)
			require.Contains(t, []int{401, 403}, receipt.Status, name)
		}
	}
}

func TestJellyfin10TakesTheKeyToo(t *testing.T) {
	t.Parallel()
	b := setup(t, mediabrowser.Jellyfin(), change{server: func(s *jellyfin.Settings) { s.Version, s.LegacyAuth = "10.8.13", true }})
	e := episode("Fargo", 2014, 2)
	b.disk.Add(on(e.Files[0].Path), 1)
	b.proven(t, delivery(e))
	b.harmless(t)
}

func TestEmbyMayEndInEmby(t *testing.T) {
	t.Parallel()
	for _, under := range []string{"/emby", "/emby/", "/", "/web/index.html"} {
		b := setup(t, mediabrowser.Emby(), change{config: func(c *mediabrowser.Config) { c.URL += under }})
		e := episode("Fargo", 2014, 2)
		b.disk.Add(on(e.Files[0].Path), 1)
		o := b.proven(t, delivery(e))
		require.NotContains(t, o.Events[0].Library.URL, "index.html/web")
	}
}

func TestARenamedLibraryIsFoundAgain(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{})
		b.proven(t, delivery(b.season("Fargo", 0)...))
		b.fake.Rename("Shows", "Series") // and with it, its id
		events := b.season("Dark", 0)
		o := b.proven(t, delivery(events...))
		require.Equal(t, "Series", o.Events[0].Library.Name)
		b.shows(t, events)

		named := setup(t, brand, change{config: func(c *mediabrowser.Config) { c.Libraries = []string{"Shows"} }})
		named.fake.Rename("Shows", "Series")
		e := episode("Fargo", 2014, 2)
		named.disk.Add(on(e.Files[0].Path), 1)
		_, err := named.target.Deliver(t.Context(), delivery(e))
		class, _ := sdk.ClassOf(err)
		require.Equal(t, sdk.ClassMisconfigured, class)
		require.ErrorContains(t, err, `no library "Shows"`)
		require.ErrorContains(t, err, `"Series"`)
	})
}

// A series that vanished between the look for it and its refresh.
func TestAnIdThatIsGoneIsNoError(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{})
		events := b.season("Fargo", 0)
		d := delivery(events...)
		receipt, err := b.target.Deliver(t.Context(), d)
		require.NoError(t, err)
		require.Eventually(t, b.fake.Idle, time.Minute, time.Millisecond)
		b.fake.Forget("Fargo")
		d.Accepted = &receipt
		b.run(t, d, nil)
		b.shows(t, events)
		require.Equal(t, 1, b.fake.Count("library"))
	})
}

func TestAPathInNoLibraryIsRefused(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{config: func(c *mediabrowser.Config) { c.Map = nil }})
		o := b.run(t, delivery(episode("Fargo", 2014, 2)), nil)
		class, _ := sdk.ClassOf(o.err)
		require.Equal(t, sdk.ClassPermanent, class)
		require.ErrorContains(t, o.err, "if /tv is /data/tv there, map it")
		require.Empty(t, b.fake.Refreshes())
	})
}

func TestWhatIsNeverShownIsMissing(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{})
		e := episode("Fargo", 2014, 2)
		e.Files[0].Path = series + "/Season 01/Fargo - S01E02.iso" // no file of media to the server
		b.disk.Add(on(e.Files[0].Path), 1)
		// After the series, the library is refreshed; then nobody waits any longer.
		o := b.run(t, delivery(e), func() bool { return b.fake.Count("library") > 0 })
		require.ErrorContains(t, o.err, brand.Name+" has 0 of 1 file; not yet: S01E02")
		require.Equal(t, []sdk.Type{sdk.TypeLibraryMissing}, types(o))
	})
}

// The server takes the movie for another, or knows no metadata at all.
func TestAWrongMatchIsFoundByItsPath(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{server: func(s *jellyfin.Settings) {
			s.Identify = func(_ jellyfin.Kind, name string, _ int) map[string]string {
				if name == "Solaris" {
					return map[string]string{"tmdb": "2103"}
				}
				return known(name)
			}
		}})
		e := film("Solyaris", 1972, "", 1)
		e.Media.IDs = map[string]string{"tmdb": "593"}
		e.Media.Path, e.Files[0].Path = "/movies/Solaris (2002)", "/movies/Solaris (2002)/Solaris (2002).mkv"
		b.disk.Add(on(e.Files[0].Path), 1)
		o := b.proven(t, delivery(e))
		require.Equal(t, brand.Name+` takes Solaris (2002).mkv for another title, "Solaris": fix the match there`, o.Fallback)
	})
}

func TestAFileOfASecondVersionIsFound(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{})
		e := film("Dune", 2021, " Remux-2160p", 900)
		b.disk.Add(on(e.Files[0].Path), 900)
		require.Equal(t, []sdk.Type{sdk.TypeLibraryAvailable}, types(b.proven(t, delivery(e))))
	})
}

// Sonarr calls it Castle (2009), the server Castle, of no year.
func TestAYearBehindTheNameIsLeftOut(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{})
		b.disk.Add("/data/tv/Castle/Season 01/Castle - S01E01.mkv", 1)
		b.fake.RefreshAll()
		e := episode("Castle", 2009, 2)
		e.Media.Title, e.Media.Path, e.Files[0].Path = "Castle (2009)", "/tv/Castle", "/tv/Castle/Season 01/Castle - S01E02.mkv"
		b.disk.Add(on(e.Files[0].Path), 1)
		b.proven(t, delivery(e))
		require.Equal(t, []jellyfin.Refresh{{Kind: "item", Type: "Series", Name: "Castle"}}, b.fake.Refreshes())
	})
}

func TestMusicIsARefreshOfTheArtist(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{})
		b.disk.Add("/data/music/Low/Hey What (2021)/01 White Horses.flac", 1)
		b.fake.RefreshAll()
		e := sdk.Event{
			Type: sdk.TypeMediaImported, App: "lidarr", Title: "Low: Double Negative",
			Media:  &sdk.Media{Kind: "artist", Title: "Low", Path: "/music/Low"},
			Albums: []sdk.Album{{Title: "Double Negative"}},
			Files:  []sdk.File{{Path: "/music/Low/Double Negative (2018)/01 Quorum.flac"}, {Path: "/music/Low/Double Negative (2018)/02 Dancing.flac"}},
		}
		for _, f := range e.Files {
			b.disk.Add(on(f.Path), 1)
		}
		require.Equal(t, []sdk.Type{sdk.TypeLibraryAvailable}, types(b.proven(t, delivery(e))))
		require.Equal(t, []jellyfin.Refresh{{Kind: "item", Type: "MusicArtist", Name: "Low"}}, b.fake.Refreshes())
	})
}

func TestWindowsPaths(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		disk := &fakeserver.Disk{}
		disk.Add(`D:\Media\TV\Fargo (2014)\Season 01\Fargo - S01E01.mkv`, 1)
		b := setup(t, brand, change{
			server: func(s *jellyfin.Settings) {
				s.Disk, s.Libraries = disk, []jellyfin.Library{{Name: "TV", Kind: jellyfin.Shows, Locations: []string{`D:\Media\TV`}}}
			},
			config: func(c *mediabrowser.Config) { c.Map = []pathmap.Pair{{From: "/tv", To: `d:\media\tv`}} },
		})
		e := episode("Fargo", 2014, 2)
		disk.Add(`D:\Media\TV\Fargo (2014)\Season 01\Fargo - S01E02.mkv`, 1)
		b.proven(t, delivery(e))
		require.Equal(t, []jellyfin.Refresh{{Kind: "item", Type: "Series", Name: "Fargo"}}, b.fake.Refreshes())
	})
}
