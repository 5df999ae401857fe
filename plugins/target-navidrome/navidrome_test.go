package navidrome

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
	fake "github.com/hookarr/hookarr/internal/fakeserver/navidrome"
	"github.com/hookarr/hookarr/plugins/internal/mediaservertest"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

const (
	password = "pässword & 100%"
	artistID = "a74b1b7f-71a5-4011-9441-d0b5e4122711"
	albumID  = "6e335887-60ba-38f0-95af-fae7774336bf"
)

// bundle is a target and the Navidrome that it has to do with.
type bundle struct {
	disk      *fakeserver.Disk
	navidrome *fake.Server
	target    *plugintest.Target
}

func quick(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	return build(env, c, mediaservertest.Quick(options()))
}

func setup(t *testing.T, change func(c *fake.Config), more map[string]any) *bundle {
	t.Helper()
	b := &bundle{disk: new(fakeserver.Disk)}
	c := fake.Config{
		Version: "0.59.1", Username: "admin", Password: password, ScanTime: 15 * time.Millisecond,
		Libraries: []fake.Library{{ID: 1, Name: "Music", Path: "/music"}, {ID: 2, Name: "Live", Path: "/live"}},
	}
	if change != nil {
		change(&c)
	}
	b.navidrome = fake.New(b.disk, c)
	server := httptest.NewServer(b.navidrome)
	t.Cleanup(server.Close)
	config := map[string]any{"url": server.URL, "username": "admin", "password": password, "map": []map[string]string{{"from": "/data/music", "to": "/music"}}}
	maps.Copy(config, more)
	b.target = plugintest.StartTarget(t, info(), quick, config)
	return b
}

func artist() sdk.Media {
	return sdk.Media{Kind: "artist", Title: "Radiohead", Path: "/data/music/Radiohead", IDs: map[string]string{"musicbrainz": artistID}}
}

// arrive puts tracks of an album on the disk and returns the event of their import.
func (b *bundle) arrive(titles ...string) sdk.Event {
	var files []string
	for i, title := range titles {
		name := fmt.Sprintf("Radiohead/In Rainbows (2007)/%02d - %s.flac", i+1, title)
		files = append(files, "/data/music/"+name)
		b.disk.Add("/music/"+name, int64(len("/data/music/"+name)))
		b.navidrome.Tag("/music/"+name, fake.Song{Title: title, Artist: "Radiohead", Album: "In Rainbows", AlbumID: albumID, ArtistID: artistID})
	}
	e := mediaservertest.Event(sdk.TypeMediaImported, artist(), files...)
	e.Albums = []sdk.Album{{Title: "In Rainbows", IDs: map[string]string{"musicbrainz": albumID}}}
	return e
}

func TestOneScanAndTheProofByPath(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, nil)
	d := mediaservertest.Delivery(t, b.arrive("15 Step", "Bodysnatchers", "Nude"))
	o := d.Prove(b.target)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Equal(t, []string{"library.available Radiohead"}, mediaservertest.Told(t, o))
	require.Empty(t, o.Receipt.Fallback)
	require.Equal(t, [][]string{{"1:Radiohead/In Rainbows (2007)"}}, b.navidrome.Scans())
	require.Contains(t, d.Waits[0], "Navidrome has 0 of 3 files")
	require.Contains(t, mediaservertest.Events(t, o)[0].URL, "/app/#/album/")
}

// A scan that is asked for while another runs never happens, and the answer is the same.
func TestItWaitsForTheScanOfSomeoneElse(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, nil)
	b.navidrome.Busy(500 * time.Millisecond)
	d := mediaservertest.Delivery(t, b.arrive("15 Step"))
	o := d.Prove(b.target)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Len(t, b.navidrome.Scans(), 1)
	require.Zero(t, b.navidrome.Dropped())
	require.Contains(t, d.Waits[0], "busy with another scan")
}

func TestALostScanIsMadeAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, nil)
	d := mediaservertest.Delivery(t, mediaservertest.Event(sdk.TypeMediaImported, artist(), "/data/music/Radiohead/Kid A/late.flac"))
	require.Positive(t, d.Deliver(b.target).Receipt.VerifyAfter)
	b.navidrome.FailNextScan("database is locked") // for the second one
	require.Eventually(t, func() bool { return d.Verify(b.target, false).Class == sdk.ClassRetryable }, time.Minute, 5*time.Millisecond, "its error is told")
	b.disk.Add("/music/Radiohead/Kid A/late.flac", 1)
	o := d.Prove(b.target)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
}

func TestDeletions(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, nil)
	e := b.arrive("15 Step", "Nude")
	require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, e).Prove(b.target).Class)

	b.disk.Remove("/music/Radiohead/In Rainbows (2007)/01 - 15 Step.flac")
	o := mediaservertest.Delivery(t, mediaservertest.Event(sdk.TypeFileDeleted, artist(), e.Files[0].Path)).Prove(b.target)
	require.Equal(t, []string{"library.removed Radiohead"}, mediaservertest.Told(t, o))
	require.Len(t, b.navidrome.Songs(), 1)

	b.disk.Remove("/music/Radiohead")
	o = mediaservertest.Delivery(t, mediaservertest.Event(sdk.TypeMediaDeleted, artist())).Prove(b.target)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Empty(t, b.navidrome.Songs())
	require.Equal(t, []string{"1:Radiohead"}, b.navidrome.Scans()[2], "not the whole library")
}

func TestARenamedFile(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, nil)
	e := b.arrive("15 Step")
	require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, e).Prove(b.target).Class)
	b.disk.Rename("/music/Radiohead/In Rainbows (2007)/01 - 15 Step.flac", "/music/Radiohead/In Rainbows/01.flac")
	o := mediaservertest.Delivery(t, mediaservertest.Renamed(artist(), e.Files[0].Path, "/data/music/Radiohead/In Rainbows/01.flac")).Prove(b.target)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Len(t, b.navidrome.Songs(), 1)
}

// Versions without targets scan everything, which proves as much.
func TestAnOldVersion(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *fake.Config) { c.NoTargets, c.Version = true, "0.58.0" }, nil)
	require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, b.arrive("15 Step")).Prove(b.target).Class)
	require.Equal(t, [][]string{nil}, b.navidrome.Scans())
}

// With the Subsonic API alone, nobody tells which folders there are.
func TestWithoutTheAPIOfThePages(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(c *fake.Config, e *sdk.Event){
		"by MusicBrainz id": func(*fake.Config, *sdk.Event) {},
		"by name":           func(_ *fake.Config, e *sdk.Event) { e.Albums[0].IDs = nil },
		"by its real path":  func(c *fake.Config, _ *sdk.Event) { c.RealPaths = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(c *fake.Config) { c.NoPages = true }, nil)
			e := b.arrive("15 Step", "Nude")
			b.navidrome.Configure(func(c *fake.Config) { change(c, &e) })
			o := mediaservertest.Delivery(t, e).Prove(b.target)
			require.Equal(t, sdk.ClassOK, o.Class, o.Message)
			require.Equal(t, [][]string{nil}, b.navidrome.Scans(), "everything is scanned, once")
			if name == "by its real path" {
				require.Empty(t, o.Receipt.Fallback)
				return
			}
			require.Contains(t, o.Receipt.Fallback, "not proven by path")
		})
	}
	t.Run("another title is none", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(c *fake.Config) { c.NoPages = true }, nil)
		e := b.arrive("15 Step", "Nude")
		b.disk.Remove("/music/Radiohead/In Rainbows (2007)/02 - Nude.flac")
		d := mediaservertest.Delivery(t, e)
		require.Positive(t, d.Deliver(b.target).Receipt.VerifyAfter)
		require.Eventually(t, func() bool { return len(b.navidrome.Songs()) == 1 }, time.Minute, time.Millisecond)
		o := d.Verify(b.target, true)
		require.Equal(t, sdk.ClassPermanent, o.Class)
		require.Contains(t, o.Message, "02 - Nude.flac")
	})
	t.Run("before the scan nothing counts", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(c *fake.Config) { c.NoPages = true }, nil)
		e := b.arrive("15 Step")
		require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, e).Prove(b.target).Class)
		b.navidrome.Configure(func(c *fake.Config) { c.ScanTime = time.Hour })
		d := mediaservertest.Delivery(t, e)
		require.Positive(t, d.Deliver(b.target).Receipt.VerifyAfter)
		require.Positive(t, d.Verify(b.target, false).Receipt.VerifyAfter, "the song that is there may be the old one")
	})
}

func TestPathInNoLibrary(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, nil)
	o := mediaservertest.Delivery(t, mediaservertest.Event(sdk.TypeMediaImported, artist(), "/elsewhere/music/x.flac")).Deliver(b.target)
	require.Equal(t, sdk.ClassPermanent, o.Class)
	require.Contains(t, o.Message, `"Music" (/music)`)
	require.Empty(t, b.navidrome.Scans())
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	deliver := func(t *testing.T, change func(c *fake.Config), more map[string]any) plugintest.Outcome {
		t.Helper()
		b := setup(t, change, more)
		o := mediaservertest.Delivery(t, b.arrive("15 Step")).Deliver(b.target)
		require.NotContains(t, o.Message, password)
		require.NotContains(t, mediaservertest.Shown(o), password)
		require.NotContains(t, mediaservertest.Shown(o), "p%C3%A4ssword")
		require.Empty(t, b.navidrome.Scans())
		return o
	}
	t.Run("password", func(t *testing.T) {
		t.Parallel()
		o := deliver(t, func(c *fake.Config) { c.Password = "changed" }, nil)
		require.Equal(t, sdk.ClassMisconfigured, o.Class)
		require.Contains(t, o.Message, "error 40 by Navidrome: Wrong username or password: check username and password")
	})
	t.Run("no administrator", func(t *testing.T) {
		t.Parallel()
		o := deliver(t, func(c *fake.Config) { c.NotAdmin = true }, nil)
		require.Equal(t, sdk.ClassMisconfigured, o.Class)
		require.Contains(t, o.Message, "administrator")
	})
	t.Run("no administrator, Subsonic alone", func(t *testing.T) {
		t.Parallel()
		o := deliver(t, func(c *fake.Config) { c.NotAdmin, c.NoPages = true, true }, nil)
		require.Equal(t, sdk.ClassMisconfigured, o.Class)
		require.Contains(t, o.Message, "error 50")
	})
	t.Run("another server", func(t *testing.T) {
		t.Parallel()
		page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprint(w, "<!doctype html><title>Log in</title>")
		}))
		t.Cleanup(page.Close)
		o := deliver(t, nil, map[string]any{"url": page.URL})
		require.Equal(t, sdk.ClassMisconfigured, o.Class)
		require.Contains(t, o.Message, "a web page answers")
	})
	t.Run("no Subsonic", func(t *testing.T) {
		t.Parallel()
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, `{"ok":true}`) }))
		t.Cleanup(other.Close)
		require.Equal(t, sdk.ClassMisconfigured, deliver(t, nil, map[string]any{"url": other.URL}).Class)
	})
	t.Run("nobody", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, sdk.ClassRetryable, deliver(t, nil, map[string]any{"url": "http://127.0.0.1:1"}).Class)
	})
}

func TestTestAndFolders(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, map[string]any{"libraries": []string{"Music"}})
	require.Equal(t, sdk.ClassOK, mediaservertest.Delivery(t, b.arrive("15 Step")).Prove(b.target).Class)
	o, err := b.target.Test(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Contains(t, o.Receipt.Excerpt, "Navidrome 0.59.1")
	require.Len(t, b.navidrome.Scans(), 1)
	f, err := b.target.Folders(t.Context(), sdk.FoldersQuery{Titles: []sdk.FolderTitle{
		{Kind: "artist", Title: "Radiohead", IDs: map[string]string{"musicbrainz": artistID}},
		{Kind: "artist", Title: "Unknown", IDs: map[string]string{"musicbrainz": albumID}},
	}})
	require.NoError(t, err)
	require.Equal(t, []sdk.Folder{{Path: "/music", Library: "Music", Kind: "artist"}}, f.Roots)
	require.Len(t, f.Titles, 1)
	require.Equal(t, "/music/Radiohead", f.Titles[0].Path)
	b.navidrome.Configure(func(c *fake.Config) { c.NotAdmin = true })
	o, err = b.target.Test(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassMisconfigured, o.Class)
	require.Contains(t, o.Message, "administrator")
}

func TestRelative(t *testing.T) {
	t.Parallel()
	require.Equal(t, "A/b.flac", relative("/music/A/b.flac", "/music/"))
	require.Equal(t, "A/b.flac", relative(`d:\Music\A\b.flac`, `D:\music`))
	require.Empty(t, relative("/music", "/music"))
	require.Equal(t, "a/b.flac", relative(`C:\kk\a\b.flac`, "C:\\\u212a\u212a"), "a K of three bytes")
}

// Ids are the server's: no page is anywhere else for them.
func TestPagesOfAlbums(t *testing.T) {
	t.Parallel()
	require.Equal(t, "http://nd/app/#/album/1%2F%0A2/show", (&navidrome{base: "http://nd"}).pageOf("1/\n2"))
}

func TestOptions(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, nil)
	found, err := b.target.Options(t.Context(), "libraries")
	require.NoError(t, err)
	require.Equal(t, []sdk.Option{{Value: "Music", Label: "artist in /music"}, {Value: "Live", Label: "artist in /live"}}, found)
}
