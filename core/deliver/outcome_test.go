package deliver

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// story is what happens to a delivery: what its attempts come to, and what is kept.
type story struct {
	name     string
	target   func(*Target)
	outcomes []host.Outcome // the last repeats

	state    event.DeliveryState
	attempts []kept
	reason   string
	alone    []bool
	crashes  int
}

// kept is what is kept of an attempt.
type kept struct {
	number  int
	class   sdk.Class
	counted bool
	// after is the least time since the attempt before.
	after time.Duration
}

func stories() []story {
	ok := host.Outcome{Class: sdk.ClassOK}
	fail := host.Outcome{Class: sdk.ClassRetryable, Message: "503 from the endpoint"}
	down := host.Outcome{Class: sdk.ClassUnavailable, Message: "restarting"}
	crash := host.Outcome{Class: sdk.ClassUnavailable, Message: "exit status 2", Crashed: true}
	return []story{
		{
			name: "arrives", outcomes: []host.Outcome{ok},
			state: event.Delivered, attempts: []kept{{1, sdk.ClassOK, true, 0}},
		},
		{
			name: "is-retried", outcomes: []host.Outcome{fail, {Class: sdk.ClassPluginBug}, fail, ok},
			state: event.Delivered, attempts: []kept{
				{1, sdk.ClassRetryable, true, 0},
				{2, sdk.ClassPluginBug, true, 5 * time.Millisecond},
				{3, sdk.ClassRetryable, true, 10 * time.Millisecond},
				{4, sdk.ClassOK, true, 20 * time.Millisecond},
			},
		},
		{
			name: "throttled-is-not-counted", outcomes: []host.Outcome{{Class: sdk.ClassThrottled}, ok},
			state: event.Delivered, attempts: []kept{{1, sdk.ClassThrottled, false, 0}, {1, sdk.ClassOK, true, firstPause}},
		},
		{
			name: "retry-after-is-honoured",
			outcomes: []host.Outcome{
				{Class: sdk.ClassRetryable, RetryAfter: 700 * time.Millisecond}, {Class: sdk.ClassThrottled, RetryAfter: 1300 * time.Millisecond}, ok,
			},
			state: event.Delivered, attempts: []kept{
				{1, sdk.ClassRetryable, true, 0},
				{2, sdk.ClassThrottled, false, 700 * time.Millisecond},
				{2, sdk.ClassOK, true, 1300 * time.Millisecond},
			},
		},
		{
			name: "permanent-is-a-dead-letter", outcomes: []host.Outcome{{Class: sdk.ClassPermanent, Message: "400: no such field"}},
			state: event.Dead, attempts: []kept{{1, sdk.ClassPermanent, true, 0}}, reason: "400: no such field",
		},
		{
			name: "max-attempts", outcomes: []host.Outcome{fail}, target: func(t *Target) { t.Retry.MaxAttempts = 3 },
			state: event.Dead, reason: "gave up after 3 attempts: 503 from the endpoint",
			attempts: []kept{{1, sdk.ClassRetryable, true, 0}, {2, sdk.ClassRetryable, true, 0}, {3, sdk.ClassRetryable, true, 0}},
		},
		{
			name: "max-age",
			target: func(t *Target) {
				t.Retry.MaxAge, t.Retry.Initial, t.Retry.MaxInterval = 15*time.Second, time.Minute, time.Minute
			},
			// The pause would end far beyond the greatest age.
			outcomes: []host.Outcome{fail}, state: event.Dead, attempts: []kept{{1, sdk.ClassRetryable, true, 0}},
			reason: "older than max_age 15s; last: 503 from the endpoint",
		},
		{
			name: "unavailable-is-no-attempt", outcomes: []host.Outcome{down, down, ok}, target: func(t *Target) { t.Retry.MaxAttempts = 1 },
			state: event.Delivered, attempts: []kept{{1, sdk.ClassOK, true, 0}},
		},
		{
			name: "a-suspect-runs-alone", outcomes: []host.Outcome{crash, crash, down, ok},
			state: event.Delivered, alone: []bool{false, true, true, true}, crashes: 1, attempts: []kept{
				{1, sdk.ClassUnavailable, false, 0}, {1, sdk.ClassUnavailable, false, restartPause / 2}, {1, sdk.ClassOK, true, restartPause},
			},
		},
		{
			name: "three-crashes-alone-are-a-dead-letter", outcomes: []host.Outcome{crash},
			state: event.Dead, alone: []bool{false, true, true, true}, crashes: 3,
			reason: "crashed the plugin 3 times while running alone: exit status 2",
			attempts: []kept{
				{1, sdk.ClassUnavailable, false, 0},
				{1, sdk.ClassUnavailable, false, restartPause / 2},
				{1, sdk.ClassUnavailable, false, restartPause / 2},
				{1, sdk.ClassUnavailable, false, restartPause / 2},
			},
		},
	}
}

// TestOutcomes makes every kind of attempt on real queues.
func TestOutcomes(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		scripts := map[string][]host.Outcome{}
		r.targets = nil
		for _, s := range stories() {
			target := testTarget(s.name)
			if s.target != nil {
				s.target(&target)
			}
			r.targets = append(r.targets, target)
			scripts[s.name] = s.outcomes
		}
		r.plugins.answers(func(_ context.Context, c call) host.Outcome {
			id := uuid.MustParse(c.delivery.ID)
			script := scripts[c.target]
			return script[min(len(r.plugins.of(id)), len(script))-1]
		})
		r.start()
		t.Run("story", func(t *testing.T) {
			for _, s := range stories() {
				t.Run(s.name, func(t *testing.T) {
					t.Parallel()
					s.check(t, r.in(t))
				})
			}
		})
		r.awaitNoJobs()
	})
}

func (s story) check(t *testing.T, r *rig) {
	t.Helper()
	id := r.accept(s.name)[0]
	d, attempts := r.await(id, s.state)
	require.Equal(t, s.reason, d.Reason)
	require.Equal(t, s.crashes, d.Crashes)
	require.False(t, d.Suspect)
	require.Len(t, attempts, len(s.attempts))
	counted := 0
	for i, want := range s.attempts {
		got := attempts[i]
		require.Equal(t, kept{want.number, want.class, want.counted, want.after}, kept{got.Number, got.Class, got.Counted, want.after}, "attempt %d", i)
		if want.counted {
			counted++
		}
		if i > 0 {
			pause := got.StartedAt.Sub(attempts[i-1].StartedAt)
			require.GreaterOrEqual(t, pause, want.after, "attempt %d came too early", i)
		}
	}
	require.Equal(t, counted, d.Attempts)
	calls := r.plugins.of(id)
	if s.alone != nil {
		require.Len(t, calls, len(s.alone))
	}
	for i, c := range calls {
		require.Equal(t, s.alone != nil && s.alone[i], c.alone, "call %d", i)
		require.Equal(t, "everything", c.delivery.Route)
		require.Len(t, c.delivery.Events, 1)
		require.Equal(t, "raw", string(c.delivery.Originals[0].Body))
		require.Equal(t, []string{"1"}, c.delivery.Originals[0].Query["a"])
	}
}
