package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/event"
)

const (
	// foldWait is how long the deletion of a file for an upgrade waits for the upgrade: the
	// applications delete the old file before they move the new one, which may be large.
	foldWait = 5 * time.Minute
	// foldWindow is how long an upgrade is known for a deletion that comes after it.
	foldWindow = time.Hour
)

// Group is an open group as a batch found it or made it.
type Group struct {
	ID      uuid.UUID
	Members int
	// Made says that it was not there.
	Made bool
}

// Join adds events to an open group, and says when it is closed.
type Join struct {
	Group  uuid.UUID
	Events []uuid.UUID
	event.Grouping
	// Full closes it at once.
	Full bool
}

// FoldClaim is a delivery that tells of a file which was deleted for an upgrade: by the
// deletion, or by the upgrade.
type FoldClaim struct {
	Target, Key string
	Delivery    uuid.UUID
	Upgrade     bool
	Window      time.Duration
}

// member is a delivery that is to be part of a group, or what closes one from outside.
type member struct {
	delivery event.Delivery
	grouping event.Grouping
	outside  bool
}

func (m member) ref() event.GroupRef {
	return event.GroupRef{Target: m.delivery.Target, Route: m.delivery.Route, Key: m.grouping.Key}
}

// gather brings the deliveries of new events into groups and folds.
type gather struct {
	tx      Tx
	members []member
	folds   []member
	// of is the delivery that a delivery has become part of, by id.
	of map[uuid.UUID]uuid.UUID
	// jobs are those of the groups that were made, whose places made tells.
	jobs []river.InsertManyParams
	made map[uuid.UUID]int
	// due are the targets of groups, by id, whose jobs wait for a time that has been
	// overtaken.
	due map[uuid.UUID]string
}

// gatherAll gathers the deliveries of acceptances, each once. It returns the jobs that are
// to be inserted, and which delivery each of the gathered ones has become part of.
func gatherAll(ctx context.Context, tx Tx, fresh []*Acceptance) ([]river.InsertManyParams, map[uuid.UUID]uuid.UUID, error) {
	g := gather{tx: tx, of: map[uuid.UUID]uuid.UUID{}, made: map[uuid.UUID]int{}, due: map[uuid.UUID]string{}}
	for _, a := range fresh {
		for _, ref := range a.Flushes {
			d := event.Delivery{Target: ref.Target, Route: ref.Route}
			g.members = append(g.members, member{delivery: d, grouping: event.Grouping{Key: ref.Key}, outside: true})
		}
		for _, d := range a.Deliveries {
			d.EventID = a.Event.ID
			m := member{delivery: d, grouping: a.Groupings[d.ID]}
			if m.grouping.Gathered() {
				g.members = append(g.members, m)
			}
			if len(m.grouping.Deleted)+len(m.grouping.Replaced) > 0 {
				g.folds = append(g.folds, m)
			}
		}
	}
	for _, step := range []func(context.Context) error{g.join, g.fold, g.hurry} {
		if err := step(ctx); err != nil {
			return nil, nil, err
		}
	}
	return g.jobs, g.of, nil
}

// join puts members into groups and closes groups from outside, in one order of the groups
// for all transactions, and in that of the events for each group.
func (g *gather) join(ctx context.Context) error {
	slices.SortStableFunc(g.members, func(a, b member) int {
		x, y := a.ref(), b.ref()
		return cmp.Or(cmp.Compare(x.Target, y.Target), cmp.Compare(x.Route, y.Route), cmp.Compare(x.Key, y.Key))
	})
	for members := g.members; len(members) > 0; {
		if members[0].outside {
			if err := g.flush(ctx, members[0].ref()); err != nil {
				return err
			}
			members = members[1:]
			continue
		}
		n := 1
		for n < len(members) && members[n].ref() == members[0].ref() && !members[n].outside && !members[n-1].grouping.Flush {
			n++
		}
		for left := members[:n]; len(left) > 0; {
			joined, err := g.joinOne(ctx, left)
			if err != nil {
				return err
			}
			left = left[joined:]
		}
		members = members[n:]
	}
	return nil
}

// joinOne puts as many of the members of one group's key into the open group as that
// takes, and returns how many.
func (g *gather) joinOne(ctx context.Context, members []member) (int, error) {
	group, err := g.tx.OpenGroup(ctx, members[0].delivery, members[0].grouping.Key)
	if err != nil {
		return 0, fmt.Errorf("open group %s: %w", members[0].grouping.Key, err)
	}
	last := members[len(members)-1].grouping
	n := max(min(len(members), max(last.Max, 1)-group.Members), 0)
	join := Join{Group: group.ID, Grouping: last, Full: group.Members+n >= last.Max}
	join.Flush = last.Flush && n == len(members)
	for _, m := range members[:n] {
		join.Events = append(join.Events, m.delivery.EventID)
		g.of[m.delivery.ID] = group.ID
	}
	if err := g.tx.JoinGroup(ctx, join); err != nil {
		return 0, fmt.Errorf("join group %s: %w", last.Key, err)
	}
	target := members[0].delivery.Target
	if group.Made {
		g.made[group.ID] = len(g.jobs)
		g.jobs = append(g.jobs, laterJob(group.ID, target, last.Closing(time.Now())))
	}
	if join.Full || join.Flush {
		g.isDue(group.ID, target)
	}
	return n, nil
}

// isDue has the job of a group come at once.
func (g *gather) isDue(id uuid.UUID, target string) {
	if i, ok := g.made[id]; ok {
		g.jobs[i] = DeliverJob(id, target)
		return
	}
	g.due[id] = target
}

// laterJob is the job for a delivery that is due at a time, which the row says exactly.
func laterJob(id uuid.UUID, target string, at time.Time) river.InsertManyParams {
	job := DeliverJob(id, target)
	job.InsertOpts.ScheduledAt = at
	return job
}

// flush makes a group due that an event closes without being part of it.
func (g *gather) flush(ctx context.Context, ref event.GroupRef) error {
	id, err := g.tx.FlushGroup(ctx, ref)
	if err != nil {
		return fmt.Errorf("flush group %s: %w", ref.Key, err)
	}
	if id != uuid.Nil {
		g.isDue(id, ref.Target)
	}
	return nil
}

// claims are what the deliveries of deletions and upgrades tell of, in one order for all
// transactions.
func (g *gather) claims() []FoldClaim {
	var claims []FoldClaim
	for _, m := range g.folds {
		id := m.delivery.ID
		if of, ok := g.of[id]; ok {
			id = of
		}
		for _, key := range slices.Concat(m.grouping.Deleted, m.grouping.Replaced) {
			claims = append(claims, FoldClaim{
				Target: m.delivery.Target, Key: ShortKey(key), Delivery: id, Upgrade: len(m.grouping.Replaced) > 0, Window: foldWindow,
			})
		}
	}
	slices.SortStableFunc(claims, func(a, b FoldClaim) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Key, b.Key))
	})
	return claims
}

// fold has upgrades supersede the deletions that belong to them, whichever came first.
func (g *gather) fold(ctx context.Context) error {
	var superseded []*Settlement
	for _, c := range g.claims() {
		other, err := g.tx.ClaimFold(ctx, c)
		if err != nil {
			return fmt.Errorf("fold deletion into upgrade: %w", err)
		}
		switch {
		case other == uuid.Nil:
		case c.Upgrade:
			superseded = append(superseded, foldedInto(other, c.Delivery, c.Target))
		default:
			superseded = append(superseded, foldedInto(c.Delivery, other, c.Target))
		}
	}
	slices.SortFunc(superseded, func(a, b *Settlement) int { return slices.Compare(a.DeliveryID[:], b.DeliveryID[:]) })
	superseded = slices.CompactFunc(superseded, func(a, b *Settlement) bool { return a.DeliveryID == b.DeliveryID })
	if len(superseded) == 0 {
		return nil
	}
	_, err := g.tx.SettleDeliveries(ctx, superseded)
	return err
}

func foldedInto(deletion, upgrade uuid.UUID, target string) *Settlement {
	return &Settlement{
		DeliveryID: deletion, Target: target, State: event.Superseded, SupersededBy: upgrade,
		Reason: "the delivery of the upgrade tells of it",
	}
}

// hurry makes the jobs of groups due that were closed before their time.
func (g *gather) hurry(ctx context.Context) error {
	if len(g.due) == 0 {
		return nil
	}
	jobs := make([]river.InsertManyParams, 0, len(g.due))
	for _, id := range slices.SortedFunc(maps.Keys(g.due), func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }) {
		jobs = append(jobs, DeliverJob(id, g.due[id]))
	}
	live, err := g.tx.LiveJobs(ctx, jobs)
	if err != nil {
		return fmt.Errorf("find jobs of groups: %w", err)
	}
	if err := g.tx.HurryJobs(ctx, live); err != nil {
		return fmt.Errorf("hurry jobs of groups: %w", err)
	}
	return nil
}

// SplitGroup makes a delivery of each event of a group, which these supersede. The job is
// that of the group's worker, or 0.
func (s *Store) SplitGroup(ctx context.Context, w Work, job int64) error {
	deliveries := make([]NewDelivery, len(w.Events))
	jobs := make([]river.InsertManyParams, len(w.Events))
	for i, e := range w.Events {
		deliveries[i].Delivery = event.Delivery{ID: event.NewID(), EventID: e.ID, Target: w.Delivery.Target, Route: w.Delivery.Route}
		jobs[i] = DeliverJob(deliveries[i].ID, w.Delivery.Target)
	}
	group := &Settlement{
		DeliveryID: w.Delivery.ID, Target: w.Delivery.Target, State: event.Superseded, SupersededBy: deliveries[0].ID, JobID: job,
		Reason: "the target takes one event at a time: each has a delivery of its own",
	}
	err := s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		changed, err := tx.SettleDeliveries(ctx, []*Settlement{group})
		if err != nil || !changed[group.DeliveryID] {
			return err
		}
		if _, err := tx.InsertEvents(ctx, nil, deliveries); err != nil {
			return fmt.Errorf("insert deliveries: %w", err)
		}
		if job != 0 {
			if err := tx.DeleteJobs(ctx, []int64{job}); err != nil {
				return fmt.Errorf("delete job: %w", err)
			}
		}
		return insertJobs(ctx, tx, jobs)
	})
	if err != nil {
		return fmt.Errorf("split group %s: %w", w.Delivery.ID, err)
	}
	return nil
}

// CloseGroup ends the joining of a group that is due, or, with early, of any. It reports
// whether the group is closed: one that an event has joined meanwhile may be due later.
func (s *Store) CloseGroup(ctx context.Context, id uuid.UUID, early bool) (closed bool, err error) {
	err = s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		closed, err = tx.CloseGroup(ctx, id, early)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("close group %s: %w", id, err)
	}
	return closed, nil
}
