package ingest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/ingest"
	"github.com/hookarr/hookarr/sdk"
)

const imported = `{"type":"media.imported","title":"Dune (2021)","summary":"Imported Dune","fingerprint":"import:7","correlation_key":"ABCD"}`

func TestAcceptedIsStored(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodPost, http.MethodPut} {
		b := setup(t)
		r := b.request(imported)
		r.Method = method
		r.URL.RawQuery = "lang=en&token=" + secret
		r.Header.Set("User-Agent", "Radarr/6.0.4")
		r.Header.Set("Authorization", "Bearer "+secret)
		got := b.do(r)
		require.Equal(t, http.StatusAccepted, got.status, got.body)
		require.Equal(t, "application/json", got.header.Get("Content-Type"))
		require.JSONEq(t, fmt.Sprintf(`{"id":%q}`, got.ID), got.body)

		e := b.find(got.ID)
		require.Equal(t, "radarr", e.Source)
		require.Equal(t, event.Routed, e.State)
		require.Equal(t, sdk.OriginWebhook, e.Origin)
		require.Equal(t, now, e.ReceivedAt.UTC())
		require.Equal(t, method, e.Request.Method)
		require.Equal(t, "lang=en", e.Request.Query)
		require.True(t, bytes.Equal([]byte(imported), e.Request.Body))
		require.Equal(t, "Radarr/6.0.4", e.Request.Header.Get("User-Agent"))
		require.NotContains(t, fmt.Sprint(e.Request), secret)
		require.Equal(t, sdk.TypeMediaImported, e.Type)
		require.Equal(t, "Dune (2021)", e.Title)
		require.Equal(t, "Imported Dune", e.Summary)
		require.Equal(t, "import:7", e.Fingerprint)
		require.Equal(t, "ABCD", e.CorrelationKey)
		require.Contains(t, string(e.Normalized), got.ID)

		_, deliveries, err := b.store.FindEvent(t.Context(), e.ID)
		require.NoError(t, err)
		require.Len(t, deliveries, 2)
		require.ElementsMatch(t, []string{"ops", "phone"}, []string{deliveries[0].Target, deliveries[1].Target})
		require.Equal(t, "all", deliveries[0].Route)

		b.decoder.mu.Lock()
		require.Equal(t, e.ID.String(), b.decoder.last.ID)
		require.Equal(t, method, b.decoder.last.Method)
		require.Equal(t, "en", b.decoder.last.Query.Get("lang"))
		require.NotContains(t, fmt.Sprint(b.decoder.last.Header, b.decoder.last.Query), secret)
		require.NotContains(t, b.decoder.last.Header, "X-Hub-Signature-256")
		b.decoder.mu.Unlock()
		require.InDelta(t, 1, b.metric("hookarr_events_accepted_total", "radarr", "media.imported"), 0)
		require.InDelta(t, 1, b.metric("hookarr_decode_seconds", "radarr"), 0)
		require.InDelta(t, 1, b.metric("hookarr_accept_seconds"), 0)
		require.NotContains(t, b.log.String(), secret)
	}
}

func TestEverySchemeGetsIn(t *testing.T) {
	t.Parallel()
	for name, entry := range map[string]config.Auth{
		"github":     {HMAC: &config.HMAC{Preset: "github", Secrets: []sdk.Secret{secret}}},
		"standard":   {HMAC: &config.HMAC{Preset: "standard-webhooks", Secrets: []sdk.Secret{"new", secret}}},
		"spelledout": {HMAC: &config.HMAC{Header: "X-Sig", Algorithm: "sha512", Encoding: "base64", TimestampHeader: "X-Time", Secrets: []sdk.Secret{secret}}},
		"basic":      {Basic: &config.Basic{Password: secret}},
		"header":     {Header: &config.HeaderAuth{Name: "X-Key", Value: secret}},
		"path":       {Token: &config.Token{Value: secret}},
		"query":      {Token: &config.Token{Query: "key", Value: secret}},
		"none":       {None: &config.None{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, withSource("radarr", config.Source{Auth: []config.Auth{entry}}))
			require.NotContains(t, fmt.Sprint(b.accepted(imported).Request), secret)
			if name != "none" {
				got := b.do(b.unsigned(imported))
				require.Equal(t, http.StatusUnauthorized, got.status)
				require.JSONEq(t, `{"error":"unauthorized"}`, got.body)
				require.Equal(t, name == "basic", got.header.Get("WWW-Authenticate") != "")
			}
			require.NotContains(t, b.log.String(), secret)
		})
	}
}

func TestRejected(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		edit   func(b *bundle, r *http.Request)
		status int
		reason string
	}{
		{"no signature", func(_ *bundle, r *http.Request) { r.Header.Del("Webhook-Signature") }, 401, "missing"},
		{"malformed signature", func(_ *bundle, r *http.Request) { r.Header.Set("Webhook-Signature", "v1,?") }, 401, "malformed"},
		{"wrong signature", func(_ *bundle, r *http.Request) {
			r.Header.Set("Webhook-Signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
		}, 401, "mismatch"},
		{"another id", func(_ *bundle, r *http.Request) { r.Header.Set("Webhook-Id", "msg_2") }, 401, "mismatch"},
		{"old time", func(b *bundle, _ *http.Request) { b.clock.advance(301 * time.Second) }, 401, "stale"},
		{"future time", func(b *bundle, _ *http.Request) { b.clock.advance(-301 * time.Second) }, 401, "stale"},
		{"get", func(_ *bundle, r *http.Request) { r.Method = http.MethodGet }, 405, "method"},
		{"head", func(_ *bundle, r *http.Request) { r.Method = http.MethodHead }, 405, "method"},
		{"delete", func(_ *bundle, r *http.Request) { r.Method = http.MethodDelete }, 405, "method"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, withSource("radarr", hmacSource("standard-webhooks", secret, "old-secret")))
			r := b.request(imported)
			tc.edit(b, r)
			got := b.do(r)
			require.Equal(t, tc.status, got.status)
			require.NotContains(t, got.body, "stale", "a stranger is not told why")
			require.InDelta(t, 1, b.metric("hookarr_requests_rejected_total", tc.reason, "radarr"), 0)
			require.Contains(t, b.log.String(), fmt.Sprintf(`"reason":%q`, tc.reason))
			require.Contains(t, b.log.String(), `"client":"127.0.0.1"`)
			require.Zero(t, b.stored())
			if tc.status == http.StatusMethodNotAllowed {
				require.Equal(t, "POST, PUT", got.header.Get("Allow"))
				if r.Method == http.MethodGet {
					require.Contains(t, got.body, "POST or PUT")
				}
			}
			calls, _ := b.decoder.counts()
			require.Zero(t, calls)
		})
	}
}

func TestRotatedSecrets(t *testing.T) {
	t.Parallel()
	old := setup(t, withSource("radarr", hmacSource("github", "old")))
	rotating := setup(t, withSource("radarr", hmacSource("github", "new", "old")))
	fresh := setup(t, withSource("radarr", hmacSource("github", "new")))
	signature := old.request(imported).Header.Get("X-Hub-Signature-256")
	for b, want := range map[*bundle]int{old: 202, rotating: 202, fresh: 401} {
		r := b.unsigned(imported)
		r.Header.Set("X-Hub-Signature-256", signature)
		require.Equal(t, want, b.do(r).status)
	}
	r := rotating.unsigned(imported)
	r.Header.Set("X-Hub-Signature-256", fresh.request(imported).Header.Get("X-Hub-Signature-256"))
	require.Equal(t, http.StatusOK, rotating.do(r).status)
}

func TestUnknownSource(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, path := range []string{"/hooks/sonarr", "/hooks/", "/hooks/RADARR", "/hooks/" + secret, "/radarr", "/hooks//radarr"} {
		r := b.request(imported)
		r.URL.Path = path
		got := b.do(r)
		require.Equal(t, http.StatusNotFound, got.status, path)
		require.JSONEq(t, `{"error":"not found"}`, got.body)
	}
	require.InDelta(t, 6, b.metric("hookarr_requests_rejected_total", "unknown_source", "unknown"), 0)
	require.NotContains(t, b.log.String(), secret)
	require.Zero(t, b.stored())
	var asked []any
	for _, line := range b.logged("webhook rejected") {
		asked = append(asked, line["asked"])
		require.Equal(t, "unknown", line["source"])
		require.Equal(t, "radarr", line["sources"])
	}
	require.Equal(t, []any{"sonarr", "[no name]", "RADARR", "[no name]", "[no name]", "[no name]"}, asked)
}

// TestUnknownSourceIsBounded in what it writes into the log.
func TestUnknownSourceIsBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, name := range []string{"abcdefghijklmnopqrstuvwxyz", strings.Repeat("a", 41), "a\nb", "a\x1b[1m", strings.ToUpper(secret) + "\u2028"} {
		r := b.request(imported)
		r.URL.Path = "/hooks/" + name
		require.Equal(t, http.StatusNotFound, b.do(r).status)
	}
	var asked []any
	for _, line := range b.logged("webhook rejected") {
		asked = append(asked, line["asked"])
	}
	require.Equal(t, []any{"abcdefghijklmnopqrst…", "[no name]", "[no name]", "[no name]", "[no name]"}, asked)
}

func TestAllowList(t *testing.T) {
	t.Parallel()
	// The test's own address is a trusted proxy.
	source := hmacSource("github", secret)
	source.AllowFrom = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	b := setup(t, withSource("radarr", source))
	for _, tc := range []struct {
		forwarded string
		want      int
	}{
		{"", 403},
		{"192.0.2.7", 202},
		{"203.0.113.1", 403},
		{"192.0.2.7, 203.0.113.1", 403},
		{"203.0.113.1, 192.0.2.7", 200},
		{"192.0.2.7, unknown", 403},
	} {
		r := b.request(imported)
		if tc.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tc.forwarded)
		}
		got := b.do(r)
		require.Equal(t, tc.want, got.status, tc.forwarded)
		if tc.want == http.StatusForbidden {
			require.JSONEq(t, `{"error":"forbidden"}`, got.body)
		}
	}
	require.InDelta(t, 4, b.metric("hookarr_requests_rejected_total", "address", "radarr"), 0)
}

func TestOnlyFailuresAreThrottled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	fail := func() reply { return b.do(b.unsigned(imported)) }
	for range 20 {
		require.Equal(t, http.StatusUnauthorized, fail().status)
	}
	got := fail()
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.NotEmpty(t, got.header.Get("Retry-After"))
	require.InDelta(t, 1, b.metric("hookarr_requests_rejected_total", "throttled", "radarr"), 0)
	for i := range 30 {
		require.Equal(t, http.StatusAccepted, b.post(fmt.Sprintf(`{"title":"%d"}`, i)).status, "who can sign is never told to wait")
	}
	b.clock.advance(time.Minute)
	require.Equal(t, http.StatusUnauthorized, fail().status)
}

func TestFloodOfRejectionsDoesNotFloodTheLog(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 60 {
		b.do(b.unsigned(imported))
	}
	require.Less(t, strings.Count(b.log.String(), "webhook rejected"), 60)
}

func TestWhatCannotBeDecoded(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":[`, 20_000) + strings.Repeat(`]}`, 20_000)
	for _, body := range []string{"", "{", "not json", "\xff\xfe\x00", imported[:40], deep, `{"Invalid":"another app's payload"}`} {
		b := setup(t)
		e := b.accepted(body)
		require.Equal(t, event.Undecodable, e.State)
		require.Equal(t, body, string(e.Request.Body))
		require.NotEmpty(t, e.Reason)
		require.InDelta(t, 1, b.metric("hookarr_events_undecodable_total", "radarr"), 0)
		require.InDelta(t, 1, b.metric("hookarr_events_accepted_total", "radarr", "none"), 0)
		_, deliveries, err := b.store.FindEvent(t.Context(), e.ID)
		require.NoError(t, err)
		require.Empty(t, deliveries)
	}
}

func TestTestThatCannotBeDecoded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.post(`{"Invalid":"this is Sonarr's test: connect Sonarr to a source of plugin sonarr","Test":true}`)
	require.Equal(t, http.StatusUnprocessableEntity, got.status)
	require.Equal(t, "text/plain; charset=utf-8", got.header.Get("Content-Type"))
	require.Equal(t, "this is Sonarr's test: connect Sonarr to a source of plugin sonarr\n", got.body)
	require.InDelta(t, 1, b.metric("hookarr_requests_rejected_total", "test", "radarr"), 0)
	require.Zero(t, b.stored())
}

func TestSkipped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := b.accepted(`{"Skip":"nobody wants this"}`)
	require.Equal(t, event.Routed, e.State)
	require.Equal(t, "nobody wants this", e.Reason)
	_, deliveries, err := b.store.FindEvent(t.Context(), e.ID)
	require.NoError(t, err)
	require.Empty(t, deliveries)
}

func TestTypesOfPluginsDoNotMultiplyMetrics(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 3 {
		e := b.accepted(fmt.Sprintf(`{"type":"made.up.%d","title":"x"}`, i))
		require.Equal(t, sdk.Type(fmt.Sprintf("made.up.%d", i)), e.Type)
	}
	require.InDelta(t, 3, b.metric("hookarr_events_accepted_total", "radarr", "other"), 0)
}

func TestDatabaseDown(t *testing.T) {
	t.Parallel()
	var db *outage
	b := setup(t, with(func(o *ingest.Options) {
		db = &outage{Accepter: o.Store}
		o.Store = db
	}))
	db.set(true)
	for range 3 {
		got := b.post(imported)
		require.Equal(t, http.StatusServiceUnavailable, got.status)
		require.NotEmpty(t, got.header.Get("Retry-After"))
		require.NotContains(t, got.body, "connection refused")
	}
	require.Contains(t, b.log.String(), "connection refused")
	require.Zero(t, b.stored())
	db.set(false)
	b.accepted(imported)
}
