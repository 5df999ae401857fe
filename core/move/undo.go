package move

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/store"
)

// Undo lets a database that was moved be served again, and the one that it was moved to no
// more. It refuses when that one was served since: what it did would be forgotten, and sent
// again. A move that has not ended is given up.
func Undo(ctx context.Context, from, to Side, o Options) error {
	m, release, err := begin(ctx, from, to, o)
	if err != nil {
		return err
	}
	return errors.Join(m.undo(ctx), release(context.WithoutCancel(ctx)))
}

func (m *mover) undo(ctx context.Context) error {
	switch {
	case m.source.Move != store.MoveStateMoved && m.source.Move != store.MoveStateMoving:
		return m.from.at(errors.New("the database was not moved"))
	case m.source.MoveID != m.target.MoveID:
		return fmt.Errorf("%s was moved to %s, and not to %s", m.from.Name, m.source.Peer, m.to.Name)
	case m.target.Move != store.MoveStateFilled && m.target.Move != store.MoveStateFilling:
		return m.to.at(errors.New("the database was served since it was moved, and what it did would be forgotten and sent again: " +
			"to come back, move it, with hookarr move --to an empty database"))
	}
	was := m.target
	if m.target.Move == store.MoveStateFilled {
		s := saved{Source: m.source.ID}
		progress, err := s.format()
		if err != nil {
			return err
		}
		m.target.Move, m.target.Progress = store.MoveStateFilling, progress
	}
	// First, so that at no moment both are served.
	m.target.Since = time.Time{}
	if err := m.to.Store.SaveState(ctx, was, m.target, m.names); err != nil {
		return m.to.at(err)
	}
	return m.from.release(ctx, m.source, m.names)
}

// Abandon is Undo where the other database is lost: what that has delivered since is
// delivered again, and what it has taken is gone.
func Abandon(ctx context.Context, from Side, o Options) (err error) {
	if o.Lease == 0 {
		o.Lease = store.NodeLease
	}
	names, err := tableNames(ctx)
	if err != nil {
		return err
	}
	release, err := from.Store.Exclude(ctx, o.Lease, func(line string) { o.say("%s: %s", from.Name, line) })
	if err != nil {
		return from.at(err)
	}
	defer func() { err = errors.Join(err, release(context.WithoutCancel(ctx))) }()
	state, err := from.Store.State(ctx)
	if err != nil {
		return from.at(err)
	}
	if state.Move != store.MoveStateMoved && state.Move != store.MoveStateMoving {
		return from.at(errors.New("the database was not moved"))
	}
	return from.release(ctx, state, names)
}

// release lets a database be served.
func (s Side) release(ctx context.Context, state store.State, names []string) error {
	was := state
	state.Move, state.MoveID, state.Peer, state.Progress = store.MoveStateNone, uuid.Nil, "", ""
	if err := s.Store.SaveState(ctx, was, state, names); err != nil {
		return s.at(err)
	}
	return nil
}
