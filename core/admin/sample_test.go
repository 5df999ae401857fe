package admin

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	for _, typ := range sdk.Types() {
		e, err := sample(typ, "radarr")
		require.NoError(t, err)
		require.Equal(t, typ, e.Type)
		require.Equal(t, "radarr", e.Source)
		require.NotEmpty(t, e.Title)
		require.NotEmpty(t, e.Summary)
	}
	_, err := sample("media.importd", "radarr")
	require.EqualError(t, err, `there is no event type of this name; did you mean "media.imported"?`)
	_, err = sample("nonsense", "")
	require.ErrorContains(t, err, "there is no event type of this name; there are: ")
	require.ErrorContains(t, err, "media.imported, ")
}

func TestSampleStories(t *testing.T) {
	t.Parallel()
	for name, want := range map[SampleStory]int{StorySeason: 14, StoryUpgrade: 2, StoryHealth: 2, StoryDigest: 18} {
		events, err := sampleStory(name, "sonarr")
		require.NoError(t, err)
		require.Len(t, events, want, name)
		ids := map[string]bool{}
		for i, e := range events {
			require.Equal(t, "sonarr", e.Source)
			require.NotEmpty(t, e.Title)
			require.NotEmpty(t, e.Summary)
			require.Contains(t, sdk.Types(), e.Type)
			require.False(t, ids[e.ID], "each is another event")
			ids[e.ID] = true
			if i > 0 {
				require.True(t, e.Time.After(events[i-1].Time), "they come in their order")
			}
			if name != StoryDigest {
				require.NotEmpty(t, e.CorrelationKey)
			}
		}
	}
	_, err := sampleStory("seson", "sonarr")
	require.EqualError(t, err, `there is no story of this name; did you mean "season"?`)
}
