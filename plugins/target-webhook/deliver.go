package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/signature"
)

// The headers of the Standard Webhooks specification, in Go's spelling.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
)

// target sends to one endpoint.
type target struct {
	http    *sdk.HTTP
	method  string
	url     sdk.Secret
	format  string
	headers http.Header
	signers []*signature.Signer
}

// NeedsOriginals reports whether the endpoint is sent the application's own bytes.
func (t *target) NeedsOriginals() bool { return t.format == formatRaw }

// UsesJSON says that the event is passed on as it came.
func (t *target) UsesJSON() bool { return true }

// Deliver sends the event. The id header is the delivery's id, the same for every
// attempt, so that the endpoint can tell a repetition; the time and the signatures
// are the attempt's.
func (t *target) Deliver(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	body, mediaType, agent, err := content(t.format, d)
	if err != nil {
		return sdk.Receipt{}, fmt.Errorf("write the body: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, t.method, t.url.Reveal(), bytes.NewReader(body))
	if err != nil {
		return sdk.Receipt{}, sdk.Misconfigured(errors.New("url is not a valid URL"))
	}
	req.Header.Set("Content-Type", mediaType)
	req.Header.Set("User-Agent", agent)
	maps.Copy(req.Header, t.headers)
	now := time.Now()
	req.Header.Set(headerID, d.ID)
	req.Header.Set(headerTimestamp, strconv.FormatInt(now.Unix(), 10))
	for _, s := range t.signers {
		if err := s.Sign(req.Header, d.ID, now, body); err != nil {
			return sdk.Receipt{}, sdk.Permanent(err)
		}
	}
	return t.http.Do(req)
}

// Test sends an event, signed like any other.
func (t *target) Test(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	return t.Deliver(ctx, d)
}
