package mediabrowser_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakeserver/jellyfin"
	"github.com/hookarr/hookarr/plugins/internal/mediabrowser"
	"github.com/hookarr/hookarr/sdk"
)

// season returns the events of 48 episodes, and puts their files on the disk after some
// time.
func (b testBundle) season(title string, after time.Duration) []sdk.Event {
	var events []sdk.Event
	for n := range 48 {
		e := episode(title, 2014, n+2)
		b.disk.AddLater(on(e.Files[0].Path), e.Files[0].SizeBytes, after)
		events = append(events, e)
	}
	return events
}

func (b testBundle) shows(t *testing.T, events []sdk.Event) {
	t.Helper()
	paths := b.fake.Paths()
	for _, e := range events {
		for _, f := range e.Files {
			require.Contains(t, paths, on(f.Path))
		}
	}
}

// harmless is what must hold at the end of every test.
func (b testBundle) harmless(t *testing.T) {
	t.Helper()
	stats := b.fake.Stats()
	require.Zero(t, stats.Harmful)
	require.LessOrEqual(t, stats.LargestPage, 200)
	require.Zero(t, b.fake.Count("server"), "everything was refreshed")
	require.Zero(t, stats.Reports, "the monitor was told")
}

func TestASeasonIsOneRefreshOfItsSeries(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{})
		events := b.season("Fargo", 0)
		o := b.proven(t, delivery(events...))
		require.Equal(t, []jellyfin.Refresh{{Kind: "item", Type: "Series", Name: "Fargo"}}, b.fake.Refreshes())
		b.shows(t, events)
		require.Equal(t, []sdk.Type{sdk.TypeLibraryAvailable}, types(o))
		told := o.Events[0]
		require.Equal(t, "download-Fargo", told.CorrelationKey)
		require.Len(t, told.Episodes, 48)
		require.Len(t, told.Files, 48)
		require.Equal(t, "Shows", told.Library.Name)
		require.Equal(t, brand.Name, told.Library.Server)
		require.NotEmpty(t, told.Library.ItemID)
		require.Contains(t, told.Library.URL, told.Library.ItemID)
		require.Empty(t, o.Fallback)
		b.harmless(t)
		t.Logf("%s: asked %d times for the proof, %d items read", brand.Name, o.asked, b.fake.Stats().Shown)
	})
}

func TestANewSeriesIsOneRefreshOfItsLibrary(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{})
		events := b.season("Dark", 0)
		require.Equal(t, []sdk.Type{sdk.TypeLibraryAvailable}, types(b.proven(t, delivery(events...))))
		require.Equal(t, []jellyfin.Refresh{{Kind: "library", Type: "CollectionFolder", Name: "Shows"}}, b.fake.Refreshes())
		b.shows(t, events)
		b.harmless(t)
	})
}

func TestLostRefreshesAreAskedForAgain(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		for name, lose := range map[string]func(f *jellyfin.Server){
			"once":  func(f *jellyfin.Server) { f.Lose(1) },
			"three": func(f *jellyfin.Server) { f.Lose(3) },
		} {
			b := setup(t, brand, change{})
			lose(b.fake)
			events := b.season("Fargo", 0)
			require.Equal(t, []sdk.Type{sdk.TypeLibraryAvailable}, types(b.proven(t, delivery(events...))), name)
			b.shows(t, events)
			b.harmless(t)
		}
	})
}

// A series is not kept waiting by the refresh of its library. Where the server drops the
// request all the same, it is made again.
func TestABusyLibraryKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		for _, lose := range []bool{false, true} {
			b := setup(t, brand, change{server: func(s *jellyfin.Settings) { s.RefreshTime = 150 * time.Millisecond }})
			first := b.season("Dark", 0)
			b.fake.LoseBusy(lose)
			var wg sync.WaitGroup
			wg.Go(func() { b.proven(t, delivery(first...)) })
			require.Eventually(t, func() bool { return b.fake.Count("library") > 0 }, time.Minute, time.Millisecond)
			second := b.season("Fargo", 0)
			d := delivery(second...)
			receipt, err := b.target.Deliver(t.Context(), d)
			require.NoError(t, err)
			require.NotContains(t, receipt.Waits, "busy")
			require.Equal(t, 1, b.fake.Count("item"))
			d.Accepted = &receipt
			require.Equal(t, []sdk.Type{sdk.TypeLibraryAvailable}, types(b.proven(t, d)))
			wg.Wait()
			if !lose { // else the library is refreshed in the place of the series, the third time
				require.Equal(t, 1, b.fake.Count("library"))
			}
			b.shows(t, append(first, second...))
			b.harmless(t)
		}
	})
}

func TestAFileThatComesLateIsWaitedFor(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{})
		events := b.season("Fargo", 300*time.Millisecond)
		d := delivery(events...)
		receipt, err := b.target.Deliver(t.Context(), d)
		require.NoError(t, err)
		require.Contains(t, receipt.Waits, "does not see")
		require.Empty(t, b.fake.Refreshes(), "a refresh would have found nothing")
		o := b.proven(t, d)
		require.Equal(t, []sdk.Type{sdk.TypeLibraryAvailable}, types(o))
		require.Len(t, b.fake.Refreshes(), 1)
		b.shows(t, events)
	})
}

func TestARestartLosesNothing(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{server: func(s *jellyfin.Settings) { s.RefreshTime = 200 * time.Millisecond }})
		events := b.season("Fargo", 0)
		d := delivery(events...)
		receipt, err := b.target.Deliver(t.Context(), d)
		require.NoError(t, err)
		b.fake.Stop()
		d.Accepted = &receipt
		_, err = b.target.Verify(t.Context(), d)
		class, _ := sdk.ClassOf(err)
		require.Equal(t, sdk.ClassRetryable, class)
		b.fake.Starting()
		_, err = b.target.Verify(t.Context(), d)
		class, after := sdk.ClassOf(err)
		require.Equal(t, sdk.ClassThrottled, class)
		require.Equal(t, 5*time.Second, after)
		b.fake.Start()
		require.Equal(t, []sdk.Type{sdk.TypeLibraryAvailable}, types(b.proven(t, d)))
		b.shows(t, events)
	})
}

func TestAKeyThatIsTakenBackHoldsTheTarget(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{})
		events := b.season("Fargo", 0)
		d := delivery(events...)
		receipt, err := b.target.Deliver(t.Context(), d)
		require.NoError(t, err)
		b.fake.SetKey("another")
		d.Accepted = &receipt
		refused, err := b.target.Verify(t.Context(), d)
		class, _ := sdk.ClassOf(err)
		require.Equal(t, sdk.ClassMisconfigured, class)
		require.Equal(t, 401, refused.Status)
		require.ErrorContains(t, err, "api_key")
		require.NotContains(t, err.Error(), key)
		if brand.Kind == "jellyfin" {
			require.ErrorContains(t, err, "a proxy in between takes the header Authorization away")
		}
		b.fake.SetKey(key)
		require.Equal(t, []sdk.Type{sdk.TypeLibraryAvailable}, types(b.proven(t, d)))
	})
}

func TestADiskThatIsGoneIsLeftAlone(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		for name, tc := range map[string]struct {
			anchor string
			mount  string
			whole  bool
		}{
			"an empty root":          {"", "/data/tv", false},
			"no root":                {"", "/data", true},
			"an anchor, root filled": {"/data/tv/.mounted", "/data/tv", false},
		} {
			b := setup(t, brand, change{config: func(c *mediabrowser.Config) {
				if tc.anchor != "" {
					c.Anchors = []string{tc.anchor}
				}
			}})
			if tc.anchor != "" {
				b.disk.Add(tc.anchor, 0)
			}
			events := b.season("Fargo", 0)
			gone := sdk.Event{
				Type: sdk.TypeFileDeleted, Title: "Fargo S01E01", Media: events[0].Media,
				DeletedFiles: []sdk.File{{Path: series + "/Season 01/Fargo - S01E01.mkv"}},
			}
			b.disk.Unmount(tc.mount, tc.whole)
			for _, d := range []sdk.Delivery{delivery(events...), delivery(gone)} {
				_, err := b.target.Deliver(t.Context(), d)
				class, _ := sdk.ClassOf(err)
				require.Equal(t, sdk.ClassThrottled, class, "%s: %v", name, err)
				require.ErrorContains(t, err, "Nothing is scanned", name)
			}
			require.Empty(t, b.fake.Refreshes(), name)
			require.Empty(t, b.fake.Stats().Removed, name)
			b.disk.Mount(tc.mount)
			require.Equal(t, []sdk.Type{sdk.TypeLibraryAvailable}, types(b.proven(t, delivery(events...))), name)
		}
	})
}

func TestTwoNewMoviesAreOneRefreshOfTheLibrary(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		// The second movie comes while the first is still being looked for.
		b := setup(t, brand, change{server: func(s *jellyfin.Settings) { s.RefreshTime = time.Second }})
		var wg sync.WaitGroup
		for _, e := range []sdk.Event{film("Ran", 1985, "", 1), film("Brazil", 1985, "", 1)} {
			b.disk.Add(on(e.Files[0].Path), 1)
			d := delivery(e)
			wg.Go(func() { b.proven(t, d) })
		}
		wg.Wait()
		require.Equal(t, []jellyfin.Refresh{{Kind: "library", Type: "CollectionFolder", Name: "Movies"}}, b.fake.Refreshes())
		require.Len(t, b.fake.Paths(), 5)
		b.harmless(t)
	})
}

// The library has 4,000 movies of 40 years, and takes titles from another language.
func TestALargeLibraryIsNotReadThrough(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{})
		for n := range 4000 {
			b.disk.Add(fmt.Sprintf("/data/movies/Movie %04d (%d)/Movie.mkv", n, 1980+n%40), 1)
		}
		b.fake.RefreshAll()
		for name, e := range map[string]sdk.Event{
			"by its name":               film("Ran", 1985, "", 1),
			"by its year":               film("Brazil", 1986, "", 1),
			"by nothing but the newest": film("Nobody", 0, "", 1),
		} {
			if name == "by its year" {
				e.Media.Title = "Brasil"
			}
			if name == "by nothing but the newest" {
				e.Media.Title = "Niemand"
			}
			before := b.fake.Stats()
			b.disk.Add(on(e.Files[0].Path), 1)
			require.Equal(t, []sdk.Type{sdk.TypeLibraryAvailable}, types(b.proven(t, delivery(e))), name)
			after := b.fake.Stats()
			require.Less(t, after.Shown-before.Shown, 4000, name)
			t.Logf("%s, %s: %d items read", brand.Name, name, after.Shown-before.Shown)
		}
		require.Equal(t, 3, b.fake.Count("library"))
		b.harmless(t)
		t.Logf("%s: %d requests for three movies", brand.Name, requests(b.fake))
	})
}
