package deliver

import (
	"context"
	"log/slog"
	"maps"
	"time"

	"github.com/hookarr/hookarr/core/store"
)

// Quarantine reports the targets whose plugin was given up in this process, with the
// reason. pluginhost.Host knows.
type Quarantine func() map[string]string

// Keeper keeps rows and jobs in step while a process runs: it proves that the node
// lives, takes over the jobs of dead ones, gives jobs to rows that lost theirs, and
// probes and drains targets on hold. Several nodes may keep one database.
type Keeper struct {
	Workers *Workers
	// Node is the name that Join was called with; it is River's client id too.
	Node       string
	Quarantine Quarantine
	Retention  store.Retention
	// Tick is the pause between beats; 2 s when zero.
	Tick time.Duration

	// given are the targets that are on hold, or were, since their plugin was given
	// up here.
	given map[string]bool
}

const (
	// deadAfter is how long a node may miss its beats.
	deadAfter = 10 * time.Second
	// lostAfter is how long a job may be recorded as running in this process while it
	// is not.
	lostAfter = 10 * time.Second
	// reconcileEvery and purgeEvery are pauses.
	reconcileEvery = time.Minute
	purgeEvery     = 10 * time.Minute
	// sweepLimit bounds the rows of one statement.
	sweepLimit = 500
	// defaultMaxAge is the greatest age of deliveries whose target is not configured.
	defaultMaxAge = 7 * 24 * time.Hour
)

// Run keeps until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	tick := k.Tick
	if tick == 0 {
		tick = 2 * time.Second
	}
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	var reconciled, purged time.Time
	for {
		now := time.Now()
		k.beat(ctx)
		k.holds(ctx)
		if now.Sub(reconciled) >= reconcileEvery && k.reconcile(ctx) {
			reconciled = now
		}
		if now.Sub(purged) >= purgeEvery {
			k.purge(ctx)
			purged = now
		}
		if !k.wait(ctx, ticker.C) {
			return
		}
	}
}

// wait returns at the next beat; until then it follows up every nudge, so that a
// draining target is as fast as its endpoint. It reports whether to go on.
func (k *Keeper) wait(ctx context.Context, beat <-chan time.Time) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-beat:
			return true
		case <-k.Workers.nudges:
			k.holds(ctx)
		}
	}
}

func (k *Keeper) beat(ctx context.Context) {
	s := k.Workers.store
	n, err := s.Beat(ctx, k.Node, deadAfter)
	k.report(ctx, "jobs of dead nodes taken over", n, err)
	n, err = s.Reclaim(ctx, k.Node, k.Workers.inflight.active(), lostAfter)
	k.report(ctx, "lost jobs taken up again", n, err)
}

func (k *Keeper) reconcile(ctx context.Context) bool {
	for {
		r, err := k.Workers.store.Reconcile(ctx, sweepLimit)
		k.report(ctx, "rows without a job given one", r.Deliveries+r.Events, err)
		if err != nil {
			return false
		}
		if r.Deliveries < sweepLimit && r.Events < sweepLimit {
			return true
		}
	}
}

func (k *Keeper) purge(ctx context.Context) {
	for ctx.Err() == nil {
		n, err := k.Workers.store.Purge(ctx, k.Retention, sweepLimit)
		k.report(ctx, "rows beyond retention deleted", n, err)
		if err != nil || n < sweepLimit {
			return
		}
	}
}

// holds probes, drains and expires what waits for targets on hold.
func (k *Keeper) holds(ctx context.Context) {
	k.report(ctx, "", 0, k.quarantine(ctx))
	holds, err := k.Workers.store.ListHolds(ctx)
	k.report(ctx, "", 0, err)
	for _, h := range holds {
		k.report(ctx, "", 0, k.hold(ctx, h))
	}
}

// quarantine holds the targets whose plugin was given up: once, until the plugin runs
// again here. On another node it may run; that node ends the hold, and what this one
// takes from the queue goes back there when its patience ends. Holding the target again
// would have it held and released for as long as one node's plugin is broken.
func (k *Keeper) quarantine(ctx context.Context) error {
	maps.DeleteFunc(k.given, func(target string, _ bool) bool { return k.Workers.runs(target) })
	if k.Quarantine == nil {
		return nil
	}
	quarantined := k.Quarantine()
	maps.DeleteFunc(quarantined, func(target, _ string) bool { return k.given[target] })
	if len(quarantined) == 0 {
		return nil
	}
	holds, err := k.Workers.store.ListHolds(ctx)
	if err != nil {
		return err
	}
	for _, h := range holds {
		if !h.Draining && h.Kind != store.HoldQuarantined {
			delete(quarantined, h.Target) // what holds it already, holds it
		}
	}
	for target, reason := range quarantined {
		if err := k.Workers.store.HoldTarget(ctx, store.HoldRequest{Target: target, Kind: store.HoldQuarantined, Reason: reason}); err != nil {
			return err
		}
		if k.given == nil {
			k.given = map[string]bool{}
		}
		k.given[target] = true
		k.Workers.log.WarnContext(ctx, "target on hold", slog.String("target", target),
			slog.String("kind", string(store.HoldQuarantined)), slog.String("reason", reason))
	}
	return nil
}

func (k *Keeper) hold(ctx context.Context, h store.Hold) error {
	s := k.Workers.store
	t, configured := k.Workers.targets[h.Target]
	if h.Draining {
		if !configured {
			return nil
		}
		left, err := s.Drain(ctx, h.Target, 2*t.Concurrency)
		if err == nil && left == 0 {
			k.Workers.log.InfoContext(ctx, "target drained", slog.String("target", h.Target))
		}
		return err
	}
	maxAge := defaultMaxAge
	if configured {
		maxAge = t.Retry.MaxAge
	}
	n, err := s.ExpireHeld(ctx, h.Target, maxAge, "older than max_age "+maxAge.String()+" on hold: "+h.Reason, sweepLimit)
	k.report(ctx, "held deliveries expired", n, err)
	if h.Kind == store.HoldQuarantined && configured && k.Workers.runs(h.Target) {
		k.Workers.log.InfoContext(ctx, "plugin runs again: target drains", slog.String("target", h.Target))
		delete(k.given, h.Target)
		return s.Release(ctx, h.Target)
	}
	if h.Kind.Probed() && configured && !h.Now.Before(h.ProbeAt) {
		_, err = s.Probe(ctx, h.Target, nextProbe(h.Probes+1))
	}
	return err
}

// report logs trouble, and work that tells of earlier trouble.
func (k *Keeper) report(ctx context.Context, what string, n int, err error) {
	switch {
	case err != nil && ctx.Err() == nil:
		k.Workers.log.WarnContext(ctx, "upkeep interrupted", slog.Any("error", err))
	case err == nil && n > 0:
		k.Workers.log.InfoContext(ctx, what, slog.Int("count", n)) //nolint:sloglint // one of a few constants
	}
}
