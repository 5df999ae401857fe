package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestHealthcheck asks at the socket, and where that does not let it in at the listener.
func TestHealthcheck(t *testing.T) {
	t.Parallel()
	says := func(status int, answer map[string]any) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/readyz" {
				status = http.StatusNotFound
			}
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(answer)
		})
	}
	ready := says(http.StatusOK, map[string]any{"status": "ready"})
	forbidden := says(http.StatusForbidden, map[string]any{"status": 403, "detail": "uid 7 may not use the socket of uid 99"})
	for name, tt := range map[string]struct {
		socket, listener http.Handler
		tls              bool
		want             result
	}{
		"socket": {socket: ready, want: result{out: "ready\n"}},
		"degraded": {
			socket: says(http.StatusOK, map[string]any{"status": "degraded", "plugins": map[string]string{"target-x": "quarantined"}}),
			want:   result{out: "degraded: 1 plugin is out of order: hookarr plugins list\n"},
		},
		"database": {
			socket: says(http.StatusServiceUnavailable, map[string]any{"status": "unavailable", "reason": "database unavailable"}), listener: ready,
			want: result{code: exitError, err: "hookarr: unavailable: database unavailable\n"},
		},
		"another user": {socket: forbidden, listener: ready, want: result{out: "ready\n"}},
		"no socket":    {listener: ready, want: result{out: "ready\n"}},
		"TLS":          {listener: ready, tls: true, want: result{out: "ready\n"}},
		"another program": {
			listener: says(http.StatusOK, nil), want: result{code: exitError, err: "hookarr: what answers at http://ADDRESS is no hookarr: status 200\n"},
		},
		"nobody": {want: result{code: exitError, err: "hookarr: no server answers at SOCKET, nor at http://ADDRESS\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			socket := filepath.Join(t.TempDir(), "s")
			address := freeAddress(t)
			if tt.socket != nil {
				l, err := net.Listen("unix", socket)
				require.NoError(t, err)
				s := httptest.Server{Listener: l, Config: &http.Server{Handler: tt.socket, ReadHeaderTimeout: time.Minute}}
				s.Start()
				t.Cleanup(s.Close)
			}
			extra := ""
			if tt.listener != nil {
				s := httptest.NewUnstartedServer(tt.listener)
				if tt.tls {
					s.StartTLS()
					extra = "tls: {cert_file: cert.pem, key_file: key.pem}\n"
				} else {
					s.Start()
				}
				t.Cleanup(s.Close)
				address = s.Listener.Addr().String()
			}
			file := write(t, fmt.Sprintf("listen: %s\nadmin: {socket: %s}\n%s", address, socket, extra))
			named := strings.NewReplacer("ADDRESS", address, "SOCKET", socket)
			tt.want.err = named.Replace(tt.want.err)
			require.Equal(t, tt.want, run(t, "healthcheck", "--config", file))
		})
	}
	r := run(t, "healthcheck", "--config", filepath.Join(t.TempDir(), "none.yaml"))
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.err, "there is no such file")
}
