package api_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/plugins/internal/arr/movie"
	"github.com/hookarr/hookarr/plugins/internal/arr/series"
	"github.com/hookarr/hookarr/sdk"
)

// BenchmarkSnapshot reads large libraries in pages of 500 items. It reports what that
// takes of requests and of memory that is held between two pages.
func BenchmarkSnapshot(b *testing.B) {
	overview := texts()
	b.Run("Radarr with 50,000 movies", func(b *testing.B) {
		a := fakearr.New(fakearr.Radarr, fakearr.Options{})
		a.Seed(50_000, func(i int) fakearr.Title {
			return fakearr.Title{
				Name: fmt.Sprintf("Movie %d", i), Year: 1950 + i%75, TMDB: i + 1, IMDB: fmt.Sprintf("tt%07d", i), Overview: overview(60),
				Genres: []string{"Drama", "Comedy"}, Tags: []string{"all"}, Poster: fmt.Sprintf("https://image.example/p%d.jpg", i),
			}
		}, true)
		benchmarkSnapshot(b, a, api.App{Name: arr.Radarr, API: "v3", Stock: movie.NewStock})
	})
	b.Run("Sonarr with 1,000 series of 50 episodes", func(b *testing.B) {
		a := fakearr.New(fakearr.Sonarr, fakearr.Options{})
		a.Seed(1000, func(i int) fakearr.Title {
			t := fakearr.Title{Name: fmt.Sprintf("Series %d", i), Year: 1950 + i%75, TVDB: i + 1, Overview: overview(60), Tags: []string{"all"}}
			for n := range 50 {
				t.Episodes = append(t.Episodes, fakearr.Episode{Season: 1 + n/10, Number: 1 + n%10, Title: "Part", Overview: overview(30)})
			}
			return t
		}, true)
		benchmarkSnapshot(b, a, api.App{Name: arr.Sonarr, API: "v3", Stock: series.NewStock})
	})
}

// texts returns texts of so many words that compress no better than prose.
func texts() func(words int) string {
	random := rand.New(rand.NewPCG(1, 2))
	vocabulary := make([]string, 3000)
	for i := range vocabulary {
		word := make([]byte, 2+random.IntN(8))
		for j := range word {
			word[j] = byte('a' + random.IntN(26))
		}
		vocabulary[i] = string(word)
	}
	return func(words int) string {
		all := make([]string, words)
		for i := range all {
			all[i] = vocabulary[random.IntN(len(vocabulary))]
		}
		return strings.Join(all, " ")
	}
}

func benchmarkSnapshot(b *testing.B, a *fakearr.Arr, app api.App) {
	b.Helper()
	server := httptest.NewServer(a)
	b.Cleanup(server.Close)
	for b.Loop() {
		p := api.New(sdk.Env{HTTP: &sdk.HTTP{}}, api.Config{BaseURL: server.URL, APIKey: sdk.Secret(a.APIKey())}, app)
		before, asked := live(), requests(a)
		var first, held time.Duration
		most, pages, items := 0, 0, 0
		q := sdk.SnapshotQuery{Limit: 500}
		for more := true; more; pages++ {
			begun := time.Now()
			ctx, cancel := context.WithTimeout(b.Context(), 10*time.Minute)
			page, err := p.Snapshot(ctx, q)
			cancel()
			require.NoError(b, err)
			if took := time.Since(begun); pages == 0 {
				first = took
			} else {
				held = max(held, took)
			}
			items += len(page.Items)
			q.Cursor, more = page.Cursor, page.More
			if pages%20 == 0 {
				most = max(most, live()-before)
			}
		}
		b.ReportMetric(float64(items), "items")
		b.ReportMetric(float64(pages), "pages")
		b.ReportMetric(float64(requests(a)-asked), "requests")
		b.ReportMetric(float64(most)/(1<<20), "MiB-held")
		b.ReportMetric(first.Seconds(), "s-first-page")
		b.ReportMetric(held.Seconds(), "s-slowest-other")
	}
}

// live is the memory that something refers to, in bytes.
func live() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func requests(a *fakearr.Arr) int {
	n := 0
	for _, times := range a.Requests() {
		n += times
	}
	return n
}
