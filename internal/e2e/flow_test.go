package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

// radarrBodies returns one body of every event of Radarr, and the captured ones when
// they are at hand.
func radarrBodies(t *testing.T) map[string][]byte {
	t.Helper()
	captured := os.Getenv("HOOKARR_PAYLOADS")
	if captured == "" {
		captured = "../../../shared/payloads"
	}
	bodies := map[string][]byte{}
	for _, pattern := range []string{"../../examples/payloads/radarr/*.json", filepath.Join(captured, "radarr__*.json")} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			body, err := os.ReadFile(file)
			require.NoError(t, err)
			bodies[filepath.Base(file)] = body
		}
	}
	require.GreaterOrEqual(t, len(bodies), 11, "a body of each of Radarr's events")
	return bodies
}

// TestEveryRadarrEventArrives posts every body there is and compares what arrives with
// what the database holds, and the databases with each other.
func TestEveryRadarrEventArrives(t *testing.T) {
	t.Parallel()

	bodies := radarrBodies(t)
	arrived := make(chan map[string]string, 2)
	t.Run("on", func(t *testing.T) {
		t.Parallel()
		databases(t, func(t *testing.T, url string) { arrived <- testEveryRadarrEvent(t, url, bodies) })
		t.Cleanup(func() {
			require.Len(t, arrived, 2)
			one, other := <-arrived, <-arrived
			require.Equal(t, one, other, "the databases differ")
		})
	})
}

// testEveryRadarrEvent returns what arrived, by body, without what differs from run to
// run.
func testEveryRadarrEvent(t *testing.T, url string, bodies map[string][]byte) map[string]string {
	t.Helper()
	endpoint := newReceiver(t)
	srv := newServer(t, settings{database: url, targets: webhookTarget(endpoint), routes: everything})
	srv.start()

	names := make([]string, 0, len(bodies))
	for name := range bodies {
		names = append(names, name)
	}
	slices.Sort(names)
	ids := map[string]string{} // event id to body
	for _, name := range names {
		a := srv.post(bodies[name])
		require.Contains(t, []int{http.StatusAccepted, http.StatusOK}, a.status, "%s: %s", name, a.body)
		if a.status == http.StatusAccepted { // 200 repeats another file's event
			ids[a.id] = name
		}
	}
	require.NotEmpty(t, ids)
	result := map[string]string{}
	for _, d := range endpoint.await(t, len(ids)) {
		name, known := ids[d.Event.ID]
		require.True(t, known, "delivery of an event that was not accepted: %s", d.Raw)
		require.NotEqual(t, sdk.TypeUnknown, d.Event.Type, name)
		require.NotEmpty(t, d.Event.Title, name)
		require.NotEmpty(t, d.Event.Summary, name)
		require.Equal(t, "radarr", d.Event.Source)
		require.Equal(t, sdk.OriginWebhook, d.Event.Origin)

		require.Eventually(t, func() bool { // the record follows the answer
			out, err := srv.cli("events", "show", d.Event.ID, "--json")
			return err == nil && strings.Contains(out, `"delivered"`)
		}, waitTimeout, 50*time.Millisecond, name)

		d.Event.ID, d.Event.Time = "", time.Time{}
		normalized, err := json.Marshal(d.Event)
		require.NoError(t, err)
		result[name] = string(normalized)
	}
	require.Len(t, endpoint.all(), len(ids))
	require.Zero(t, endpoint.forgeries())
	require.NoError(t, srv.stop())
	return result
}

// TestRawFormatIsByteForByte delivers the Arr's own body.
func TestRawFormatIsByteForByte(t *testing.T) {
	t.Parallel()

	endpoint := newReceiver(t)
	srv := newServer(t, settings{
		database: "sqlite://" + t.TempDir() + "/hookarr.db",
		targets:  strings.Replace(webhookTarget(endpoint), "config: {", "config: {format: raw, ", 1),
		routes:   everything,
	})
	srv.start()
	body := []byte("  " + string(importBody(1)) + "\n\n")
	require.Equal(t, http.StatusAccepted, srv.post(body).status)
	require.Equal(t, string(body), string(endpoint.await(t, 1)[0].Raw))
	require.Zero(t, endpoint.forgeries())
}
