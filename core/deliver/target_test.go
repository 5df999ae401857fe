package deliver

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

const week = 7 * 24 * time.Hour

var (
	noon         = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	first, other = uuid.UUID{1}, uuid.UUID{2}
)

func throttled(after time.Duration) host.Outcome {
	return host.Outcome{Class: sdk.ClassThrottled, RetryAfter: after, Receipt: sdk.Receipt{Status: 429}}
}

// TestPauseGrowsWithoutAHint doubles the pause once for all that were under way together,
// and begins anew after a success.
func TestPauseGrowsWithoutAHint(t *testing.T) {
	t.Parallel()

	target, now := store.Target{Name: "ops"}, noon
	for _, want := range []time.Duration{
		time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, 64 * time.Second,
		128 * time.Second, 256 * time.Second, lastPause, lastPause,
	} {
		for range 3 {
			afterThrottled(first, throttled(0), time.Hour, false)(&target, now)
			require.Equal(t, now.Add(want), target.NextAt)
		}
		require.Equal(t, want > longestWait, target.Hold == store.HoldThrottled, want)
		if target.Hold != "" {
			require.Equal(t, target.NextAt, target.Until)
			require.Equal(t, "429 without Retry-After", target.Reason)
			target.Clear()
		}
		now = target.NextAt
	}
	afterSuccess(target, other, host.Outcome{Class: sdk.ClassOK}, week, false)(&target, now)
	require.Zero(t, target.Pause)
}

// TestPauseIsNeverCutShort keeps the longest of what was asked.
func TestPauseIsNeverCutShort(t *testing.T) {
	t.Parallel()

	target := store.Target{Name: "ops"}
	afterThrottled(first, throttled(30*time.Second), time.Hour, false)(&target, noon)
	afterThrottled(other, throttled(5*time.Second), time.Hour, false)(&target, noon)
	require.Equal(t, noon.Add(30*time.Second), target.NextAt)
	require.Equal(t, "429, Retry-After 30s", target.Pace)
	require.Empty(t, target.Hold)
	afterThrottled(other, throttled(time.Hour), 2*time.Hour, false)(&target, noon)
	require.Equal(t, store.HoldThrottled, target.Hold)
	require.Equal(t, noon.Add(time.Hour), target.Until)
	afterThrottled(other, throttled(90*time.Minute), 2*time.Hour, false)(&target, noon)
	require.Equal(t, noon.Add(90*time.Minute), target.Until)
}

func TestUsedUpLimitIsAPause(t *testing.T) {
	t.Parallel()

	target := store.Target{Name: "ops"}
	used := host.Outcome{Class: sdk.ClassOK, Receipt: sdk.Receipt{Limit: &sdk.Limit{Remaining: 0, ResetAfter: 2 * time.Second}}}
	afterSuccess(target, first, used, week, false)(&target, noon)
	require.Equal(t, noon.Add(2*time.Second), target.NextAt)
	require.Equal(t, "rate limit used up, resets after 2s", target.Pace)
	used.Receipt.Limit.Remaining = 1
	require.Nil(t, afterSuccess(store.Target{}, first, used, week, false), "a target that is well is not written")
}

// TestFailuresInARow counts those of any deliveries, and a success ends the row.
func TestFailuresInARow(t *testing.T) {
	t.Parallel()

	target := store.Target{Name: "ops"}
	for i := range 20 {
		afterFailure(first, "503", false)(&target, noon)
		require.Empty(t, target.Hold)
		if i%4 == 3 {
			afterSuccess(target, other, host.Outcome{Class: sdk.ClassOK}, week, false)(&target, noon)
		}
	}
	for range maxFailures {
		afterFailure(first, "503", false)(&target, noon)
	}
	require.Equal(t, store.HoldBreaker, target.Hold)
	require.Equal(t, first, target.Accused)
}

// TestHoldsOverrule says which hold a later outcome may change.
func TestHoldsOverrule(t *testing.T) {
	t.Parallel()

	change := map[string]store.Change{
		"misconfigured": afterMisconfigured(other, "404"),
		"failure":       afterFailure(other, "503", false),
		"throttled":     afterThrottled(other, throttled(time.Hour), 2*time.Hour, false),
		"passed probe":  afterSuccess(store.Target{}, other, host.Outcome{Class: sdk.ClassOK}, week, true),
		"failed probe":  afterFailure(other, "503", true),
	}
	for name, want := range map[store.HoldKind]map[string]store.HoldKind{
		store.HoldPaused:      {},
		store.HoldQuarantined: {},
		store.HoldMisconfigured: {
			"passed probe": "",
		},
		store.HoldBreaker: {
			"misconfigured": store.HoldMisconfigured, "passed probe": "",
		},
		store.HoldThrottled: {
			"misconfigured": store.HoldMisconfigured, "passed probe": "",
		},
	} {
		for outcome, f := range change {
			target := store.Target{Name: "ops", Failures: 9}
			target.Begin(name, "before", noon)
			target.Probe = other
			f(&target, noon.Add(time.Second))
			kind, changed := want[outcome]
			if !changed {
				kind = name
			}
			require.Equal(t, kind, target.Hold, "%s on %s", outcome, name)
			if kind != "" {
				require.Equal(t, noon, target.Since, "%s on %s: a hold keeps its beginning", outcome, name)
			}
		}
	}
}

// TestAccusedDies when it is refused again after another has passed, and not before: a person
// may have mended the endpoint between the two.
func TestAccusedDies(t *testing.T) {
	t.Parallel()

	held := store.Target{Name: "ops"}
	afterMisconfigured(first, "403")(&held, noon)
	held.Probe, held.Probes, held.Witnessed = other, 1, true
	for name, tc := range map[string]struct {
		change func(*store.Target)
		probe  uuid.UUID
		dies   bool
	}{
		"another":     {probe: other, dies: true},
		"itself":      {probe: first},
		"the breaker": {probe: other, change: func(t *store.Target) { t.Hold = store.HoldBreaker }},
	} {
		target := held
		if tc.change != nil {
			tc.change(&target)
		}
		require.Empty(t, afterSuccess(target, tc.probe, host.Outcome{Class: sdk.ClassOK}, week, true)(&target, noon), name)
		require.Empty(t, target.Hold, name)
		others := afterMisconfigured(first, "403")(&target, noon)
		require.Equal(t, tc.dies, len(others) == 1, name)
		require.Equal(t, tc.dies, target.Hold == "", name)
		if tc.dies {
			require.Equal(t, first, others[0].DeliveryID)
			require.Equal(t, event.Dead, others[0].State)
		}
	}
}
