package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// A redirect reads as success to an Arr app, and the event would be gone.
func TestNothingIsRedirected(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/hooks/{source}", func(http.ResponseWriter, *http.Request) {})
	hooks := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for _, path := range []string{
		"/x/../hooks/radarr", "/x/%2e%2e/hooks/radarr", "/./hooks/radarr", "/x/..//hooks/radarr", "//hooks/radarr", "/x/./y", "/x//y", "/hooks/..",
	} {
		for name, h := range map[string]http.Handler{"hooks": hooksFirst(hooks, mux), "admin": withoutRedirects(mux)} {
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, path, http.NoBody))
			want := http.StatusNotFound
			if name == "hooks" {
				want = http.StatusTeapot
			}
			require.Equal(t, want, answer.Code, "%s: %s", name, path)
		}
	}
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/": http.StatusNotFound, "/x/": http.StatusNotFound} {
		answer := httptest.NewRecorder()
		hooksFirst(hooks, mux).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		require.Equal(t, want, answer.Code, path)
		_, err := io.Copy(io.Discard, answer.Result().Body)
		require.NoError(t, err)
	}
}
