package deliver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// TestAcceptedIsToBeProven is the other half of an outcome that is ok.
func TestAcceptedIsToBeProven(t *testing.T) {
	t.Parallel()

	took := 2 * time.Second
	accept := func(within, maxAge time.Duration) *store.Settlement {
		p := testPolicy()
		p.retry.MaxAge = maxAge
		f := p.decide(try{
			work:    store.Work{Delivery: event.Delivery{State: event.Pending, CreatedAt: testNow}, Now: testNow},
			elapsed: took,
			outcome: host.Outcome{Class: sdk.ClassOK, Receipt: sdk.Receipt{
				MessageID: "m", State: []byte("s"), VerifyAfter: 10 * time.Second, ProveWithin: within, Waits: "1 of 2 files",
			}},
		})
		require.Equal(t, retried, f.next)
		return f.settlement
	}
	s := accept(0, time.Hour)
	require.Equal(t, event.Verifying, s.State)
	require.Equal(t, "1 of 2 files", s.Reason)
	require.Equal(t, "m", s.MessageID)
	require.Equal(t, []byte("s"), s.Receipt)
	require.Equal(t, 10*time.Second, s.Delay, "as long as the plugin asks for")
	require.True(t, s.Attempt.Counted)
	accepted := testNow.Add(took)
	require.Equal(t, event.Proof{AcceptedAt: accepted, Within: proveWithin, By: accepted.Add(proveWithin)}, *s.Proof)

	require.Equal(t, 3*time.Minute, accept(3*time.Minute, time.Hour).Proof.Within)
	require.Equal(t, time.Hour, accept(9*time.Hour, time.Hour).Proof.Within, "no longer than max_age")
	require.Equal(t, 5*time.Second, accept(5*time.Second, time.Hour).Delay, "no later than the proof is to be there")
}

func TestJudge(t *testing.T) {
	t.Parallel()

	const within = 30 * time.Minute
	wait := func(d time.Duration) sdk.Receipt { return sdk.Receipt{VerifyAfter: d, Waits: "1 of 2 files"} }
	for _, tt := range []struct {
		name string
		// due is when the question was due, by how long the proof may still take, late by how
		// much later it is asked, and asks the number of those before.
		by, late time.Duration
		asks     int
		delivery event.Delivery
		retry    func(*config.Retry)
		probe    bool
		outcome  host.Outcome

		state  event.DeliveryState
		next   next
		delay  time.Duration
		moved  time.Duration // of the time at which the proof is to be there
		reason string
		change bool
		asked  bool // the question is recorded
	}{
		{
			name: "proven", by: within, outcome: host.Outcome{Class: sdk.ClassOK},
			state: event.Delivered, asked: true,
		},
		{
			name: "not yet", by: within, outcome: host.Outcome{Class: sdk.ClassOK, Receipt: wait(time.Second)},
			state: event.Verifying, next: retried, delay: 5 * time.Second, reason: "1 of 2 files", asked: true,
		},
		{
			name: "as late as the plugin asks for", by: within, outcome: host.Outcome{Class: sdk.ClassOK, Receipt: wait(time.Minute)},
			state: event.Verifying, next: retried, delay: time.Minute, reason: "1 of 2 files", asked: true,
		},
		{
			name: "pauses grow", by: within, asks: 3, outcome: host.Outcome{Class: sdk.ClassOK, Receipt: wait(time.Second)},
			state: event.Verifying, next: retried, delay: 40 * time.Second, reason: "1 of 2 files", asked: true,
		},
		{
			name: "to two minutes", by: within, asks: 1000, outcome: host.Outcome{Class: sdk.ClassOK, Receipt: wait(time.Second)},
			state: event.Verifying, next: retried, delay: 2 * time.Minute, reason: "1 of 2 files", asked: true,
		},
		{
			name: "and no longer than retries", by: within, asks: 1000, retry: func(r *config.Retry) { r.Initial, r.MaxInterval = time.Millisecond, time.Second },
			outcome: host.Outcome{Class: sdk.ClassOK, Receipt: wait(time.Millisecond)},
			state:   event.Verifying, next: retried, delay: time.Second, reason: "1 of 2 files", asked: true,
		},
		{
			name: "the last question is in time", by: 3 * time.Second, outcome: host.Outcome{Class: sdk.ClassOK, Receipt: wait(time.Minute)},
			state: event.Verifying, next: retried, delay: 3 * time.Second, reason: "1 of 2 files", asked: true,
		},
		{
			name: "what was asked late gets the time back", by: time.Second, late: time.Hour, outcome: host.Outcome{Class: sdk.ClassOK, Receipt: wait(time.Second)},
			state: event.Verifying, next: retried, delay: time.Second, moved: time.Hour, reason: "1 of 2 files", asked: true,
		},
		{
			name: "not proven in time", outcome: host.Outcome{Class: sdk.ClassOK, Receipt: wait(time.Second)},
			state: event.Dead, reason: "not proven within 30m0s: 1 of 2 files", asked: true,
		},
		{
			name: "proven at the last moment", outcome: host.Outcome{Class: sdk.ClassOK},
			state: event.Delivered, asked: true,
		},
		{
			name: "permanent", by: within, outcome: host.Outcome{Class: sdk.ClassPermanent, Message: "no such library"},
			state: event.Dead, reason: "no such library", asked: true,
		},
		{
			name: "an attempt is made again", by: within, delivery: event.Delivery{Attempts: 2},
			outcome: host.Outcome{Class: sdk.ClassRetryable, Redeliver: true, Message: "the scan was lost"},
			state:   event.Pending, next: retried, delay: 15 * time.Second, reason: "the scan was lost", asked: true,
		},
		{
			name: "unless there were enough", by: within, delivery: event.Delivery{Attempts: 2}, retry: func(r *config.Retry) { r.MaxAttempts = 2 },
			outcome: host.Outcome{Class: sdk.ClassRetryable, Redeliver: true, Message: "the scan was lost"},
			state:   event.Dead, reason: "gave up after 2 attempts: the scan was lost", asked: true,
		},
		{
			name: "a failure answers nothing", by: within, late: 2 * time.Second, outcome: host.Outcome{Class: sdk.ClassRetryable, Message: "503"},
			state: event.Verifying, next: retried, delay: 5 * time.Second, moved: 7 * time.Second, reason: "503", change: true, asked: true,
		},
		{
			name: "nor at the last moment", outcome: host.Outcome{Class: sdk.ClassRetryable, Message: "503", RetryAfter: time.Minute},
			state: event.Verifying, next: retried, delay: time.Minute, moved: time.Minute, reason: "503", change: true, asked: true,
		},
		{
			name: "misconfigured", by: within, outcome: host.Outcome{Class: sdk.ClassMisconfigured, Message: "401"},
			state: event.Verifying, next: retried, delay: 5 * time.Second, moved: 5 * time.Second, reason: "401", change: true, asked: true,
		},
		{
			name: "throttled", by: within, outcome: host.Outcome{Class: sdk.ClassThrottled, RetryAfter: time.Hour},
			state: event.Verifying, next: retried, delay: time.Hour, moved: time.Hour, change: true, asked: true,
		},
		{
			name: "a plugin bug is no proof", by: within, outcome: host.Outcome{Class: sdk.ClassPluginBug, Message: "panic"},
			state: event.Verifying, next: retried, delay: 5 * time.Second, reason: "panic", asked: true,
		},
		{
			name: "and at the last moment none either", outcome: host.Outcome{Class: sdk.ClassPluginBug, Message: "panic"},
			state: event.Dead, reason: "not proven within 30m0s: panic", asked: true,
		},
		{
			name: "a crash makes a suspect", by: within, late: time.Minute, outcome: host.Outcome{Class: sdk.ClassUnavailable, Crashed: true, Message: "exit 2"},
			state: event.Verifying, next: again, moved: time.Minute, reason: "exit 2", asked: true,
		},
		{
			name: "the third crash alone is the end", by: within, delivery: event.Delivery{Suspect: true, Crashes: 2},
			outcome: host.Outcome{Class: sdk.ClassUnavailable, Crashed: true, Message: "exit 2"},
			state:   event.Dead, reason: "crashed the plugin 3 times while running alone: exit 2", moved: 0, asked: true,
		},
		{
			name: "a probe that fails keeps its time", by: within, late: -time.Minute, probe: true, outcome: host.Outcome{Class: sdk.ClassRetryable, Message: "503"},
			state: event.Verifying, next: retried, delay: time.Minute, reason: "503", change: true, asked: true,
		},
		{
			name: "a probe before the last moment is not the last question", late: -time.Minute, probe: true,
			outcome: host.Outcome{Class: sdk.ClassOK, Receipt: wait(time.Second)},
			state:   event.Verifying, next: retried, delay: 5 * time.Second, reason: "1 of 2 files", change: true, asked: true,
		},
		{
			name: "a probe of a plugin that is down frees the next", by: within, probe: true, outcome: host.Outcome{Class: sdk.ClassUnavailable},
			state: event.Verifying, next: again, change: true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			p := testPolicy()
			if tt.retry != nil {
				tt.retry(&p.retry)
			}
			due := testNow.Add(-tt.late)
			d := tt.delivery
			d.ID = event.NewID()
			d.State, d.DueAt, d.MessageID, d.Receipt, d.CreatedAt = event.Verifying, due, "m", []byte("s"), testNow.Add(-time.Minute)
			d.Attempts = max(d.Attempts, 1)
			d.Proof = event.Proof{AcceptedAt: testNow.Add(-time.Minute), Within: within, By: due.Add(tt.by), Asks: tt.asks}
			f := p.decide(try{work: store.Work{Delivery: d, Now: testNow}, probe: tt.probe, outcome: tt.outcome})
			if !tt.state.Live() {
				tt.next = settledJob
			}
			require.Equal(t, tt.next, f.next)
			s := f.settlement
			require.Equal(t, tt.state, s.State)
			require.Equal(t, tt.delay, s.Delay)
			require.Equal(t, tt.reason, s.Reason)
			require.Equal(t, tt.change, s.Change != nil)
			require.Equal(t, d, s.Read)
			if s.State == event.Pending {
				require.Zero(t, *s.Proof, "a new attempt has a proof of its own")
				require.Empty(t, s.MessageID)
			} else {
				require.Equal(t, "m", s.MessageID)
				require.Equal(t, []byte("s"), s.Receipt)
				require.Equal(t, tt.moved, s.Proof.By.Sub(d.Proof.By))
				require.Equal(t, d.Proof.AcceptedAt, s.Proof.AcceptedAt)
			}
			require.Equal(t, tt.asked, s.Attempt != nil)
			if s.Attempt != nil {
				require.Equal(t, tt.asks+1, s.Attempt.Ask)
				require.Equal(t, d.Attempts, s.Attempt.Number)
				require.False(t, s.Attempt.Counted)
			}
		})
	}

	f := testPolicy().decide(try{
		work:    store.Work{Delivery: event.Delivery{State: event.Verifying}},
		outcome: host.Outcome{Class: sdk.ClassUnavailable},
	})
	require.Equal(t, fate{next: interrupted}, f, "a plugin that is down was not asked")
}

// TestGateOfWhatIsToBeProven asks when an attempt would be made.
func TestGateOfWhatIsToBeProven(t *testing.T) {
	t.Parallel()

	p := testPolicy()
	d := event.Delivery{State: event.Verifying, CreatedAt: testNow.Add(-30 * 24 * time.Hour), DueAt: testNow, Reason: "1 of 2 files"}
	d.Proof.AcceptedAt = testNow.Add(-time.Hour)
	w := store.Work{Delivery: d, Now: testNow, Events: []event.Event{{}}}
	require.Equal(t, verdict{attempt: true}, p.gate(w, false), "its age counts from the acceptance")
	p.drop = true
	require.True(t, p.gate(w, false).attempt, "it was told")

	w.Delivery.DueAt = testNow.Add(time.Minute)
	require.Equal(t, time.Minute, p.gate(w, false).early)
	require.True(t, p.gate(w, true).attempt, "a probe does not wait for its time")
	w.Target.Hold = store.HoldBreaker
	require.True(t, p.gate(w, false).held)

	w.Target = store.Target{}
	w.Delivery.Proof.AcceptedAt = testNow.Add(-p.retry.MaxAge)
	w.Delivery.DueAt = testNow
	require.Equal(t, verdict{attempt: true}, p.gate(w, false), "it is asked once more")
}

// TestTooOldToBeProven is asked for the last time, whatever comes of it.
func TestTooOldToBeProven(t *testing.T) {
	t.Parallel()

	p := testPolicy()
	d := event.Delivery{ID: event.NewID(), State: event.Verifying, Attempts: 1, DueAt: testNow}
	d.Proof = event.Proof{AcceptedAt: testNow.Add(-p.retry.MaxAge), Within: time.Hour, By: testNow.Add(time.Hour)}
	w := store.Work{Delivery: d, Now: testNow}
	require.True(t, p.isFinal(w))
	decide := func(o host.Outcome) fate { return p.decide(try{work: w, outcome: o}) }
	for reason, o := range map[string]host.Outcome{
		"not proven within 1h0m0s: 1 of 2 files": notYet("1 of 2 files"),
		"older than max_age 168h0m0s; last: 503": {Class: sdk.ClassRetryable, Message: "503"},
		"older than max_age 168h0m0s; last: 401": {Class: sdk.ClassMisconfigured, Message: "401"},
	} {
		f := decide(o)
		require.Equal(t, settledJob, f.next)
		require.Equal(t, event.Dead, f.settlement.State)
		require.Equal(t, reason, f.settlement.Reason)
	}
	require.Equal(t, event.Delivered, decide(proven()).settlement.State)
	require.Equal(t, interrupted, decide(host.Outcome{Class: sdk.ClassUnavailable}).next, "it was not asked")
	w.Now = testNow.Add(-time.Minute)
	require.False(t, p.isFinal(w))
}
