// Package silence says which events operators want to hear nothing of.
package silence

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// readAgain is how long what was read of the database is gone by: others add and end
// silences too.
const readAgain = 2 * time.Second

// Store keeps silences. store.Store is one.
type Store interface {
	ListSilences(ctx context.Context, past time.Duration) ([]store.Silence, time.Time, error)
}

// Silences are those of a database, read again every 2 s while somebody asks. They may be
// asked concurrently.
type Silences struct {
	Store Store
	// MaxAge returns how old a delivery may be that still waits.
	MaxAge func() time.Duration
	Log    *slog.Logger

	mu   sync.Mutex
	read time.Time
	set  Set
}

// Match returns the silence by which an event is not to be delivered to a target: one that
// is active now, or was when the event was accepted. Events of Hookarr itself, which tell of
// trouble, are silenced only by one that names the target. Both times are the database's.
func (s *Silences) Match(ctx context.Context, target string, e event.Event, accepted, now time.Time) (store.Silence, bool, error) {
	set, err := s.current(ctx)
	if err != nil {
		return store.Silence{}, false, fmt.Errorf("read silences: %w", err)
	}
	found, silenced, err := set.Match(target, e, accepted, now)
	if err != nil {
		s.Log.WarnContext(ctx, "silence passed over", slog.String("event", e.ID.String()), slog.Any("error", err))
	}
	return found, silenced, nil
}

// Changed has what is in the database read before the next answer.
func (s *Silences) Changed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read = time.Time{}
}

func (s *Silences) current(ctx context.Context) (Set, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.read.IsZero() && time.Since(s.read) < readAgain {
		return s.set, nil
	}
	rows, _, err := s.Store.ListSilences(ctx, s.MaxAge())
	if err != nil {
		return nil, err
	}
	set, errs := s.set.follow(rows)
	for _, err := range errs {
		s.Log.WarnContext(ctx, "silence not understood", slog.Any("error", err))
	}
	s.set, s.read = set, time.Now()
	return set, nil
}

// Set is silences, ready to match. It does not change.
type Set []compiled

type compiled struct {
	store.Silence
	// when is nil for an expression of a later version, which matches nothing.
	when *route.Expression
}

// New returns the set of silences, and what is wrong with those that it leaves out.
func New(rows []store.Silence) (Set, []error) { return Set(nil).follow(rows) }

// follow returns the set of rows, of which those that are in s are compiled already.
func (s Set) follow(rows []store.Silence) (next Set, problems []error) {
	known := make(map[uuid.UUID]*route.Expression, len(s))
	for _, c := range s {
		known[c.ID] = c.when
	}
	for _, row := range rows {
		when, ok := known[row.ID]
		if !ok {
			var err error
			if when, err = route.Compile(row.Expression); err != nil {
				problems = append(problems, fmt.Errorf("silence %s: %w", row.ID, err))
			}
		}
		next = append(next, compiled{Silence: row, when: when})
	}
	return next, problems
}

// Match is that of Silences. The error joins those of expressions that took too long, which
// are not met.
func (s Set) Match(target string, e event.Event, accepted, now time.Time) (found store.Silence, silenced bool, err error) {
	for _, c := range s {
		if c.when == nil || !c.concerns(target, e.Source) || !c.ActiveAt(now) && !c.ActiveAt(accepted) {
			continue
		}
		holds, failed := c.when.Holds(e.Normalized)
		if holds {
			return c.Silence, true, err
		}
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("silence %s: %w", c.ID, failed))
		}
	}
	return store.Silence{}, false, err
}

func (c compiled) concerns(target, source string) bool {
	return c.Target == target || c.Target == "" && source != sdk.SourceHookarr
}
