package operate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// stillQuiet is said of a target that would be quiet again at once.
const stillQuiet = "these are its quiet hours, which the configuration says: change targets.%s.quiet"

// PauseTarget lets a target take nothing until it is resumed, and returns its row.
func (s *Service) PauseTarget(ctx context.Context, by Actor, name, reason string) (store.Target, error) {
	if err := s.known(name); err != nil {
		return store.Target{}, err
	}
	_, after, err := s.target(ctx, by, store.ActionPause, store.ActionArgs{Target: name, Reason: reason}, func(t *store.Target, now time.Time) error {
		t.Begin(store.HoldPaused, reason, now)
		return nil
	})
	return after, err
}

// ResumeTarget ends the hold of a target, and the pause that its endpoint has asked for.
// It returns the row as it was.
func (s *Service) ResumeTarget(ctx context.Context, by Actor, name string) (store.Target, error) {
	if err := s.known(name); err != nil {
		return store.Target{}, err
	}
	before, _, err := s.target(ctx, by, store.ActionResume, store.ActionArgs{Target: name}, func(t *store.Target, now time.Time) error {
		switch {
		case t.Hold == store.HoldQuarantined:
			return invalid("it waits for its plugin, and goes on by itself: see hookarr plugins list")
		case t.Hold == store.HoldQuiet:
			return invalid(stillQuiet, name)
		case t.Hold == "" && !t.NextAt.After(now):
			return invalid("it is not on hold")
		}
		t.Free()
		return nil
	})
	return before, err
}

// ProbeTarget has a target on hold tried with a delivery now, and not only when its next
// probe is due.
func (s *Service) ProbeTarget(ctx context.Context, by Actor, name string) (store.Target, error) {
	if err := s.known(name); err != nil {
		return store.Target{}, err
	}
	_, after, err := s.target(ctx, by, store.ActionProbe, store.ActionArgs{Target: name}, func(t *store.Target, now time.Time) error {
		switch {
		case t.Hold == "":
			return invalid("it is not on hold: test it instead")
		case t.Hold == store.HoldPaused:
			return invalid("it is paused: resume it")
		case t.Hold == store.HoldQuiet:
			return invalid(stillQuiet, name)
		case t.ProbeAt.IsZero():
			return invalid("it is %s and not probed: resume it", t.Hold)
		}
		t.Probe, t.ProbeAt = uuid.Nil, now
		return nil
	})
	return after, err
}

// target changes the row of a target, with a record of it.
func (s *Service) target(ctx context.Context, by Actor, what store.ActionKind, args store.ActionArgs, change func(*store.Target, time.Time) error) (before, after store.Target, err error) {
	a := &store.Action{ID: event.NewID(), What: what, Who: by.Who, Via: by.Via, State: store.ActionDone, Done: 1, Matched: 1, Args: args}
	if before, after, err = s.o.Store.OperateTarget(ctx, a, change); err == nil {
		s.ended(ctx, a)
	}
	return before, after, err
}

// RenameTarget begins to move what waits for a target that left the configuration, and its
// dead letters, to the name that it has there now. A pause moves with them.
func (s *Service) RenameTarget(ctx context.Context, by Actor, old, name string) (store.Action, error) {
	if err := s.known(name); err != nil {
		return store.Action{}, err
	}
	if slices.Contains(s.o.Targets(), old) {
		return store.Action{}, invalid("target %s is still configured, and takes more: rename it in the configuration first", old)
	}
	args := store.ActionArgs{
		Target: old, To: []string{name},
		Deliveries: &store.DeliveryFilter{Target: old, States: []event.DeliveryState{event.Pending, event.Verifying, event.Dead}},
	}
	count, err := s.count(ctx, args)
	if err != nil {
		return store.Action{}, err
	}
	if count.N == 0 {
		return store.Action{}, fmt.Errorf("%w: no delivery waits for a target %q", ErrNothing, old)
	}
	if err := s.inherit(ctx, by, old, name); err != nil {
		return store.Action{}, err
	}
	return s.begin(ctx, by, store.ActionRename, args, nil)
}

// inherit pauses a target if its former name is paused: what an operator holds back stays
// held.
func (s *Service) inherit(ctx context.Context, by Actor, old, name string) error {
	held, _, err := s.o.Store.ListTargets(ctx)
	if err != nil {
		return err
	}
	for _, t := range held {
		if t.Name == old && t.Hold == store.HoldPaused {
			_, err := s.PauseTarget(ctx, by, name, t.Reason)
			return err
		}
	}
	return nil
}

// forget ends the hold of a target whose deliveries have moved.
func (s *Service) forget(ctx context.Context, name string) error {
	_, _, err := s.o.Store.ChangeTarget(ctx, name, func(t *store.Target, _ time.Time) []*store.Settlement {
		t.Free()
		return nil
	})
	return err
}
