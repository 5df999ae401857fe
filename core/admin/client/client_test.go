package client

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
)

func TestUnreached(t *testing.T) {
	t.Parallel()
	dial := func(code syscall.Errno) error {
		return &url.Error{Op: "Get", URL: "http://localhost/api/v1/events?q=private", Err: os.NewSyscallError("connect", code)}
	}
	require.ErrorIs(t, unreached(dial(syscall.ENOENT)), ErrNoServer)
	require.ErrorIs(t, unreached(dial(syscall.ECONNREFUSED)), ErrNoServer)
	_, err := Socket("/tmp/" + strings.Repeat("long", 50)).Version(t.Context())
	require.ErrorIs(t, err, ErrNoServer)
	require.EqualError(t, unreached(dial(syscall.EACCES)), "connect: permission denied: run the command as the user that runs hookarr serve, or as root")
	reset := unreached(dial(syscall.ECONNRESET))
	require.NotErrorIs(t, reset, ErrNoServer, "what was asked for may have been done")
	require.NotContains(t, reset.Error(), "private")
}

// What is in front of a server answers in its place.
func TestAnswersOfOthers(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"a sign-in page": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://sso.example", http.StatusFound)
		},
		"a dead server": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<h1>Bad Gateway</h1>", http.StatusBadGateway)
		},
		"an odd problem": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", admin.ProblemType)
			w.WriteHeader(http.StatusTeapot)
			_, _ = w.Write([]byte("{"))
		},
	} {
		server := httptest.NewServer(answer)
		t.Cleanup(server.Close)
		c, err := Remote(server.URL, "0123456789abcdef")
		require.NoError(t, err, name)
		t.Cleanup(c.Close)
		_, err = c.Version(t.Context())
		p, ok := errors.AsType[*admin.Problem](err)
		require.True(t, ok, name)
		require.Contains(t, p.Detail, "not one of Hookarr's API", name)
	}
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
	t.Cleanup(page.Close)
	c, err := Remote(page.URL, "")
	require.NoError(t, err)
	t.Cleanup(c.Close)
	_, err = c.Version(t.Context())
	require.ErrorContains(t, err, "read answer of /version")
}
