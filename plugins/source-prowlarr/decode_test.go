package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk"
)

const agent = "Prowlarr/2.0.5.5160 (alpine 3.22.1)"

func decode(body []byte, header http.Header) (sdk.Event, error) {
	return arrtest.Decode(decoder{}, body, header)
}

func TestDecodeEveryEvent(t *testing.T) {
	t.Parallel()
	const (
		dune = "Dune.Part.Two.2024.2160p.BluRay-GROUP"
		app  = "https://prowlarr.example/"
	)
	tests := []struct {
		sample  string
		native  string
		want    sdk.Type
		title   string
		summary string
		url     string
	}{
		{"test", "Test", sdk.TypeTest, "Prowlarr", "Prowlarr tested its connection to Hookarr", app},
		{"test_2021", "Test", sdk.TypeTest, "Prowlarr", "Prowlarr tested its connection to Hookarr", ""},
		{"grab", "Grab", sdk.TypeReleaseGrabbed, dune, "Radarr grabbed Dune.Part.Two.2024.2160p.BluRay-GROUP from Example Tracker (24 GiB)", app + "history"},
		{"grab_manual", "Grab", sdk.TypeReleaseGrabbed, dune, "Grabbed Dune.Part.Two.2024.2160p.BluRay-GROUP from Example Tracker (24 GiB)", app + "history"},
		{"grab_browser", "Grab", sdk.TypeReleaseGrabbed, "Some.Album-FLAC", "Grabbed Some.Album-FLAC from Example Usenet", app + "history"},
		{"grab_bare", "Grab", sdk.TypeReleaseGrabbed, "Unknown release", "Grabbed Unknown release", ""},
		{"health", "Health", sdk.TypeHealthIssue, "Indexer long term status check", "Error: All indexers are unavailable due to failures for more than 6 hours: Example Tracker", app + "system/status"},
		{"health_restored", "HealthRestored", sdk.TypeHealthRestored, "Indexer long term status check", "Resolved: All indexers are unavailable due to failures for more than 6 hours: Example Tracker", ""},
		{"application_update", "ApplicationUpdate", sdk.TypeAppUpdated, "Prowlarr 2.0.5.5160", "Updated Prowlarr from 2.0.4.5132 to 2.0.5.5160", app + "system/updates"},
		{"unknown_event", "Rename", sdk.TypeUnknown, dune, "Prowlarr reported Rename for Dune.Part.Two.2024.2160p.BluRay-GROUP, which Hookarr does not know", app},
		{"odd_types", "GRAB", sdk.TypeReleaseGrabbed, "A release", "Grabbed A release (5 B)", ""},
	}
	for _, tt := range tests {
		e, err := decode(arrtest.Sample(t, tt.sample), arrtest.Agent(agent))
		require.NoError(t, err, tt.sample)
		require.Equal(t, tt.want, e.Type, tt.sample)
		require.Equal(t, tt.native, e.NativeType, tt.sample)
		require.Equal(t, tt.title, e.Title, tt.sample)
		require.Equal(t, tt.summary, e.Summary, tt.sample)
		require.Equal(t, tt.url, e.URL, tt.sample)
		require.Equal(t, "prowlarr", e.App, tt.sample)
		require.Equal(t, "2.0.5.5160", e.AppVersion, tt.sample)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	arrtest.Fingerprints(t, decoder{}, map[string]arrtest.Change{
		"same grab":            arrtest.Same("grab", func(m map[string]any) { m["applicationUrl"] = "" }),
		"other release":        arrtest.Other("grab", func(m map[string]any) { arrtest.Object(m, "release")["releaseTitle"] = "x" }),
		"from another indexer": arrtest.Other("grab", func(m map[string]any) { arrtest.Object(m, "release")["indexer"] = "x" }),
		"by another app":       arrtest.Other("grab", func(m map[string]any) { m["source"] = "Sonarr" }),
		"on another host":      arrtest.Other("grab", func(m map[string]any) { m["host"] = "192.168.1.21" }),
		"other download":       arrtest.Other("grab_manual", func(m map[string]any) { m["downloadId"] = "x" }),
	})
	e, err := decode(arrtest.Sample(t, "grab_manual"), nil)
	require.NoError(t, err)
	require.Equal(t, "download:3F1C0B8A9D4E5F6071829304A5B6C7D8E9F00112", e.CorrelationKey)
	e, err = decode(arrtest.Sample(t, "grab_bare"), nil)
	require.NoError(t, err)
	require.Empty(t, e.Fingerprint)
	require.Empty(t, e.CorrelationKey)
}

func TestInvalid(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{}`: "the body has no eventType: it is not a webhook of Prowlarr",
		`{"eventType":"Grab","movie":{},"release":{}}`:    "this looks like Radarr: point it at a source with plugin radarr",
		`{"eventType":"Test","instanceName":"Sonarr"}`:    "this looks like Sonarr: point it at a source with plugin sonarr",
		`{"eventType":"Health","instanceName":"Readarr"}`: "this looks like Readarr: point it at a source with plugin readarr",
	} {
		_, err := decode([]byte(body), nil)
		require.EqualError(t, err, want)
		_, ok := sdk.AsInvalid(err)
		require.True(t, ok)
	}
}

func TestCollectedPayloads(t *testing.T) {
	t.Parallel()
	arrtest.Collected(t, decoder{}, "prowlarr")
}
