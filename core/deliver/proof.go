package deliver

import (
	"cmp"
	"fmt"
	"time"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

const (
	// proveWithin is how long a proof may take where the plugin does not say.
	proveWithin = 30 * time.Minute
	// firstAsk and lastAsk bound the pauses between questions for one proof, where the plugin
	// asks for no longer ones. A shorter retry of the target shortens them, too.
	firstAsk = 5 * time.Second
	lastAsk  = 2 * time.Minute
	// unproven is what is said of a delivery whose plugin does not say what it waits for.
	unproven = "accepted, and not proven yet"
)

// toProve makes a delivery that its endpoint has accepted wait for its proof.
func (p policy) toProve(s *store.Settlement, t try) {
	r, now := t.outcome.Receipt, t.work.Now.Add(t.elapsed)
	within := min(cmp.Or(r.ProveWithin, proveWithin), p.retry.MaxAge)
	s.State, s.Reason = event.Verifying, cmp.Or(r.Waits, unproven)
	s.Attempt.Message = s.Reason
	s.Read, s.Proof = t.work.Delivery, &event.Proof{AcceptedAt: now, Within: within, By: now.Add(within)}
	s.Delay = max(min(r.VerifyAfter, within), time.Millisecond)
}

// isFinal reports whether a question for proof is the last: what is not proven then is
// missing. A question that was due before the time of the proof was over is not, however
// late it is made, unless the delivery is too old for another.
func (p policy) isFinal(w store.Work) bool {
	d := w.Delivery
	return p.tooOld(w) || !d.DueAt.Before(d.Proof.By) && !w.Now.Before(d.DueAt)
}

// judge decides what the answer to a question for proof means. The delivery is not attempted
// by it, and says of the target what an attempt does.
func (p policy) judge(t try) fate {
	o, d := t.outcome, t.work.Delivery
	if o.Class == sdk.ClassUnavailable && !o.Crashed && !t.probe {
		return fate{next: interrupted}
	}
	proof := d.Proof
	proof.Asks++
	s := &store.Settlement{
		DeliveryID: d.ID, Target: p.target, State: event.Verifying, Reason: o.Message, Crashes: d.Crashes, Suspect: d.Suspect,
		MessageID: cmp.Or(o.Receipt.MessageID, d.MessageID), Receipt: d.Receipt, Read: d, Proof: &proof,
		Attempt: &event.Attempt{
			DeliveryID: d.ID, Number: d.Attempts, Ask: proof.Asks, StartedAt: t.startedAt, Elapsed: t.elapsed, Class: o.Class,
			Status: o.Receipt.Status, Message: o.Message, Excerpt: o.Receipt.Excerpt, Request: requestText(o.Sent),
		},
	}
	if o.Receipt.State != nil {
		s.Receipt = o.Receipt.State
	}
	success := func() store.Change { return afterSuccess(t.work.Target, d.ID, o, p.retry.MaxAge, t.probe) }
	f := fate{settlement: s, next: retried}
	switch {
	case o.Class == sdk.ClassUnavailable:
		if !o.Crashed {
			s.Attempt, proof.Asks = nil, d.Proof.Asks
		}
		p.unavailable(s, t)
		p.unanswered(s, t, 0)
		f.next = again
	case o.Class == sdk.ClassPermanent:
		s.Change = success()
		p.bury(s, o.Message)
	case o.Redeliver:
		s.Change = success()
		s.State, s.Suspect = event.Pending, false
		if f.next = p.repeat(s, t, max(d.Attempts-d.RetriedAfter, 1)); f.next == retried {
			s.MessageID, s.Receipt, s.Proof = "", nil, &event.Proof{}
		}
	case o.Class == sdk.ClassOK:
		s.Change, s.Suspect = success(), false
		p.answered(s, t)
	case o.Class == sdk.ClassPluginBug:
		p.notYet(s, t, o.Message)
	case o.Class == sdk.ClassMisconfigured && t.work.Target.Hold == "" && t.work.Target.Accused == d.ID:
		// The target takes others: it is this one that is not to be proven.
		p.notYet(s, t, o.Message)
	case o.Class == sdk.ClassMisconfigured:
		s.Change = afterMisconfigured(d.ID, o.Message)
		p.unanswered(s, t, p.askPause(proof.Asks))
	case o.Class == sdk.ClassThrottled:
		s.Change = afterThrottled(d.ID, o, p.retry.MaxAge, t.probe)
		p.unanswered(s, t, max(p.askPause(proof.Asks), o.RetryAfter))
	default: // retryable, and classes of later versions
		s.Change = afterFailure(d.ID, o.Message, t.probe)
		p.unanswered(s, t, max(p.askPause(proof.Asks), o.RetryAfter))
	}
	if s.State == event.Verifying && s.Attempt != nil && p.tooOld(t.work) {
		p.bury(s, fmt.Sprintf("older than max_age %s; last: %s", p.retry.MaxAge, o.Message))
	}
	if !s.State.Live() {
		f.next = settledJob
	}
	return f
}

// answered is for an endpoint that answered whether the proof is there.
func (p policy) answered(s *store.Settlement, t try) {
	r := t.outcome.Receipt
	if r.VerifyAfter > 0 {
		s.Attempt.Message = cmp.Or(r.Waits, unproven)
		p.notYet(s, t, s.Attempt.Message)
		return
	}
	s.State, s.Reason, s.Note = event.Delivered, "", r.Fallback
}

// notYet has the target asked again, by the time at which the proof is to be there at the
// latest, or gives the delivery up.
func (p policy) notYet(s *store.Settlement, t try, waits string) {
	proof := s.Proof
	if p.isFinal(t.work) {
		p.bury(s, fmt.Sprintf("not proven within %s: %s", proof.Within, waits))
		return
	}
	s.Reason = waits
	// Nobody asked between the time at which it was due and this question.
	proof.By = proof.By.Add(max(t.work.Now.Sub(t.work.Delivery.DueAt), 0))
	left := proof.By.Sub(t.work.Now.Add(t.elapsed))
	s.Delay = max(min(max(p.askPause(proof.Asks), t.outcome.Receipt.VerifyAfter), left), time.Millisecond)
}

// unanswered has the target asked again after a pause. Nobody can tell until then whether the
// proof is there, so its time begins to count again then.
func (p policy) unanswered(s *store.Settlement, t try, pause time.Duration) {
	now, due := t.work.Now.Add(t.elapsed), t.work.Delivery.DueAt
	s.Delay = pause
	if t.probe {
		s.Delay = max(pause, due.Sub(now)) // as it was, where a probe came before its time
	}
	s.Proof.By = s.Proof.By.Add(max(now.Add(s.Delay).Sub(due), 0))
}

// askPause is the least time between question n for a proof, counted from 1, and the next.
func (p policy) askPause(n int) time.Duration {
	first, last := firstAsk, lastAsk
	if p.retry.Initial > 0 {
		first = min(first, p.retry.Initial)
	}
	if p.retry.MaxInterval > 0 {
		last = min(last, p.retry.MaxInterval)
	}
	return p.spread(min(first<<min(n-1, 10), last))
}
