package main

import (
	"context"

	"github.com/hookarr/hookarr/sdk"
)

// target posts to one endpoint.
type target struct {
	http   *sdk.HTTP
	config config
}

// message is what the endpoint gets, as JSON.
type message struct {
	// ID is the same for each attempt, so that the endpoint can drop what comes twice.
	ID      string   `json:"id"`
	Type    sdk.Type `json:"type"`
	Title   string   `json:"title"`
	Summary string   `json:"summary"`
}

// Deliver makes one attempt and does not try again: the error says what went wrong, and
// Hookarr does the rest.
func (t *target) Deliver(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	return t.http.PostJSON(ctx, t.config.URL, message{
		ID: d.ID, Type: d.Event.Type,
		Title:   sdk.Cut(d.Event.Title, t.config.MaxTitle, sdk.Runes),
		Summary: sdk.Cut(d.Event.Summary, 4*t.config.MaxTitle, sdk.Runes),
	})
}

// Test shows an operator that the endpoint takes deliveries.
func (t *target) Test(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	return t.Deliver(ctx, d)
}
