package sdk

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// A target may send one request more than once.
func TestSendingLeavesTheCallersRequestAsItIs(t *testing.T) {
	t.Parallel()
	agents := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { agents <- r.UserAgent() }))
	defer server.Close()
	client := &HTTP{userAgent: "hookarr-target-sample/1.0.0"}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, http.NoBody)
	require.NoError(t, err)
	req.Header.Set("X-Own", "1")
	_, err = client.Do(req)
	require.NoError(t, err)
	require.Equal(t, client.userAgent, <-agents)
	require.Equal(t, http.Header{"X-Own": {"1"}}, req.Header)
}
