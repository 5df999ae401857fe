package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/signature"
)

// target sends to one endpoint.
type target struct {
	http    *sdk.HTTP
	method  string
	url     sdk.Secret
	format  string
	write   writer
	headers http.Header
	names   headerNames
	signers []*signature.Signer
	accept  []int
	expiry  expiry
}

// NeedsOriginals reports whether the endpoint is sent the application's own bytes.
func (t *target) NeedsOriginals() bool { return t.format == formatRaw }

// WantsSingleEvents reports whether the format is of one event: the host then makes no
// groups for the endpoint.
func (t *target) WantsSingleEvents() bool { return t.format == formatRaw || t.format == formatArr }

// UsesJSON reports whether the event is passed on as it came.
func (t *target) UsesJSON() bool { return t.format != formatArr && t.format != formatTemplate }

// Deliver sends the event or the group. The id header is the delivery's id, the same
// for every attempt, so that the endpoint can tell a repetition; the time and the
// signatures are the attempt's.
func (t *target) Deliver(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	c, err := t.write(d)
	if err != nil {
		return sdk.Receipt{}, fmt.Errorf("write the body: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, t.method, t.url.Reveal(), bytes.NewReader(c.body))
	if err != nil {
		return sdk.Receipt{}, sdk.Misconfigured(errors.New("url is not a valid URL"))
	}
	req.Header.Set("Content-Type", c.mediaType)
	req.Header.Set("User-Agent", c.agent)
	maps.Copy(req.Header, c.header)
	maps.Copy(req.Header, t.headers)
	now := time.Now()
	t.identify(req.Header, d.ID, c.event, now)
	for _, s := range t.signers {
		if err := s.Sign(req.Header, d.ID, now, c.body); err != nil {
			return sdk.Receipt{}, sdk.Permanent(err)
		}
	}
	receipt, err := t.http.Do(req)
	if receipt.Status != 0 && slices.Contains(t.accept, receipt.Status) {
		receipt.Accepted, err = true, nil
	}
	receipt.Fallback = c.fallback
	return receipt, err
}

// identify says which delivery of which kind of event this is, and when.
func (t *target) identify(h http.Header, id, event string, at time.Time) {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	h.Set(headerID, id)
	h.Set(headerTimestamp, timestamp)
	if t.names.Event != "" {
		h.Set(t.names.Event, headerValue(event))
	}
	if t.names.Delivery != "" {
		h.Set(t.names.Delivery, id)
	}
	if t.names.Timestamp != "" {
		h.Set(t.names.Timestamp, timestamp)
	}
}

// Test sends an event, signed like any other.
func (t *target) Test(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	return t.Deliver(ctx, d)
}

// CheckHealth tells of a client certificate that soon ends.
func (t *target) CheckHealth(context.Context) error { return t.expiry.check(time.Now()) }

// expiry is when a certificate ends; zero is never.
type expiry struct{ time.Time }

// check reports an end that is near enough to act on.
func (e expiry) check(now time.Time) error {
	const soon = 14 * 24 * time.Hour
	if e.IsZero() || e.Sub(now) > soon {
		return nil
	}
	return fmt.Errorf("tls.client_cert ends at %s: renew it", e.UTC().Format(time.RFC3339))
}
