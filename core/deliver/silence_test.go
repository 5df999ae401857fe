package deliver

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/internal/testpg"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func operatorAction(what store.ActionKind) *store.Action {
	return &store.Action{ID: event.NewID(), What: what, Who: "root", Via: "socket", State: store.ActionDone}
}

// silence adds one that lasts an hour.
func (r *rig) silence(expression string) store.Silence {
	r.t.Helper()
	n := store.Silence{ID: event.NewID(), Expression: expression, Who: "root", Via: "socket", Comment: "we move"}
	require.NoError(r.t, r.store.AddSilence(r.t.Context(), operatorAction(store.ActionSilence), &n, time.Hour))
	return n
}

func (r *rig) expire(n store.Silence) {
	r.t.Helper()
	_, err := r.store.ExpireSilence(r.t.Context(), operatorAction(store.ActionExpire), n.ID)
	require.NoError(r.t, err)
}

// counted is how many deliveries a silence has cancelled.
func (r *rig) counted(n store.Silence) int {
	r.t.Helper()
	list, _, err := r.store.ListSilences(r.t.Context(), time.Hour)
	require.NoError(r.t, err)
	for _, row := range list {
		if row.ID == n.ID {
			return row.Silenced
		}
	}
	return -1
}

// next is what becomes of the next delivery to a target.
func (r *rig) next(target string) event.DeliveryState {
	r.t.Helper()
	id := r.accept(target)[0]
	var d event.Delivery
	require.Eventually(r.t, func() bool {
		var err error
		d, _, err = r.store.FindDelivery(r.t.Context(), id)
		return err == nil && d.State != event.Pending
	}, await, 10*time.Millisecond, "delivery is pending")
	return d.State
}

// TestSilenceThatEndsWhileEventsWait silences what came while it was active, and no replay
// of it after that.
func TestSilenceThatEndsWhileEventsWait(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		require.NoError(t, r.store.Hold(t.Context(), "ops", store.HoldPaused, "a test"))
		n := r.silence("true")
		silenced := r.accept("ops")[0]
		r.expire(n)
		later := r.accept("ops")[0]
		r.start()
		require.NoError(t, r.store.Release(t.Context(), "ops"))
		r.await(later, event.Delivered)
		d, attempts := r.await(silenced, event.Cancelled)
		require.Empty(t, attempts)
		require.Regexp(t, `^silenced by root until \d{4}-\d\d-\d\d \d\d:\d\d UTC: we move \(silence `+n.ID.String()+`\)$`, d.Reason)
		r.awaitNoJobs()
		require.Len(t, r.plugins.of(uuid.Nil), 1)
		require.Equal(t, 1, r.counted(n))

		a := operatorAction(store.ActionRetry)
		_, err := r.store.Operate(t.Context(), &store.Step{Action: a, New: true, End: true, Retry: []uuid.UUID{silenced}})
		require.NoError(t, err)
		r.await(silenced, event.Delivered)
	})
}

func TestSilenceThatIsAddedWhileEventsWait(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		require.NoError(t, r.store.Hold(t.Context(), "ops", store.HoldPaused, "a test"))
		var ids []uuid.UUID
		for range 20 {
			ids = append(ids, r.accept("ops")[0])
		}
		n := r.silence(`event.title == "A test"`)
		r.start()
		require.NoError(t, r.store.Release(t.Context(), "ops"))
		for _, id := range ids {
			r.await(id, event.Cancelled)
		}
		r.awaitNoJobs()
		require.Empty(t, r.plugins.of(uuid.Nil))
		require.Equal(t, len(ids), r.counted(n))
	})
}

// TestSilencesOfOtherNodes are seen by one that has looked before.
func TestSilencesOfOtherNodes(t *testing.T) {
	t.Parallel()
	url := testpg.New(t)
	one, two := newRig(t, url), newRig(t, url)
	two.start()
	two.await(two.accept("ops")[0], event.Delivered)
	one.silence("true")
	for until := time.Now().Add(await); two.next("ops") != event.Cancelled; {
		require.True(t, time.Now().Before(until), "the silence is not seen")
	}
}

// TestSilencedProbeTellsNothing: the target is probed with another delivery at once.
func TestSilencedProbeTellsNothing(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Concurrency = 1
		accused, silenced, well := r.accept("ops")[0], r.accept("ops")[0], r.accept("ops")[0]
		r.plugins.answers(func(_ context.Context, c call) host.Outcome {
			if c.delivery.ID == accused.String() {
				return host.Outcome{Class: sdk.ClassMisconfigured, Message: "404 from the endpoint"}
			}
			return host.Outcome{Class: sdk.ClassOK}
		})
		d, _, err := r.store.FindDelivery(t.Context(), silenced)
		require.NoError(t, err)
		r.silence(fmt.Sprintf("event.id == %q", d.EventID))
		r.start()
		r.await(well, event.Delivered)
		r.await(silenced, event.Cancelled)
		r.await(accused, event.Dead)
		require.Empty(t, r.plugins.of(silenced))
		require.Zero(t, r.holdOf("ops").Hold)
	})
}
