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

var testNow = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

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
		delay    time.Duration
		next     next
		counted  bool
		recorded bool
		suspect  bool
		crashes  int
		change   bool
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
			name: "ok to a probe changes the target", probe: true, outcome: host.Outcome{Class: sdk.ClassOK},
			state: event.Delivered, counted: true, recorded: true, change: true,
		},
		{
			name: "first retry after the initial pause", outcome: host.Outcome{Class: sdk.ClassRetryable, Message: "refused"},
			state: event.Pending, delay: 5 * time.Second, next: retried, counted: true, recorded: true, change: true, reason: "refused",
		},
		{
			name: "third retry after nine times the initial pause", delivery: attempted(2), outcome: host.Outcome{Class: sdk.ClassRetryable},
			state: event.Pending, delay: 45 * time.Second, next: retried, counted: true, recorded: true, change: true,
		},
		{
			name: "pauses end at max_interval", delivery: attempted(60), outcome: host.Outcome{Class: sdk.ClassRetryable},
			state: event.Pending, delay: 6 * time.Hour, next: retried, counted: true, recorded: true, change: true,
		},
		{
			name: "a schedule replaces the exponential", delivery: attempted(1), outcome: host.Outcome{Class: sdk.ClassRetryable},
			retry: func(r *config.Retry) { r.Schedule = []time.Duration{time.Second, time.Minute} },
			state: event.Pending, delay: time.Minute, next: retried, counted: true, recorded: true, change: true,
		},
		{
			name: "the last pause of a schedule repeats", delivery: attempted(9), outcome: host.Outcome{Class: sdk.ClassRetryable},
			retry: func(r *config.Retry) { r.Schedule = []time.Duration{time.Second, time.Minute} },
			state: event.Pending, delay: time.Minute, next: retried, counted: true, recorded: true, change: true,
		},
		{
			name: "Retry-After is never cut short", outcome: host.Outcome{Class: sdk.ClassRetryable, RetryAfter: time.Hour},
			state: event.Pending, delay: time.Hour, next: retried, counted: true, recorded: true, change: true,
		},
		{
			name: "a longer pause than Retry-After stands", delivery: attempted(4), outcome: host.Outcome{Class: sdk.ClassRetryable, RetryAfter: time.Second},
			state: event.Pending, delay: 405 * time.Second, next: retried, counted: true, recorded: true, change: true,
		},
		{
			name: "no pause reaches beyond max_age", age: 7*24*time.Hour - time.Minute, outcome: host.Outcome{Class: sdk.ClassRetryable, RetryAfter: time.Hour},
			state: event.Pending, delay: time.Minute, next: retried, counted: true, recorded: true, change: true,
		},
		{
			name: "max_attempts makes a dead letter", delivery: attempted(2), outcome: host.Outcome{Class: sdk.ClassRetryable, Message: "503"},
			retry: func(r *config.Retry) { r.MaxAttempts = 3 },
			state: event.Dead, counted: true, recorded: true, change: true, reason: "gave up after 3 attempts: 503",
		},
		{
			name: "a failing probe leaves the delivery to its place", probe: true, outcome: host.Outcome{Class: sdk.ClassRetryable},
			state: event.Pending, next: again, recorded: true, change: true,
		},
		{
			name: "throttled keeps the place and counts nothing", outcome: host.Outcome{Class: sdk.ClassThrottled, RetryAfter: 7 * time.Second},
			state: event.Pending, next: again, recorded: true, change: true,
		},
		{
			name: "permanent makes a dead letter", outcome: host.Outcome{Class: sdk.ClassPermanent, Message: "400"},
			state: event.Dead, counted: true, recorded: true, reason: "400",
		},
		{
			name: "a refused probe buries the event and releases the target", probe: true, outcome: host.Outcome{Class: sdk.ClassPermanent},
			state: event.Dead, recorded: true, change: true,
		},
		{
			name: "misconfigured holds the target", outcome: host.Outcome{Class: sdk.ClassMisconfigured, Message: "404"},
			state: event.Pending, next: again, counted: true, recorded: true, change: true, reason: "404",
		},
		{
			name: "unavailable counts and records nothing", outcome: host.Outcome{Class: sdk.ClassUnavailable},
			state: event.Pending, next: again,
		},
		{
			name: "a crash makes a suspect", outcome: host.Outcome{Class: sdk.ClassUnavailable, Crashed: true},
			state: event.Pending, next: again, recorded: true, suspect: true,
		},
		{
			name: "a crash alone is counted against the suspect", delivery: event.Delivery{Suspect: true, Crashes: 1},
			outcome: host.Outcome{Class: sdk.ClassUnavailable, Crashed: true},
			state:   event.Pending, next: again, recorded: true, suspect: true, crashes: 2,
		},
		{
			name: "the third crash alone makes a dead letter", delivery: event.Delivery{Suspect: true, Crashes: 2},
			outcome: host.Outcome{Class: sdk.ClassUnavailable, Crashed: true, Message: "exit 2"},
			state:   event.Dead, recorded: true, crashes: 3, reason: "crashed the plugin 3 times while running alone: exit 2",
		},
		{
			name: "a restart in between does not clear a suspect", delivery: event.Delivery{Suspect: true, Crashes: 1},
			outcome: host.Outcome{Class: sdk.ClassUnavailable},
			state:   event.Pending, next: again, suspect: true, crashes: 1,
		},
		{
			name: "a plugin bug is retried and accuses no endpoint", outcome: host.Outcome{Class: sdk.ClassPluginBug},
			state: event.Pending, delay: 5 * time.Second, next: retried, counted: true, recorded: true,
		},
		{
			name: "a class of a later version is retried", outcome: host.Outcome{Class: "novel"},
			state: event.Pending, delay: 5 * time.Second, next: retried, counted: true, recorded: true, change: true,
		},
		{
			name:     "an operator's retry begins the schedule and the age anew",
			delivery: event.Delivery{State: event.Pending, Attempts: 12, RetriedAfter: 11, RetriedAt: testNow.Add(-time.Hour)}, age: 30 * 24 * time.Hour,
			retry:   func(r *config.Retry) { r.MaxAttempts = 3 },
			outcome: host.Outcome{Class: sdk.ClassRetryable},
			state:   event.Pending, delay: 15 * time.Second, next: retried, counted: true, recorded: true, change: true,
		},
		{
			name:     "and counts its attempts anew",
			delivery: event.Delivery{State: event.Pending, Attempts: 13, RetriedAfter: 11, RetriedAt: testNow.Add(-time.Hour)}, age: 30 * 24 * time.Hour,
			retry:   func(r *config.Retry) { r.MaxAttempts = 3 },
			outcome: host.Outcome{Class: sdk.ClassRetryable, Message: "503"},
			state:   event.Dead, counted: true, recorded: true, change: true, reason: "gave up after 3 attempts: 503",
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			p := testPolicy()
			if tc.retry != nil {
				tc.retry(&p.retry)
			}
			now := testNow
			tc.delivery.CreatedAt = now.Add(-tc.age)
			f := p.decide(try{work: store.Work{Delivery: tc.delivery, Now: now}, probe: tc.probe, outcome: tc.outcome})

			if tc.state != event.Pending {
				tc.next = settledJob
			}
			require.Equal(t, tc.next, f.next)
			s := f.settlement
			require.Equal(t, tc.delay, s.Delay)
			require.Equal(t, tc.state, s.State)
			require.Equal(t, tc.recorded, s.Attempt != nil)
			if s.Attempt != nil {
				require.Equal(t, tc.counted, s.Attempt.Counted)
				require.Equal(t, tc.delivery.Attempts+1, s.Attempt.Number)
			}
			require.Equal(t, tc.suspect, s.Suspect)
			require.Equal(t, tc.crashes, s.Crashes)
			require.Equal(t, tc.change, s.Change != nil)
			require.Equal(t, tc.reason, s.Reason)
		})
	}
}

func TestDecideInterruptedRecordsNothing(t *testing.T) {
	t.Parallel()

	f := testPolicy().decide(try{outcome: host.Outcome{Class: sdk.ClassInterrupted}})
	require.Equal(t, interrupted, f.next)
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

	now := testNow
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
		target   store.Target
		probe    bool

		want    verdict
		settled event.DeliveryState
		reason  string
	}{
		{name: "pending is attempted", delivery: pending, want: verdict{attempt: true}},
		{name: "delivered ends the job", delivery: with(func(d *event.Delivery) { d.State = event.Delivered })},
		{name: "dead ends the job", delivery: with(func(d *event.Delivery) { d.State = event.Dead })},
		{name: "cancelled ends the job", delivery: with(func(d *event.Delivery) { d.State = event.Cancelled })},
		{
			name: "a job that comes early is sent back", delivery: with(func(d *event.Delivery) { d.DueAt = now.Add(3 * time.Second) }),
			want: verdict{early: 3 * time.Second},
		},
		{name: "due is attempted", delivery: with(func(d *event.Delivery) { d.DueAt = now }), want: verdict{attempt: true}},
		{name: "a hold stops it", delivery: pending, target: store.Target{Hold: store.HoldPaused}, want: verdict{held: true}},
		{
			name: "a target that waits makes it wait", delivery: pending, target: store.Target{NextAt: now.Add(time.Second)},
			want: verdict{wait: time.Second},
		},
		{name: "a pause that is over does not", delivery: pending, target: store.Target{NextAt: now}, want: verdict{attempt: true}},
		{
			name: "a probe passes all of these", delivery: with(func(d *event.Delivery) { d.DueAt = now.Add(time.Hour) }), probe: true,
			target: store.Target{Hold: store.HoldMisconfigured, NextAt: now.Add(time.Hour)}, want: verdict{attempt: true},
		},
		{
			name: "too old is a dead letter with its last reason",
			delivery: with(func(d *event.Delivery) {
				d.CreatedAt, d.Reason = now.Add(-7*24*time.Hour), "503"
			}),
			settled: event.Dead, reason: "older than max_age 168h0m0s; last: 503",
		},
		{
			name: "an old one that was retried lately is attempted", want: verdict{attempt: true},
			delivery: with(func(d *event.Delivery) { d.CreatedAt, d.RetriedAt = now.Add(-30*24*time.Hour), now.Add(-time.Hour) }),
		},
		{
			name: "a retry ages too", settled: event.Dead, reason: "older than max_age 168h0m0s",
			delivery: with(func(d *event.Delivery) {
				d.CreatedAt, d.RetriedAt = now.Add(-30*24*time.Hour), now.Add(-7*24*time.Hour)
			}),
		},
		{
			name: "a dead letter says what held it", probe: true, target: store.Target{Hold: store.HoldBreaker, Reason: "down"},
			delivery: with(func(d *event.Delivery) { d.CreatedAt = now.Add(-8 * 24 * time.Hour) }),
			settled:  event.Dead, reason: "older than max_age 168h0m0s, held: down",
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			v := testPolicy().gate(store.Work{Delivery: tc.delivery, Target: tc.target, Now: now}, tc.probe)

			if tc.settled != "" {
				require.Equal(t, tc.settled, v.settlement.State)
				require.Equal(t, tc.reason, v.settlement.Reason)
				return
			}
			require.Equal(t, tc.want, v)
		})
	}
}

func TestNextProbe(t *testing.T) {
	t.Parallel()

	require.Equal(t, time.Minute, nextProbe(1))
	require.Equal(t, 32*time.Minute, nextProbe(6))
	require.Equal(t, time.Hour, nextProbe(7))
	require.Equal(t, time.Hour, nextProbe(1000))
}
