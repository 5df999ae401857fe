package slack

import (
	"context"

	"github.com/hookarr/hookarr/sdk"
)

// target shows events in one channel.
type target struct {
	composer
	way way
}

// way is how messages come into the channel.
type way interface {
	// deliver posts m, or edits the message that it replaces if there are edits.
	deliver(ctx context.Context, m draft, previous *sdk.Receipt) (sdk.Receipt, error)
}

// Deliver makes one message of the events.
func (t *target) Deliver(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	return t.way.deliver(ctx, t.compose(d), d.Previous)
}

// Test posts a message. Nothing less proves that one would be taken: a token may be good
// without the scope to post, or without a place in the channel.
func (t *target) Test(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	return t.Deliver(ctx, d)
}
