package snapshot

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	measures "runtime/metrics"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

var titles = flag.Int("titles", 0, "measure snapshots of so many titles, each with a file")

// catalogue is a library of any size, which takes no memory: every item is made when it is
// asked for.
type catalogue struct {
	titles int
	// changed is the number of a title that has another overview; 0 for none.
	changed int
	calls   int
	// heap is the most memory that was in use when a page was asked for, in bytes.
	heap uint64
}

// overview is about as long as one of a real title.
var overview = strings.Repeat("A duke's son leads desert warriors against the galactic emperor. ", 6)

func (c *catalogue) Snapshot(_ context.Context, _ string, q sdk.SnapshotQuery) (host.Snapshot, error) {
	c.calls++
	c.measure()
	begin, _ := strconv.Atoi(q.Cursor)
	end := min(begin+q.Limit, 2*c.titles)
	page := host.Snapshot{Cursor: strconv.Itoa(end), More: end < 2*c.titles, Total: 2 * c.titles}
	for i := begin; i < end; i++ {
		page.Items = append(page.Items, c.item(i))
	}
	return page, nil
}

// item is a title, or the file of one.
func (c *catalogue) item(i int) host.Item {
	n, monitored := i%c.titles+1, true
	id := strconv.Itoa(n)
	e := sdk.Event{
		Time: time.Unix(0, 0), App: "radarr", Instance: "Radarr", Origin: sdk.OriginSnapshot, Type: sdk.TypeMediaAdded,
		Title: "Film number " + id, Summary: "Added film number " + id, Fingerprint: "added " + id, CorrelationKey: "movie:" + id,
		Media: &sdk.Media{
			Kind: "movie", ID: id, Title: "Film number " + id, Year: 1920 + n%100, IDs: map[string]string{"tmdb": id, "imdb": "tt" + id},
			Path: "/movies/Film number " + id, Overview: overview, Genres: []string{"Drama", "Science Fiction"}, OriginalLanguage: "English",
			Poster: "https://image.tmdb.org/t/p/original/" + id + ".jpg", Tags: []string{"4k"}, Monitored: &monitored, QualityProfile: "Any",
			AddedAt: "2026-01-01T00:00:00Z", Certification: "PG-13", RuntimeMinutes: 100,
		},
	}
	if n == c.changed {
		e.Media.Overview = "Another."
	}
	item := host.Item{Key: "movie/" + id, GoneFingerprints: []string{"deleted " + id}}
	if i >= c.titles {
		item.Key, item.Parent, item.GoneFingerprints = "file/"+id, item.Key, []string{"file deleted " + id}
		e.Type, e.Fingerprint = sdk.TypeMediaImported, "import "+id
		e.Files = []sdk.File{{
			ID: id, Path: e.Media.Path + "/Film.mkv", RelativePath: "Film.mkv", SizeBytes: int64(i) << 20, Quality: "Bluray-1080p",
			Languages: []string{"English"}, ReleaseGroup: "GROUP", MediaInfo: &sdk.MediaInfo{VideoCodec: "x265", Width: 1920, Height: 1080, AudioCodec: "DTS"},
		}}
	}
	item.Event = e
	item.JSON, _ = json.Marshal(e)
	return item
}

// measure notes the memory that Go holds.
func (c *catalogue) measure() {
	samples := []measures.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	measures.Read(samples)
	c.heap = max(c.heap, samples[0].Value.Uint64())
}

// TestLargeLibrary prints what a large library costs: make bench/snapshot.
func TestLargeLibrary(t *testing.T) { //nolint:paralleltest // it measures
	if *titles == 0 {
		t.Skip("-titles says how many")
	}
	onEach(t, 0, func(t *testing.T, b *bench) {
		c := &catalogue{titles: *titles}
		b.o.Snapshotter = c
		for _, run := range []struct {
			name    string
			changed int
			wish    store.SnapshotWish
			want    int
		}{
			{name: "first"},
			{name: "nothing has changed"},
			{name: "one has changed", changed: *titles / 2, want: 1},
			{name: "full, to one target", changed: *titles / 2, wish: store.SnapshotWish{Full: true, To: "ops"}, want: 2 * *titles},
		} {
			c.changed, c.calls, c.heap = run.changed, 0, 0
			runtime.GC()
			begun := time.Now()
			b.now = b.now.Add(25 * time.Hour)
			if run.wish.Full {
				b.ask(t, run.wish)
			} else {
				require.NoError(t, b.Run(t.Context(), "radarr", time.Time{}))
			}
			took := time.Since(begun)
			s := b.state(t)
			require.Equal(t, run.want, s.Told)
			fmt.Fprintf(os.Stderr, "%-9s %-20s %7d items %7d told %8s %6.0f items/s %4d pages %.2f calls of the plugin a page %4d MiB heap at most\n",
				strings.TrimPrefix(t.Name(), "TestLargeLibrary/"), run.name, s.Items, s.Told, took.Round(time.Millisecond),
				float64(s.Items)/took.Seconds(), s.Pages, float64(c.calls)/float64(s.Pages), c.heap>>20)
		}
	})
}
