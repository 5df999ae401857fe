package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/signature"
)

// serveEndpoint receives deliveries as anybody's endpoint would: it verifies the
// signature and only then reads the body.
func serveEndpoint(ctx context.Context, secret string, book *tally) (*http.Server, string, error) {
	signer, err := signature.New(signature.StandardWebhooks(), secret)
	if err != nil {
		return nil, "", err
	}
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	handler := func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			return
		}
		if _, err := signer.Verify(r.Header, body, now); err != nil {
			book.forgery()
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		var payload struct {
			Data sdk.Event `json:"data"`
		}
		if err := json.Unmarshal(body, &payload); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if !book.arrived(payload.Data, now) {
			http.Error(w, "refused for the sake of the demo", http.StatusServiceUnavailable)
		}
	}
	s := &http.Server{Handler: http.HandlerFunc(handler), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.Serve(l) }() // until Close
	return s, "http://" + l.Addr().String(), nil
}
