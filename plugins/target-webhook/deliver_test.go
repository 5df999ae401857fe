package webhook

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/signature"
)

// received is one request as the endpoint saw it.
type received struct {
	method string
	header http.Header
	body   []byte
}

// receiver keeps what it is sent.
type receiver struct {
	mu  sync.Mutex
	all []received
}

func (r *receiver) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	// The test notices a body that breaks off.
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, received{req.Method, req.Header, body})
}

type testBundle struct {
	receiver *receiver
	url      string
	target   sdk.Target
}

func setup(t *testing.T, change func(c *config)) testBundle {
	t.Helper()
	r := &receiver{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	url := server.URL + "/hook?a=b"
	c := config{URL: sdk.Secret(url), Method: http.MethodPost, Format: formatStandard}
	if change != nil {
		change(&c)
	}
	target, err := newTarget(t.Context(), sdk.Env{Instance: "ops", Log: slog.New(slog.DiscardHandler), HTTP: &sdk.HTTP{}}, c)
	require.NoError(t, err)
	return testBundle{r, url, target}
}

func (b testBundle) deliver(t *testing.T, d sdk.Delivery) received {
	t.Helper()
	receipt, err := b.target.Deliver(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, receipt.Status)
	return b.receiver.all[len(b.receiver.all)-1]
}

func delivery(t *testing.T) sdk.Delivery {
	t.Helper()
	for _, c := range eventtest.Events() {
		if c.Name == "media_imported" {
			return eventtest.Delivery(t, c.Event)
		}
	}
	require.Fail(t, "no such event")
	return sdk.Delivery{}
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	for format, mediaType := range map[string]string{
		formatStandard:    "application/json",
		formatCloudEvents: "application/cloudevents+json",
	} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			got := setup(t, func(c *config) { c.Format = format }).deliver(t, delivery(t))
			require.Equal(t, http.MethodPost, got.method)
			require.Equal(t, mediaType, got.header.Get("Content-Type"))
			require.Equal(t, "0197b1f0-5a3c-7c11-9d7e-3f0b8a6c2d41", got.header.Get("webhook-id"))
			require.Empty(t, got.header.Values("webhook-signature"), "no secret, no signature")
			eventtest.Golden(t, "testdata/"+format+".golden.json", json.RawMessage(got.body))
		})
	}
}

func TestUnknownFieldsArePassedOn(t *testing.T) {
	t.Parallel()
	d := delivery(t)
	d.JSON = []json.RawMessage{json.RawMessage(`{"id":"1","type":"media.imported","later_field":{"n":12345678901234567890}}`)}
	for _, format := range []string{formatStandard, formatCloudEvents} {
		got := setup(t, func(c *config) { c.Format = format }).deliver(t, d)
		var body struct{ Data json.RawMessage }
		require.NoError(t, json.Unmarshal(got.body, &body))
		require.Equal(t, string(d.JSON[0]), string(body.Data))
	}
}

func TestRawIsTheApplicationsOwnBytes(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *config) { c.Format = formatRaw; c.Secrets = []sdk.Secret{"relay"} })
	user, ok := b.target.(sdk.OriginalsUser)
	require.True(t, ok)
	require.True(t, user.NeedsOriginals())

	d := delivery(t)
	body := []byte("{\"eventType\": \"Download\",\r\n \"dup\":1,\"dup\":2, \"bad\":\"\xff\"} \n")
	const agent = "Radarr/6.0.4.10291 (alpine 3.22.1)"
	d.Originals = []sdk.Request{{
		Method: http.MethodPut, Body: body,
		Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}, "User-Agent": {agent}, "X-Other": {"stays"}},
	}}
	got := b.deliver(t, d)
	require.Equal(t, body, got.body)
	require.Equal(t, agent, got.header.Get("User-Agent"), "it alone tells the application's version")
	require.Empty(t, got.header.Get("X-Other"))
	require.Equal(t, http.MethodPost, got.method)
	require.Equal(t, "application/json; charset=utf-8", got.header.Get("Content-Type"))
	verifier, err := signature.New(signature.StandardWebhooks(), "relay")
	require.NoError(t, err)
	_, err = verifier.Verify(got.header, got.body, time.Now())
	require.NoError(t, err)

	d.Originals[0].Header = nil
	require.Equal(t, "application/octet-stream", b.deliver(t, d).header.Get("Content-Type"))
	d.Originals = nil
	_, err = b.target.Deliver(t.Context(), d)
	require.ErrorContains(t, err, "without the original request")

	for _, format := range []string{formatStandard, formatCloudEvents} {
		other, ok := setup(t, func(c *config) { c.Format = format }).target.(sdk.OriginalsUser)
		require.True(t, ok)
		require.False(t, other.NeedsOriginals())
	}
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	const newest, oldest = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "an older secret"
	b := setup(t, func(c *config) { c.Secrets, c.HubSignature = []sdk.Secret{newest, oldest}, true })
	got := b.deliver(t, delivery(t))

	for _, secret := range []string{newest, oldest} {
		verifier, err := signature.New(signature.StandardWebhooks(), secret)
		require.NoError(t, err)
		signed, err := verifier.Verify(got.header, got.body, time.Now())
		require.NoError(t, err, "each secret of a rotation verifies")
		require.Equal(t, "0197b1f0-5a3c-7c11-9d7e-3f0b8a6c2d41", signed.ID)
		_, err = verifier.Verify(got.header, append(got.body, ' '), time.Now())
		require.ErrorIs(t, err, signature.ErrMismatch)
	}
	other, err := signature.New(signature.StandardWebhooks(), "another")
	require.NoError(t, err)
	_, err = other.Verify(got.header, got.body, time.Now())
	require.ErrorIs(t, err, signature.ErrMismatch)

	hub, err := signature.New(signature.GitHub(), newest)
	require.NoError(t, err)
	_, err = hub.Verify(got.header, got.body, time.Now())
	require.NoError(t, err)

	plain := setup(t, func(c *config) { c.Secrets = []sdk.Secret{newest} }).deliver(t, delivery(t))
	require.Empty(t, plain.header.Values("X-Hub-Signature-256"))
}

func TestAttemptsOfADeliveryAreTheSame(t *testing.T) {
	t.Parallel()
	for _, format := range []string{formatStandard, formatCloudEvents} {
		b := setup(t, func(c *config) { c.Format = format })
		d := delivery(t)
		first := b.deliver(t, d)
		d.Attempt = 2
		second := b.deliver(t, d)
		require.Equal(t, first.header.Get("webhook-id"), second.header.Get("webhook-id"))
		require.Equal(t, string(first.body), string(second.body))

		d.ID = "0197b1f0-5a3c-7c11-9d7e-3f0b8a6c2d42"
		replay := b.deliver(t, d)
		require.NotEqual(t, first.header.Get("webhook-id"), replay.header.Get("webhook-id"))
		require.Equal(t, string(first.body), string(replay.body), "a replay tells of the same event")
	}
}

func TestHeadersAndMethod(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *config) {
		c.Method = http.MethodPut
		c.Headers = map[string]sdk.Secret{"authorization": "Bearer t0ken", "content-type": "application/vnd.example+json"}
	})
	got := b.deliver(t, delivery(t))
	require.Equal(t, http.MethodPut, got.method)
	require.Equal(t, "Bearer t0ken", got.header.Get("Authorization"))
	require.Equal(t, []string{"application/vnd.example+json"}, got.header.Values("Content-Type"))
}

func TestLargeEvent(t *testing.T) {
	t.Parallel()
	d := eventtest.Delivery(t, sdk.Event{Title: strings.Repeat("long ", 1<<20)})
	got := setup(t, nil).deliver(t, d)
	var body struct{ Data sdk.Event }
	require.NoError(t, json.Unmarshal(got.body, &body))
	require.Equal(t, d.Event.Title, body.Data.Title)
}

func TestUnsignableDeliveryIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *config) { c.Secrets = []sdk.Secret{"secret"} })
	d := delivery(t)
	d.ID = "two.parts"
	_, err := b.target.Deliver(t.Context(), d)
	class, _ := sdk.ClassOf(err)
	require.Equal(t, sdk.ClassPermanent, class)
	require.Empty(t, b.receiver.all)
}
