package lidarr

import (
	"testing"

	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
)

func TestInvalid(t *testing.T) {
	t.Parallel()
	refused := arrtest.Refusals(t, decoder{})
	refused("", "", "the body is empty", false)
	refused("[1]", "", "the body is JSON but not an object", false)
	refused(`{"notification_type":"MEDIA_APPROVED"}`, "", "the body has no eventType: it is not a webhook of Lidarr", false)
	refused(`{"eventType":"Health"}`, "Radarr/6.0.4.10291", "this looks like Radarr: point it at a source with plugin radarr", false)
	refused(`{"eventType":"Grab","movie":{}}`, "", "this looks like Radarr: point it at a source with plugin radarr", false)
	refused(`{"eventType":"Health","instanceName":"My SONARR"}`, "", "this looks like Sonarr: point it at a source with plugin sonarr", false)
	refused(`{"eventType":"Grab","author":{}}`, "", "this looks like Readarr: point it at a source with plugin readarr", false)
	refused(`{"eventType":"Grab"}`, "Whisparr/3.2.0.1", "this looks like Whisparr: point it at a source with plugin whisparr", false)
	refused(`{"eventType":"Test","series":{"id":1}}`, "", "this looks like Sonarr: point it at a source with plugin sonarr", true)
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
