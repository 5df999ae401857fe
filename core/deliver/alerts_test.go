package deliver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/alert"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// TestAlertsAreStories: one message tells of a hold from its beginning to its end, and each
// dead letter has its own.
func TestAlertsAreStories(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.stories()
		r.start()
		table, err := route.New([]config.Route{{Name: "alerts", From: []string{sdk.SourceHookarr}, Types: []string{"hookarr.*"}, To: []string{"ops"}}})
		require.NoError(t, err)
		alerts := alert.Alerts{Router: table, Store: r.store, Log: r.log}
		told := func(ok bool) {
			t.Helper()
			require.True(t, ok)
			require.Eventually(t, func() bool {
				return r.count("SELECT count(*) FROM deliveries WHERE state <> '"+string(event.Delivered)+"'") == 0
			}, await, 10*time.Millisecond)
		}
		ctx := t.Context()
		told(alerts.TargetHeld(ctx, store.Target{Name: "chat", Hold: store.HoldBreaker, Reason: "503"}))
		alerts.DeliveryDead(ctx, "chat", "Dune", "too old")
		told(true)
		told(alerts.TargetResumed(ctx, "chat", store.HoldBreaker))
		alerts.DeliveryDead(ctx, "news", "Tron", "too old")
		told(true)
		r.exec("DELETE FROM dedup")
		told(alerts.TargetHeld(ctx, store.Target{Name: "chat", Hold: store.HoldBreaker, Reason: "503"}))
		require.Equal(t, []string{
			"post Target chat is on hold",
			"post Dune was not delivered to chat",
			"m1 Target chat is on hold Target chat takes deliveries again",
			"post Tron was not delivered to news",
			"post Target chat is on hold",
		}, r.told())
	})
}
