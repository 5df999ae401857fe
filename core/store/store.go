// Package store keeps what Hookarr owes: events, deliveries and their attempts, and the
// River jobs that say when. It holds the logic once, over the statements of an Engine:
// packages postgres and sqlite are the engines, and package storetest holds both to one
// contract.
//
// Rows say what is owed, jobs say when. A job holds an id and may be lost or run twice
// without harm.
package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/store/rows"
)

// ErrNotFound is returned for an id that is not stored.
var ErrNotFound = errors.New("not found")

// ErrInUse is returned by Join when another process serves the same SQLite file.
var ErrInUse = errors.New("database is in use by another hookarr serve")

// ErrNewer is returned by Migrate and Ready for a database that a newer version of
// Hookarr migrated.
var ErrNewer = errors.New("database is newer than this hookarr")

// ErrUnwritable is matched by errors of Ready for a database that takes no writes: its disk
// is full, its file system is read-only, or its server is a standby.
var ErrUnwritable = errors.New("database cannot be written")

// ErrNotMigrated is returned by Ready for a database that lacks migrations.
var ErrNotMigrated = errors.New("database is not migrated: run hookarr migrate")

const (
	// batchTimeout bounds one transaction of a batch, for databases that fall silent.
	batchTimeout = 15 * time.Second
	// outagePause is the time between tries while the database is away.
	outagePause = 100 * time.Millisecond
	// gatherFor is how long a batch gathers while others are under way.
	gatherFor = time.Millisecond
	// probePause is how long a database is believed that has taken a write while it could not
	// be sure.
	probePause = 10 * time.Second
)

// Space is what a file system has, in bytes.
type Space struct {
	Free, Total int64
	ReadOnly    bool
}

// Store is the database. All methods may be called concurrently. Times that several
// nodes share are taken from the database's clock.
type Store struct {
	Reader
	// Digest says of a target whose hold ends whether what has waited goes out as one
	// delivery. It is set before the first use; nil is never.
	Digest func(held Target) bool

	engine Engine
	// refused is why the last events were not accepted, if it was the database.
	refused atomic.Pointer[error]
	// proved is when it last took a write of Ready.
	proved  atomic.Pointer[time.Time]
	accepts Batcher[*Acceptance, Accepted]
	settles Batcher[*Settlement, Settled]
	works   Batcher[uuid.UUID, *Work]
}

// New returns the store of an engine.
func New(engine Engine) *Store {
	s := &Store{Reader: engine, engine: engine}
	s.accepts = Batcher[*Acceptance, Accepted]{
		Work: s.acceptBatch, Shared: engine.Outage, Timeout: batchTimeout, Gather: gatherFor,
		Size: (*Acceptance).size,
	}
	s.settles = Batcher[*Settlement, Settled]{Work: s.settleBatch, Shared: engine.Outage, Timeout: batchTimeout, Gather: gatherFor, Size: (*Settlement).size}
	s.works = Batcher[uuid.UUID, *Work]{Work: s.loadWorks, Shared: engine.Outage, Timeout: batchTimeout}
	return s
}

// Migrate brings the schema, ours and then River's, to this version. Concurrent calls
// wait for each other.
func (s *Store) Migrate(ctx context.Context) error { return s.engine.Migrate(ctx) }

// Schema returns the version that the database is of and the one that Migrate brings it
// to.
func (s *Store) Schema(ctx context.Context) (have, want Schema, err error) {
	return s.engine.Schema(ctx)
}

// Space returns what is free where the database is, or errors.ErrUnsupported where that is
// not this machine's to know.
func (s *Store) Space(ctx context.Context) (Space, error) { return s.engine.Space(ctx) }

// Ready reports whether the database answers, is of this version, and keeps what it
// accepts. A *MoveError is of one that takes part in a move. One that did not take the last
// events, such as with a full disk, or that may not take the next, has to take some rows
// now. An idle one is left alone.
func (s *Store) Ready(ctx context.Context) error {
	if err := s.engine.Guard(ctx); err != nil {
		return err
	}
	have, want, err := s.engine.Schema(ctx)
	if err != nil {
		return err
	}
	if err := have.Check(want); err != nil {
		return err
	}
	state, err := s.State(ctx)
	if err != nil {
		return err
	}
	if state.Move != MoveStateNone && state.Move != MoveStateFilled {
		return &MoveError{State: state}
	}
	sure, err := s.engine.Writable(ctx)
	if err != nil {
		return s.unwritable(err)
	}
	if at := s.proved.Load(); s.refused.Load() == nil && (sure || at != nil && time.Since(*at) < probePause) {
		return nil
	}
	err = s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		// As much as a large event, of keys that have expired when they are there.
		claims := make([]Claim, 256)
		for i := range claims {
			claims[i].Key = fmt.Sprintf("ready:%0250d", i)
		}
		_, err := tx.ClaimKeys(ctx, claims)
		return err
	})
	if err != nil {
		s.note(err)
		return s.unwritable(err)
	}
	now := time.Now()
	s.proved.Store(&now)
	s.refused.Store(nil)
	return nil
}

// ReadRows begins to read whole tables as they are now, whatever is written meanwhile. What
// it returns is to be closed.
func (s *Store) ReadRows(ctx context.Context) (rows.Reader, error) { return s.engine.ReadRows(ctx) }

// WriteRows begins to write whole tables. What it returns is to be closed.
func (s *Store) WriteRows(ctx context.Context) (rows.Writer, error) { return s.engine.WriteRows(ctx) }

// unwritable is an error of Ready with what mends it.
func (s *Store) unwritable(err error) error {
	if why := s.engine.Unwritable(err); why != nil {
		return fmt.Errorf("%w: %w", ErrUnwritable, why)
	}
	return fmt.Errorf("write to the database: %w", err)
}

// note remembers a write that the database refused, so that Ready has it prove itself.
func (s *Store) note(err error) {
	if err != nil && (s.engine.Outage(err) || s.engine.Unwritable(err) != nil) {
		s.refused.Store(&err)
	}
}

// OpenQueue builds the River client that works jobs. It is called once.
func (s *Store) OpenQueue(config *river.Config) (Queue, error) {
	queue, err := s.engine.OpenQueue(config)
	if err != nil {
		return nil, fmt.Errorf("prepare queue: %w", err)
	}
	return queue, nil
}

// Outage reports whether an error is the database's, and may be over soon.
func (s *Store) Outage(err error) bool { return s.engine.Outage(err) }

// Wake has this process's workers of a queue look for jobs after a while: River
// tells nobody of a job that is due within seconds.
func (s *Store) Wake(queue string, after time.Duration) { s.engine.Wake(queue, after) }

// TellHeld tells this process's workers of a target's hold that another process began or
// ended: River may not, and looks by itself but once a minute.
func (s *Store) TellHeld(target string, held bool) { s.engine.TellPaused(TargetQueue(target), held) }

// Close lets batches under way end and closes the database.
func (s *Store) Close() error {
	s.accepts.Close()
	s.settles.Close()
	s.works.Close()
	return s.engine.Close()
}
