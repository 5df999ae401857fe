package series_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/series"
	"github.com/hookarr/hookarr/sdk"
)

func number(season int, numbers ...int) string {
	var all []string
	for _, n := range numbers {
		all = append(all, fmt.Sprintf(`{"seasonNumber":%d,"episodeNumber":%d,"title":"T%d","airDate":"2026-03-%02d","absoluteEpisodeNumber":%d}`, season, n, n, n, 1000+n))
	}
	return strings.Join(all, ",")
}

func TestTitle(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ kind, episodes, want string }{
		{"standard", "", "Dark (2017)"},
		{"standard", number(1, 3), "Dark S01E03 - T3"},
		{"standard", number(0, 0), "Dark S00E00 - T0"},
		{"standard", number(1, 1, 2), "Dark S01E01-E02"},
		{"standard", number(1, 3, 1, 2, 2), "Dark S01E01-E03 (4 episodes)"},
		{"standard", number(1, 1, 3, 5), "Dark S01E01, E03, E05"},
		{"standard", number(1, 1, 3, 5, 7), "Dark S01 (4 episodes)"},
		{"standard", number(1, 10) + "," + number(2, 1), "Dark S01E10, S02E01"},
		{"standard", number(1, 1, 3) + "," + number(2, 1, 3), "Dark S01-S02 (4 episodes)"},
		{"standard", `{"seasonNumber":1,"episodeNumber":2}`, "Dark S01E02"},
		{"standard", `{"seasonNumber":1,"episodeNumber":2,"title":"TBA"}`, "Dark S01E02"},
		{"standard", `{"seasonNumber":1,"episodeNumber":-2}`, "Dark S01E00"},
		{"standard", `{"title":"Only a title"}`, "Dark - Only a title"},
		{"standard", `{"seasonNumber":1e300,"episodeNumber":1e300}`, "Dark S00E00"},
		{"anime", number(21, 17), "Dark S21E17 (1017) - T17"},
		{"anime", number(21, 17, 18), "Dark S21E17-E18"},
		{"Daily", number(2026, 4), "Dark 2026-03-04 - T4"},
		{"daily", number(2026, 5, 4), "Dark 2026-03-04, 2026-03-05"},
		{"daily", number(2026, 5, 4, 6, 9), "Dark 2026-03-04 to 2026-03-09 (4 episodes)"},
		{"daily", `{"seasonNumber":2026,"episodeNumber":4,"airDate":"soon"}`, "Dark S2026E04"},
		{"", `{"airDate":"2026-03-04","title":"x"},{"airDate":"2026-03-02"}`, "Dark 2026-03-02, 2026-03-04"},
		{"", `{},{}`, "Dark (2 episodes)"},
	} {
		body := fmt.Sprintf(`{"eventType":"Grab","series":{"title":"Dark","year":2017,"type":%q},"episodes":[%s]}`, tt.kind, tt.episodes)
		var p series.Payload
		require.NoError(t, arr.Unmarshal([]byte(body), &p))
		e, err := p.Decode(arr.Sonarr, sdk.Request{}, "")
		require.NoError(t, err)
		require.Equal(t, tt.want, e.Title, tt.episodes)
	}
}
