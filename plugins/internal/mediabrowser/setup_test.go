package mediabrowser_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/hookarr/hookarr/internal/fakeserver"
	"github.com/hookarr/hookarr/internal/fakeserver/jellyfin"
	"github.com/hookarr/hookarr/plugins/internal/mediabrowser"
	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	key    = "5f0e1d2c3b4a59687786950a1b2c3d4e"
	series = "/tv/Fargo (2014)"
	movie  = "/movies/Dune (2021)"
)

// testBundle is a server with two libraries in containers' folders: what is /tv and /movies
// to the applications is in /data there.
type testBundle struct {
	fake   *jellyfin.Server
	disk   *fakeserver.Disk
	target *mediaserver.Target
	brand  mediabrowser.Brand
	config mediabrowser.Config
	env    sdk.Env
}

type change struct {
	server func(s *jellyfin.Settings)
	config func(c *mediabrowser.Config)
}

func setup(t *testing.T, brand mediabrowser.Brand, c change) testBundle {
	t.Helper()
	disk := &fakeserver.Disk{}
	disk.Add("/data/tv/Fargo (2014)/Season 01/Fargo - S01E01.mkv", 100)
	disk.Add("/data/movies/Dune (2021)/Dune (2021) Bluray-1080p.mkv", 100)
	disk.Add("/data/movies/Heat (1995)/Heat (1995).mkv", 100)
	settings := jellyfin.Settings{
		Emby: brand.Kind == "emby", Key: key, UserToken: "a-user", Disk: disk, RefreshTime: 5 * time.Millisecond,
		Libraries: []jellyfin.Library{
			{Name: "Shows", Kind: jellyfin.Shows, Locations: []string{"/data/tv"}},
			{Name: "Movies", Kind: jellyfin.Movies, Locations: []string{"/data/movies"}},
			{Name: "Music", Kind: jellyfin.Music, Locations: []string{"/data/music"}},
		},
		Identify: func(_ jellyfin.Kind, name string, _ int) map[string]string { return known(name) },
	}
	if c.server != nil {
		c.server(&settings)
	}
	fake := jellyfin.New(settings)
	web := httptest.NewServer(fake)
	b := testBundle{
		fake: fake, disk: settings.Disk, brand: brand,
		config: mediabrowser.Config{
			APIKey: key,
			Config: mediaserver.Config{BlindConfig: mediaserver.BlindConfig{
				URL: web.URL, ProveWithin: sdk.Duration(30 * time.Minute),
				Map: []pathmap.Pair{{From: "/tv", To: "/data/tv"}, {From: "/movies", To: "/data/movies"}, {From: "/music", To: "/data/music"}},
			}},
		},
		env: sdk.Env{Instance: "living-room", Log: slog.New(slog.DiscardHandler), HTTP: &sdk.HTTP{}},
	}
	if c.config != nil {
		c.config(&b.config)
	}
	require.NoError(t, b.config.Validate())
	var err error
	b.target, err = mediabrowser.New(b.env, brand, b.config, mediaserver.Options{
		Settle: 20 * time.Millisecond, IdleTimeout: 100 * time.Millisecond, Pause: 30 * time.Millisecond, Offline: 20 * time.Millisecond, Refetch: time.Nanosecond,
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		fake.Close()
		web.Close()
	})
	fake.RefreshAll()
	return b
}

// known are the ids of titles.
func known(name string) map[string]string {
	return map[string]map[string]string{
		"Fargo": {"tvdb": "269613", "imdb": "tt2802850"}, "Dune": {"tmdb": "438631", "imdb": "tt1160419"}, "Ran": {"tmdb": "11645"}, "Dark": {"tvdb": "334824"},
	}[name]
}

// brands runs a test for both servers.
func brands(t *testing.T, test func(t *testing.T, brand mediabrowser.Brand)) {
	t.Helper()
	for _, brand := range []mediabrowser.Brand{mediabrowser.Jellyfin(), mediabrowser.Emby()} {
		t.Run(brand.Kind, func(t *testing.T) {
			t.Parallel()
			test(t, brand)
		})
	}
}

func delivery(events ...sdk.Event) sdk.Delivery {
	for i := range events {
		events[i].ID = uuid.NewString()
		events[i].Time = time.Now()
		if events[i].Source == "" {
			events[i].Source = "arr"
		}
	}
	return sdk.Delivery{ID: uuid.NewString(), Attempt: 1, Route: "library", Event: events[0], Events: events, CorrelationKey: events[0].CorrelationKey}
}

func episode(title string, year, number int) sdk.Event {
	folder := fmt.Sprintf("/tv/%s (%d)", title, year)
	return sdk.Event{
		Type: sdk.TypeMediaImported, App: "sonarr", Title: fmt.Sprintf("%s S01E%02d", title, number), CorrelationKey: "download-" + title,
		Media:    &sdk.Media{Kind: "series", Title: title, Year: year, IDs: known(title), Path: folder},
		Episodes: []sdk.Episode{{Season: 1, Number: &number, Code: fmt.Sprintf("S01E%02d", number)}},
		Files:    []sdk.File{{Path: fmt.Sprintf("%s/Season 01/%s - S01E%02d.mkv", folder, title, number), SizeBytes: 100}},
	}
}

func film(title string, year int, quality string, size int64) sdk.Event {
	folder := fmt.Sprintf("/movies/%s (%d)", title, year)
	return sdk.Event{
		Type: sdk.TypeMediaImported, App: "radarr", Title: fmt.Sprintf("%s (%d)", title, year), CorrelationKey: "download-" + title,
		Media: &sdk.Media{Kind: "movie", Title: title, Year: year, IDs: known(title), Path: folder},
		Files: []sdk.File{{Path: fmt.Sprintf("%s/%s (%d)%s.mkv", folder, title, year, quality), SizeBytes: size}},
	}
}

// on is where the server's disk has an application's file.
func on(path string) string { return "/data" + path }

// outcome is the end of a delivery.
type outcome struct {
	sdk.Receipt
	err error
	// troubles are the errors on the way that did not end it.
	troubles []error
	waits    []string
	asked    int
}

// run delivers as a host does: it makes attempts, and asks for the proof until there is one
// or final, if that is given, says that it is not waited for any longer.
func (b testBundle) run(t *testing.T, d sdk.Delivery, final func() bool) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	o := outcome{}
	for {
		require.NoError(t, ctx.Err(), "the delivery does not end: %v, %v", o.waits, o.troubles)
		call, cancel := context.WithTimeout(ctx, time.Minute)
		d.Final = d.Accepted != nil && final != nil && final()
		var receipt sdk.Receipt
		if d.Accepted == nil {
			receipt, o.err = b.target.Deliver(call, d)
		} else {
			receipt, o.err = b.target.Verify(call, d)
			o.asked++
		}
		cancel()
		class, after := sdk.ClassOf(o.err)
		switch {
		case class == sdk.ClassPermanent, o.err == nil && receipt.VerifyAfter == 0:
			o.Receipt = receipt
			return o
		case o.err != nil:
			o.troubles = append(o.troubles, o.err)
			time.Sleep(max(min(after, 50*time.Millisecond), 5*time.Millisecond))
		default:
			o.waits = append(o.waits, receipt.Waits)
			d.Accepted = &receipt
			time.Sleep(receipt.VerifyAfter)
		}
	}
}

// proven is run for a delivery that ends well.
func (b testBundle) proven(t *testing.T, d sdk.Delivery) outcome {
	t.Helper()
	o := b.run(t, d, nil)
	require.NoError(t, o.err)
	return o
}

func types(o outcome) []sdk.Type {
	var all []sdk.Type
	for _, e := range o.Events {
		all = append(all, e.Type)
	}
	return all
}
