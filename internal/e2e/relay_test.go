package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/testport"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/signature"
)

// relaySecret is the one in the examples.
const relaySecret = "whsec_ZXhhbXBsZS1zZWNyZXQtZG8tbm90LXVzZS1pdC1yZWxheQ=="

// relay is two servers on the configurations in examples: what is posted to near comes,
// by way of far, to the endpoint.
type relay struct {
	near, far *server
	endpoint  *receiver
}

// newRelay starts nothing. The database is the far side's.
func newRelay(t *testing.T, database string) relay {
	t.Helper()
	endpoint := newReceiver(t)
	far := newExample(t, "relay-receiver.yaml", "127.0.0.1:8485",
		"sqlite://../data/hookarr.db", database,
		"http://127.0.0.1:9900/hook", endpoint.URL,
		"whsec_ZXhhbXBsZS1zZWNyZXQtZG8tbm90LXVzZS1pdA==", targetSecret)
	near := newExample(t, "relay.yaml", "127.0.0.1:8484",
		"sqlite://../data/relay.db", sqliteURL(t),
		"http://127.0.0.1:8485", far.url)
	return relay{near: near, far: far, endpoint: endpoint}
}

// newExample is a server on a file of examples that listens elsewhere. The replacements
// are pairs of old and new, each old once in the file.
func newExample(t *testing.T, file, listen string, replacements ...string) *server {
	t.Helper()
	example, err := os.ReadFile(filepath.Join("../../examples", file))
	require.NoError(t, err)
	dir, addr := t.TempDir(), testport.Addr(t)
	yaml := string(example)
	replacements = append(replacements, "listen: "+listen, "listen: "+addr,
		"../bin/plugins", filepath.Join(binaries, "plugins"), "../plugins.lock", filepath.Join(dir, "plugins.lock"))
	for i := 0; i < len(replacements); i += 2 {
		require.Equal(t, 1, strings.Count(yaml, replacements[i]), "%s in %s", replacements[i], file)
		yaml = strings.Replace(yaml, replacements[i], replacements[i+1], 1)
	}
	config := filepath.Join(dir, "hookarr.yaml")
	require.NoError(t, os.WriteFile(config, []byte(yaml), 0o600))
	return serverOn(t, config, addr)
}

// post sends a body as Radarr does, which cannot sign.
func (r relay) post(t *testing.T, body []byte) answer {
	t.Helper()
	return post(t, r.near, body, nil)
}

func post(t *testing.T, to *server, body []byte, change func(req *http.Request)) answer {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, to.url+"/hooks/radarr", bytes.NewReader(body))
	require.NoError(t, err)
	if change != nil {
		change(req)
	}
	return do(req)
}

// deliveryIDs lists a server's deliveries in a state.
func deliveryIDs(t *testing.T, s *server, state string) []string {
	t.Helper()
	out, err := s.cli("deliveries", "list", "--state", state, "--limit", "100", "--json")
	require.NoError(t, err, out)
	var page []struct {
		ID string `json:"id"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &page), out)
	ids := make([]string, 0, len(page))
	for _, d := range page {
		ids = append(ids, d.ID)
	}
	return ids
}

// TestRelay follows an import and a press of the Test button over both servers.
func TestRelay(t *testing.T) {
	t.Parallel()
	r := newRelay(t, sqliteURL(t))
	r.far.start()
	r.near.start()

	// JSON that no encoder would write so.
	body := []byte(" \r\n" + strings.Replace(string(importBody(1)), "{", "{\"dup\": 1, \"dup\": 2, \"sm\\u00f8rrebr\u00f8d\": 1.0e+0,\t", 1) + "\n\n")
	require.Equal(t, http.StatusAccepted, r.post(t, body).status)
	got := r.endpoint.await(t, 1)[0].Event
	require.Equal(t, titleOf(1), got.Title)
	require.Equal(t, "6.0.4.10291", got.AppVersion, "it is in the User-Agent alone")
	stored, err := r.far.cli("events", "body", got.ID)
	require.NoError(t, err, stored)
	require.Equal(t, string(body), stored)

	press, err := os.ReadFile("../../examples/payloads/radarr/test.json")
	require.NoError(t, err)
	for n := range 2 {
		require.Equal(t, http.StatusAccepted, r.post(t, press).status)
		require.Equal(t, sdk.TypeTest, r.endpoint.await(t, n+2)[n+1].Event.Type)
	}
	require.Zero(t, r.endpoint.forgeries())
}

// TestRelayKeepsForgersOut posts to the far side what the relay did not sign, and what it
// did sign once more.
func TestRelayKeepsForgersOut(t *testing.T) {
	t.Parallel()
	r := newRelay(t, sqliteURL(t))
	r.far.start()
	r.near.start()
	require.Equal(t, http.StatusAccepted, r.post(t, importBody(1)).status)
	event := r.endpoint.await(t, 1)[0].Event.ID
	var delivered []string
	require.Eventually(t, func() bool {
		delivered = deliveryIDs(t, r.near, "delivered")
		return len(delivered) == 1
	}, waitTimeout, 50*time.Millisecond)

	id, now, other := delivered[0], time.Now(), importBody(2)
	signed := func(secret string, at time.Time, body []byte) func(*http.Request) {
		signer, err := signature.New(signature.StandardWebhooks(), secret)
		require.NoError(t, err)
		return func(req *http.Request) { require.NoError(t, signer.Sign(req.Header, id, at, body)) }
	}
	for name, change := range map[string]func(*http.Request){
		"unsigned":           nil,
		"of another body":    signed(relaySecret, now, importBody(1)),
		"by another secret":  signed(standardSecret, now, other),
		"recorded long ago":  signed(relaySecret, now.Add(-6*time.Minute), other),
		"signed as GitHub's": func(req *http.Request) { req.Header.Set("X-Hub-Signature-256", sign(relaySecret, other)) },
	} {
		require.Equal(t, http.StatusUnauthorized, post(t, r.far, other, change).status, name)
	}
	again := post(t, r.far, other, signed(relaySecret, now, other))
	require.Equal(t, http.StatusOK, again.status, "the signed id is the delivery's")
	require.Equal(t, event, again.id)
	require.Eventually(t, func() bool { return len(deliveryIDs(t, r.far, "delivered")) == 1 }, waitTimeout, 50*time.Millisecond)
	require.Len(t, r.endpoint.all(), 1)
}

// TestRelaySpools stops the far side while the app goes on posting.
func TestRelaySpools(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRelay(t, url)
		r.far.start()
		r.near.start()
		const events, before = 50, 10
		for n := range events {
			if n == before {
				require.NoError(t, r.far.stop())
			}
			require.Equal(t, http.StatusAccepted, r.post(t, importBody(n+1)).status)
		}
		require.NotEmpty(t, deliveryIDs(t, r.near, "pending"))
		require.NoError(t, r.near.stop(), "what waits outlives a restart")
		r.near.start()

		r.far.start()
		// The near side looks by itself a minute after it gave the far side up, which one
		// database waits for.
		hurry := strings.HasPrefix(url, "postgres")
		require.Eventually(t, func() bool {
			if hurry {
				_, _ = r.near.cli("targets", "probe", "far") // refused until it was given up
			}
			return len(r.endpoint.all()) == events
		}, waitTimeout, time.Second)
		require.Eventually(t, func() bool { return len(deliveryIDs(t, r.near, "delivered")) == events }, waitTimeout, 100*time.Millisecond)
		want := map[string]int{}
		for n := range events {
			want[titleOf(n+1)] = 1
		}
		require.Equal(t, want, r.endpoint.counts())
		require.Eventually(t, func() bool { return len(deliveryIDs(t, r.far, "delivered")) == events }, waitTimeout, 100*time.Millisecond)
	})
}

// TestRelayWithAWrongSecretHolds gives the far side another secret, and then the right one.
func TestRelayWithAWrongSecretHolds(t *testing.T) {
	t.Parallel()
	r := newRelay(t, sqliteURL(t))
	right, err := os.ReadFile(r.far.config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(r.far.config, bytes.ReplaceAll(right, []byte(relaySecret), []byte(standardSecret)), 0o600))
	r.far.start()
	r.near.start()

	const events = 5
	for n := range events {
		require.Equal(t, http.StatusAccepted, r.post(t, importBody(n+1)).status)
	}
	require.Eventually(t, func() bool {
		out, err := r.near.cli("targets", "list")
		return err == nil && strings.Contains(out, "misconfigured") && strings.Contains(out, "401")
	}, waitTimeout, 100*time.Millisecond)
	require.Len(t, deliveryIDs(t, r.near, "pending"), events)
	require.Empty(t, r.endpoint.all())

	require.NoError(t, r.far.stop())
	require.NoError(t, os.WriteFile(r.far.config, right, 0o600))
	r.far.start()
	out, err := r.near.cli("targets", "resume", "far")
	require.NoError(t, err, out)
	r.endpoint.await(t, events)
	require.Eventually(t, func() bool { return len(deliveryIDs(t, r.near, "delivered")) == events }, waitTimeout, 100*time.Millisecond)
	require.Len(t, r.endpoint.all(), events)
	for _, log := range []string{r.near.log.String(), r.far.log.String()} {
		require.NotContains(t, log, relaySecret)
		require.NotContains(t, log, standardSecret)
	}
}
