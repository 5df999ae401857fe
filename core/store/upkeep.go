package store

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/event"
)

// ReconcileGrace is how long a row is overdue before Reconcile doubts that it has a job.
const ReconcileGrace = 30 * time.Second

// Reserve takes a database that one process serves at a time for this one, until Leave,
// or returns ErrInUse. It needs no migrated database.
func (s *Store) Reserve() error { return s.engine.Reserve() }

// Join reserves, and announces a node before its queue starts. On SQLite it makes jobs
// that ran in a former process available.
func (s *Store) Join(ctx context.Context, node string) error {
	if err := s.engine.Join(ctx, node); err != nil {
		return fmt.Errorf("join: %w", err)
	}
	return nil
}

// Pulse is what a beat tells of the nodes.
type Pulse struct {
	// Steady is how long this node has beaten without missing deadAfter.
	Steady time.Duration
	// Dead is how many other nodes have missed it.
	Dead int
}

// Beat keeps a node alive. It shares no connection with other work, so that nothing
// delays it.
func (s *Store) Beat(ctx context.Context, node string, deadAfter time.Duration) (Pulse, error) {
	p, err := s.engine.Beat(ctx, node, deadAfter)
	if err != nil {
		s.note(err)
		return Pulse{}, fmt.Errorf("beat: %w", err)
	}
	return p, nil
}

// ReclaimDead makes the jobs available of nodes that have left, or not beaten for
// deadAfter, and returns how many. Only a node that has itself beaten without a gap that
// long, up to now, may accuse others: after an outage of the database, and when a host with
// several nodes wakes, all look dead.
func (s *Store) ReclaimDead(ctx context.Context, node string, deadAfter time.Duration) (int, error) {
	n, err := s.engine.ReclaimDead(ctx, node, deadAfter)
	if err != nil {
		return 0, fmt.Errorf("reclaim jobs of dead nodes: %w", err)
	}
	return n, nil
}

// Leave is the end of Reserve and Join.
func (s *Store) Leave(ctx context.Context, node string) error {
	if err := s.engine.Leave(ctx, node); err != nil {
		return fmt.Errorf("leave: %w", err)
	}
	return nil
}

// Reclaim makes the deliver and decode jobs available that are recorded as running on the
// node for longer than olderThan and are not among active. It returns how many.
func (s *Store) Reclaim(ctx context.Context, node string, active []int64, olderThan time.Duration) (int, error) {
	n, err := s.engine.Reclaim(ctx, node, active, olderThan)
	if err != nil {
		return 0, fmt.Errorf("reclaim jobs: %w", err)
	}
	return n, nil
}

// ReconcileTarget gives jobs to deliveries of a target that are overdue and have none,
// oldest first, and returns how many. It looks at slices of limit rows as long as it finds
// a lost one in each: where the oldest have jobs, the younger are behind them. River's
// unique key decides which have none.
func (s *Store) ReconcileTarget(ctx context.Context, target string, grace time.Duration, limit int) (int, error) {
	lost := 0
	for _, state := range live() {
		n, err := s.reconcileTarget(ctx, target, state, grace, limit)
		if lost += n; err != nil {
			return lost, fmt.Errorf("reconcile deliveries of target %s: %w", target, err)
		}
	}
	return lost, nil
}

// live are the states of deliveries to which a job is to come back.
func live() []event.DeliveryState { return []event.DeliveryState{event.Pending, event.Verifying} }

// ForLive returns a statement for each live state, in the place of the state 'live': the
// index of one does not help to find the other.
func ForLive(sql string) map[event.DeliveryState]string {
	statements := make(map[event.DeliveryState]string, 2)
	for _, state := range live() {
		statements[state] = strings.ReplaceAll(sql, "'live'", "'"+string(state)+"'")
	}
	return statements
}

func (s *Store) reconcileTarget(ctx context.Context, target string, state event.DeliveryState, grace time.Duration, limit int) (int, error) {
	lost := 0
	last := event.Delivery{State: state}
	for {
		var added, seen int
		from := last
		err := s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
			overdue, err := tx.Overdue(ctx, target, grace, from, limit)
			if err != nil || len(overdue) == 0 {
				return err
			}
			jobs := make([]river.InsertManyParams, len(overdue))
			for i, d := range overdue {
				jobs[i] = DeliverJob(d.ID, target)
			}
			seen, last = len(overdue), overdue[len(overdue)-1]
			added, err = tx.AddJobs(ctx, jobs)
			return err
		})
		if err != nil {
			return lost, err
		}
		last.State = state
		lost += added
		if added == 0 || seen < limit {
			return lost, nil
		}
	}
}

// ReconcileSource is ReconcileTarget for the deferred events of a source.
func (s *Store) ReconcileSource(ctx context.Context, source string, grace time.Duration, limit int) (int, error) {
	lost := 0
	var after uuid.UUID
	for {
		var added, seen int
		from := after
		err := s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
			deferred, err := tx.DeferredOf(ctx, source, grace, from, limit)
			if err != nil || len(deferred) == 0 {
				return err
			}
			jobs := make([]river.InsertManyParams, len(deferred))
			for i, id := range deferred {
				jobs[i] = DecodeJob(id, source)
			}
			seen, after = len(deferred), deferred[len(deferred)-1]
			added, err = tx.AddJobs(ctx, jobs)
			return err
		})
		if err != nil {
			return lost, fmt.Errorf("reconcile events of source %s: %w", source, err)
		}
		lost += added
		if added == 0 || seen < limit {
			return lost, nil
		}
	}
}

// ReconcileActions gives jobs to bulk actions that are running and have none, and returns
// how many.
func (s *Store) ReconcileActions(ctx context.Context, limit int) (added int, err error) {
	err = s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		open, err := tx.OpenActions(ctx, limit)
		if err != nil || len(open) == 0 {
			return err
		}
		jobs := make([]river.InsertManyParams, len(open))
		for i, id := range open {
			jobs[i] = OperateJob(id)
		}
		added, err = tx.AddJobs(ctx, jobs)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("reconcile actions: %w", err)
	}
	return added, nil
}

// Retention says how long rows are kept. An event lives at least as long as a pending or
// dead delivery of it.
type Retention struct {
	Events      time.Duration
	DeadLetters time.Duration
	// Snapshots is how long the inventory of a source is kept that left the configuration, or
	// whose snapshot is not read any more; 0 is 30 days.
	Snapshots time.Duration
}

// Purged is what Purge deleted: how many dedup keys, actions of operators and silences, dead
// letters by target with the time when they became so, and events by source with the time when they
// came.
type Purged struct {
	Keys, Actions int
	Silences      int
	// Sessions counts sessions and links that have expired.
	Sessions int
	// Snapshots counts items of sources whose snapshots are not read any more, and those.
	Snapshots           int
	DeadLetters, Events Deleted
}

// Deleted says which rows were deleted. The zero value is none.
type Deleted struct {
	// By counts them by name.
	By     map[string]int
	Oldest time.Time
}

// Add adds n rows of a name.
func (d *Deleted) Add(name string, n int, oldest time.Time) {
	if n == 0 {
		return
	}
	if d.By == nil {
		d.By = map[string]int{}
	}
	d.By[name] += n
	if d.Oldest.IsZero() || oldest.Before(d.Oldest) {
		d.Oldest = oldest
	}
}

// Count is how many rows they are.
func (d *Deleted) Count() int {
	n := 0
	for _, count := range d.By {
		n += count
	}
	return n
}

func (d *Deleted) merge(other Deleted) {
	for name, n := range other.By {
		d.Add(name, n, other.Oldest)
	}
}

// snapshotRetention is the usual Retention.Snapshots.
const snapshotRetention = 30 * 24 * time.Hour

// purgePause is the least pause between the slices of a purge. Each pause is also four
// times as long as the slice took, so that four fifths of the writer's time are left to
// others.
const purgePause = 20 * time.Millisecond

// Purge deletes rows that are older than their retention, in slices of limit rows with
// pauses between them. It returns what it has deleted, also with an error.
func (s *Store) Purge(ctx context.Context, r Retention, limit int) (Purged, error) {
	var p Purged
	for _, step := range []struct {
		what  string
		slice func(ctx context.Context, tx Tx) (deleted Purged, seen int, err error)
	}{
		{"dedup keys", func(ctx context.Context, tx Tx) (Purged, int, error) {
			n, err := tx.PurgeKeys(ctx, limit)
			return Purged{Keys: n}, n, err
		}},
		{"dead letters", func(ctx context.Context, tx Tx) (Purged, int, error) {
			deleted, err := tx.PurgeDead(ctx, r.DeadLetters, limit)
			return Purged{DeadLetters: deleted}, deleted.Count(), err
		}},
		{"events", func(ctx context.Context, tx Tx) (Purged, int, error) {
			deleted, seen, err := tx.PurgeEvents(ctx, r, limit)
			return Purged{Events: deleted}, seen, err
		}},
		{"messages", func(ctx context.Context, tx Tx) (Purged, int, error) {
			n, err := tx.PurgeCorrelations(ctx, r.Events, limit)
			return Purged{}, n, err
		}},
		{"folds", func(ctx context.Context, tx Tx) (Purged, int, error) {
			n, err := tx.PurgeFolds(ctx, limit)
			return Purged{}, n, err
		}},
		// They are part of the stories of what may live as long.
		{"operator actions", func(ctx context.Context, tx Tx) (Purged, int, error) {
			n, err := tx.PurgeActions(ctx, max(r.Events, r.DeadLetters), limit)
			return Purged{Actions: n}, n, err
		}},
		// The reasons of deliveries speak of them, and no delivery that waits is older.
		{"silences", func(ctx context.Context, tx Tx) (Purged, int, error) {
			n, err := tx.PurgeSilences(ctx, max(r.Events, r.DeadLetters), limit)
			return Purged{Silences: n}, n, err
		}},
		{"snapshots", func(ctx context.Context, tx Tx) (Purged, int, error) {
			n, err := tx.PurgeSnapshots(ctx, cmp.Or(r.Snapshots, snapshotRetention), limit)
			return Purged{Snapshots: n}, n, err
		}},
		{"sessions", func(ctx context.Context, tx Tx) (Purged, int, error) {
			n, err := tx.PurgeSessions(ctx, limit)
			return Purged{Sessions: n}, n, err
		}},
	} {
		for seen := limit; seen >= limit; {
			start := time.Now()
			var deleted Purged
			err := s.engine.Write(ctx, func(ctx context.Context, tx Tx) (err error) {
				deleted, seen, err = step.slice(ctx, tx)
				return err
			})
			if err != nil {
				return p, fmt.Errorf("purge %s: %w", step.what, err)
			}
			p.Keys += deleted.Keys
			p.Snapshots += deleted.Snapshots
			p.Actions += deleted.Actions
			p.Silences += deleted.Silences
			p.Sessions += deleted.Sessions
			p.DeadLetters.merge(deleted.DeadLetters)
			p.Events.merge(deleted.Events)
			select {
			case <-ctx.Done():
				return p, ctx.Err()
			case <-time.After(max(purgePause, 4*time.Since(start))):
			}
		}
	}
	return p, nil
}
