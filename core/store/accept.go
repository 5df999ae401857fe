package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/sdk"
)

// enrichTimeout is how long deliveries wait for their event to be enriched before a
// lost enrich job is given up. They then go out as they are.
const enrichTimeout = 10 * time.Minute

// Acceptance is everything that one accepted event brings into the database.
type Acceptance struct {
	Event event.Event
	// Keys are the dedup keys of the event. It is a duplicate when any of them is
	// taken.
	Keys []DedupKey
	// Clears names the event type whose keys this event's correlation key frees,
	// so that what was restored may break again; empty for none.
	Clears sdk.Type
	// Deliveries need ID, Target and Route. The store makes them pending with a job.
	Deliveries []event.Delivery
	// Groupings say of some of the deliveries, by id, how they are gathered with those of
	// other events, and Flushes close groups that the event is no part of.
	Groupings map[uuid.UUID]event.Grouping
	Flushes   []event.GroupRef
	// Enrich gives the event one enrich job instead of its deliveries' jobs, which
	// Enriched makes.
	Enrich bool
}

// size is its weight in a batch, in bytes.
func (a *Acceptance) size() int { return len(a.Event.Request.Body) + len(a.Event.Normalized) }

// Owe adds a delivery of the event to a target, by a route.
func (a *Acceptance) Owe(target, route string, g event.Grouping) {
	d := event.Delivery{
		ID: event.NewID(), EventID: a.Event.ID, Target: target, Route: route,
		State: event.Pending, CreatedAt: a.Event.ReceivedAt, UpdatedAt: a.Event.ReceivedAt,
	}
	a.Deliveries = append(a.Deliveries, d)
	if a.Groupings == nil {
		a.Groupings = map[uuid.UUID]event.Grouping{}
	}
	a.Groupings[d.ID] = g
}

// DedupKey is taken by the first event that brings it and freed after Window.
type DedupKey struct {
	Key    string
	Window time.Duration
}

// Accepted is what became of an Acceptance.
type Accepted struct {
	// EventID is the id of the event, or of the one it repeats.
	EventID   uuid.UUID
	Duplicate bool
}

// Accept commits an event, its deliveries and their jobs, or finds that it repeats
// another. Concurrent calls share transactions. A caller that goes away does not undo
// its acceptance. A database that is away is waited for until ctx ends, if it has a
// deadline.
func (s *Store) Accept(ctx context.Context, a *Acceptance) (Accepted, error) {
	_, patient := ctx.Deadline()
	for {
		accepted, err := s.accepts.Do(ctx, a)
		if err == nil {
			return accepted, nil
		}
		if !patient || ctx.Err() != nil || errors.Is(err, ErrClosed) || !s.engine.Outage(err) {
			return Accepted{}, fmt.Errorf("accept event: %w", err)
		}
		select {
		case <-ctx.Done():
			return Accepted{}, fmt.Errorf("accept event: %w", err)
		case <-time.After(outagePause):
		}
	}
}

// acceptBatch accepts a batch in one transaction. It may be repeated when it is not known
// whether it was committed: rows that are there already stay, and get no second job. The
// guard is asked before, so that nothing is delivered that was refused, and afterwards,
// because only then is it certain that the commit is kept.
func (s *Store) acceptBatch(ctx context.Context, items []*Acceptance) (accepted []Accepted, err error) {
	defer func() {
		if s.note(err); err == nil && s.refused.Load() != nil {
			s.refused.Store(nil)
		}
	}()
	if err := s.engine.Guard(ctx); err != nil {
		return nil, err
	}
	err = s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		accepted, err = accept(ctx, tx, items)
		return err
	})
	if err != nil {
		return nil, err
	}
	return accepted, s.engine.Guard(ctx)
}

// accept takes acceptances in, in their order.
func accept(ctx context.Context, tx Tx, items []*Acceptance) ([]Accepted, error) {
	accepted := make([]Accepted, 0, len(items))
	var jobs []river.InsertManyParams
	for len(items) > 0 {
		n := untilClear(items)
		f := foldBatch(items[:n])
		items = items[n:]
		if err := take(ctx, tx, f); err != nil {
			return nil, err
		}
		more, err := insertFresh(ctx, tx, f)
		if err != nil {
			return nil, err
		}
		if err := keepRepetitions(ctx, tx, f); err != nil {
			return nil, err
		}
		jobs = append(jobs, more...)
		for i := range f.items {
			accepted = append(accepted, f.accepted(i))
		}
	}
	return accepted, insertJobs(ctx, tx, jobs)
}

func insertJobs(ctx context.Context, tx Tx, jobs []river.InsertManyParams) error {
	if len(jobs) == 0 {
		return nil
	}
	if err := tx.InsertJobs(ctx, jobs); err != nil {
		return fmt.Errorf("insert jobs: %w", err)
	}
	return nil
}

// untilClear returns how many items come before the next one that frees keys: it must
// see those of its predecessors taken, and its successors see them free.
func untilClear(items []*Acceptance) int {
	for i := 1; i < len(items); i++ {
		if items[i].Clears != "" {
			return i
		}
	}
	return len(items)
}

// take claims the keys of a batch and finds its repetitions of stored events. A
// repetition gives up the keys that it won: else what repeats faster than one of its
// windows would renew the others for ever, and never be new again.
func take(ctx context.Context, tx Tx, f *fold) error {
	if first := f.items[0]; first.Clears != "" {
		if story := Story("", string(first.Clears), first.Event.CorrelationKey); story != "" {
			if err := tx.FreeKeys(ctx, CleanText(first.Event.Source), story); err != nil {
				return fmt.Errorf("free dedup keys: %w", err)
			}
		}
	}
	if len(f.claims) == 0 {
		return nil
	}
	claims := make([]Claim, len(f.claims))
	for i, c := range f.claims {
		claims[i] = c.Claim
	}
	owners, err := tx.ClaimKeys(ctx, claims)
	if err != nil {
		return fmt.Errorf("take dedup keys: %w", err)
	}
	for i, c := range f.claims {
		f.lost(c, owners[i])
	}
	won := map[string][]string{}
	for i, c := range f.claims {
		if owners[i] == c.Owner && f.owner[c.item] != c.Owner {
			won[c.Source] = append(won[c.Source], c.Key)
		}
	}
	for source, keys := range won {
		if err := tx.DropKeys(ctx, source, keys); err != nil {
			return fmt.Errorf("give up dedup keys: %w", err)
		}
	}
	return nil
}

// insertFresh inserts the events of a batch that repeat none, with their deliveries, and
// returns the jobs that those need which were not there.
func insertFresh(ctx context.Context, tx Tx, f *fold) ([]river.InsertManyParams, error) {
	var fresh []*Acceptance
	var events []*event.Event
	var deliveries []NewDelivery
	for i, a := range f.items {
		if f.fresh(i) {
			fresh, events = append(fresh, a), append(events, &a.Event)
			deliveries = append(deliveries, newDeliveries(a)...)
		}
	}
	if len(events) == 0 {
		return nil, nil
	}
	inserted, err := tx.InsertEvents(ctx, events, deliveries)
	if err != nil {
		return nil, fmt.Errorf("insert events: %w", err)
	}
	// Those of a batch that is repeated have joined their groups already.
	gathered := slices.DeleteFunc(slices.Clone(fresh), func(a *Acceptance) bool { return !inserted[a.Event.ID] })
	jobs, _, err := gatherAll(ctx, tx, gathered)
	if err != nil {
		return nil, err
	}
	for _, a := range fresh {
		jobs = append(jobs, jobsOf(a, inserted, inserted[a.Event.ID])...)
	}
	return jobs, nil
}

// newDeliveries are the deliveries of an acceptance but for those that are gathered.
func newDeliveries(a *Acceptance) []NewDelivery {
	deliveries := make([]NewDelivery, 0, len(a.Deliveries))
	for _, d := range a.Deliveries {
		g := a.Groupings[d.ID]
		if g.Gathered() {
			continue
		}
		d.EventID = a.Event.ID
		d.Note = g.Note
		n := NewDelivery{Delivery: d}
		switch {
		case len(g.Deleted) > 0:
			n.GroupKey, n.Wait = event.FoldKey, foldWait
		case a.Enrich:
			n.Wait = enrichTimeout
		}
		deliveries = append(deliveries, n)
	}
	return deliveries
}

// jobsOf are the jobs of the rows of an acceptance that were inserted, but for those of
// groups. Fresh says that its event, or what is made of it, was not there before.
func jobsOf(a *Acceptance, inserted map[uuid.UUID]bool, fresh bool) []river.InsertManyParams {
	var jobs []river.InsertManyParams
	if a.Event.State == event.Deferred && inserted[a.Event.ID] {
		jobs = append(jobs, DecodeJob(a.Event.ID, a.Event.Source))
	}
	enrich := false
	for _, d := range a.Deliveries {
		g := a.Groupings[d.ID]
		made := inserted[d.ID] || g.Gathered() && fresh
		if !made {
			continue
		}
		enrich = enrich || a.Enrich
		switch {
		case len(g.Deleted) > 0:
			jobs = append(jobs, laterJob(d.ID, d.Target, time.Now().Add(foldWait)))
		case !a.Enrich && !g.Gathered():
			jobs = append(jobs, DeliverJob(d.ID, d.Target))
		}
	}
	if enrich {
		jobs = append(jobs, EnrichJob(a.Event.ID))
	}
	return jobs
}

// keepRepetitions stores what repeats, and gives events that came by catch-up the
// requests of their webhooks, which say more. The next ones like them are no longer the
// records'.
func keepRepetitions(ctx context.Context, tx Tx, f *fold) error {
	var repetitions []Repetition
	var twins []*event.Event
	for i, a := range f.items {
		if f.fresh(i) {
			continue
		}
		owner := f.accepted(i).EventID
		repetitions = append(repetitions, Repetition{ID: a.Event.ID, EventID: owner, SeenAt: a.Event.ReceivedAt, Origin: a.Event.Origin})
		if a.Event.Origin == sdk.OriginWebhook {
			twin := a.Event
			twin.ID = owner
			twins = append(twins, &twin)
		}
	}
	if len(repetitions) == 0 {
		return nil
	}
	if err := tx.InsertRepetitions(ctx, repetitions); err != nil {
		return fmt.Errorf("insert repetitions: %w", err)
	}
	if len(twins) == 0 {
		return nil
	}
	kept, err := tx.KeepRequests(ctx, twins)
	if err != nil {
		return fmt.Errorf("keep the webhooks of past events: %w", err)
	}
	for i, a := range f.items {
		owner := f.accepted(i).EventID
		if len(kept) == 0 || f.fresh(i) || !slices.Contains(kept, owner) {
			continue
		}
		for _, k := range a.Keys {
			if err := tx.ShortenKey(ctx, CleanText(a.Event.Source), ShortKey(k.Key), owner, k.Window); err != nil {
				return fmt.Errorf("shorten dedup key: %w", err)
			}
		}
	}
	return nil
}

// Resolve does for a stored deferred event what Accept does for a new one: the event
// takes the state and the decoded form of a.Event. An event that is not deferred any
// more is left alone. A repetition becomes event.Duplicate.
func (s *Store) Resolve(ctx context.Context, a *Acceptance) (Accepted, error) {
	accepted := Accepted{EventID: a.Event.ID}
	err := s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		deferred, err := tx.LockDeferred(ctx, a.Event.ID)
		if err != nil || !deferred {
			return err
		}
		f := foldBatch([]*Acceptance{a})
		if err := take(ctx, tx, f); err != nil {
			return err
		}
		accepted = f.accepted(0)
		e := a.Event
		if accepted.Duplicate {
			e.State, e.Reason = event.Duplicate, "repeats "+accepted.EventID.String()
			r := Repetition{ID: e.ID, EventID: accepted.EventID, SeenAt: e.ReceivedAt, Origin: e.Origin}
			if err := tx.InsertRepetitions(ctx, []Repetition{r}); err != nil {
				return fmt.Errorf("insert repetition: %w", err)
			}
		}
		if err := tx.DecodeEvent(ctx, &e); err != nil {
			return fmt.Errorf("update event: %w", err)
		}
		if accepted.Duplicate {
			return nil
		}
		inserted, err := tx.InsertEvents(ctx, nil, newDeliveries(a))
		if err != nil {
			return fmt.Errorf("insert deliveries: %w", err)
		}
		jobs, _, err := gatherAll(ctx, tx, []*Acceptance{a})
		if err != nil {
			return err
		}
		return insertJobs(ctx, tx, append(jobs, jobsOf(a, inserted, true)...))
	})
	if err != nil {
		return Accepted{}, fmt.Errorf("resolve event %s: %w", a.Event.ID, err)
	}
	return accepted, nil
}

// Enriched gives an event its enriched form, unless that is nil, and jobs to its pending
// deliveries. Repeated, it makes no second jobs.
func (s *Store) Enriched(ctx context.Context, id uuid.UUID, normalized []byte) error {
	err := s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		waiting, err := tx.EnrichEvent(ctx, id, normalized)
		if err != nil || len(waiting) == 0 {
			return err
		}
		jobs := make([]river.InsertManyParams, len(waiting))
		for i, d := range waiting {
			jobs[i] = DeliverJob(d.ID, d.Target)
		}
		_, err = tx.AddJobs(ctx, jobs)
		return err
	})
	if err != nil {
		return fmt.Errorf("enrich event %s: %w", id, err)
	}
	return nil
}
