package api_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
)

func TestMediaInfoOfTheAPI(t *testing.T) {
	t.Parallel()
	var f api.File
	require.NoError(t, json.Unmarshal([]byte(`{"mediaInfo":{"audioLanguages":"eng/ger","subtitles":"","resolution":"1920x1080","audioChannels":5.1}}`), &f))
	info := arr.Files("", f.Webhook())[0].MediaInfo
	require.Equal(t, []string{"eng", "ger"}, info.AudioLanguages)
	require.Empty(t, info.Subtitles)
	require.Equal(t, []any{1920, 1080, 5.1}, []any{info.Width, info.Height, info.AudioChannels})
}
