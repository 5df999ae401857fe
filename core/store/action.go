package store

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
)

// ActionKind says what an operator does.
type ActionKind string

// The kinds of action.
const (
	ActionRetry  ActionKind = "retry"
	ActionCancel ActionKind = "cancel"
	ActionReplay ActionKind = "replay"
	ActionPause  ActionKind = "pause"
	ActionResume ActionKind = "resume"
	ActionProbe  ActionKind = "probe"
	ActionRename ActionKind = "rename"
	// ActionSilence adds a silence, and ActionExpire ends one.
	ActionSilence ActionKind = "silence"
	ActionExpire  ActionKind = "expire"
	// ActionSync has the snapshot of a source read.
	ActionSync ActionKind = "sync"
	// ActionLink makes a link that signs in, and ActionRevoke ends the sessions of others.
	ActionLink   ActionKind = "link"
	ActionRevoke ActionKind = "revoke"
)

// ActionState says how far an action has come.
type ActionState string

// The action states.
const (
	// ActionRunning is a bulk action that has pages to go.
	ActionRunning ActionState = "running"
	ActionDone    ActionState = "done"
	// ActionStopped was ended by an operator, or is of more rows than one action may
	// change. What it has done stays.
	ActionStopped ActionState = "stopped"
	ActionFailed  ActionState = "failed"
)

// Action is something that an operator did, or a bulk action that is worked page by page.
type Action struct {
	ID   uuid.UUID
	What ActionKind
	// Who asked for it, and by which way.
	Who, Via string
	State    ActionState
	Args     ActionArgs
	// Cursor is the last row that a bulk action has looked at.
	Cursor uuid.UUID
	// Matched is how many rows it was to change when it began, counted up to 100,000. Done and Skipped count
	// those that it has changed, and those that were in no state for it.
	Matched, Done, Skipped int
	// Error is why it failed or stopped, or why rows were skipped last.
	Error                string
	CreatedAt, UpdatedAt time.Time
}

// ActionArgs are what an action is about. Fields that its kind has no use for are empty.
type ActionArgs struct {
	IDs        []uuid.UUID     `json:"ids,omitempty"`
	Deliveries *DeliveryFilter `json:"deliveries,omitempty"`
	Events     *EventFilter    `json:"events,omitempty"`
	// To are the targets of a replay, or the new name of a target.
	To       []string `json:"to,omitempty"`
	Redecode bool     `json:"redecode,omitempty"`
	Target   string   `json:"target,omitempty"`
	Reason   string   `json:"reason,omitempty"`
	// Source is the one of a snapshot, and Sync what is wanted of it.
	Source string        `json:"source,omitempty"`
	Sync   *SnapshotWish `json:"sync,omitempty"`
	// Silence is one that was added or ended, and When its expression. Until is its end, or that
	// of a link.
	Silence uuid.UUID `json:"silence,omitzero"`
	When    string    `json:"when,omitempty"`
	Until   time.Time `json:"until,omitzero"`
}

// ActionFilter selects actions, newest first.
type ActionFilter struct {
	// Running selects those that have pages to go.
	Running bool
	Before  uuid.UUID
	// Limit is 50 when zero.
	Limit int
}

// ActionChange is a delivery that an action changed or made, or an event that it replayed
// without one.
type ActionChange struct{ EventID, ActionID, DeliveryID uuid.UUID }

// EventAction is an action in the story of an event.
type EventAction struct {
	Action
	// DeliveryID is the delivery that it changed or made; uuid.Nil for none.
	DeliveryID uuid.UUID
}

// BeginAction stores a bulk action that is running, with its job.
func (s *Store) BeginAction(ctx context.Context, a *Action) error {
	err := s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		if err := tx.InsertAction(ctx, a); err != nil {
			return err
		}
		return tx.InsertJobs(ctx, []river.InsertManyParams{OperateJob(a.ID)})
	})
	if err != nil {
		return fmt.Errorf("begin action: %w", err)
	}
	return nil
}

// OperateTarget is ChangeTarget by an operator: the record of it is part of the same
// transaction. An error of the change undoes both.
func (s *Store) OperateTarget(ctx context.Context, a *Action, change func(t *Target, now time.Time) error) (before, after Target, err error) {
	err = s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		record := *a
		if err := tx.InsertAction(ctx, &record); err != nil {
			return err
		}
		var refused error
		before, after, err = s.changeTarget(ctx, tx, a.Args.Target, func(t *Target, now time.Time) []*Settlement {
			refused = change(t, now)
			return nil
		})
		if err == nil && refused == nil {
			*a = record
		}
		return cmp.Or(err, refused)
	})
	if err != nil {
		return Target{}, Target{}, fmt.Errorf("%s target %s: %w", a.What, a.Args.Target, err)
	}
	s.TellHeld(a.Args.Target, after.Hold != "")
	return before, after, nil
}

// EndAction ends a bulk action that is running before its last page: what it has done
// stays. It reports whether it was running.
func (s *Store) EndAction(ctx context.Context, id uuid.UUID, state ActionState, why string) (a Action, ended bool, err error) {
	err = s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		if a, err = tx.LockAction(ctx, id); err != nil {
			return err
		}
		if ended = a.State == ActionRunning; !ended {
			return nil
		}
		a.State, a.Error = state, why
		return tx.SaveAction(ctx, &a)
	})
	if err != nil {
		return Action{}, false, fmt.Errorf("end action %s: %w", id, err)
	}
	return a, ended, nil
}
