package admin

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

func TestSamples(t *testing.T) {
	t.Parallel()
	for _, typ := range sdk.Types() {
		data, err := sample(typ, "radarr")
		require.NoError(t, err)
		var e sdk.Event
		require.NoError(t, json.Unmarshal(data, &e))
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
