package deliver

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// TestRequestOfAFailedAttemptIsKept for whoever asks what was sent.
func TestRequestOfAFailedAttemptIsKept(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		id := r.accept("ops")[0]
		r.plugins.answers(func(context.Context, call) host.Outcome {
			return host.Outcome{Class: sdk.ClassPermanent, Message: "answered 400", Receipt: sdk.Receipt{Status: 400}, Sent: &host.Request{
				Method: "POST", URL: "https://example.com/[redacted]", Header: http.Header{"X-B": {"2"}, "X-A": {"1"}}, Body: `{"a":1}`, Truncated: true,
			}}
		})
		r.start()
		_, attempts := r.await(id, event.Dead)
		require.Len(t, attempts, 1)
		require.Equal(t, "POST https://example.com/[redacted]\nX-A: 1\nX-B: 2\n\n{\"a\":1}\n[the body is longer]", attempts[0].Request)
	})
}
