package api

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
)

// A service without anything in it panics at every turn.
func TestPanicIsAProblem(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h, err := New(Options{Service: &admin.Service{}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodGet, Prefix+"/routes", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(as(t, "ci")))
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.Equal(t, admin.ProblemType, w.Header().Get("Content-Type"))
	var p admin.Problem
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
	require.Equal(t, "this failed; the server's log says why", p.Detail)
	require.Contains(t, log.String(), "path=/api/v1/routes panic=")
}

// Whoever is not known is nobody.
func TestNobody(t *testing.T) {
	t.Parallel()
	h, err := New(Options{Service: &admin.Service{}, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, Prefix+"/routes", nil))
	require.Equal(t, http.StatusForbidden, w.Code)
}
