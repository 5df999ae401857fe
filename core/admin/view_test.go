package admin

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

func TestHoldsOfDeliveriesInWords(t *testing.T) {
	t.Parallel()

	for want, target := range map[string]store.Target{
		"":                                      {Name: "ops", Hold: store.HoldPaused},
		"paused":                                {Name: "chat", Hold: store.HoldPaused},
		"paused: cleaning":                      {Name: "chat", Hold: store.HoldPaused, Reason: "cleaning"},
		"quiet hours until Mon 07:00 CET":       {Name: "chat", Hold: store.HoldQuiet, Reason: "quiet hours until Mon 07:00 CET"},
		"misconfigured: answered 404 Not Found": {Name: "chat", Hold: store.HoldMisconfigured, Reason: "answered 404 Not Found"},
	} {
		v := Delivery{Target: "chat", State: event.Pending}
		v.held([]store.Target{target})
		require.Equal(t, want, v.Hold)
	}
}
