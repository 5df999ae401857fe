package deliver

import (
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/calendar"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/store"
)

// Target is what the workers need to know of a configured target.
type Target struct {
	Name    string
	Timeout time.Duration
	// Concurrency is how many attempts may be under way at once in this process.
	Concurrency int
	Retry       config.Retry
	// Rate bounds the attempts of all nodes together; zero is no bound.
	Rate store.Rate
	// Described says that its plugin has said what it does. Groups says that the plugin
	// takes several events in one delivery, and Edits that it replaces what an earlier
	// delivery of a story showed.
	Described, Groups, Edits bool
	// Quiet are the hours in which the target takes nothing, and Drop says that what comes
	// in them is given up. They go out as one digest with DigestQuiet, and what waited for
	// another hold that lasted DigestAfter does, unless that is zero.
	Quiet       calendar.Quiet
	Drop        bool
	DigestQuiet bool
	DigestAfter time.Duration
}

// Digests reports whether what has waited for a hold goes out as one delivery.
func (p *Plan) Digests(held store.Target, now time.Time) bool {
	t := p.target(held.Name)
	switch {
	case t == nil || !t.Groups:
		return false
	case held.Hold == store.HoldQuiet:
		return t.DigestQuiet
	default:
		return t.DigestAfter > 0 && now.Sub(held.Since) >= t.DigestAfter
	}
}

// Plan is what one configuration says of targets, and of the sources whose deferred events
// are decoded. It does not change.
type Plan struct {
	targets map[string]*planned
	sources []string
}

// planned is a target in the plans that have it unchanged.
type planned struct {
	Target
	// left is closed when a plan follows that does not have it so: its workers give back
	// the jobs that they wait with.
	left chan struct{}
}

// NewPlan returns the plan of targets and sources that follows former, which may be nil.
func NewPlan(targets []Target, sources []string, former *Plan) *Plan {
	p := &Plan{targets: make(map[string]*planned, len(targets)), sources: sources}
	for _, t := range targets {
		p.targets[t.Name] = former.target(t.Name)
		if old := p.targets[t.Name]; old == nil || !reflect.DeepEqual(old.Target, t) {
			p.targets[t.Name] = &planned{Target: t, left: make(chan struct{})}
		}
	}
	return p
}

// Target returns what is said of a target, and whether it is configured.
func (p *Plan) Target(name string) (Target, bool) {
	t := p.target(name)
	if t == nil {
		return Target{}, false
	}
	return t.Target, true
}

// target is nil for one that is not configured.
func (p *Plan) target(name string) *planned {
	if p == nil {
		return nil
	}
	return p.targets[name]
}

// Follow has the workers go by another plan, which swap puts in the place of former. Who
// waits by the former one waits no longer. Attempts under way are not touched.
func (w *Workers) Follow(ctx context.Context, former *Plan, swap func()) error {
	err := w.swap(ctx, former, swap)
	w.expect()
	present := w.plan()
	for name, old := range former.targets {
		if present.target(name) != old {
			close(old.left)
		}
	}
	return err
}

func (w *Workers) expect() {
	for name := range w.plan().targets {
		w.metrics.expect(name)
	}
}

// swap keeps anybody from taking a slot meanwhile, which would be of one rate in the row
// of another.
func (w *Workers) swap(ctx context.Context, former *Plan, swap func()) error {
	w.slots.changing.Lock()
	defer w.slots.changing.Unlock()
	swap()
	var errs []error
	for name, next := range w.plan().targets {
		if old := former.target(name); old != nil && old.Rate == next.Rate {
			continue
		}
		w.slots.drop(name)
		if next.Rate.PerSecond == 0 {
			continue
		}
		// The next attempt was to wait as long as the former rate demands, which for a target
		// that comes back is that of a plan long before.
		_, _, err := w.store.ChangeTarget(ctx, name, func(t *store.Target, _ time.Time) []*store.Settlement {
			t.ArrivalAt = time.Time{}
			return nil
		})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Queues returns River's queues, with the fetch settings of base: one for each target,
// and one for the deferred events of each source.
func (p *Plan) Queues(base river.QueueConfig) map[string]river.QueueConfig {
	queues := make(map[string]river.QueueConfig, len(p.targets)+len(p.sources))
	for name, t := range p.targets {
		q := base
		q.MaxWorkers = t.Concurrency
		queues[store.TargetQueue(name)] = q
	}
	// One at a time, so that an event that crashes its decoder is found out.
	base.MaxWorkers = 1
	for _, name := range p.sources {
		queues[store.DecodeQueue(name)] = base
	}
	return queues
}

// sleepFor waits for a target's sake: until the end, or until its queue ends. It reports
// whether it waited to the end.
func (w *Workers) sleepFor(ctx context.Context, t *planned, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-t.left:
	case <-w.quit:
	case <-ctx.Done():
	}
	return false
}
