package deliver

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/calendar"
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
	// maxCrashes is how often a delivery may crash its plugin while running alone.
	maxCrashes = 3
)

// try is one finished attempt.
type try struct {
	work      store.Work
	startedAt time.Time
	elapsed   time.Duration
	// probe: the attempt tested a target on hold.
	probe   bool
	outcome host.Outcome
}

// next is what becomes of a job.
type next int

const (
	// done ends the job: there was nothing to do.
	done next = iota
	// settledJob ends the job with the delivery, in one transaction.
	settledJob
	// early gives the job the delivery's time.
	early
	// retried has given the job another time, in the transaction of its delivery.
	retried
	// again keeps the job where it is: its target waits, and the others of the target
	// with it.
	again
	// stays keeps the job with its worker.
	stays
	// interrupted is again without anything to record.
	interrupted
	// busy is that another delivery has the message of the story under way.
	busy
)

// fate is what becomes of a delivery and of the job that tried it.
type fate struct {
	// settlement is nil when there is nothing to record.
	settlement *store.Settlement
	next       next
}

// policy says what becomes of deliveries to one target. It is pure but for jitter.
type policy struct {
	target string
	retry  config.Retry
	// quiet are the hours in which nothing is sent; drop gives up what comes in them.
	quiet calendar.Quiet
	drop  bool
	// jitter returns a number in [0,1).
	jitter func() float64
}

// decide is the one place where an outcome becomes a fate, with judge for the answers to
// questions for proof.
func (p policy) decide(t try) fate {
	o, d := t.outcome, t.work.Delivery
	if o.Class == sdk.ClassInterrupted {
		return fate{next: interrupted}
	}
	if d.State == event.Verifying {
		return p.judge(t)
	}
	s := &store.Settlement{
		DeliveryID: d.ID,
		Target:     p.target,
		State:      event.Pending,
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
			Request:    requestText(o.Sent),
			Counted:    counted(o.Class) && !t.probe,
		},
	}
	f := fate{settlement: s, next: again}
	switch o.Class {
	case sdk.ClassOK:
		s.State = event.Delivered
		s.Reason = ""
		s.MessageID, s.Receipt, s.Note = o.Receipt.MessageID, o.Receipt.State, o.Receipt.Fallback
		if silenced := d.Members - len(t.work.Events); d.GroupKey != "" && silenced > 0 {
			s.Note = strings.TrimPrefix(s.Note+"; without "+strconv.Itoa(silenced)+" of its events, which are silenced or came in quiet hours", "; ")
		}
		s.Attempt.Counted = true
		s.Change = afterSuccess(t.work.Target, d.ID, o, p.retry.MaxAge, t.probe)
		if o.Receipt.VerifyAfter > 0 {
			p.toProve(s, t)
		}
	case sdk.ClassPermanent:
		p.bury(s, o.Message)
		s.Change = afterSuccess(t.work.Target, d.ID, o, p.retry.MaxAge, t.probe) // it answers; it is this event that it refuses
	case sdk.ClassMisconfigured:
		s.Change = afterMisconfigured(d.ID, o.Message)
	case sdk.ClassThrottled:
		s.Change = afterThrottled(d.ID, o, p.retry.MaxAge, t.probe)
	case sdk.ClassUnavailable:
		if !o.Crashed {
			s.Attempt = nil
		}
		p.unavailable(s, t)
	default: // retryable, plugin_bug, and classes of later versions
		f.next = p.retryable(s, t)
	}
	switch {
	case s.State == event.Verifying:
		f.next = retried
	case s.State != event.Pending:
		f.next = settledJob
	case t.probe:
		// The delivery's own time, and that of its job, are as they were.
		s.Delay = max(d.DueAt.Sub(t.work.Now)-t.elapsed, 0)
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

func (p policy) retryable(s *store.Settlement, t try) next {
	if t.outcome.Class != sdk.ClassPluginBug || t.probe {
		s.Change = afterFailure(s.DeliveryID, t.outcome.Message, t.probe)
	}
	if t.probe {
		return again
	}
	return p.repeat(s, t, t.work.Delivery.Attempts-t.work.Delivery.RetriedAfter+1)
}

// repeat has attempt n, counted from 1, followed by another, unless it was the last.
func (p policy) repeat(s *store.Settlement, t try, n int) next {
	if p.retry.MaxAttempts > 0 && n >= p.retry.MaxAttempts {
		p.bury(s, fmt.Sprintf("gave up after %d attempts: %s", n, t.outcome.Message))
		return settledJob
	}
	// Not beyond the delivery's greatest age, when the gate makes it a dead letter.
	left := p.retry.MaxAge - t.work.Now.Sub(t.work.Delivery.Began()) - t.elapsed
	s.Delay = max(min(max(p.pause(n), t.outcome.RetryAfter), left), time.Millisecond)
	return retried
}

func (p policy) unavailable(s *store.Settlement, t try) {
	d := t.work.Delivery
	s.Suspect = d.Suspect
	if t.outcome.Crashed {
		if d.Suspect {
			s.Crashes++
		}
		s.Suspect = true
	}
	if t.probe {
		s.Change = freeProbe(d.ID)
	}
	if s.Crashes >= maxCrashes {
		p.bury(s, fmt.Sprintf("crashed the plugin %d times while running alone: %s", s.Crashes, t.outcome.Message))
	}
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
