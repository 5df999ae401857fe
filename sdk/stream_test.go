package sdk_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

func TestStream(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/refused":
			http.Error(w, "no", http.StatusForbidden)
		case "/endless":
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, strings.Repeat("x", 1<<10))
			}
		case "/breaks":
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "12345")
		default:
			_, _ = io.WriteString(w, "12345")
		}
	}))
	t.Cleanup(server.Close)
	var h sdk.HTTP
	var got string
	stream := func(path string, limit int64) (*sdk.Response, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, http.NoBody)
		require.NoError(t, err)
		return h.Stream(req, limit, func(_ http.Header, body io.Reader) error {
			text, err := io.ReadAll(body)
			got = string(text)
			return err
		})
	}
	for _, limit := range []int64{5, 6} {
		resp, err := stream("/", limit)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, resp.Status)
		require.Equal(t, "12345", got)
	}
	_, err := stream("/", 4)
	require.ErrorIs(t, err, sdk.ErrTooLong)
	require.Equal(t, "1234", got)
	_, err = stream("/endless", 1<<20)
	require.ErrorIs(t, err, sdk.ErrTooLong)
	_, err = stream("/breaks", 100)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)

	got = "untouched"
	resp, err := stream("/refused", 100)
	require.Error(t, err)
	require.Equal(t, http.StatusForbidden, resp.Status)
	require.Equal(t, "no\n", string(resp.Body))
	require.Equal(t, "untouched", got)

	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/endless", http.NoBody)
	require.NoError(t, err)
	mine := errors.New("mine")
	_, err = h.Stream(req, 1<<40, func(_ http.Header, body io.Reader) error {
		cancel()
		_, err := io.Copy(io.Discard, body)
		require.ErrorIs(t, err, context.Canceled)
		return mine
	})
	require.ErrorIs(t, err, mine)
}
