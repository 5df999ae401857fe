package operate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

const (
	// pageSize is how many rows one transaction of a bulk action changes, and pagePause the
	// least time between two.
	pageSize  = 100
	pagePause = 50 * time.Millisecond
	// maxRows is how many rows one bulk action may change.
	maxRows = 1_000_000
	// pageTries is how often a page is tried that the database refuses.
	pageTries = 3
)

// Bulk is an action on all rows that a filter selects.
type Bulk struct {
	// What is a retry or a cancellation of Deliveries, or a replay of Events.
	What store.ActionKind
	// Deliveries without a state are the dead letters for a retry, and what is pending for
	// a cancellation.
	Deliveries *store.DeliveryFilter
	Events     *store.EventFilter
	// To and Redecode are those of Replay.
	To       []string
	Redecode bool
	// ExpectCount is the count that the operator has agreed to; nil asks for none.
	ExpectCount *int
}

// ErrCountDiffers is wrapped by the error of an action that would change another number of
// rows than the operator has agreed to.
var ErrCountDiffers = errors.New("the count differs")

// ErrNothing is returned for a filter that selects nothing.
var ErrNothing = errors.New("the filter selects nothing")

// CountDeliveries counts the deliveries that a filter selects, up to 100,000.
func (s *Service) CountDeliveries(ctx context.Context, f store.DeliveryFilter) (store.Count, error) {
	return s.o.Store.CountMatching(ctx, f)
}

// CountEvents counts the events that a filter selects, up to 100,000.
func (s *Service) CountEvents(ctx context.Context, f store.EventFilter) (store.Count, error) {
	return s.o.Store.CountEvents(ctx, f)
}

// Count counts what a bulk action would change, up to 100,000: it is what ExpectCount is
// compared with.
func (s *Service) Count(ctx context.Context, b Bulk) (store.Count, error) {
	args, err := s.args(b)
	if err != nil {
		return store.Count{}, err
	}
	return s.count(ctx, args)
}

func (s *Service) count(ctx context.Context, args store.ActionArgs) (store.Count, error) {
	if args.Events != nil {
		return s.CountEvents(ctx, *args.Events)
	}
	return s.CountDeliveries(ctx, *args.Deliveries)
}

// Begin begins a bulk action: a job of the server works it, or Run does. Rows that come
// later are no part of it.
func (s *Service) Begin(ctx context.Context, by Actor, b Bulk) (store.Action, error) {
	args, err := s.args(b)
	if err != nil {
		return store.Action{}, err
	}
	return s.begin(ctx, by, b.What, args, b.ExpectCount)
}

func (s *Service) begin(ctx context.Context, by Actor, what store.ActionKind, args store.ActionArgs, expected *int) (store.Action, error) {
	a := store.Action{ID: event.NewID(), What: what, Who: by.Who, Via: by.Via, State: store.ActionRunning, Args: args}
	upTo(&args, a.ID)
	count, err := s.count(ctx, args)
	switch {
	case err != nil:
		return store.Action{}, err
	case count.N == 0:
		return store.Action{}, ErrNothing
	case expected != nil && count.N != *expected:
		return store.Action{}, fmt.Errorf("%w: the filter selects %s rows and not %d, look again", ErrCountDiffers, count, *expected)
	}
	a.Matched = count.N
	if err := s.o.Store.BeginAction(ctx, &a); err != nil {
		return store.Action{}, err
	}
	s.o.Log.InfoContext(ctx, "operator action begins", slog.String("action", a.ID.String()), slog.String("what", string(what)),
		slog.String("who", a.Who), slog.String("via", a.Via), slog.String("matched", count.String()))
	s.o.Store.Wake(store.OperateQueue, 0)
	return a, nil
}

// args are what an action is stored with: filters that say all that was left out.
func (s *Service) args(b Bulk) (store.ActionArgs, error) {
	args := store.ActionArgs{To: slices.Compact(slices.Sorted(slices.Values(b.To))), Redecode: b.Redecode}
	switch {
	case b.What == store.ActionReplay && b.Events != nil && b.Deliveries == nil:
		f := *b.Events
		args.Events = &f
		return args, s.checkReplay(Replay{To: args.To, Redecode: b.Redecode})
	case b.What == store.ActionReplay:
		return args, invalid("a replay takes a filter of events")
	case b.What != store.ActionRetry && b.What != store.ActionCancel:
		return args, invalid("%q is no bulk action: want retry, cancel or replay", b.What)
	case b.Deliveries == nil || b.Events != nil || len(b.To) > 0 || b.Redecode:
		return args, invalid("a %s takes a filter of deliveries, and nothing else", b.What)
	}
	f := *b.Deliveries
	able, otherwise := []event.DeliveryState{event.Dead, event.Pending, event.Verifying, event.Cancelled}, event.Dead
	if b.What == store.ActionCancel {
		able, otherwise = []event.DeliveryState{event.Pending, event.Verifying, event.Dead}, event.Pending
	}
	if len(f.AnyOf()) == 0 {
		f.State = otherwise
	}
	for _, state := range f.AnyOf() {
		if !slices.Contains(able, state) {
			return args, invalid("deliveries that are %s take no %s: want one of %v", state, b.What, able)
		}
	}
	args.Deliveries = &f
	return args, nil
}

// Action returns an action, or store.ErrNotFound.
func (s *Service) Action(ctx context.Context, id uuid.UUID) (store.Action, error) {
	return s.o.Store.FindAction(ctx, id)
}

// Actions returns actions, newest first.
func (s *Service) Actions(ctx context.Context, f store.ActionFilter) ([]store.Action, error) {
	return s.o.Store.ListActions(ctx, f)
}

// StopAction ends a bulk action before its next page. What it has done stays.
func (s *Service) StopAction(ctx context.Context, by Actor, id uuid.UUID) (store.Action, error) {
	a, ended, err := s.o.Store.EndAction(ctx, id, store.ActionStopped, "stopped by "+by.Who)
	if err != nil {
		return a, err
	}
	if !ended {
		return a, invalid("action %s is %s already", id, a.State)
	}
	s.ended(ctx, &a)
	return a, nil
}

// Run works a bulk action to its end. Several processes may run one: each page is worked
// once. After an error, or when ctx ends, it may be run again, and goes on.
func (s *Service) Run(ctx context.Context, id uuid.UUID) (store.Action, error) {
	return s.run(ctx, id, time.Time{})
}

// run is Run until a time, if that is not zero.
func (s *Service) run(ctx context.Context, id uuid.UUID, until time.Time) (store.Action, error) {
	for tries := 0; ; {
		a, err := s.o.Store.FindAction(ctx, id)
		if err != nil || a.State != store.ActionRunning || !until.IsZero() && time.Now().After(until) {
			return a, err
		}
		begun := time.Now()
		switch err := s.page(ctx, &a); {
		case err == nil:
			tries = 0
		case errors.Is(err, store.ErrOvertaken):
		case ctx.Err() != nil:
			return a, ctx.Err()
		case errors.Is(err, ErrUnknownTarget):
			return s.fail(ctx, id, err)
		case errors.Is(err, ErrInvalid), s.o.Store.Outage(err):
			return a, err // another process may be able to, or this one later
		default:
			if tries++; tries == pageTries {
				return s.fail(ctx, id, err)
			}
		}
		if a.State != store.ActionRunning {
			continue
		}
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-time.After(max(s.o.Pause, time.Since(begun))):
		}
	}
}

// fail ends an action that cannot go on.
func (s *Service) fail(ctx context.Context, id uuid.UUID, why error) (store.Action, error) {
	a, ended, err := s.o.Store.EndAction(ctx, id, store.ActionFailed, why.Error())
	if err == nil && ended {
		s.ended(ctx, &a)
	}
	return a, errors.Join(why, err)
}

// page works the next page of an action.
func (s *Service) page(ctx context.Context, a *store.Action) error {
	if a.Done+a.Skipped >= maxRows {
		ended, _, err := s.o.Store.EndAction(ctx, a.ID, store.ActionStopped,
			fmt.Sprintf("one action changes no more than %d rows: begin another for the rest", maxRows))
		*a = ended
		return err
	}
	ids, next, err := s.next(ctx, a)
	if err != nil {
		return err
	}
	step := &store.Step{Action: a, Cursor: next, End: next == uuid.Nil}
	if step.End {
		step.Cursor = a.Cursor
	}
	switch {
	case len(ids) == 0:
	case a.What == store.ActionRetry:
		step.Retry = ids
	case a.What == store.ActionCancel:
		step.Cancel = ids
	case a.What == store.ActionRename:
		step.Move, step.MoveTo = ids, a.Args.To[0]
	case a.What == store.ActionReplay:
		r := Replay{To: a.Args.To, Redecode: a.Args.Redecode}
		if err := s.checkReplay(r); err != nil {
			return err
		}
		if step.Replay, step.Skipped, err = s.replays(ctx, ids, r); err != nil {
			return err
		}
	default:
		return invalid("%q is of a later version", a.What)
	}
	if step.End && a.What == store.ActionRename {
		if err := s.forget(ctx, a.Args.Target); err != nil {
			return err
		}
	}
	if _, err := s.o.Store.Operate(ctx, step); err != nil {
		return err
	}
	if step.End {
		s.ended(ctx, a)
	}
	return nil
}

// next returns the rows of the next page, oldest first, and how far they were looked for.
func (s *Service) next(ctx context.Context, a *store.Action) ([]uuid.UUID, uuid.UUID, error) {
	if a.Args.Events != nil {
		f := *a.Args.Events
		f.Oldest, f.Limit = true, pageSize
		if a.Cursor != uuid.Nil {
			f.After = a.Cursor
		}
		return s.o.Store.MatchEvents(ctx, f)
	}
	if a.Args.Deliveries == nil {
		return nil, uuid.Nil, invalid("its filter is of a later version")
	}
	f := *a.Args.Deliveries
	f.Oldest, f.Limit = true, pageSize
	if a.Cursor != uuid.Nil {
		f.After = a.Cursor
	}
	return s.o.Store.MatchDeliveries(ctx, f)
}

// upTo bounds filters by an id, so that what comes later is no part of them.
func upTo(args *store.ActionArgs, id uuid.UUID) {
	before := func(former uuid.UUID) uuid.UUID {
		if former != uuid.Nil && bytes.Compare(former[:], id[:]) < 0 {
			return former
		}
		return id
	}
	if args.Events != nil {
		args.Events.Before = before(args.Events.Before)
	}
	if args.Deliveries != nil {
		args.Deliveries.Before = before(args.Deliveries.Before)
	}
}
