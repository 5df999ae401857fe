package host

import (
	"context"
	"fmt"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
)

// Verify has a target's instance find out whether the effect of a delivery that its
// endpoint accepted is there. The receipt is that of the attempt, or of the last Verify;
// after a final one, nobody asks again. An outcome of ClassOK is proven, or not yet with
// Receipt.VerifyAfter. It is called for plugins with sdk.FeatureVerify only.
func (c *Client) Verify(ctx context.Context, instance string, d Delivery, accepted sdk.Receipt, final bool) (Outcome, error) {
	resp, err := c.verify.Verify(ctx, &pluginv1.VerifyRequest{
		Delivery: toDelivery(instance, d),
		Accepted: &pluginv1.Receipt{MessageId: accepted.MessageID, State: accepted.State},
		Final:    final,
	})
	if err != nil {
		return Outcome{}, fmt.Errorf("verify %s: %w", d.ID, supported(err))
	}
	return fromOutcome(resp.GetOutcome()), nil
}

// fromHandedBack reads the events that a target tells. One that is none comes without a type:
// whoever accepts them says so, and how many it takes.
func fromHandedBack(events [][]byte) []HandedBack {
	var back []HandedBack
	for _, data := range first(events, maxPage) {
		e, err := readBrief(data)
		if err != nil {
			e = sdk.Event{}
		}
		back = append(back, HandedBack{Event: e, JSON: data})
	}
	return back
}
