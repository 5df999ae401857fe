package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Silence is what operators want to hear nothing of, from StartsAt to EndsAt.
type Silence struct {
	ID uuid.UUID
	// Expression is over the event, in the language of a route's when.
	Expression string
	// Target is empty for every target.
	Target string
	// Who made it, and by which way.
	Who, Via string
	Comment  string
	StartsAt time.Time
	// EndsAt is no part of it.
	EndsAt time.Time
	// Silenced counts the deliveries that it has cancelled.
	Silenced int
}

// ActiveAt reports whether a time lies between the beginning and the end.
func (s Silence) ActiveAt(t time.Time) bool { return !t.Before(s.StartsAt) && t.Before(s.EndsAt) }

// Reason is what a delivery says that it has cancelled.
func (s Silence) Reason() string {
	reason := fmt.Sprintf("silenced by %s until %s", s.Who, s.EndsAt.UTC().Format("2006-01-02 15:04 MST"))
	if s.Comment != "" {
		reason += ": " + s.Comment
	}
	return reason + " (silence " + s.ID.String() + ")"
}

// MaxSilences is how many silences may be active at once, and how many ListSilences
// returns.
const MaxSilences = 1000

// Errors of silences that cannot be had.
var (
	// ErrSilenceOver is returned by AddSilence for an end that has passed, and by
	// ExpireSilence for a silence that is over.
	ErrSilenceOver = errors.New("the silence is over")
	// ErrTooManySilences is returned by AddSilence where MaxSilences are active.
	ErrTooManySilences = errors.New("too many silences are active")
)

// AddSilence stores a silence that begins now, with the record of who made it. It ends after
// length or, where that is 0, at its EndsAt.
func (s *Store) AddSilence(ctx context.Context, a *Action, n *Silence, length time.Duration) error {
	added, record := *n, *a
	err := s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		added, record = *n, *a
		active, err := tx.InsertSilence(ctx, &added, length)
		switch {
		case err != nil:
			return fmt.Errorf("insert silence: %w", err)
		case !added.EndsAt.After(added.StartsAt):
			return ErrSilenceOver
		case active > MaxSilences:
			return ErrTooManySilences
		}
		record.Args.Until = added.EndsAt
		return tx.InsertAction(ctx, &record)
	})
	if err != nil {
		return fmt.Errorf("add silence: %w", err)
	}
	*n, *a = added, record
	return nil
}

// ExpireSilence ends a silence now, with the record of who did, and returns it.
// ErrNotFound is one that is not stored.
func (s *Store) ExpireSilence(ctx context.Context, a *Action, id uuid.UUID) (ended Silence, err error) {
	record := *a
	err = s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		record = *a
		var was bool
		if ended, was, err = tx.ExpireSilence(ctx, id); err != nil {
			return err
		}
		if !was {
			return ErrSilenceOver
		}
		record.Args.Silence, record.Args.When, record.Args.Target = id, ended.Expression, ended.Target
		return tx.InsertAction(ctx, &record)
	})
	if err != nil {
		return Silence{}, fmt.Errorf("expire silence %s: %w", id, err)
	}
	*a = record
	return ended, nil
}
