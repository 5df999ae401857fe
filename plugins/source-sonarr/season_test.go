package sonarr

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk"
)

// season is the largest webhook to be expected: a download of 1,000 files of 1,000
// episodes with long overviews and many subtitles, indented as Sonarr does, 3.5 MB.
func season(tb testing.TB) []byte {
	tb.Helper()
	const n = 1000
	body := arrtest.Edit(tb, "import_complete", func(m map[string]any) {
		episode, file := arrtest.First(m, "episodes"), arrtest.First(m, "episodeFiles")
		subtitles := make([]any, 30)
		for i := range subtitles {
			subtitles[i] = string([]byte{'a' + byte(i)%26, 'b', 'c'})
		}
		var episodes, files []any
		for i := range n {
			e, f := maps.Clone(episode), maps.Clone(file)
			info := maps.Clone(arrtest.Object(f, "mediaInfo"))
			info["subtitles"] = subtitles
			e["id"], e["episodeNumber"], e["overview"] = 5000+i, i+1, strings.Repeat("Things “happen” to people. ", 62)
			f["id"], f["relativePath"], f["mediaInfo"] = 9000+i, fmt.Sprintf("Season 02/%04d.mkv", i+1), info
			episodes, files = append(episodes, e), append(files, f)
		}
		m["episodes"], m["episodeFiles"], m["fileCount"] = episodes, files, n
	})
	indented, err := json.MarshalIndent(json.RawMessage(body), "", "  ")
	require.NoError(tb, err)
	require.InDelta(tb, 3.5, float64(len(indented))/1e6, 0.3)
	return indented
}

func TestSeasonOfAThousandFiles(t *testing.T) {
	t.Parallel()
	e := arrtest.Decoded(t, decoder{}, season(t))
	require.Equal(t, sdk.TypeImportCompleted, e.Type)
	require.Equal(t, "Finished importing Severance S02E01-E1000 (1000 episodes) in WEBDL-1080p", e.Summary)
	require.Len(t, e.Episodes, 1000)
	require.Len(t, e.Files, 1000)
	require.Equal(t, "/tv/Severance/Season 02/1000.mkv", e.Files[999].Path)
}

func BenchmarkSeason(b *testing.B) { arrtest.Benchmark(b, decoder{}, season(b)) }
