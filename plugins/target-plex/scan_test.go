package plex

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakeserver/plex"
	"github.com/hookarr/hookarr/sdk"
)

func TestASeasonIsOneScan(t *testing.T) {
	t.Parallel()
	b := start(t, func(s *plex.Server) { s.Delay = 5 * time.Millisecond }, nil)
	b.plex.Know("/data/tv/Severance (2022)", "Severance", map[string]string{"tvdb": "371980"})
	events := b.season(2, 48)
	completed := events[0]
	completed.Type, completed.ID, completed.Title, completed.Files = sdk.TypeImportCompleted, "completed", "Severance S02", nil
	for _, e := range events {
		completed.Files = append(completed.Files, e.Files...)
	}
	events = append(events, completed)
	d := b.delivery(events...)
	first := b.deliver(d)
	require.Equal(t, sdk.ClassOK, first.Class, first.Message)
	require.Positive(t, first.Receipt.VerifyAfter, "an answer of 200 proves nothing")
	require.Equal(t, 30*time.Minute, first.Receipt.ProveWithin)
	require.Contains(t, first.Receipt.Waits, "Plex has 0 of 48 files; not yet: S02E01, S02E02, S02E03 and 45 more")
	o, _ := b.prove(d, first)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Equal(t, map[string]int{"/data/tv/Severance (2022)/Season 02": 1}, b.plex.ScansOf(), "one scan, of the season's folder")
	require.Empty(t, o.Receipt.Fallback)

	told := b.told(o)
	require.Len(t, told, 1, "one event for one story")
	e := told[0]
	require.Equal(t, sdk.TypeLibraryAvailable, e.Type)
	require.Equal(t, "download:S02", e.CorrelationKey)
	require.Equal(t, "sonarr", e.Source)
	require.Equal(t, sdk.OriginTarget, e.Origin)
	require.Equal(t, "Severance S02", e.Title)
	require.Equal(t, "Severance S02 is available on Plex", e.Summary)
	require.Len(t, e.Episodes, 48)
	require.Len(t, e.Files, 48)
	require.Equal(t, "TV Shows", e.Library.Name)
	require.Equal(t, "Plex", e.Library.Server)
	require.Equal(t, b.plex.TitleKey(onDisk(events[0].Files[0].Path)), e.Library.ItemID, "the series, of which there are many episodes")
	require.Contains(t, e.Library.URL, "https://app.plex.tv/desktop/#!/server/f0a1b2c3d4/details?key=%2Flibrary%2Fmetadata%2F"+e.Library.ItemID)
	require.Zero(t, b.plex.Emptied(), "the trash is its owner's")
	for _, r := range b.plex.Requests() {
		require.NotContains(t, r, plex.Token, "the token is in no query")
	}
}

// TestASeasonOfManyDownloads is told to the stories of all of them.
func TestASeasonOfManyDownloads(t *testing.T) {
	t.Parallel()
	const n = 150
	b := start(t, nil, nil)
	b.plex.Know("/data/tv/Severance (2022)", "Severance", map[string]string{"tvdb": "371980"})
	events := b.season(2, n)
	for i := range events {
		events[i].CorrelationKey = fmt.Sprint("download:", i)
	}
	d := b.delivery(events...)
	o, _ := b.prove(d, b.deliver(d))
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	keys := map[string]bool{}
	for _, e := range b.told(o) {
		require.Equal(t, sdk.TypeLibraryAvailable, e.Type)
		keys[e.CorrelationKey] = true
	}
	require.Len(t, keys, n)
}

func TestAScanThatIsLostIsSentAgain(t *testing.T) {
	t.Parallel()
	b := start(t, nil, nil)
	b.plex.LoseScans(2)
	events := b.season(1, 3)
	d := b.delivery(events...)
	o, calls := b.prove(d, b.deliver(d))
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Equal(t, map[string]int{"/data/tv/Severance (2022)/Season 01": 3}, b.plex.ScansOf())
	require.Greater(t, calls, 4, "not at once: a scan takes its time")
}

func TestALibraryIsScannedOnceAtATime(t *testing.T) {
	t.Parallel()
	b := start(t, func(s *plex.Server) { s.Takes = 60 * time.Millisecond }, nil)
	events := append(b.season(1, 2), append(b.season(2, 2), b.season(3, 2)...)...)
	b.proven(events...)
	for _, scan := range b.plex.Scans() {
		require.False(t, scan.Lost, "a scan that comes while another is made is lost: %+v", b.plex.Scans())
	}
	require.Len(t, b.plex.Scans(), 3, "one scan a folder")
}

func TestScansOfSeveralDeliveriesTakeTurns(t *testing.T) {
	t.Parallel()
	b := start(t, func(s *plex.Server) { s.Takes = 40 * time.Millisecond }, nil)
	done := make(chan string, 3)
	for season := 1; season <= 3; season++ {
		d := b.delivery(b.season(season, 4)...)
		go func() {
			o, err := b.target.Deliver(t.Context(), d)
			for accepted := o; err == nil && o.Receipt.VerifyAfter > 0; accepted = o {
				time.Sleep(o.Receipt.VerifyAfter)
				o, err = b.target.Verify(t.Context(), d, accepted.Receipt, false)
			}
			done <- fmt.Sprint(o.Class, err)
		}()
	}
	for range 3 {
		require.Equal(t, "ok<nil>", <-done)
	}
	for _, scan := range b.plex.Scans() {
		require.False(t, scan.Lost, "%+v", b.plex.Scans())
	}
}

func TestAFileThatAppearsLate(t *testing.T) {
	t.Parallel()
	b := start(t, nil, nil)
	events := b.season(1, 3)
	late := imported(1, 4)
	d := b.delivery(append(events, late)...)
	o := b.deliver(d)
	for range 3 {
		require.Equal(t, sdk.ClassOK, o.Class)
		require.Empty(t, b.plex.Scans(), "a scan now would miss it")
		require.Contains(t, o.Receipt.Waits, "it does not see "+onDisk(late.Files[0].Path)+" on its disk")
		o = b.verify(d, o, false)
	}
	b.disk.Add(onDisk(late.Files[0].Path), 1000)
	o, _ = b.prove(d, o)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Len(t, b.plex.Scans(), 1)
}

// One file that never comes does not keep the others back for ever.
func TestAFileThatNeverAppears(t *testing.T) {
	t.Parallel()
	b := start(t, nil, nil)
	events := b.season(1, 3)
	d := b.delivery(append(events, imported(1, 4))...)
	o := b.deliver(d)
	require.Eventually(t, func() bool {
		o = b.verify(d, o, false)
		return len(b.plex.Files()) == 5
	}, time.Minute, 10*time.Millisecond)
	o = b.verify(d, o, true)
	require.Equal(t, sdk.ClassPermanent, o.Class)
	require.Contains(t, o.Message, "Plex has 3 of 4 files; not yet: S01E04; it does not see "+onDisk(imported(1, 4).Files[0].Path)+" on its disk: check the mounts and map, `hookarr paths plugintest` proposes one")
	told := b.told(o)
	require.Len(t, told, 2, "what there is, and what is not")
	for _, e := range told {
		require.Equal(t, "download:S01", e.CorrelationKey)
	}
	require.Equal(t, sdk.TypeLibraryAvailable, told[0].Type)
	require.Len(t, told[0].Episodes, 3)
	require.Equal(t, sdk.TypeLibraryMissing, told[1].Type)
	require.Len(t, told[1].Episodes, 1)
	require.Equal(t, "Plex does not show Severance S01E04: S01E04", told[1].Summary)
}

func TestTheServerIsRestarted(t *testing.T) {
	t.Parallel()
	b := start(t, func(s *plex.Server) { s.Takes = time.Hour }, nil)
	d := b.delivery(b.season(1, 3)...)
	first := b.deliver(d)
	require.Equal(t, sdk.ClassOK, first.Class)
	b.plex.Stop()
	o := b.verify(d, first, false)
	require.Equal(t, sdk.ClassRetryable, o.Class, "whoever is down is asked again: %s", o.Message)
	b.plex.Takes = 10 * time.Millisecond
	b.plex.Start()
	o, _ = b.prove(d, first)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Len(t, b.plex.Scans(), 2, "what it had forgotten is asked for again")
}

func TestATokenIsRevokedInTheMiddle(t *testing.T) {
	t.Parallel()
	b := start(t, nil, nil)
	b.plex.LoseScans(1)
	d := b.delivery(b.season(1, 3)...)
	first := b.deliver(d)
	b.plex.SetToken("another")
	o := b.verify(d, first, false)
	require.Equal(t, sdk.ClassMisconfigured, o.Class)
	require.Equal(t, http.StatusUnauthorized, o.Receipt.Status)
	require.Contains(t, o.Message, "check token")
	b.plex.SetToken(plex.Token)
	o, _ = b.prove(d, first)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
}

func TestAMountThatVanishes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		folder string
		with   bool
		config map[string]any
		says   string
	}{
		"the library's folder is empty": {"/data/tv", false, nil, `the folder /data/tv of the library "TV Shows" is empty for Plex`},
		"the library's folder is gone":  {"/data/tv", true, nil, `Plex does not see the folder /data/tv of its library "TV Shows"`},
		"an anchor is gone":             {"/data/.mounted", true, map[string]any{"anchors": []string{"/data/.mounted"}}, "Plex does not see the anchor /data/.mounted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, nil, c.config)
			events := b.season(1, 3)
			before := b.plex.Files()
			b.disk.Unmount(c.folder, c.with)
			for _, event := range []sdk.Event{events[0], deleted(1, 1), upgraded(1, 2)} {
				o := b.deliver(b.delivery(event))
				require.Equal(t, sdk.ClassThrottled, o.Class, o.Message)
				require.Contains(t, o.Message, c.says)
				require.Positive(t, o.RetryAfter, "the whole target waits")
			}
			require.Empty(t, b.plex.Scans(), "nothing is scanned")
			require.Equal(t, before, b.plex.Files(), "nothing is removed")
			b.disk.Mount(c.folder)
			b.proven(events...)
		})
	}
}

// A folder in which a whole shelf of titles was is a disk, and no deletion.
func TestAShelfThatVanishes(t *testing.T) {
	t.Parallel()
	b := start(t, nil, nil)
	e := deleted(1, 1)
	e.Media.Path = "/tv/nas2/Severance (2022)"
	e.DeletedFiles[0].Path = "/tv/nas2/Severance (2022)/Season 01/a.mkv"
	o := b.deliver(b.delivery(e))
	require.Equal(t, sdk.ClassThrottled, o.Class, o.Message)
	require.Contains(t, o.Message, "does not see /data/tv/nas2")
	require.Empty(t, b.plex.Scans())
}

// Nothing is given up for what is on a disk that is gone.
func TestAMountIsGoneAtTheEnd(t *testing.T) {
	t.Parallel()
	b := start(t, func(s *plex.Server) { s.Takes = time.Hour }, nil)
	d := b.delivery(b.season(1, 3)...)
	first := b.deliver(d)
	b.disk.Unmount("/data/tv", false)
	o := b.verify(d, first, true)
	require.Equal(t, sdk.ClassThrottled, o.Class, o.Message)
	b.disk.Mount("/data/tv")
	o = b.verify(d, first, true)
	require.Equal(t, sdk.ClassPermanent, o.Class)
	require.Contains(t, o.Message, "Plex has 0 of 3 files; not yet: S01E01, S01E02, S01E03: it was told to scan /data/tv/Severance (2022)/Season 01")
}

func TestMusic(t *testing.T) {
	t.Parallel()
	b := start(t, nil, nil)
	b.plex.AddSection(plex.Music, "Music", "/data/music")
	e := sdk.Event{
		ID: "1", Source: "lidarr", Type: sdk.TypeMediaImported, Title: "Radiohead - Kid A", CorrelationKey: "download:A",
		Media: &sdk.Media{Kind: "artist", Title: "Radiohead", Path: "/data/music/Radiohead"}, Albums: []sdk.Album{{Title: "Kid A"}},
	}
	for n := range 10 {
		path := fmt.Sprintf("/data/music/Radiohead/Kid A/%02d.flac", n+1)
		b.disk.Add(path, 1)
		e.Files = append(e.Files, sdk.File{Path: path})
	}
	o := b.proven(e)
	require.Equal(t, map[string]int{"/data/music/Radiohead/Kid A": 1}, b.plex.ScansOf())
	require.Equal(t, "Music", b.told(o)[0].Library.Name)
}
