package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/examples/payloads"
	"github.com/hookarr/hookarr/internal/endpoint"
)

// chat is an endpoint that refuses what the real one would.
type chat struct {
	plugin   string
	url      string
	messages func(t *testing.T) []string // as JSON, oldest first
	refused  func() []string
	throttle func(time.Duration)
}

func newDiscord(t *testing.T) chat {
	t.Helper()
	d := &endpoint.Discord{}
	srv := httptest.NewServer(d)
	t.Cleanup(srv.Close)
	return chat{
		"discord", d.URL(srv.URL), func(t *testing.T) []string { return asJSON(t, d.Messages()) }, d.Refused, d.Throttle,
	}
}

func newSlack(t *testing.T) chat {
	t.Helper()
	s := &endpoint.Slack{}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return chat{
		"slack", s.URL(srv.URL), func(t *testing.T) []string { return asJSON(t, s.Messages()) }, s.Refused, s.Throttle,
	}
}

func asJSON[M any](t *testing.T, messages []M) []string {
	t.Helper()
	texts := make([]string, 0, len(messages))
	for _, m := range messages {
		text, err := json.Marshal(m)
		require.NoError(t, err)
		texts = append(texts, string(text))
	}
	return texts
}

// TestChatsTakeEverything sends every sample and a burst to endpoints that enforce the
// documented limits, and throttle now and then.
func TestChatsTakeEverything(t *testing.T) {
	t.Parallel()

	samples, err := payloads.Radarr()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(samples), 11)
	for _, c := range []chat{newDiscord(t), newSlack(t)} {
		t.Run(c.plugin, func(t *testing.T) {
			t.Parallel()
			const burst = 40
			srv := newServer(t, settings{
				database: "sqlite://" + t.TempDir() + "/hookarr.db", routes: everything,
				targets: fmt.Sprintf("ops:\n  plugin: %s\n  config: {webhook_url: %q}", c.plugin, c.url),
			})
			srv.start()
			await := func(n int) []string {
				require.Eventually(t, func() bool { return len(c.messages(t)) >= n || len(c.refused()) > 0 }, 40*time.Second, 10*time.Millisecond)
				require.Empty(t, c.refused())
				require.Len(t, c.messages(t), n)
				return c.messages(t)
			}
			for _, s := range samples {
				require.Equal(t, http.StatusAccepted, srv.post(s.Body).status, s.Name)
			}
			await(len(samples))

			for n := range burst {
				require.Equal(t, http.StatusAccepted, srv.post(importBody(n+1)).status)
			}
			for n, m := range await(len(samples) + burst)[len(samples):] {
				require.Contains(t, m, titleOf(n+1), "out of order")
			}

			for n := range burst {
				if n%10 == 0 {
					c.throttle(300 * time.Millisecond)
				}
				require.Equal(t, http.StatusAccepted, srv.post(importBody(burst+n+1)).status)
			}
			all := strings.Join(await(len(samples) + 2*burst)[len(samples)+burst:], "\n")
			for n := range burst {
				require.Contains(t, all, titleOf(burst+n+1))
			}
			out, err := srv.cli("deliveries", "list", "--json", "--limit", "200")
			require.NoError(t, err, out)
			require.Equal(t, len(samples)+2*burst, strings.Count(out, `"delivered"`))
		})
	}
}
