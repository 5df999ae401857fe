package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// NodeLease is how long a node lives that does not beat.
const NodeLease = 10 * time.Second

// MoveState is what a move has made of a database.
type MoveState string

const (
	// MoveStateNone is a database that takes no part in a move.
	MoveStateNone MoveState = ""
	// MoveStateMoving is one whose rows are being copied to another. They have not changed since.
	MoveStateMoving MoveState = "moving"
	// MoveStateMoved is one in whose place another is served.
	MoveStateMoved MoveState = "moved"
	// MoveStateFilling is one that rows are being copied to, or were, until that was taken back.
	MoveStateFilling MoveState = "filling"
	// MoveStateFilled is one that has all the rows, and has not been served with them.
	MoveStateFilled MoveState = "filled"
)

// State is what there is to know of a database itself.
type State struct {
	// ID is this database's alone, of which a copy of its file is one, too.
	ID   uuid.UUID
	Move MoveState
	// MoveID is of the latest move, the same in both databases. Peer is the other one, without
	// its password.
	MoveID uuid.UUID
	Peer   string
	// Since is when Move became what it is; zero for MoveStateFilling that was taken back.
	Since time.Time
	// Progress is how far MoveStateFilling has come.
	Progress string
}

// MoveError is that a database is not to be used, because of a move.
type MoveError struct {
	State
	// UnderWay is that the move, or a restore, goes on at this moment. By is who uses the
	// tables meanwhile, where that is known.
	UnderWay bool
	By       string
}

// Error says what is to be done.
func (e *MoveError) Error() string {
	switch {
	case e.By != "":
		return fmt.Sprintf("the tables of the database are in use by %s: wait until that has ended, such as a hookarr move or hookarr restore, or end it with SELECT pg_terminate_backend(PROCESS)",
			e.By)
	case e.UnderWay:
		return "another process moves or restores the database: wait until that hookarr move or hookarr restore has ended"
	case e.Move == MoveStateMoved:
		return fmt.Sprintf("the database was moved to %s on %s: set database.url to that one, or take the move back with hookarr move --undo",
			e.Peer, e.Since.UTC().Format(time.DateTime+" MST"))
	case e.Move == MoveStateFilling && e.Since.IsZero():
		return fmt.Sprintf("the move into this database was taken back: set database.url to %s, or run hookarr move again with its configuration", e.Peer)
	case e.Move == MoveStateFilling:
		return "a move into this database has not ended: run hookarr move again with the configuration of " + e.Peer
	default:
		return fmt.Sprintf("a move of this database to %s has not ended: run hookarr move again; hookarr serve gives it up", e.Peer)
	}
}

// MayChange reports whether whoever wants to change rows may: nil, or a *MoveError. Who does
// gives up a move that has not ended: then givesUp is set.
func (s State) MayChange() (givesUp bool, err error) {
	switch s.Move {
	case MoveStateMoved, MoveStateFilling:
		return false, &MoveError{State: s}
	case MoveStateMoving, MoveStateFilled:
		return true, nil
	case MoveStateNone:
	}
	return false, nil
}

// State returns what there is to know of the database itself; nothing where it is too old to
// know it.
func (s *Store) State(ctx context.Context) (State, error) {
	state, err := s.engine.FindState(ctx)
	if err != nil {
		return State{}, fmt.Errorf("read the state of the database: %w", err)
	}
	return state, nil
}

// ErrStateChanged is returned by SaveState where the state is another than it was.
var ErrStateChanged = errors.New("the database was used meanwhile: run hookarr move again")

// SaveState changes what a move has made of the database, if its move is still as it was:
// otherwise somebody else has changed it, such as a server that gave the move up. While it is
// MoveStateMoving or MoveStateMoved, the database refuses every change of tables, which are those that are
// copied, whoever makes it: such as a node that has slept.
func (s *Store) SaveState(ctx context.Context, was, state State, tables []string) error {
	if err := s.engine.SaveState(ctx, was, state, tables); err != nil {
		return fmt.Errorf("save the state of the database: %w", err)
	}
	return nil
}

// Exclude keeps servers out until release is called, which may be called again. A server
// that runs is an error: ErrInUse, or a *NodesError. One that does not beat any more is waited
// for, for as long as its lease, and tell is told.
func (s *Store) Exclude(ctx context.Context, lease time.Duration, tell func(string)) (release func(context.Context) error, err error) {
	return s.engine.Exclude(ctx, lease, tell)
}

// NodesError is that nodes serve a database.
type NodesError struct{ Nodes []string }

// Error names them.
func (e *NodesError) Error() string {
	return "hookarr serve runs on it: stop node " + strings.Join(e.Nodes, ", node ") +
		" (its name begins with its host's; systemctl stop hookarr, or docker compose stop hookarr)"
}
