package lidarr

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

func TestContract(t *testing.T) {
	t.Parallel()
	plugintest.TestSource(t, info(), newSource, plugintest.SourceSuite{
		Config: arr.Config{ApplicationURL: "http://lidarr.lan:8686"},
	})
}

func FuzzContract(f *testing.F) {
	plugintest.FuzzSource(f, info(), newSource, plugintest.SourceSuite{})
}

func BenchmarkImport(b *testing.B) { arrtest.Benchmark(b, decoder{}, arrtest.Sample(b, "import")) }

// BenchmarkLargeImport decodes a box of a thousand tracks, with long paths.
func BenchmarkLargeImport(b *testing.B) { arrtest.Benchmark(b, decoder{}, large(1000)) }

// large is an upgrade of n tracks with 3.5 KB for each, as Lidarr indents it.
func large(n int) []byte {
	var tracks, files, deleted []string
	for i := range n {
		path := fmt.Sprintf("/music/%s/%04d - track.flac", strings.Repeat("a long name/", 70), i)
		tracks = append(tracks, fmt.Sprintf("\n    {\n      \"id\": %d,\n      \"title\": \"Track %d: %s\",\n      \"trackNumber\": \"%d\",\n      \"qualityVersion\": 0\n    }", 1+i, i, strings.Repeat("movement ", 40), i))
		file := fmt.Sprintf("\n    {\n      \"id\": %%d,\n      \"path\": %q,\n      \"quality\": \"FLAC\",\n      \"qualityVersion\": 1,\n      \"sceneName\": %q,\n      \"size\": 30000000,\n      \"dateAdded\": \"2026-03-01T10:00:00.1234567Z\"\n    }", path, strings.Repeat("Scene.", 60))
		files = append(files, fmt.Sprintf(file, 10_000+i))
		deleted = append(deleted, fmt.Sprintf(file, 20_000+i))
	}
	return fmt.Appendf(nil, "{\n  \"artist\": {\"id\": 31, \"name\": \"Boards of Canada\", \"path\": \"/music\"},\n  \"album\": {\"id\": 401, \"title\": \"Box\"},\n  \"tracks\": [%s],\n  \"trackFiles\": [%s],\n  \"deletedFiles\": [%s],\n  \"isUpgrade\": true,\n  \"eventType\": \"Download\",\n  \"instanceName\": \"Lidarr\"\n}",
		strings.Join(tracks, ","), strings.Join(files, ","), strings.Join(deleted, ","))
}
