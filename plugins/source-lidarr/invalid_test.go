package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk"
)

func TestInvalid(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body  string
		agent string
		want  string
		test  bool
	}{
		"empty":             {"", "", "the body is empty", false},
		"array":             {"[1]", "", "the body is JSON but not an object", false},
		"another service":   {`{"notification_type":"MEDIA_APPROVED"}`, "", "the body has no eventType: it is not a webhook of Lidarr", false},
		"Radarr by agent":   {`{"eventType":"Health"}`, "Radarr/6.0.4.10291", "this looks like Radarr: point it at a source with plugin radarr", false},
		"Radarr by shape":   {`{"eventType":"Grab","movie":{}}`, "", "this looks like Radarr: point it at a source with plugin radarr", false},
		"Sonarr by name":    {`{"eventType":"Health","instanceName":"My SONARR"}`, "", "this looks like Sonarr: point it at a source with plugin sonarr", false},
		"Readarr by shape":  {`{"eventType":"Grab","author":{}}`, "", "this looks like Readarr: point it at a source with plugin readarr", false},
		"Whisparr by agent": {`{"eventType":"Grab"}`, "Whisparr/3.2.0.1", "this looks like Whisparr: point it at a source with plugin whisparr", false},
		"test of Sonarr":    {`{"eventType":"Test","series":{"id":1}}`, "", "this looks like Sonarr: point it at a source with plugin sonarr", true},
	}
	for name, tt := range tests {
		_, err := decode([]byte(tt.body), arrtest.Agent(tt.agent))
		require.ErrorContains(t, err, tt.want, name)
		test, ok := sdk.AsInvalid(err)
		require.True(t, ok, name)
		require.Equal(t, tt.test, test, name)
	}
}

func TestEveryTruncation(t *testing.T) {
	t.Parallel()
	arrtest.EveryTruncation(t, decoder{}, "upgrade")
}

func TestMemory(t *testing.T) { //nolint:paralleltest // it measures the process's allocations
	arrtest.Memory(t, decoder{}, map[string][]byte{
		"files":   arrtest.Fill(`{"eventType":"Download","trackFiles":[`, `{},`, `]}`),
		"tracks":  arrtest.Fill(`{"eventType":"Download","tracks":[`, `{},`, `]}`),
		"albums":  arrtest.Fill(`{"eventType":"Grab","albums":[`, `{},`, `]}`),
		"images":  arrtest.Fill(`{"eventType":"Grab","albums":[{"images":[`, `0,`, `]}]}`),
		"renames": arrtest.Fill(`{"eventType":"Rename","renamedTrackFiles":[`, `{},`, `]}`),
		"objects": arrtest.Fill(`{"eventType":"Grab"`, `,"artist":{}`, `}`),
	})
}

func TestCollectedPayloads(t *testing.T) {
	t.Parallel()
	arrtest.Collected(t, decoder{}, "lidarr")
}

func FuzzDecode(f *testing.F) { arrtest.Fuzz(f, decoder{}, agent) }
