package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// TestProofIsShown says of a delivery that its endpoint has accepted when that was, how often
// the target was asked, and what is missing.
func TestProofIsShown(t *testing.T) {
	t.Parallel()
	file, s := newDatabase(t)
	at, err := time.Parse(time.RFC3339, received)
	require.NoError(t, err)
	ctx := context.WithoutCancel(t.Context())
	_, err = s.Accept(ctx, &store.Acceptance{
		Event: event.Event{
			ID: id(1), Source: "radarr", State: event.Routed, Origin: sdk.OriginTarget, ReceivedAt: at, Type: sdk.TypeLibraryAvailable,
			Title: "Sintel (2010)", Normalized: []byte(`{"type":"library.available","library":{"target":"plex"}}`),
		},
		Deliveries: []event.Delivery{{ID: id(11), EventID: id(1), Target: "ops", Route: "everything"}},
	})
	require.NoError(t, err)
	proof := event.Proof{AcceptedAt: at, Within: time.Hour, By: at.Add(time.Hour)}
	for i, a := range []event.Attempt{
		{Class: sdk.ClassOK, Status: 202, Message: "Plex has 0 of 2 files", Counted: true},
		{Class: sdk.ClassRetryable, Status: 503, Message: "answered 503", Ask: 1},
		{Class: sdk.ClassOK, Status: 200, Message: "Plex has 1 of 2 files", Ask: 2},
	} {
		w, err := s.LoadWork(ctx, id(11))
		require.NoError(t, err)
		a.DeliveryID, a.Number, a.StartedAt, a.Elapsed = id(11), 1, at.Add(time.Duration(i)*time.Second), 1234*time.Microsecond
		proof.Asks = a.Ask
		_, err = s.Settle(ctx, &store.Settlement{
			DeliveryID: id(11), Target: "ops", State: event.Verifying, Delay: time.Hour, Reason: a.Message, MessageID: "item-1",
			Attempt: &a, Proof: &proof, Read: w.Delivery,
		})
		require.NoError(t, err)
	}
	for name, args := range map[string][]string{
		"proof-show":      {"deliveries", "show", id(11).String()},
		"proof-show-json": {"deliveries", "show", id(11).String(), "--json"},
		"proof-why":       {"events", "why", id(1).String()},
		"proof-targets":   {"targets", "list"},
	} {
		r := run(t, append(args, "--config", file)...)
		require.Zero(t, r.code, r.err)
		golden(t, name+".txt", timeless(r.out))
	}
}
