package storetest

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

var misconfigured = store.HoldRequest{Target: "ops", Kind: store.HoldMisconfigured, Reason: "404", ProbeIn: time.Hour}

func testHold(t *testing.T, db Database) {
	ctx := t.Context()
	first := acceptance("first", "ops")
	accept(t, db.Store, first)
	settle(t, db.Store, store.Settlement{DeliveryID: first.Deliveries[0].ID, State: event.Held, Reason: "404", Hold: &misconfigured})
	second := acceptance("second", "ops", "chat")
	accept(t, db.Store, second)
	require.Equal(t, event.Held, load(t, db.Store, second.Deliveries[0].ID).Delivery.State, "newcomers are held")
	require.Equal(t, event.Pending, load(t, db.Store, second.Deliveries[1].ID).Delivery.State, "others are not")
	db.Exec(t, "DELETE FROM river_job")

	holds, err := db.Store.ListHolds(ctx)
	require.NoError(t, err)
	require.Len(t, holds, 1)
	require.Equal(t, store.HoldMisconfigured, holds[0].Kind)
	require.WithinDuration(t, holds[0].Now.Add(time.Hour), holds[0].ProbeAt, time.Minute)
	probed, err := db.Store.Probe(ctx, "ops", time.Hour)
	require.NoError(t, err)
	require.False(t, probed, "not due")

	db.Exec(t, "UPDATE target_state SET probe_at = since")
	probed, err = db.Store.Probe(ctx, "ops", time.Hour)
	require.NoError(t, err)
	require.True(t, probed)
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("ops")))
	work := load(t, db.Store, first.Deliveries[0].ID)
	require.Equal(t, event.Pending, work.Delivery.State, "the oldest")
	require.Equal(t, work.Delivery.ID, work.Hold.Probe)
	require.Equal(t, 1, work.Hold.Probes)

	again := misconfigured
	again.Reason = "410"
	settle(t, db.Store, store.Settlement{DeliveryID: work.Delivery.ID, State: event.Held, Hold: &again})
	holds, err = db.Store.ListHolds(ctx)
	require.NoError(t, err)
	require.Equal(t, "410", holds[0].Reason)
	require.Equal(t, 1, holds[0].Probes, "a hold keeps its probes")
	require.Equal(t, uuid.Nil, holds[0].Probe)

	require.NoError(t, db.Store.Release(ctx, "ops"))
	third := acceptance("third", "ops")
	accept(t, db.Store, third)
	require.Equal(t, event.Held, load(t, db.Store, third.Deliveries[0].ID).Delivery.State, "newcomers queue behind")
	for left := 3; left > 0; {
		left, err = db.Store.Drain(ctx, "ops", 2)
		require.NoError(t, err)
		for _, a := range []*store.Acceptance{first, second, third} {
			if load(t, db.Store, a.Deliveries[0].ID).Delivery.State == event.Pending {
				settle(t, db.Store, store.Settlement{DeliveryID: a.Deliveries[0].ID, State: event.Delivered})
			}
		}
	}
	holds, err = db.Store.ListHolds(ctx)
	require.NoError(t, err)
	require.Empty(t, holds)
	fourth := acceptance("fourth", "ops")
	accept(t, db.Store, fourth)
	require.Equal(t, event.Pending, load(t, db.Store, fourth.Deliveries[0].ID).Delivery.State)
}

func testDrainOrder(t *testing.T, db Database) {
	ctx := t.Context()
	require.NoError(t, db.Store.HoldTarget(ctx, misconfigured))
	var ids []uuid.UUID
	for i := range 7 {
		a := acceptance(strconv.Itoa(i), "ops")
		accept(t, db.Store, a)
		ids = append(ids, a.Deliveries[0].ID)
	}
	require.NoError(t, db.Store.Release(ctx, "ops"))
	left, err := db.Store.Drain(ctx, "ops", 4)
	require.NoError(t, err)
	require.Equal(t, 3, left)
	for i, id := range ids {
		want := event.Pending
		if i >= 4 {
			want = event.Held
		}
		require.Equal(t, want, load(t, db.Store, id).Delivery.State, i)
	}
	left, err = db.Store.Drain(ctx, "ops", 4)
	require.NoError(t, err)
	require.Equal(t, 3, left, "the window is full")
}

func testHoldUnconfigured(t *testing.T, db Database) {
	ctx := t.Context()
	a := acceptance("one", "gone", "ops")
	accept(t, db.Store, a)
	require.NoError(t, db.Store.HoldUnconfigured(ctx, []string{"ops"}))
	require.Equal(t, event.Held, load(t, db.Store, a.Deliveries[0].ID).Delivery.State)
	require.Equal(t, event.Pending, load(t, db.Store, a.Deliveries[1].ID).Delivery.State)
	require.Zero(t, jobs(t, db, store.TargetQueue("gone")))
	require.NoError(t, db.Store.HoldUnconfigured(ctx, []string{"ops", "gone"}))
	holds, err := db.Store.ListHolds(ctx)
	require.NoError(t, err)
	require.Len(t, holds, 1)
	require.True(t, holds[0].Draining)
	_, err = db.Store.Drain(ctx, "gone", 10)
	require.NoError(t, err)
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("gone")))
	require.NoError(t, db.Store.HoldUnconfigured(ctx, nil), "no target at all")
}

func testExpireHeld(t *testing.T, db Database) {
	ctx := t.Context()
	require.NoError(t, db.Store.HoldTarget(ctx, misconfigured))
	a := acceptance("one", "ops")
	accept(t, db.Store, a)
	n, err := db.Store.ExpireHeld(ctx, "ops", time.Hour, "too old", 10)
	require.NoError(t, err)
	require.Zero(t, n)
	n, err = db.Store.ExpireHeld(ctx, "ops", -time.Minute, "too old", 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	d := load(t, db.Store, a.Deliveries[0].ID).Delivery
	require.Equal(t, event.Dead, d.State)
	require.Equal(t, "too old", d.Reason)
}
