package plex

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakeserver/plex"
	"github.com/hookarr/hookarr/sdk"
)

func TestAThousandRenames(t *testing.T) {
	t.Parallel()
	b := start(t, nil, nil)
	var moves []sdk.Rename
	for season := 1; season <= 20; season++ {
		for n := 1; n <= 50; n++ {
			from, to := episodeFile(season, n, "WEBDL-1080p"), episodeFile(season, n, "[WEBDL-1080p]")
			b.disk.Add(onDisk(from), 1)
			moves = append(moves, sdk.Rename{From: from, To: to})
		}
	}
	b.plex.ScanAll()
	key := b.plex.Key(onDisk(moves[7].From))
	for _, m := range moves {
		b.disk.Rename(onDisk(m.From), onDisk(m.To))
	}
	e := imported(1, 1)
	e.Type, e.Files, e.Episodes, e.RenamedFiles = sdk.TypeFileRenamed, nil, nil, moves
	o := b.proven(e)
	require.Len(t, b.plex.Scans(), 20, "a scan for each folder")
	for folder, n := range b.plex.ScansOf() {
		require.Equal(t, 1, n, folder)
	}
	require.Equal(t, key, b.plex.Key(onDisk(moves[7].To)), "it is the same episode")
	require.Len(t, b.plex.Files(), 1002)
	require.Empty(t, b.told(o), "another name is no news")
}

// The new place of a file is found before the server notices that the old one is empty:
// else it would be another episode, which nobody has watched.
func TestAMoveKeepsTheEpisode(t *testing.T) {
	t.Parallel()
	b := start(t, nil, nil)
	from, to := "/tv/Severance (2022)/S1/Severance - S01E01.mkv", episodeFile(1, 1, "HDTV")
	b.disk.Add(onDisk(from), 1)
	b.plex.ScanAll()
	key := b.plex.Key(onDisk(from))
	b.disk.Rename(onDisk(from), onDisk(to))
	b.plex.LoseScans(1)
	e := imported(1, 1)
	e.Type, e.Files, e.RenamedFiles = sdk.TypeFileRenamed, nil, []sdk.Rename{{From: from, To: to}}
	b.proven(e)
	require.NotEmpty(t, key)
	require.Equal(t, key, b.plex.Key(onDisk(to)))
	require.Empty(t, b.plex.Key(onDisk(from)))
}

func TestDeletions(t *testing.T) {
	t.Parallel()
	t.Run("a file", func(t *testing.T) {
		t.Parallel()
		b := start(t, nil, nil)
		b.season(1, 3)
		b.plex.ScanAll()
		b.disk.Remove(onDisk(episodeFile(1, 2, "WEBDL-1080p")))
		told := b.told(b.proven(deleted(1, 2)))
		require.Equal(t, map[string]int{"/data/tv/Severance (2022)/Season 01": 1}, b.plex.ScansOf())
		require.Len(t, b.plex.Files(), 4)
		require.Len(t, told, 1)
		require.Equal(t, sdk.TypeLibraryRemoved, told[0].Type)
		require.Equal(t, "series:5:file:2", told[0].CorrelationKey)
		require.Equal(t, "Severance S01E02 is gone from Plex", told[0].Summary)
	})
	t.Run("the last file of a season", func(t *testing.T) {
		t.Parallel()
		b := start(t, nil, nil)
		b.season(1, 1)
		b.season(2, 1)
		b.plex.ScanAll()
		b.disk.Remove("/data/tv/Severance (2022)/Season 02")
		b.proven(deleted(2, 1))
		require.Equal(t, map[string]int{"/data/tv/Severance (2022)": 1}, b.plex.ScansOf(), "the nearest folder that is there")
		require.Len(t, b.plex.Files(), 3)
	})
	t.Run("a series", func(t *testing.T) {
		t.Parallel()
		b := start(t, nil, nil)
		b.season(1, 3)
		b.plex.ScanAll()
		b.disk.Remove("/data/tv/Severance (2022)")
		e := deleted(1, 1)
		e.Type, e.FilesDeleted, e.DeletedFiles, e.Episodes, e.Title = sdk.TypeMediaDeleted, true, nil, nil, "Severance (2022)"
		told := b.told(b.proven(e))
		require.Equal(t, map[string]int{"/data/tv": 1}, b.plex.ScansOf(), "its folder was in the library's root")
		require.Equal(t, sdk.TypeLibraryRemoved, told[0].Type)
		require.Len(t, b.plex.Files(), 2)
	})
	t.Run("a series whose files were kept", func(t *testing.T) {
		t.Parallel()
		b := start(t, nil, nil)
		e := deleted(1, 1)
		e.Type, e.FilesKept, e.DeletedFiles = sdk.TypeMediaDeleted, true, nil
		require.Empty(t, b.told(b.proven(e)))
		require.Empty(t, b.plex.Scans())
	})
	t.Run("a movie under another name", func(t *testing.T) {
		t.Parallel()
		b := start(t, nil, nil)
		b.plex.Know("/data/movies/Film (2020)", "Something Else", nil)
		b.disk.Add("/data/movies/Film (2020)/Film.mkv", 1)
		b.plex.ScanAll()
		e := sdk.Event{
			ID: "1", Source: "radarr", Type: sdk.TypeFileDeleted, Title: "Film (2020)", CorrelationKey: "movie:1",
			Media:        &sdk.Media{Kind: "movie", Title: "Film", Year: 2020, Path: "/movies/Film (2020)"},
			DeletedFiles: []sdk.File{{Path: "/movies/Film (2020)/Film.mkv"}},
		}
		b.disk.Remove("/data/movies/Film (2020)/Film.mkv")
		b.plex.LoseScans(1)
		d := b.delivery(e)
		o := b.deliver(d)
		time.Sleep(50 * time.Millisecond)
		o = b.verify(d, o, false)
		require.Positive(t, o.Receipt.VerifyAfter, "it is there, and not found by its name")
		require.Contains(t, o.Receipt.Waits, "Plex still has what is gone: Film.mkv")
		o, _ = b.prove(d, o)
		require.Equal(t, sdk.ClassOK, o.Class, o.Message)
		require.Empty(t, b.plex.Key("/data/movies/Film (2020)/Film.mkv"))
	})
	t.Run("kept in the trash", func(t *testing.T) {
		t.Parallel()
		b := start(t, func(s *plex.Server) { s.KeepTrash = true }, nil)
		b.season(1, 3)
		b.plex.ScanAll()
		b.disk.Remove(onDisk(episodeFile(1, 2, "WEBDL-1080p")))
		b.proven(deleted(1, 2))
		require.Zero(t, b.plex.Emptied())
		require.NotEmpty(t, b.plex.Key(onDisk(episodeFile(1, 2, "WEBDL-1080p"))), "it stays in the trash")
	})
}

func TestAnUpgradeNeverRemovesTheItem(t *testing.T) {
	t.Parallel()
	b := start(t, nil, nil)
	b.season(1, 3)
	b.plex.ScanAll()
	up := upgraded(1, 2)
	key := b.plex.Key(onDisk(up.DeletedFiles[0].Path))
	require.NotEmpty(t, key)
	// The application deletes the old file, tells it, and puts the new one there.
	b.disk.Remove(onDisk(up.DeletedFiles[0].Path))
	old := deleted(1, 2)
	old.Type, old.DeleteReason = sdk.TypeFileDeletedForUpgrade, "upgrade"
	o := b.deliver(b.delivery(old))
	require.Equal(t, sdk.ClassOK, o.Class)
	require.Zero(t, o.Receipt.VerifyAfter, "nothing is to be done")
	require.Empty(t, b.plex.Scans())

	d := b.delivery(old, up)
	o = b.deliver(d)
	for range 20 {
		o = b.verify(d, o, false)
		require.Empty(t, b.plex.Scans(), "the new file is not there yet: a scan would remove the episode")
	}
	b.disk.Add(onDisk(up.Files[0].Path), 5000)
	o, _ = b.prove(d, o)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Len(t, b.plex.Scans(), 1)
	require.Equal(t, key, b.plex.Key(onDisk(up.Files[0].Path)), "who watched the episode is still known")
	told := b.told(o)
	require.Len(t, told, 1)
	require.Equal(t, sdk.TypeLibraryAvailable, told[0].Type)
}

// The server has the path already: only the size says which file it is.
func TestAnUpgradeAtTheSamePath(t *testing.T) {
	t.Parallel()
	b := start(t, nil, nil)
	b.season(1, 1)
	b.plex.ScanAll()
	up := upgraded(1, 1)
	up.Files[0].Path = up.DeletedFiles[0].Path
	b.disk.Add(onDisk(up.Files[0].Path), 5000)
	b.plex.LoseScans(1)
	d := b.delivery(up)
	first := b.deliver(d)
	o := b.verify(d, first, false)
	require.Positive(t, o.Receipt.VerifyAfter, "it is the old file that is shown")
	o, _ = b.prove(d, o)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Len(t, b.plex.Scans(), 2)
}

func TestAnotherTitle(t *testing.T) {
	t.Parallel()
	b := start(t, nil, nil)
	b.plex.Know("/data/movies/Dune (2021)", "Dune", map[string]string{"tmdb": "841", "imdb": "tt0087182"})
	b.disk.Add("/data/movies/Dune (2021)/Dune.mkv", 1)
	o := b.proven(sdk.Event{
		ID: "1", Source: "radarr", Type: sdk.TypeMediaImported, Title: "Dune (2021)", CorrelationKey: "download:D",
		Media: &sdk.Media{Kind: "movie", Title: "Dune", Year: 2021, Path: "/movies/Dune (2021)", IDs: map[string]string{"tmdb": "438631"}},
		Files: []sdk.File{{Path: "/movies/Dune (2021)/Dune.mkv"}},
	})
	require.Equal(t, `Plex takes Dune.mkv for another title, "Dune": fix the match there`, o.Receipt.Fallback)
	require.Equal(t, sdk.TypeLibraryAvailable, b.told(o)[0].Type, "it can be watched")
}
