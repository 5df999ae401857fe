package generic

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

// requests is the configuration of a service that asks for media.
func requests() config {
	return config{
		App:      "requests",
		TypePath: "notification_type",
		Types: map[string]string{
			"MEDIA_PENDING": "manual_interaction.required", "MEDIA_APPROVED": "media.added",
			"MEDIA_AVAILABLE": "media.imported", "TEST_NOTIFICATION": "test",
		},
		TestPath: "dry_run", TestValue: "true",
		Title: "A request", TitlePath: "subject", SummaryPath: "message", InstancePath: "server.name", URLPath: "link",
		FingerprintPaths: []string{"request.id", "media.type"},
		CorrelationPath:  "request.id",
		Media: media{
			Kind: "movie", IDPath: "media.id", TitlePath: "media.name", YearPath: "media.released", OverviewPath: "media.plot",
			PosterPath: "image", FolderPath: "media.folder",
			IDs: map[string]string{"tmdb": "media.tmdb", "imdb": "media.imdb", "tvdb": "media.tvdb"},
		},
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	plugintest.TestSource(t, info(), newSource, plugintest.SourceSuite{Config: requests()})
}

func FuzzContract(f *testing.F) {
	plugintest.FuzzSource(f, info(), newSource, plugintest.SourceSuite{Config: requests()})
}

func BenchmarkSmall(b *testing.B) {
	body := arrtest.Sample(b, "pending")
	body = append(body[:len(body)-3], fmt.Sprintf(`, "more": %q}`, strings.Repeat("x", 1200))...)
	arrtest.Benchmark(b, decoder{requests()}, body)
}

func BenchmarkLarge(b *testing.B) {
	item := fmt.Sprintf("\n    {\"id\": 7, \"name\": \"A file\", \"path\": %q}", strings.Repeat("/a/long/path", 285))
	body := `{"items": [` + strings.Repeat(item+",", 999) + item + `], "notification_type": "MEDIA_PENDING", "subject": "Dune", "request": {"id": 1}}`
	arrtest.Benchmark(b, decoder{requests()}, []byte(body))
}
