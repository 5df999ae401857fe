package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
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
	config   string
	messages func(t *testing.T) []string // as JSON, oldest first
	refused  func() []string
	throttle func(time.Duration)
	traffic  func() endpoint.Traffic
}

func newDiscord(t *testing.T) chat {
	t.Helper()
	return discordOf(t, &endpoint.Discord{})
}

func discordOf(t *testing.T, d *endpoint.Discord) chat {
	t.Helper()
	srv := httptest.NewServer(d)
	t.Cleanup(srv.Close)
	return chat{
		"discord", fmt.Sprintf("{webhook_url: %q}", d.URL(srv.URL)), func(t *testing.T) []string { return asJSON(t, d.Messages()) }, d.Refused, d.Throttle, d.Traffic,
	}
}

func newSlack(t *testing.T) chat {
	t.Helper()
	s := &endpoint.Slack{}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return chat{
		"slack", fmt.Sprintf("{webhook_url: %q}", s.URL(srv.URL)), func(t *testing.T) []string { return asJSON(t, s.Messages()) }, s.Refused, s.Throttle, s.Traffic,
	}
}

// newSlackBot is a workspace with a bot, which edits its messages.
func newSlackBot(t *testing.T) chat {
	t.Helper()
	s := &endpoint.SlackAPI{Limit: endpoint.Limit{Requests: 1, Window: time.Second}}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return chat{
		"slack", fmt.Sprintf("{api_url: %q, bot_token: %q, channel: %s}", s.URL(srv.URL), s.Token(), endpoint.SlackChannel),
		func(t *testing.T) []string { return asJSON(t, s.Messages()) }, s.Refused, s.Throttle, s.Traffic,
	}
}

func newTelegram(t *testing.T) chat {
	t.Helper()
	tg := &endpoint.Telegram{}
	srv := httptest.NewServer(tg)
	t.Cleanup(srv.Close)
	return chat{
		// Posters are on the internet.
		"telegram", fmt.Sprintf("{api_url: %q, bot_token: %q, chat_id: %s, images: off}", srv.URL, endpoint.TelegramToken, endpoint.TelegramChat),
		func(t *testing.T) []string { return asJSON(t, tg.Messages()) }, tg.Refused, tg.Throttle, tg.Traffic,
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

	samples, err := payloads.Of("radarr")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(samples), 11)
	// It waits for its upgrade, and is told with that.
	samples = slices.DeleteFunc(samples, func(s payloads.Sample) bool { return strings.Contains(string(s.Body), `"deleteReason": "upgrade"`) })
	for _, c := range []chat{newDiscord(t), newSlack(t), newTelegram(t)} {
		t.Run(c.plugin, func(t *testing.T) {
			t.Parallel()
			const burst = 40
			srv := newServer(t, settings{
				database: "sqlite://" + t.TempDir() + "/hookarr.db", routes: everything,
				// The endpoint's own word is enough.
				targets: fmt.Sprintf("ops:\n  plugin: %s\n  timeout: 2m\n  rate: {per_second: 0}\n  edit: false\n  config: %s", c.plugin, c.config),
			})
			srv.start()
			await := func(n int) []string {
				require.Eventually(t, func() bool { return len(c.messages(t)) >= n || len(c.refused()) > 0 }, waitTimeout, 10*time.Millisecond)
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

// TestDiscordsLimitIsKept sends 150 events to an endpoint that takes five in two seconds,
// as the plugin's own rate has it, and others to endpoints that tell less, at a faster
// pace than they take.
func TestDiscordsLimitIsKept(t *testing.T) {
	t.Parallel()

	for name, tc := range map[string]struct {
		events int
		limit  endpoint.Limit
		rate   string
		most   int // answers of 429
	}{
		"as Discord":     {150, endpoint.Limit{Requests: 5, Window: 2 * time.Second}, "", 5},
		"retry after":    {40, endpoint.Limit{Requests: 5, Window: time.Second, NoHeaders: true}, "rate: {per_second: 0}", 8},
		"without a hint": {20, endpoint.Limit{Requests: 5, Window: time.Second, NoHeaders: true, NoRetryAfter: true}, "rate: {per_second: 0}", 8},
		"without a rate": {40, endpoint.Limit{Requests: 5, Window: time.Second}, "rate: {per_second: 0}", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			databases(t, func(t *testing.T, url string) {
				events := tc.events
				if strings.HasPrefix(url, "postgres") {
					events = min(events, 60) // the pace is the same on both
				}
				d := &endpoint.Discord{Limit: tc.limit}
				web := httptest.NewServer(d)
				t.Cleanup(web.Close)
				srv := newServer(t, settings{
					database: url, routes: everything,
					targets: fmt.Sprintf("ops:\n  plugin: discord\n  timeout: 2m\n  %s\n  config: {webhook_url: %q}", tc.rate, d.URL(web.URL)),
				})
				srv.start()
				for n := range events {
					require.Equal(t, http.StatusAccepted, srv.post(importBody(n+1)).status)
				}
				require.Eventually(t, func() bool { return len(d.Messages()) == events }, waitTimeout, 50*time.Millisecond)
				for n, m := range asJSON(t, d.Messages()) {
					require.Contains(t, m, titleOf(n+1), "out of order")
				}
				traffic := d.Traffic()
				t.Logf("%d events, %d answers of 429, %d sent inside a pause, at most %d in %s", events, traffic.Throttled,
					traffic.Violations, traffic.Busiest(tc.limit.Window), tc.limit.Window)
				require.LessOrEqual(t, traffic.Throttled, tc.most)
				require.Zero(t, traffic.Violations)
				require.Empty(t, d.Refused())
			})
		})
	}
}
