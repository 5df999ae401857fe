package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
)

// ErrNothingToSend is matched when a target would make no request of a delivery.
var ErrNothingToSend = errors.New("nothing would be sent")

// Test has a target's instance prove that its endpoint takes deliveries, by an event,
// JSON by the published schema, or by the plugin's own for nil. The error matches
// ErrUnsupported for a plugin without sdk.FeatureTest.
func (c *Client) Test(ctx context.Context, instance string, event json.RawMessage) (Outcome, error) {
	resp, err := c.target.Test(ctx, &pluginv1.TestRequest{Instance: instance, Event: event})
	if err != nil {
		return Outcome{}, fmt.Errorf("test: %w", supported(err))
	}
	return fromOutcome(resp.GetOutcome()), nil
}

// Preview is what a target would send of a delivery.
type Preview struct {
	// Request is the first that it would make.
	Request
	// Fallback says why it is not as it was to be, and is empty if it is.
	Fallback string `json:"fallback,omitempty"`
}

// Preview returns what a target's instance would send of a delivery.
// It is called for plugins with sdk.FeaturePreview only: another would send. The error
// matches ErrNothingToSend when there is none.
func (c *Client) Preview(ctx context.Context, instance string, d Delivery) (Preview, error) {
	req := toDelivery(instance, d)
	req.Preview = true
	resp, err := c.target.Deliver(ctx, req)
	if err != nil {
		return Preview{}, fmt.Errorf("preview %s: %w", d.ID, supported(err))
	}
	if len(resp.GetRequests()) == 0 {
		return Preview{}, fmt.Errorf("preview %s: %w: %s", d.ID, ErrNothingToSend, reason(resp.GetMessage()))
	}
	return Preview{Request: fromSent(resp.GetRequests()[0]), Fallback: line(resp.GetFallback(), maxMessage)}, nil
}
