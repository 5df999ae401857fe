package ingest_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzIntake(f *testing.F) {
	f.Add("POST", "/hooks/radarr", "X-Hub-Signature-256", "sha256=00", []byte(imported), false)
	f.Add("PUT", "/hooks/radarr/x?token=1", "Authorization", "Basic Og==", []byte("\x00\xff"), true)
	f.Add("GET", "/hooks/%2e%2e/radarr", "X-Forwarded-For", ",,", []byte(nil), false)
	f.Add("POST", "/hooks/radarr?%zz&;=", "Content-Type", "", []byte(`{"type":"test","title":"\u0000"}`), true)
	f.Add("POST", "/hooks/radarr", "Webhook-Id", "", []byte(`{"Invalid":"x","Test":true}`), true)
	b := setup(f)
	stored := 0
	f.Fuzz(func(t *testing.T, method, target, name, value string, body []byte, signed bool) {
		b.t = t
		r, err := http.NewRequestWithContext(t.Context(), method, "http://intake"+target, bytes.NewReader(body))
		if err != nil {
			t.Skip()
		}
		r.RemoteAddr = "127.0.0.1:1"
		r.Header[http.CanonicalHeaderKey(name)] = []string{value}
		if signed {
			require.NoError(t, b.gate.Sign(r, body, "", now))
		}
		w := &recorder{header: http.Header{}}
		b.intake.ServeHTTP(w, r)
		switch w.status {
		case http.StatusAccepted:
			require.True(t, signed)
			stored++
		case http.StatusOK, http.StatusUnprocessableEntity:
			require.True(t, signed)
		case http.StatusUnauthorized, http.StatusTooManyRequests:
			require.False(t, signed)
		case http.StatusNotFound, http.StatusMethodNotAllowed:
		default:
			require.Failf(t, "unexpected answer", "%d %s", w.status, w.body.String())
		}
		require.NotContains(t, w.body.String()+b.log.String(), secret)
		if stored < 1000 {
			require.Equal(t, stored, b.stored())
		}
	})
}

// recorder is a ResponseWriter without a connection.
type recorder struct {
	header http.Header
	status int
	body   strings.Builder
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(p []byte) (int, error) { return w.body.Write(p) }
