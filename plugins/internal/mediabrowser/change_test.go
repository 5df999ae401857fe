package mediabrowser_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakeserver/jellyfin"
	"github.com/hookarr/hookarr/plugins/internal/mediabrowser"
	"github.com/hookarr/hookarr/sdk"
)

// 1,000 files of 40 series get other names.
func TestRenamesAreRefreshesOfSeries(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{})
		type renamed struct {
			title string
			moves []sdk.Rename
		}
		var all []renamed
		for s := range 40 {
			r := renamed{title: fmt.Sprintf("Show %02d", s)}
			for n := range 25 {
				from := fmt.Sprintf("/tv/%s (2014)/Season 01/%02d.S01E%02d.mkv", r.title, n, n)
				r.moves = append(r.moves, sdk.Rename{From: from, To: fmt.Sprintf("/tv/%s (2014)/Season 01/%s - S01E%02d.mkv", r.title, r.title, n)})
				b.disk.Add(on(from), 1)
			}
			all = append(all, r)
		}
		b.fake.RefreshAll()
		before := len(b.fake.Paths())
		for _, r := range all {
			var events []sdk.Event
			for _, m := range r.moves {
				b.disk.Rename(on(m.From), on(m.To))
				events = append(events, sdk.Event{
					Type: sdk.TypeFileRenamed, Title: r.title, RenamedFiles: []sdk.Rename{m},
					Media: &sdk.Media{Kind: "series", Title: r.title, Year: 2014, Path: "/tv/" + r.title + " (2014)"},
				})
			}
			b.proven(t, delivery(events...))
		}
		require.Equal(t, 40, b.fake.Count("item"))
		require.Zero(t, b.fake.Count("library"))
		after := b.fake.Paths()
		require.Len(t, after, before)
		for _, r := range all {
			for _, m := range r.moves {
				require.Contains(t, after, on(m.To))
			}
		}
		b.harmless(t)
		t.Logf("%s: %d refreshes and %d requests for 1,000 renames", brand.Name, len(b.fake.Refreshes()), requests(b.fake))
	})
}

func requests(f *jellyfin.Server) (n int) {
	for _, c := range f.Stats().Requests {
		n += c
	}
	return n
}

func TestDeletions(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{})
		b.disk.Add(on(series+"/Season 01/Fargo - S01E02.mkv"), 1)
		b.disk.Add("/data/tv/Dark (2017)/Season 01/Dark - S01E01.mkv", 1)
		b.fake.RefreshAll()

		one := episode("Fargo", 2014, 2)
		one.Type, one.DeletedFiles, one.Files = sdk.TypeFileDeleted, one.Files, nil
		b.disk.Remove(on(one.DeletedFiles[0].Path))
		require.Equal(t, []sdk.Type{sdk.TypeLibraryRemoved}, types(b.proven(t, delivery(one))))
		require.Equal(t, []jellyfin.Refresh{{Kind: "item", Type: "Series", Name: "Fargo"}}, b.fake.Refreshes())

		all := sdk.Event{Type: sdk.TypeMediaDeleted, Title: "Fargo", FilesDeleted: true, Media: one.Media}
		b.disk.Remove(on(series))
		require.Equal(t, []sdk.Type{sdk.TypeLibraryRemoved}, types(b.proven(t, delivery(all))))
		require.NotContains(t, b.fake.Paths(), on(series+"/Season 01/Fargo - S01E01.mkv"))
		require.Equal(t, 1, b.fake.Count("library"))

		dune := film("Dune", 2021, " Bluray-1080p", 100)
		b.disk.Remove(on(movie))
		gone := sdk.Event{Type: sdk.TypeMediaDeleted, Title: "Dune", FilesDeleted: true, Media: dune.Media}
		require.Equal(t, []sdk.Type{sdk.TypeLibraryRemoved}, types(b.proven(t, delivery(gone))))
		require.Equal(t, []string{"/data/movies/Heat (1995)/Heat (1995).mkv", "/data/tv/Dark (2017)/Season 01/Dark - S01E01.mkv"}, b.fake.Paths())
		b.harmless(t)

		// What the server lost by itself meanwhile is not looked for.
		before := len(b.fake.Refreshes())
		b.proven(t, delivery(gone))
		require.Len(t, b.fake.Refreshes(), before)
	})
}

// The title stays in the library, whatever the new file is called.
func TestAnUpgradeNeverRemovesTheTitle(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{})
		const old = movie + "/Dune (2021) Bluray-1080p.mkv"
		deleted := sdk.Event{
			Type: sdk.TypeFileDeletedForUpgrade, Title: "Dune", Media: film("Dune", 2021, "", 0).Media, DeletedFiles: []sdk.File{{Path: old}},
		}
		better := film("Dune", 2021, " Bluray-2160p", 900)
		better.Type, better.Upgrade, better.DeletedFiles = sdk.TypeMediaUpgraded, true, []sdk.File{{Path: old, SizeBytes: 100}}
		var missing bool
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
					missing = missing || !slices.ContainsFunc(b.fake.Paths(), func(p string) bool { return p == on(old) || p == on(better.Files[0].Path) })
				}
			}
		}()
		b.disk.Remove(on(old))
		b.disk.AddLater(on(better.Files[0].Path), 900, 200*time.Millisecond)
		b.proven(t, delivery(deleted))
		require.Empty(t, b.fake.Refreshes(), "the new file is not there yet")
		require.Equal(t, []sdk.Type{sdk.TypeLibraryAvailable}, types(b.proven(t, delivery(deleted, better))))
		close(stop)
		<-stopped
		require.False(t, missing)
		require.Equal(t, 1, b.fake.Count("library"))
		require.NotContains(t, b.fake.Paths(), on(old))
	})
}

// A file of the same name is read again, of its item alone.
func TestAnUpgradeInPlaceIsARefreshOfTheMovie(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{})
		better := film("Dune", 2021, " Bluray-1080p", 900)
		better.Type, better.Upgrade, better.DeletedFiles = sdk.TypeMediaUpgraded, true, []sdk.File{{Path: better.Files[0].Path, SizeBytes: 100}}
		b.disk.Add(on(better.Files[0].Path), 900)
		require.Equal(t, []sdk.Type{sdk.TypeLibraryAvailable}, types(b.proven(t, delivery(better))))
		require.Equal(t, []jellyfin.Refresh{{Kind: "item", Type: "Movie", Name: "Dune"}}, b.fake.Refreshes())
		require.Empty(t, b.fake.Stats().Removed)
	})
}

// Its size tells the new file from the old one.
func TestAnEpisodeIsReplacedInPlace(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{})
		better := episode("Fargo", 2014, 1)
		better.Type, better.Upgrade, better.DeletedFiles = sdk.TypeMediaUpgraded, true, slices.Clone(better.Files)
		better.Files[0].SizeBytes = 900
		b.disk.Add(on(better.Files[0].Path), 900)
		b.fake.Lose(1)
		d := delivery(better)
		receipt, err := b.target.Deliver(t.Context(), d)
		require.NoError(t, err)
		require.Eventually(t, b.fake.Idle, time.Minute, time.Millisecond)
		d.Accepted = &receipt
		receipt, err = b.target.Verify(t.Context(), d)
		require.NoError(t, err)
		require.Contains(t, receipt.Waits, "not yet: S01E01", "it is the old file that is shown")
		require.Equal(t, []sdk.Type{sdk.TypeLibraryAvailable}, types(b.proven(t, d)))
		require.Empty(t, b.fake.Stats().Removed)
	})
}

// The first of many refreshes brings what all have waited for.
func TestABacklogOfRenamedMoviesIsOneRefresh(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{})
		var renamed []sdk.Delivery
		for n := range 20 {
			title := fmt.Sprintf("Film %02d", n)
			e := film(title, 1990+n, "", 1)
			from := e.Media.Path + "/" + title + ".avi"
			b.disk.Add(on(from), 1)
			e.Type, e.RenamedFiles, e.Files = sdk.TypeFileRenamed, []sdk.Rename{{From: from, To: e.Files[0].Path}}, nil
			renamed = append(renamed, delivery(e))
		}
		b.fake.RefreshAll()
		for _, d := range renamed {
			b.disk.Rename(on(d.Event.RenamedFiles[0].From), on(d.Event.RenamedFiles[0].To))
		}
		for _, d := range renamed {
			b.proven(t, d)
		}
		require.Equal(t, []jellyfin.Refresh{{Kind: "library", Type: "CollectionFolder", Name: "Movies"}}, b.fake.Refreshes())
		for _, d := range renamed {
			require.Contains(t, b.fake.Paths(), on(d.Event.RenamedFiles[0].To))
		}
		b.harmless(t)
	})
}
