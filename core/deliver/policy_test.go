package deliver

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func testPolicy() policy {
	return policy{
		target: "ops",
		retry: config.Retry{
			Initial: 5 * time.Second, Multiplier: 3, MaxInterval: 6 * time.Hour, MaxAge: 7 * 24 * time.Hour,
		},
		jitter: func() float64 { return 1 },
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()

	attempted := func(n int) event.Delivery { return event.Delivery{State: event.Pending, Attempts: n} }
	cases := []struct {
		name     string
		delivery event.Delivery
		age      time.Duration
		probe    bool
		retry    func(*config.Retry)
		outcome  host.Outcome

		state    event.DeliveryState
		snooze   time.Duration
		counted  bool
		recorded bool
		suspect  bool
		crashes  int
		hold     bool
		release  bool
		reason   string
	}{
		{
			name: "ok ends the delivery", outcome: host.Outcome{Class: sdk.ClassOK},
			state: event.Delivered, counted: true, recorded: true,
		},
		{
			name: "ok clears suspicion", delivery: event.Delivery{Suspect: true, Crashes: 2}, outcome: host.Outcome{Class: sdk.ClassOK},
			state: event.Delivered, counted: true, recorded: true, crashes: 2,
		},
		{
			name: "ok to a probe releases the target and counts no attempt", probe: true, outcome: host.Outcome{Class: sdk.ClassOK},
			state: event.Delivered, recorded: true, release: true,
		},
		{
			name: "first retry after the initial pause", outcome: host.Outcome{Class: sdk.ClassRetryable, Message: "refused"},
			state: event.Pending, snooze: 5 * time.Second, counted: true, recorded: true, reason: "refused",
		},
		{
			name: "third retry after nine times the initial pause", delivery: attempted(2), outcome: host.Outcome{Class: sdk.ClassRetryable},
			state: event.Pending, snooze: 45 * time.Second, counted: true, recorded: true,
		},
		{
			name: "pauses end at max_interval", delivery: attempted(60), outcome: host.Outcome{Class: sdk.ClassRetryable},
			state: event.Pending, snooze: 6 * time.Hour, counted: true, recorded: true,
		},
		{
			name: "a schedule replaces the exponential", delivery: attempted(1), outcome: host.Outcome{Class: sdk.ClassRetryable},
			retry: func(r *config.Retry) { r.Schedule = []time.Duration{time.Second, time.Minute} },
			state: event.Pending, snooze: time.Minute, counted: true, recorded: true,
		},
		{
			name: "the last pause of a schedule repeats", delivery: attempted(9), outcome: host.Outcome{Class: sdk.ClassRetryable},
			retry: func(r *config.Retry) { r.Schedule = []time.Duration{time.Second, time.Minute} },
			state: event.Pending, snooze: time.Minute, counted: true, recorded: true,
		},
		{
			name: "Retry-After is never cut short", outcome: host.Outcome{Class: sdk.ClassRetryable, RetryAfter: time.Hour},
			state: event.Pending, snooze: time.Hour, counted: true, recorded: true,
		},
		{
			name: "a longer pause than Retry-After stands", delivery: attempted(4), outcome: host.Outcome{Class: sdk.ClassRetryable, RetryAfter: time.Second},
			state: event.Pending, snooze: 405 * time.Second, counted: true, recorded: true,
		},
		{
			name: "no pause reaches beyond max_age", age: 7*24*time.Hour - time.Minute, outcome: host.Outcome{Class: sdk.ClassRetryable, RetryAfter: time.Hour},
			state: event.Pending, snooze: time.Minute, counted: true, recorded: true,
		},
		{
			name: "max_attempts makes a dead letter", delivery: attempted(2), outcome: host.Outcome{Class: sdk.ClassRetryable, Message: "503"},
			retry: func(r *config.Retry) { r.MaxAttempts = 3 },
			state: event.Dead, counted: true, recorded: true, reason: "gave up after 3 attempts: 503",
		},
		{
			name: "a failing probe leaves the delivery held", probe: true, outcome: host.Outcome{Class: sdk.ClassRetryable},
			state: event.Held, recorded: true,
		},
		{
			name: "throttled waits as asked and counts nothing", outcome: host.Outcome{Class: sdk.ClassThrottled, RetryAfter: 7 * time.Second},
			state: event.Pending, snooze: 7 * time.Second, recorded: true,
		},
		{
			name: "throttled without a time waits a second", outcome: host.Outcome{Class: sdk.ClassThrottled},
			state: event.Pending, snooze: time.Second, recorded: true,
		},
		{
			name: "a throttled probe shows that the target takes things", probe: true, outcome: host.Outcome{Class: sdk.ClassThrottled},
			state: event.Pending, snooze: time.Second, recorded: true, release: true,
		},
		{
			name: "permanent makes a dead letter", outcome: host.Outcome{Class: sdk.ClassPermanent, Message: "400"},
			state: event.Dead, counted: true, recorded: true, reason: "400",
		},
		{
			name: "a refused probe buries the event and releases the target", probe: true, outcome: host.Outcome{Class: sdk.ClassPermanent},
			state: event.Dead, recorded: true, release: true,
		},
		{
			name: "misconfigured holds the target", outcome: host.Outcome{Class: sdk.ClassMisconfigured, Message: "404"},
			state: event.Held, counted: true, recorded: true, hold: true, reason: "404",
		},
		{
			name: "unavailable counts and records nothing", outcome: host.Outcome{Class: sdk.ClassUnavailable},
			state: event.Pending, snooze: time.Second,
		},
		{
			name: "a crash makes a suspect", outcome: host.Outcome{Class: sdk.ClassUnavailable, Crashed: true},
			state: event.Pending, snooze: time.Second, recorded: true, suspect: true,
		},
		{
			name: "a crash alone is counted against the suspect", delivery: event.Delivery{Suspect: true, Crashes: 1},
			outcome: host.Outcome{Class: sdk.ClassUnavailable, Crashed: true},
			state:   event.Pending, snooze: time.Second, recorded: true, suspect: true, crashes: 2,
		},
		{
			name: "the third crash alone makes a dead letter", delivery: event.Delivery{Suspect: true, Crashes: 2},
			outcome: host.Outcome{Class: sdk.ClassUnavailable, Crashed: true, Message: "exit 2"},
			state:   event.Dead, recorded: true, crashes: 3, reason: "crashed the plugin 3 times while running alone: exit 2",
		},
		{
			name: "a restart in between does not clear a suspect", delivery: event.Delivery{Suspect: true, Crashes: 1},
			outcome: host.Outcome{Class: sdk.ClassUnavailable},
			state:   event.Pending, snooze: time.Second, suspect: true, crashes: 1,
		},
		{
			name: "a plugin bug is retried", outcome: host.Outcome{Class: sdk.ClassPluginBug},
			state: event.Pending, snooze: 5 * time.Second, counted: true, recorded: true,
		},
		{
			name: "a class of a later version is retried", outcome: host.Outcome{Class: "novel"},
			state: event.Pending, snooze: 5 * time.Second, counted: true, recorded: true,
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			p := testPolicy()
			if tc.retry != nil {
				tc.retry(&p.retry)
			}
			f := p.decide(try{delivery: tc.delivery, age: tc.age, probe: tc.probe, outcome: tc.outcome})

			require.False(t, f.interrupted)
			require.Equal(t, tc.snooze, f.snooze)
			s := f.settlement
			require.Equal(t, tc.state, s.State)
			require.Equal(t, tc.recorded, s.Attempt != nil)
			if s.Attempt != nil {
				require.Equal(t, tc.counted, s.Attempt.Counted)
				require.Equal(t, tc.delivery.Attempts+1, s.Attempt.Number)
			}
			require.Equal(t, tc.suspect, s.Suspect)
			require.Equal(t, tc.crashes, s.Crashes)
			require.Equal(t, tc.hold, s.Hold != nil)
			require.Equal(t, tc.release, s.Release)
			require.Equal(t, tc.reason, s.Reason)
		})
	}
}

func TestDecideInterruptedRecordsNothing(t *testing.T) {
	t.Parallel()

	f := testPolicy().decide(try{outcome: host.Outcome{Class: sdk.ClassInterrupted}})
	require.True(t, f.interrupted)
	require.Nil(t, f.settlement)
}

func TestPauseStaysWithinEqualJitter(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		p := testPolicy()
		p.jitter = func() float64 { return rapid.Float64Range(0, 0.999999).Draw(t, "jitter") }
		n := rapid.IntRange(1, 100_000).Draw(t, "attempt")
		full := testPolicy().pause(n)

		got := p.pause(n)

		require.GreaterOrEqual(t, got, full/2)
		require.LessOrEqual(t, got, full)
		require.LessOrEqual(t, got, p.retry.MaxInterval)
	})
}

func TestGate(t *testing.T) {
	t.Parallel()

	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	id := uuid.MustParse("0197a2c4-5b1e-7c3a-9d2f-1a2b3c4d5e6f")
	pending := event.Delivery{ID: id, State: event.Pending, CreatedAt: now.Add(-time.Minute)}
	with := func(change func(*event.Delivery)) event.Delivery {
		d := pending
		change(&d)
		return d
	}
	cases := []struct {
		name     string
		delivery event.Delivery
		hold     *store.Hold

		attempt, probe bool
		snooze         time.Duration
		settled        event.DeliveryState
		reason         string
	}{
		{name: "pending is attempted", delivery: pending, attempt: true},
		{name: "delivered ends the job", delivery: with(func(d *event.Delivery) { d.State = event.Delivered })},
		{name: "dead ends the job", delivery: with(func(d *event.Delivery) { d.State = event.Dead })},
		{name: "held ends the job", delivery: with(func(d *event.Delivery) { d.State = event.Held })},
		{name: "cancelled ends the job", delivery: with(func(d *event.Delivery) { d.State = event.Cancelled })},
		{
			name: "not yet due waits", delivery: with(func(d *event.Delivery) { d.NotBefore = now.Add(3 * time.Second) }),
			snooze: 3 * time.Second,
		},
		{name: "due is attempted", delivery: with(func(d *event.Delivery) { d.NotBefore = now }), attempt: true},
		{
			name: "a hold takes the delivery out of the queue", delivery: pending, hold: &store.Hold{Reason: "404"},
			settled: event.Held, reason: "404",
		},
		{name: "a draining target takes deliveries", delivery: pending, hold: &store.Hold{Draining: true}, attempt: true},
		{name: "the probe passes the hold", delivery: pending, hold: &store.Hold{Probe: id}, attempt: true, probe: true},
		{
			name: "the probe does not wait", delivery: with(func(d *event.Delivery) { d.NotBefore = now.Add(time.Hour) }),
			hold: &store.Hold{Probe: id}, attempt: true, probe: true,
		},
		{
			name: "too old is a dead letter with its last reason",
			delivery: with(func(d *event.Delivery) {
				d.CreatedAt, d.Reason = now.Add(-7*24*time.Hour), "503"
			}),
			settled: event.Dead, reason: "older than max_age 168h0m0s; last: 503",
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			v := testPolicy().gate(store.Work{Delivery: tc.delivery, Hold: tc.hold, Now: now})

			require.Equal(t, tc.attempt, v.attempt)
			require.Equal(t, tc.probe, v.probe)
			require.Equal(t, tc.snooze, v.snooze)
			if tc.settled == "" {
				require.Nil(t, v.settlement)
				return
			}
			require.Equal(t, tc.settled, v.settlement.State)
			require.Equal(t, tc.reason, v.settlement.Reason)
		})
	}
}

func TestNextProbe(t *testing.T) {
	t.Parallel()

	require.Equal(t, 2*time.Minute, nextProbe(1))
	require.Equal(t, 32*time.Minute, nextProbe(5))
	require.Equal(t, time.Hour, nextProbe(6))
	require.Equal(t, time.Hour, nextProbe(1000))
}
