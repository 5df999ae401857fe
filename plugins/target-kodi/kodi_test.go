package kodi

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakeserver"
	fake "github.com/hookarr/hookarr/internal/fakeserver/kodi"
	"github.com/hookarr/hookarr/plugins/internal/mediaservertest"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

const (
	password = "k0di & password"
	// secret is in the address of a source.
	secret = "nas-passw0rd"
)

// bundle is a target and the Kodi that it has to do with.
type bundle struct {
	disk   *fakeserver.Disk
	kodi   *fake.Server
	server *httptest.Server
	target *plugintest.Target
}

func quick(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	return build(env, c, mediaservertest.Quick(options(c)))
}

func setup(t *testing.T, more map[string]any) *bundle {
	t.Helper()
	b := &bundle{disk: new(fakeserver.Disk)}
	b.kodi = fake.New(b.disk, fake.Config{
		Username: "kodi", Password: password, ScanTime: 15 * time.Millisecond,
		Sources: []fake.Source{
			{Label: "Movies", Content: fake.Movies, Path: "smb://guest:" + secret + "@NAS/Movies/", Folder: "/nas/Movies"},
			{Label: "Shows", Content: fake.TVShows, Path: "nfs://nas/tv/", Folder: "/nas/tv"},
			{Label: "Music", Content: fake.Music, Path: "/storage/music/", Folder: "/nas/music"},
		},
		Titles: map[string]fake.Title{
			"Dune (2024)": {Name: "Dune: Part Two", IDs: map[string]string{"tmdb": "693134"}},
			"Severance":   {Name: "Severance", IDs: map[string]string{"tvdb": "371980"}},
		},
	})
	b.disk.Add("/nas/Movies/Old (1990)/old.mkv", 1)
	b.disk.Add("/nas/tv/Old Show/Season 01/s01e01.mkv", 1)
	b.server = httptest.NewServer(b.kodi)
	t.Cleanup(b.server.Close)
	config := map[string]any{
		"url": b.server.URL, "username": "kodi", "password": password,
		"map": []map[string]string{{"from": "/movies", "to": "smb://NAS/Movies"}, {"from": "/tv", "to": "nfs://nas/tv"}, {"from": "/music", "to": "/storage/music"}},
	}
	maps.Copy(config, more)
	b.target = plugintest.StartTarget(t, info(), quick, config)
	return b
}

func movie() sdk.Media {
	return sdk.Media{Kind: "movie", Title: "Dune: Part Two", Path: "/movies/Dune (2024)", IDs: map[string]string{"tmdb": "693134"}}
}

func series() sdk.Media {
	return sdk.Media{Kind: "series", Title: "Severance", Path: "/tv/Severance", IDs: map[string]string{"tvdb": "371980"}}
}

// arrive puts files on the disk and returns the event of their import.
func (b *bundle) arrive(media sdk.Media, files ...string) sdk.Event {
	var all []string
	for _, f := range files {
		at := media.Path + "/" + f
		all = append(all, at)
		b.disk.Add(onDisk(at), int64(len(at)))
	}
	return mediaservertest.Event(sdk.TypeMediaImported, media, all...)
}

func onDisk(path string) string {
	if len(path) > 7 && path[:8] == "/movies/" {
		return "/nas/Movies/" + path[8:]
	}
	return "/nas" + path
}

func TestAMovie(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	o := mediaservertest.Delivery(t, b.arrive(movie(), "dune.mkv")).Prove(b.target)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Equal(t, []string{"library.available Dune: Part Two"}, mediaservertest.Told(t, o))
	require.Empty(t, o.Receipt.Fallback)
	require.Equal(t, []fake.Call{{Method: "VideoLibrary.Scan", Directory: "smb://guest:" + secret + "@NAS/Movies/Dune (2024)/"}}, b.kodi.Calls(),
		"in the source's own spelling, with a slash at the end")
}

// The scan of one new show would take its season's folder for the show.
func TestANewShowIsScannedWithItsSource(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	o := mediaservertest.Delivery(t, b.arrive(series(), "Season 01/s01e01.mkv", "Season 01/s01e02.mkv")).Prove(b.target)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Equal(t, "nfs://nas/tv/", b.kodi.Calls()[0].Directory)
	require.Empty(t, o.Receipt.Fallback, "it is matched")
	o = mediaservertest.Delivery(t, b.arrive(series(), "Season 02/s02e01.mkv")).Prove(b.target)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Equal(t, "nfs://nas/tv/Severance/", b.kodi.Calls()[1].Directory)
	require.Len(t, b.kodi.Calls(), 2)
	for _, i := range b.kodi.Items() {
		require.NotContains(t, i.Show, "Season")
	}
}

func TestMusic(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	artist := sdk.Media{Kind: "artist", Title: "Radiohead", Path: "/music/Radiohead"}
	o := mediaservertest.Delivery(t, b.arrive(artist, "In Rainbows/01.flac", "In Rainbows/02.flac")).Prove(b.target)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Equal(t, []fake.Call{{Method: "AudioLibrary.Scan", Directory: "/storage/music/Radiohead/In Rainbows/"}}, b.kodi.Calls())
}

// To ask for a scan while one runs would end that one.
func TestNoScanIsEnded(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.kodi.Busy(500 * time.Millisecond)
	d := mediaservertest.Delivery(t, b.arrive(movie(), "dune.mkv"))
	require.Equal(t, sdk.ClassOK, d.Prove(b.target).Class)
	require.Zero(t, b.kodi.Stopped())
	require.Len(t, b.kodi.Calls(), 1)
	require.Contains(t, d.Waits[0], "busy")

	outcomes := make(chan plugintest.Outcome)
	movies := []sdk.Event{b.arrive(movie(), "extra.mkv"), b.arrive(series(), "Season 01/s01e01.mkv")}
	for _, e := range movies {
		go func() { outcomes <- mediaservertest.Delivery(t, e).Prove(b.target) }()
	}
	for range movies {
		require.Equal(t, sdk.ClassOK, (<-outcomes).Class)
	}
	require.Zero(t, b.kodi.Stopped())
}

func TestNobodyIsDisturbed(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.kodi.Configure(func(c *fake.Config) { c.Playing = "video" })
	d := mediaservertest.Delivery(t, b.arrive(movie(), "dune.mkv"))
	o := d.Deliver(b.target)
	require.Equal(t, sdk.ClassThrottled, o.Class)
	require.Equal(t, 2*time.Minute, o.RetryAfter)
	require.Contains(t, o.Message, "watches a video")
	require.Empty(t, b.kodi.Calls())
	b.kodi.Configure(func(c *fake.Config) { c.Playing = "audio" })
	require.Equal(t, sdk.ClassOK, d.Prove(b.target).Class)

	b = setup(t, map[string]any{"while_playing": true})
	b.kodi.Configure(func(c *fake.Config) { c.Playing = "video" })
	require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, b.arrive(movie(), "dune.mkv")).Prove(b.target).Class)
}

// Kodi is off most of the time: the target waits, and no attempt is counted.
func TestKodiIsOff(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	d := mediaservertest.Delivery(t, b.arrive(movie(), "dune.mkv"))
	require.Positive(t, d.Deliver(b.target).Receipt.VerifyAfter)
	b.server.Close()
	for _, o := range []plugintest.Outcome{
		d.Verify(b.target, false),
		mediaservertest.Delivery(t, b.arrive(movie(), "dune.mkv")).Deliver(b.target),
	} {
		require.Equal(t, sdk.ClassThrottled, o.Class, o.Message)
		require.Equal(t, 5*time.Minute, o.RetryAfter)
		require.Contains(t, o.Message, "no answer from Kodi")
	}
}

func TestWhatIsGone(t *testing.T) {
	t.Parallel()
	t.Run("is kept", func(t *testing.T) {
		t.Parallel()
		b := setup(t, nil)
		e := b.arrive(movie(), "dune.mkv")
		require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, e).Prove(b.target).Class)
		b.disk.Remove("/nas/Movies/Dune (2024)")
		o := mediaservertest.Delivery(t, mediaservertest.Event(sdk.TypeMediaDeleted, movie())).Prove(b.target)
		require.Equal(t, sdk.ClassOK, o.Class)
		require.Contains(t, o.Receipt.Fallback, "Kodi keeps what is gone")
		require.Len(t, b.kodi.Calls(), 1)
	})
	t.Run("is cleaned if asked for", func(t *testing.T) {
		t.Parallel()
		b := setup(t, map[string]any{"clean": true})
		for _, e := range []sdk.Event{b.arrive(movie(), "dune.mkv"), b.arrive(series(), "Season 01/s01e01.mkv", "Season 01/s01e02.mkv")} {
			require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, e).Prove(b.target).Class)
		}
		b.disk.Remove("/nas/Movies/Dune (2024)")
		o := mediaservertest.Delivery(t, mediaservertest.Event(sdk.TypeMediaDeleted, movie())).Prove(b.target)
		require.Equal(t, []string{"library.removed Dune: Part Two"}, mediaservertest.Told(t, o))
		b.disk.Remove("/nas/tv/Severance/Season 01/s01e02.mkv")
		o = mediaservertest.Delivery(t, mediaservertest.Event(sdk.TypeFileDeleted, series(), "/tv/Severance/Season 01/s01e02.mkv")).Prove(b.target)
		require.Equal(t, []string{"library.removed Severance"}, mediaservertest.Told(t, o))
		calls := b.kodi.Calls()
		require.Equal(t, []fake.Call{
			{Method: "VideoLibrary.Clean", Directory: "smb://guest:" + secret + "@NAS/Movies/", Content: "movies"},
			{Method: "VideoLibrary.Clean", Directory: "nfs://nas/tv/", Content: "tvshows"},
		}, calls[len(calls)-2:])
	})
	t.Run("of a rename is cleaned after the scan", func(t *testing.T) {
		t.Parallel()
		b := setup(t, map[string]any{"clean": true})
		require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, b.arrive(movie(), "dune.mkv")).Prove(b.target).Class)
		b.disk.Rename("/nas/Movies/Dune (2024)/dune.mkv", "/nas/Movies/Dune (2024)/Dune 2160p.mkv")
		o := mediaservertest.Delivery(t, mediaservertest.Renamed(movie(), "/movies/Dune (2024)/dune.mkv", "/movies/Dune (2024)/Dune 2160p.mkv")).Prove(b.target)
		require.Equal(t, sdk.ClassOK, o.Class, o.Message)
		require.Len(t, b.kodi.Items(), 1)
	})
	t.Run("of music is cleaned with all sources there", func(t *testing.T) {
		t.Parallel()
		b := setup(t, map[string]any{"clean": true})
		b.kodi.Configure(func(c *fake.Config) {
			c.Sources = append(c.Sources, fake.Source{Label: "Live", Content: fake.Music, Path: "/live/", Folder: "/nas/live"})
		})
		b.disk.Add("/nas/live/a.flac", 1)
		artist := sdk.Media{Kind: "artist", Title: "Radiohead", Path: "/music/Radiohead"}
		e := b.arrive(artist, "In Rainbows/01.flac", "In Rainbows/02.flac")
		require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, e).Prove(b.target).Class)
		b.disk.Remove("/nas/music/Radiohead/In Rainbows/02.flac")
		b.disk.Unmount("/nas/live", true)
		d := mediaservertest.Delivery(t, mediaservertest.Event(sdk.TypeFileDeleted, artist, e.Files[1].Path))
		o := d.Deliver(b.target)
		require.Equal(t, sdk.ClassThrottled, o.Class)
		require.Contains(t, o.Message, "/live")
		b.disk.Mount("/nas/live")
		require.Equal(t, []string{"library.removed Radiohead"}, mediaservertest.Told(t, d.Prove(b.target)))
		require.Equal(t, "AudioLibrary.Clean", b.kodi.Calls()[len(b.kodi.Calls())-1].Method)
	})
	t.Run("with its disk is not", func(t *testing.T) {
		t.Parallel()
		b := setup(t, map[string]any{"clean": true, "anchors": []string{"smb://NAS/Movies/.anchor"}})
		b.disk.Add("/nas/Movies/.anchor", 1)
		require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, b.arrive(movie(), "dune.mkv")).Prove(b.target).Class)
		b.disk.Remove("/nas/Movies/Dune (2024)")
		b.disk.Unmount("/nas/Movies", true)
		o := mediaservertest.Delivery(t, mediaservertest.Event(sdk.TypeMediaDeleted, movie())).Deliver(b.target)
		require.Equal(t, sdk.ClassThrottled, o.Class)
		require.Contains(t, o.Message, "anchor")
		require.Len(t, b.kodi.Calls(), 1)
		require.NotEmpty(t, b.kodi.Items())
	})
}

func TestPathInNoLibrary(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	m := movie()
	m.Path = "/films/Dune (2024)"
	o := mediaservertest.Delivery(t, mediaservertest.Event(sdk.TypeMediaImported, m, "/films/Dune (2024)/dune.mkv")).Deliver(b.target)
	require.Equal(t, sdk.ClassPermanent, o.Class)
	require.Contains(t, o.Message, `"Movies" (smb://NAS/Movies)`)
	require.NotContains(t, mediaservertest.Shown(o), secret, "a source's password")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	says := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, body) }
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		more   map[string]any
		class  sdk.Class
		says   string
	}{
		"password":       {more: map[string]any{"password": "wrong"}, class: sdk.ClassMisconfigured, says: "Settings, Services, Control"},
		"right":          {answer: says(`{"jsonrpc":"2.0","id":1,"error":{"code":-32099,"message":"Bad client permission."}}`), class: sdk.ClassMisconfigured, says: "control"},
		"unknown method": {answer: says(`{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found."}}`), class: sdk.ClassMisconfigured, says: "Kodi 19"},
		"failure":        {answer: says(`{"jsonrpc":"2.0","id":1,"error":{"code":-32100,"message":"Failed to execute method."}}`), class: sdk.ClassRetryable, says: "Failed to execute"},
		"other API":      {answer: says(`{}`), class: sdk.ClassMisconfigured, says: "check url"},
		"page":           {answer: says(`<!DOCTYPE html><title>Log in</title>`), class: sdk.ClassMisconfigured, says: "a web page answers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, c.more)
			if c.answer != nil {
				b.kodi.Next(c.answer)
			}
			o := mediaservertest.Delivery(t, b.arrive(movie(), "dune.mkv")).Deliver(b.target)
			require.Equal(t, c.class, o.Class, o.Message)
			require.Contains(t, o.Message, c.says)
			require.NotContains(t, mediaservertest.Shown(o), password)
			require.Empty(t, b.kodi.Calls())
		})
	}
}

func TestTestAndFolders(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, b.arrive(movie(), "dune.mkv")).Prove(b.target).Class)
	require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, b.arrive(series(), "Season 01/s01e01.mkv")).Prove(b.target).Class)
	o, err := b.target.Test(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Contains(t, o.Receipt.Excerpt, "Kodi 21.2")
	require.Len(t, b.kodi.Calls(), 2)
	f, err := b.target.Folders(t.Context(), sdk.FoldersQuery{Titles: []sdk.FolderTitle{
		{Kind: "movie", Title: "Dune: Part Two", IDs: map[string]string{"tmdb": "693134"}},
		{Kind: "series", Title: "Severance", IDs: map[string]string{"tvdb": "371980"}},
		{Kind: "movie", Title: "Dune: Part Two", IDs: map[string]string{"tmdb": "1"}},
	}})
	require.NoError(t, err)
	require.Equal(t, []sdk.Folder{
		{Path: "smb://NAS/Movies", Library: "Movies"},
		{Path: "nfs://nas/tv", Library: "Shows"},
		{Path: "/storage/music", Library: "Music", Kind: "artist", Problem: "not seen by the server"},
	}, f.Roots)
	require.Len(t, f.Titles, 2)
	require.Equal(t, "smb://NAS/Movies/Dune (2024)", f.Titles[0].Path)
	require.Equal(t, "nfs://nas/tv/Severance", f.Titles[1].Path)
}

func TestSpelling(t *testing.T) {
	t.Parallel()
	var s spelling
	require.Equal(t, "smb://nas/a", s.learn("smb://u:p@nas/a/"))
	require.Equal(t, `D:\Movies`, s.learn(`D:\Movies\`))
	require.Equal(t, "smb://u:p@nas/a/b c", s.spell("smb://nas/a/b c/"))
	require.Equal(t, `D:\Movies\x`, s.spell(`d:\movies\x`))

	// A name may be shorter in another case: U+212A is a K of three bytes.
	kelvins := "C:\\\u212a\u212a\u212a\u212a"
	s = nil
	s.learn(kelvins)
	require.Equal(t, kelvins+`\a`, s.spell(`C:\kkkk\a`))
	require.Equal(t, kelvins, s.spell(`C:\kkkk`))
	require.Equal(t, "smb://nas/a/b/c.mkv", s.read("smb://u:p@nas/a/b/c.mkv"))
	require.Equal(t, "smb://nas/other/c.mkv", s.read("smb://u:p@nas/other/c.mkv"))
	require.Equal(t, []string{"smb://nas/a/", "/b/"}, foldersOf("multipath://smb%3a%2f%2fnas%2fa%2f/%2fb%2f/"))
	require.Empty(t, foldersOf("special://videoplaylists/"))
	require.Equal(t, []string{"/a/1.mkv", "/a/2, x.mkv"}, filesOf("stack:///a/1.mkv , /a/2,, x.mkv"))
}

func TestOptions(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	found, err := b.target.Options(t.Context(), "libraries")
	require.NoError(t, err)
	require.Equal(t, []sdk.Option{
		{Value: "Movies", Label: "smb://NAS/Movies"}, {Value: "Shows", Label: "nfs://nas/tv"}, {Value: "Music", Label: "artist in /storage/music"},
	}, found)
}
