package api_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/access"
	"github.com/hookarr/hookarr/core/admin/admintest"
	"github.com/hookarr/hookarr/core/admin/api"
	"github.com/hookarr/hookarr/core/auth"
)

const (
	viewToken    = admintest.ViewToken
	operateToken = admintest.OperateToken
)

// rig is an API over real access and a real database. No server runs behind it.
type rig struct {
	*admintest.Rig
	url, socket string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{Rig: admintest.New(t)}
	handler, err := api.New(api.Options{Service: r.Service, Once: r.Store, Log: r.Log})
	require.NoError(t, err)
	network, err := access.Network(access.Options{
		Config: r.Config, Limiter: new(auth.Limiter), Public: http.NotFoundHandler(), API: handler, Log: r.Log,
	})
	require.NoError(t, err)
	server := httptest.NewServer(network)
	t.Cleanup(server.Close)
	r.url = server.URL

	r.socket = filepath.Join(r.Dir, "hookarr.sock")
	listener, err := access.ListenSocket(t.Context(), r.socket)
	require.NoError(t, err)
	local := &http.Server{Handler: access.Socket(http.NotFoundHandler(), handler), ConnContext: access.ConnContext, ReadHeaderTimeout: time.Minute}
	go func() { _ = local.Serve(listener) }()
	t.Cleanup(func() { require.NoError(t, local.Close()) })
	return r
}

// call makes a request over the network and returns the status, the head and the body.
func (r *rig) call(t *testing.T, method, path, token, body string, header ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.url+api.Prefix+path, strings.NewReader(body))
	require.NoError(t, err)
	if token != "" {
		req.Header.Set("X-Api-Key", token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NotContains(t, string(text), "0123456789abcdef", "a secret is in the answer")
	if resp.StatusCode >= http.StatusBadRequest {
		require.Equal(t, admin.ProblemType, resp.Header.Get("Content-Type"), string(text))
		var p admin.Problem
		require.NoError(t, json.Unmarshal(text, &p))
		require.Equal(t, resp.StatusCode, p.Status)
		require.NotEmpty(t, p.Title)
		require.NotEmpty(t, p.Detail)
	}
	return resp.StatusCode, resp.Header, string(text)
}

func overSocket(path string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
}
