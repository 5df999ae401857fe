package webhook

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
	"github.com/hookarr/hookarr/sdk/signature"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

const suiteSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func TestPlugin(t *testing.T) {
	t.Parallel()
	for _, format := range []string{formatStandard, formatCloudEvents, formatArr} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			plugintest.TestTarget(t, info(), newTarget, plugintest.TargetSuite{
				Config: func(endpointURL string) any {
					return map[string]any{
						"url": endpointURL, "format": format, "secrets": []string{suiteSecret, "an older secret"}, "hub_signature": true,
						"bearer": "sup3r-s3cret-t0ken", "headers": map[string]string{"X-Token": "an0ther-s3cret-t0ken"}, "accept": []int{409},
						"header_names": map[string]string{"signature": "X-Revenge-Signature", "event": "X-Revenge-Event", "timestamp": "X-Revenge-Timestamp"},
						"signature":    map[string]any{"timestamp": true},
					}
				},
				Accepts:        verified,
				IdempotencyKey: func(r *http.Request) string { return r.Header.Get("webhook-id") },
				Class: func(status int) sdk.Class {
					if status == http.StatusConflict {
						return sdk.ClassOK // by accept
					}
					return ""
				},
			})
		})
	}
}

// verified judges a request by its signatures.
func verified(r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	for _, scheme := range []signature.Scheme{signature.StandardWebhooks(), signature.GitHub()} {
		v, err := signature.New(scheme, suiteSecret)
		if err != nil {
			return err
		}
		if _, err := v.Verify(r.Header, body, time.Now()); err != nil {
			return err
		}
	}
	return nil
}

func TestRawOverTheWire(t *testing.T) {
	t.Parallel()
	b := setup(t, nil) // for its endpoint
	target := plugintest.StartTarget(t, info(), newTarget, map[string]any{"url": b.url, "format": formatRaw})
	d := plugintest.Delivery(t, "delivery", plugintest.EventOf(sdk.TypeMediaImported))
	body := bytes.Repeat([]byte("\x00\xff{}\r\n"), 100_000)
	d.Originals = []sdk.Request{{ID: "1", Method: http.MethodPost, Header: http.Header{"Content-Type": {"text/plain"}}, Body: body}}
	o, err := target.Deliver(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	got := b.receiver.all[0]
	require.True(t, bytes.Equal(body, got.body))
	require.Equal(t, "text/plain", got.header.Get("Content-Type"))
	require.Equal(t, "Hookarr/"+version, got.header.Get("User-Agent"))
}
