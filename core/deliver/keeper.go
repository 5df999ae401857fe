package deliver

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/outage"
	"github.com/hookarr/hookarr/core/store"
)

// Quarantine reports the targets whose plugin was given up in this process, with the
// reason. pluginhost.Host knows.
type Quarantine func() map[string]string

// KeeperStore is what a Keeper keeps. store.Store is one.
type KeeperStore interface {
	Beat(ctx context.Context, node string, deadAfter time.Duration) (store.Pulse, error)
	Reclaim(ctx context.Context, node string, active []int64, olderThan time.Duration) (int, error)
	ReclaimDead(ctx context.Context, node string, deadAfter time.Duration) (int, error)
	ReconcileTarget(ctx context.Context, target string, grace time.Duration, limit int) (int, error)
	ReconcileSource(ctx context.Context, source string, grace time.Duration, limit int) (int, error)
	ReconcileActions(ctx context.Context, limit int) (int, error)
	OpenTargets(ctx context.Context) ([]string, error)
	ListTargets(ctx context.Context) ([]store.Target, time.Time, error)
	AgreeQueues(ctx context.Context) (int, error)
	Probe(ctx context.Context, target string, next func(probes int) time.Duration) (uuid.UUID, error)
	ChangeTarget(ctx context.Context, target string, change store.Change) (before, after store.Target, err error)
	ExpireDeliveries(ctx context.Context, target string, maxAge time.Duration, reason string, limit int) (int, error)
	TellHeld(target string, held bool)
	Purge(ctx context.Context, r store.Retention, limit int) (store.Purged, error)
}

// Keeper keeps rows and jobs in step while a process runs: it proves that the node
// lives, takes over the jobs of dead ones, gives jobs to rows that lost theirs, and
// probes and ends holds. Several nodes may keep one database.
type Keeper struct {
	Workers *Workers
	Store   KeeperStore
	// Node is the name that Join was called with; it is River's client id too.
	Node       string
	Quarantine Quarantine
	// Retention returns what holds now.
	Retention func() store.Retention
	// OnHeartbeat, if there is one, is called after each heartbeat, whether the database took it or not.
	OnHeartbeat func()
	// Tick is the pause between heartbeats; 2 s when zero.
	Tick time.Duration

	// steady is set while this node may accuse others, dead while there are any.
	steady, dead atomic.Bool
	probes       sync.WaitGroup
	// given are the targets that are on hold, or were, since their plugin was given
	// up here.
	given map[string]bool
	// held are the targets that were on hold at the last look, told the holds that were
	// logged.
	held map[string]bool
	told map[string]store.HoldKind
	// untold are the alerts that came too soon after another, by target.
	untold map[string]untold
	// expired is when the deliveries of each target on hold were last looked through.
	expired map[string]time.Time
}

const (
	// deadAfter is how long a node may miss its heartbeats.
	deadAfter = store.NodeLease
	// heartbeatTimeout leaves time for another heartbeat when a connection has fallen silent,
	// before this node looks dead.
	heartbeatTimeout = 4 * time.Second
	// lostAfter is how long a job may be recorded as running in this process while it
	// is not.
	lostAfter = 10 * time.Second
	// reconcileEvery, expireEvery and purgeEvery are pauses.
	reconcileEvery = time.Minute
	expireEvery    = time.Minute
	purgeEvery     = 10 * time.Minute
	// probeTimeout is how long a probe waits for a worker that has its delivery.
	probeTimeout = 10 * time.Second
	// sliceLimit bounds the rows of one transaction.
	sliceLimit = 100
	// tellAgain is the pause after an alert that came too soon after another of its type.
	tellAgain = time.Hour
	// defaultMaxAge is the greatest age of deliveries whose target is not configured.
	defaultMaxAge = 7 * 24 * time.Hour
)

// Run keeps until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	if k.Tick == 0 {
		k.Tick = 2 * time.Second
	}
	k.given, k.told, k.expired, k.untold = map[string]bool{}, map[string]store.HoldKind{}, map[string]time.Time{}, map[string]untold{}
	var all sync.WaitGroup
	all.Go(func() { k.every(ctx, k.Tick, nil, k.heartbeat) })
	all.Go(func() { k.every(ctx, k.Tick, k.Workers.held, k.holds) })
	all.Go(func() { k.sweep(ctx) })
	// A purge may take long, and the jobs of dead nodes do not wait for it.
	all.Go(func() { k.every(ctx, purgeEvery, nil, k.purge) })
	all.Wait()
	k.probes.Wait()
}

// every does something at once, at each tick and at each nudge.
func (k *Keeper) every(ctx context.Context, tick time.Duration, nudges <-chan struct{}, do func(context.Context)) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		do(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-nudges:
		}
	}
}

// heartbeat does nothing else, so that nothing delays it.
func (k *Keeper) heartbeat(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, heartbeatTimeout)
	defer cancel()
	pulse, err := k.Store.Beat(bounded, k.Node, deadAfter)
	k.report(ctx, err)
	k.steady.Store(err == nil && pulse.Steady >= deadAfter)
	k.dead.Store(err == nil && pulse.Dead > 0)
	if k.OnHeartbeat != nil {
		k.OnHeartbeat()
	}
}

// sweep gives jobs back.
func (k *Keeper) sweep(ctx context.Context) {
	ticker := time.NewTicker(k.Tick)
	defer ticker.Stop()
	var reclaimed, reconciled time.Time
	grace := time.Duration(0) // what was lost before the start is lost
	for {
		now := time.Now()
		if k.steady.Load() && (k.dead.Load() || now.Sub(reclaimed) >= reconcileEvery) {
			n, err := k.Store.ReclaimDead(ctx, k.Node, deadAfter)
			k.did(ctx, "jobs of dead nodes taken over", n, err)
			reclaimed = now
		}
		n, err := k.Store.Reclaim(ctx, k.Node, k.Workers.inflight.active(), lostAfter)
		k.did(ctx, "lost jobs taken up again", n, err)
		if now.Sub(reconciled) >= reconcileEvery && k.reconcile(ctx, grace) {
			reconciled, grace = now, store.ReconcileGrace
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// reconcile looks at the targets that take deliveries: those of others do not move. What was
// lost before the start is looked for everywhere, so that the end of a hold waits for nothing.
func (k *Keeper) reconcile(ctx context.Context, grace time.Duration) bool {
	open, err := k.Store.OpenTargets(ctx)
	k.report(ctx, err)
	held, _, heldErr := k.Store.ListTargets(ctx)
	k.report(ctx, heldErr)
	if err != nil || heldErr != nil {
		return false
	}
	for _, t := range held {
		if t.Hold != "" && grace > 0 {
			open = slices.DeleteFunc(open, func(name string) bool { return name == t.Name })
		}
	}
	lost := 0
	for _, target := range open {
		if k.Workers.plan().target(target) == nil {
			// Its jobs wait for it to come back.
			n, err := k.Store.ExpireDeliveries(ctx, target, defaultMaxAge, "older than max_age "+defaultMaxAge.String()+", target is not configured", sliceLimit)
			k.report(ctx, err)
			k.Workers.expired(ctx, target, n, "the target is not configured")
		}
		n, err := k.Store.ReconcileTarget(ctx, target, grace, sliceLimit)
		if lost += n; err != nil {
			k.report(ctx, err)
			return false
		}
	}
	for _, source := range k.Workers.plan().sources {
		n, err := k.Store.ReconcileSource(ctx, source, grace, sliceLimit)
		if lost += n; err != nil {
			k.report(ctx, err)
			return false
		}
	}
	n, err := k.Store.ReconcileActions(ctx, sliceLimit)
	if lost += n; err != nil {
		k.report(ctx, err)
		return false
	}
	k.did(ctx, "rows without a job given one", lost, nil)
	return true
}

func (k *Keeper) purge(ctx context.Context) {
	start := time.Now()
	p, err := k.Store.Purge(ctx, k.Retention(), sliceLimit)
	k.report(ctx, err)
	// Keys expire all the time.
	if p.Events.Oldest.IsZero() && p.DeadLetters.Oldest.IsZero() {
		return
	}
	k.Workers.log.InfoContext(ctx, "rows beyond their retention deleted", deleted("events", "by_source", p.Events),
		deleted("dead_letters", "by_target", p.DeadLetters), slog.Int("dedup_keys", p.Keys), slog.Duration("elapsed", time.Since(start)))
}

// deleted is empty, and so left out of the line, for no rows.
func deleted(what, by string, d store.Deleted) slog.Attr {
	if d.Oldest.IsZero() {
		return slog.Group(what)
	}
	return slog.Group(what, slog.Int("count", d.Count()), slog.Any(by, d.By), slog.Time("oldest", d.Oldest))
}

// holds makes River agree with the holds, and probes, ends and expires what waits.
func (k *Keeper) holds(ctx context.Context) {
	quarantined := map[string]string{}
	if k.Quarantine != nil {
		quarantined = k.Quarantine()
	}
	k.report(ctx, k.quarantine(ctx, quarantined))
	_, err := k.Store.AgreeQueues(ctx)
	k.report(ctx, err)
	targets, now, err := k.Store.ListTargets(ctx)
	if err != nil {
		k.report(ctx, err)
		return
	}
	k.report(ctx, k.quiet(ctx, targets, now))
	held := map[string]bool{}
	for _, t := range targets {
		if t.Hold != "" {
			held[t.Name] = true
			k.report(ctx, k.hold(ctx, t, now, quarantined[t.Name] == ""))
		}
	}
	for name := range k.held {
		if !held[name] {
			k.Store.TellHeld(name, false)
		}
	}
	for name := range held {
		if !k.held[name] {
			k.Store.TellHeld(name, true)
		}
	}
	k.held = held
	for name, kind := range k.told {
		if !held[name] {
			delete(k.told, name)
			k.Workers.log.InfoContext(ctx, "target takes deliveries again", slog.String("target", name), slog.String("kind", string(kind)))
			k.tell(ctx, name, func(ctx context.Context) bool { return k.Workers.alerts.TargetResumed(ctx, name, kind) })
		}
	}
	k.retell(ctx)
	k.Workers.tellRest(ctx)
}

func (k *Keeper) hold(ctx context.Context, t store.Target, now time.Time, trusted bool) error {
	configured := k.Workers.plan().target(t.Name)
	known := configured != nil
	maxAge := defaultMaxAge
	if known {
		maxAge = configured.Retry.MaxAge
	}
	if time.Since(k.expired[t.Name]) >= min(expireEvery, maxAge) {
		k.expired[t.Name] = time.Now()
		n, err := k.Store.ExpireDeliveries(ctx, t.Name, maxAge, "older than max_age "+maxAge.String()+", held: "+t.Reason, sliceLimit)
		k.report(ctx, err)
		if k.Workers.expired(ctx, t.Name, n, "held: "+t.Reason); n > 0 {
			k.Workers.alerts.DeliveriesDead(ctx, t.Name, n, "older than max_age, held: "+t.Reason)
		}
		if n == sliceLimit {
			delete(k.expired, t.Name)
		}
	}
	switch {
	case k.over(t, now, trusted):
		delete(k.given, t.Name)
		_, _, err := k.Store.ChangeTarget(ctx, t.Name, func(row *store.Target, now time.Time) []*store.Settlement {
			if row.Hold == t.Hold && (t.Hold == store.HoldQuiet || row.Until.IsZero() || !now.Before(row.Until)) {
				row.Clear()
			}
			return nil
		})
		return err
	case !known:
		return nil
	}
	// A hold that the first probe ends is not worth a line, and quiet hours are no trouble.
	if t.Hold != store.HoldQuiet && k.told[t.Name] != t.Hold && (t.Witnessed || t.ProbeAt.IsZero() || now.Sub(t.Since) > k.Tick) {
		k.told[t.Name] = t.Hold
		attrs := []slog.Attr{slog.String("target", t.Name), slog.String("kind", string(t.Hold)), slog.String("reason", t.Reason)}
		if !t.Until.IsZero() {
			attrs = append(attrs, slog.Time("until", t.Until))
		}
		if !t.ProbeAt.IsZero() {
			attrs = append(attrs, slog.Time("next_probe", t.ProbeAt))
		}
		k.Workers.log.LogAttrs(ctx, slog.LevelWarn, "target on hold", attrs...)
		k.tell(ctx, t.Name, func(ctx context.Context) bool { return k.Workers.alerts.TargetHeld(ctx, t) })
	}
	if t.ProbeAt.IsZero() || t.Witnessed && now.Before(t.ProbeAt) || isQuiet(configured.Target, now) {
		return nil
	}
	id, err := k.Store.Probe(ctx, t.Name, nextProbe)
	if err != nil || id == uuid.Nil {
		return err
	}
	k.probes.Go(func() { k.Workers.probe(ctx, configured.Target, id) })
	return nil
}

// over reports whether a hold has ended by itself. Trusted says that the plugin is not given
// up here.
func (k *Keeper) over(t store.Target, now time.Time, trusted bool) bool {
	configured := k.Workers.plan().target(t.Name)
	switch {
	case t.Hold == store.HoldQuiet: // the hours may have changed
		return configured == nil || !isQuiet(configured.Target, now)
	case !t.Until.IsZero() && !now.Before(t.Until):
		return true
	default:
		return t.Hold == store.HoldQuarantined && configured != nil && trusted && k.Workers.runs(t.Name)
	}
}

// untold is an alert to try again.
type untold struct {
	again time.Time
	tell  func(context.Context) bool
}

// tell makes an alert, and makes it again later if it came too soon after another of its
// type: the last one is true, however often a target was held and resumed.
func (k *Keeper) tell(ctx context.Context, target string, tell func(context.Context) bool) {
	delete(k.untold, target)
	if !tell(ctx) {
		k.untold[target] = untold{time.Now().Add(tellAgain), tell}
	}
}

// retell makes the alerts whose time has come.
func (k *Keeper) retell(ctx context.Context) {
	for name, u := range k.untold {
		if !time.Now().Before(u.again) {
			k.tell(ctx, name, u.tell)
		}
	}
}

// quarantine holds the targets whose plugin was given up: once, until the plugin runs
// again here. On another node it may run; that node ends the hold, and what this one
// takes from the queue goes back there when it has waited for the plugin. Holding the target again
// would have it held and released for as long as one node's plugin is broken.
func (k *Keeper) quarantine(ctx context.Context, quarantined map[string]string) error {
	maps.DeleteFunc(k.given, func(target string, _ bool) bool { return quarantined[target] == "" && k.Workers.runs(target) })
	for target, reason := range quarantined {
		if k.given[target] {
			continue
		}
		before, _, err := k.Store.ChangeTarget(ctx, target, func(t *store.Target, now time.Time) []*store.Settlement {
			if t.Hold == "" || t.Hold == store.HoldBreaker || t.Hold == store.HoldThrottled {
				t.Begin(store.HoldQuarantined, reason, now)
			}
			return nil
		})
		if err != nil {
			return err
		}
		// Quiet hours come to an end when the plugin may not.
		k.given[target] = before.Hold != store.HoldQuiet
	}
	return nil
}

// did logs work that tells of earlier trouble.
func (k *Keeper) did(ctx context.Context, what string, n int, err error) {
	k.report(ctx, err)
	if n > 0 {
		k.Workers.log.InfoContext(ctx, what, slog.Int("count", n)) //nolint:sloglint // one of a few constants
	}
}

func (k *Keeper) report(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		k.Workers.log.WarnContext(outage.Symptom(ctx), "upkeep interrupted", slog.Any("error", err))
	}
}
