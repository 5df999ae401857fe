package prowlarr

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk"
)

const agent = "Prowlarr/2.0.5.5160 (alpine 3.22.1)"

func TestDecodeEveryEvent(t *testing.T) {
	t.Parallel()
	const (
		dune = "Dune.Part.Two.2024.2160p.BluRay-GROUP"
		app  = "https://prowlarr.example/"
	)
	is := arrtest.Table(t, decoder{}, agent)
	is("test", "Test", sdk.TypeTest, "Prowlarr", "Prowlarr tested its connection to Hookarr", app)
	is("test_2021", "Test", sdk.TypeTest, "Prowlarr", "Prowlarr tested its connection to Hookarr", "")
	is("grab", "Grab", sdk.TypeReleaseGrabbed, dune, "Radarr grabbed Dune.Part.Two.2024.2160p.BluRay-GROUP from Example Tracker (24 GiB)", app+"history")
	is("grab_manual", "Grab", sdk.TypeReleaseGrabbed, dune, "Grabbed Dune.Part.Two.2024.2160p.BluRay-GROUP from Example Tracker (24 GiB)", app+"history")
	is("grab_browser", "Grab", sdk.TypeReleaseGrabbed, "Some.Album-FLAC", "Grabbed Some.Album-FLAC from Example Usenet", app+"history")
	is("grab_bare", "Grab", sdk.TypeReleaseGrabbed, "Unknown release", "Grabbed Unknown release", "")
	is("health", "Health", sdk.TypeHealthIssue, "Indexer long term status check", "Error: All indexers are unavailable due to failures for more than 6 hours: Example Tracker", app+"system/status")
	is("health_restored", "HealthRestored", sdk.TypeHealthRestored, "Indexer long term status check", "Resolved: All indexers are unavailable due to failures for more than 6 hours: Example Tracker", "")
	is("application_update", "ApplicationUpdate", sdk.TypeAppUpdated, "Prowlarr 2.0.5.5160", "Updated Prowlarr from 2.0.4.5132 to 2.0.5.5160", app+"system/updates")
	is("unknown_event", "Rename", sdk.TypeUnknown, dune, "Prowlarr reported Rename for Dune.Part.Two.2024.2160p.BluRay-GROUP, which Hookarr does not know", app)
	is("odd_types", "GRAB", sdk.TypeReleaseGrabbed, "A release", "Grabbed A release (5 B)", "")
}

func TestKeys(t *testing.T) {
	t.Parallel()
	arrtest.Fingerprints(t, decoder{}, map[string]arrtest.Change{
		"same grab":            arrtest.Same("grab", arrtest.Set("applicationUrl", "")),
		"other release":        arrtest.Other("grab", func(m map[string]any) { arrtest.Object(m, "release")["releaseTitle"] = "x" }),
		"from another indexer": arrtest.Other("grab", func(m map[string]any) { arrtest.Object(m, "release")["indexer"] = "x" }),
		"by another app":       arrtest.Other("grab", arrtest.Set("source", "Sonarr")),
		"on another host":      arrtest.Other("grab", arrtest.Set("host", "192.168.1.21")),
		"other download":       arrtest.Other("grab_manual", arrtest.Set("downloadId", "x")),
	})
	e := arrtest.Event(t, decoder{}, "grab_manual")
	require.Equal(t, "download:3F1C0B8A9D4E5F6071829304A5B6C7D8E9F00112", e.CorrelationKey)
	e = arrtest.Event(t, decoder{}, "grab_bare")
	require.Empty(t, e.Fingerprint)
	require.Empty(t, e.CorrelationKey)
}

func TestInvalid(t *testing.T) {
	t.Parallel()
	refused := arrtest.Refusals(t, decoder{})
	refused(`{}`, "", "the body has no eventType: it is not a webhook of Prowlarr", false)
	refused(`{"eventType":"Grab","movie":{},"release":{}}`, "", "this looks like Radarr: point it at a source with plugin radarr", false)
	refused(`{"eventType":"Test","instanceName":"Sonarr"}`, "", "this looks like Sonarr: point it at a source with plugin sonarr", true)
	refused(`{"eventType":"Health","instanceName":"Readarr"}`, "", "this looks like Readarr: point it at a source with plugin readarr", false)
}

func TestCollectedPayloads(t *testing.T) {
	t.Parallel()
	arrtest.Collected(t, decoder{}, "prowlarr")
}

func TestRowNumbersAloneTellNothing(t *testing.T) {
	t.Parallel()
	arrtest.Identity(t, decoder{})
}
