package deliver

import (
	"fmt"
	"math"
	"time"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

const (
	// restartPause is the wait for a plugin that crashed or is restarting; the host's
	// own back-off begins at half a second.
	restartPause = time.Second
	// minThrottle is the shortest pause for an endpoint that asked for one.
	minThrottle = time.Second
	// maxCrashes is how often a delivery may crash its plugin while running alone.
	maxCrashes = 3
	// firstProbe and lastProbe bound the pauses between the probes of a hold.
	firstProbe = time.Minute
	lastProbe  = time.Hour
)

// try is one finished attempt.
type try struct {
	delivery  event.Delivery
	age       time.Duration
	startedAt time.Time
	elapsed   time.Duration
	// probe: the attempt tested a target on hold.
	probe   bool
	outcome host.Outcome
}

// fate is what becomes of a delivery and of the job that tried it.
type fate struct {
	// settlement is nil when there is nothing to record.
	settlement *store.Settlement
	// snooze is the time to the job's next run; zero ends the job.
	snooze time.Duration
	// interrupted returns the job to its queue as if it had not run.
	interrupted bool
}

// policy says what becomes of deliveries to one target. It is pure but for jitter.
type policy struct {
	target string
	retry  config.Retry
	// jitter returns a number in [0,1).
	jitter func() float64
}

// decide is the one place where an outcome becomes a fate.
func (p policy) decide(t try) fate {
	o, d := t.outcome, t.delivery
	if o.Class == sdk.ClassInterrupted {
		return fate{interrupted: true}
	}
	s := &store.Settlement{
		DeliveryID: d.ID,
		Reason:     o.Message,
		Crashes:    d.Crashes,
		Attempt: &event.Attempt{
			DeliveryID: d.ID,
			Number:     d.Attempts + 1,
			StartedAt:  t.startedAt,
			Elapsed:    t.elapsed,
			Class:      o.Class,
			Status:     o.Receipt.Status,
			Message:    o.Message,
			Excerpt:    o.Receipt.Excerpt,
			Counted:    counted(o.Class) && !t.probe,
		},
	}
	switch o.Class {
	case sdk.ClassOK:
		s.State = event.Delivered
		s.Reason = ""
		s.MessageID, s.Receipt = o.Receipt.MessageID, o.Receipt.State
		s.Release = t.probe
	case sdk.ClassPermanent:
		p.bury(s, o.Message)
		s.Release = t.probe // the endpoint answers again; it is this event it refuses
	case sdk.ClassMisconfigured:
		s.State = event.Held
		s.Hold = &store.HoldRequest{
			Target: p.target, Kind: store.HoldMisconfigured, Reason: o.Message, ProbeIn: firstProbe,
		}
	case sdk.ClassThrottled:
		s.Release = t.probe
		p.later(s, t, max(o.RetryAfter, minThrottle))
	case sdk.ClassUnavailable:
		if !o.Crashed {
			s.Attempt = nil
		}
		p.unavailable(s, t)
	default: // retryable, plugin_bug, and classes of later versions
		p.retryable(s, t)
	}
	f := fate{settlement: s}
	if s.State == event.Pending {
		f.snooze = s.Delay
	}
	return f
}

// counted reports whether the endpoint or the event answers for an attempt.
func counted(c sdk.Class) bool {
	switch c {
	case sdk.ClassThrottled, sdk.ClassUnavailable, sdk.ClassInterrupted:
		return false
	default:
		return true
	}
}

func (p policy) retryable(s *store.Settlement, t try) {
	if t.probe {
		s.State = event.Held
		return
	}
	n := t.delivery.Attempts + 1
	if p.retry.MaxAttempts > 0 && n >= p.retry.MaxAttempts {
		p.bury(s, fmt.Sprintf("gave up after %d attempts: %s", n, t.outcome.Message))
		return
	}
	p.later(s, t, max(p.pause(n), t.outcome.RetryAfter))
}

func (p policy) unavailable(s *store.Settlement, t try) {
	d := t.delivery
	s.Suspect = d.Suspect
	if t.outcome.Crashed {
		if d.Suspect {
			s.Crashes++
		}
		s.Suspect = true
	}
	if s.Crashes >= maxCrashes {
		p.bury(s, fmt.Sprintf("crashed the plugin %d times while running alone: %s", s.Crashes, t.outcome.Message))
		return
	}
	if t.probe {
		s.State = event.Held
		return
	}
	p.later(s, t, p.spread(restartPause))
}

// later makes the delivery due again after pause, but not beyond its greatest age,
// when the gate turns it into a dead letter.
func (p policy) later(s *store.Settlement, t try, pause time.Duration) {
	s.State = event.Pending
	s.Delay = max(min(pause, p.retry.MaxAge-t.age), time.Millisecond)
}

func (p policy) bury(s *store.Settlement, reason string) {
	s.State = event.Dead
	s.Suspect = false
	s.Reason = reason
}

// pause is the time between attempt n, counted from 1, and the next.
func (p policy) pause(n int) time.Duration {
	if k := len(p.retry.Schedule); k > 0 {
		return p.spread(p.retry.Schedule[min(n, k)-1])
	}
	d := float64(p.retry.Initial) * math.Pow(p.retry.Multiplier, float64(n-1))
	return p.spread(time.Duration(min(d, float64(p.retry.MaxInterval))))
}

// spread returns between half and all of d, so that what failed together does not
// come back together.
func (p policy) spread(d time.Duration) time.Duration {
	return d/2 + time.Duration(p.jitter()*float64(d/2))
}

// nextProbe is the pause after a hold's probe number n, counted from 1.
func nextProbe(n int) time.Duration {
	return min(firstProbe<<min(n, 10), lastProbe)
}
