package sdk_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

func TestJSON(t *testing.T) {
	t.Parallel()
	type item struct {
		Name string `json:"name"`
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/echo":
			w.Header().Set("X-Got", r.Header.Get("X-Api-Key")+" "+r.Header.Get("Accept")+" "+r.Header.Get("Content-Type"))
			_, _ = w.Write(body)
		case "/nothing":
			w.WriteHeader(http.StatusNoContent)
		case "/refused":
			http.Error(w, `{"name":"no"}`, http.StatusUnauthorized)
		case "/page":
			_, _ = io.WriteString(w, "<html>")
		case "/long":
			_, _ = io.WriteString(w, `{"name":"`+strings.Repeat("x", 64<<10)+`"}`)
		case "/broken":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"name":"x"}`)
		}
	}))
	defer server.Close()
	client := &sdk.HTTP{}
	call := func(path string, in, into any) (*sdk.Response, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL+path, http.NoBody)
		require.NoError(t, err)
		req.Header.Set("X-Api-Key", "key")
		resp, err := client.JSON(req, in, into)
		require.Equal(t, http.Header{"X-Api-Key": {"key"}}, req.Header, "the request is the caller's")
		return resp, err
	}

	var got item
	resp, err := call("/echo", item{"sent"}, &got)
	require.NoError(t, err)
	require.Equal(t, item{"sent"}, got)
	require.Equal(t, "key application/json application/json", resp.Header.Get("X-Got"))
	require.False(t, resp.Truncated)
	resp, err = call("/echo", nil, nil)
	require.NoError(t, err)
	require.Equal(t, "key application/json", resp.Header.Get("X-Got"))
	require.Empty(t, resp.Body)

	_, err = call("/nothing", nil, &got)
	require.NoError(t, err)
	require.Equal(t, item{"sent"}, got, "nothing was answered")
	_, err = call("/echo", nil, &got)
	require.ErrorContains(t, err, "read the answer's JSON: ", "nothing, where something was asked for")
	_, err = call("/page", nil, &got)
	require.ErrorContains(t, err, "read the answer's JSON: ")
	resp, err = call("/refused", nil, &got)
	class, _ := sdk.ClassOf(err)
	require.Equal(t, sdk.ClassMisconfigured, class)
	require.Equal(t, http.StatusUnauthorized, resp.Status)
	require.Equal(t, item{"sent"}, got, "an error's body is no answer")
	resp, err = call("/long", nil, &got)
	require.ErrorContains(t, err, "the answer has more than 65536 bytes")
	require.Len(t, resp.Body, 64<<10)
	require.True(t, resp.Truncated)
	resp, err = call("/broken", nil, &got)
	require.ErrorContains(t, err, "the answer breaks off")
	require.True(t, resp.Truncated)
	resp, err = call("/echo", func() {}, &got)
	class, _ = sdk.ClassOf(err)
	require.Equal(t, sdk.ClassPermanent, class)
	require.Nil(t, resp)
}

func TestTruncated(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", len(r.URL.Path)))
	}))
	defer server.Close()
	client := &sdk.HTTP{}
	client.LimitBody(10)
	for path, truncated := range map[string]bool{"/": false, "/23456789a": false, "/23456789ab": true, "/23456789abcdef": true} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, http.NoBody)
		require.NoError(t, err)
		resp, err := client.Send(req)
		require.NoError(t, err)
		require.Equal(t, truncated, resp.Truncated, path)
		require.Len(t, resp.Body, min(len(path), 10))
		require.Len(t, resp.Excerpt, min(len(path), 10))
	}
}
