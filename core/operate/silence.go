package operate

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
)

// maxSilence is longer than anybody wants to hear nothing of something without thinking of
// it again.
const maxSilence = 366 * 24 * time.Hour

// Silence is what an operator wants to hear nothing of.
type Silence struct {
	// Expression is over the event, in the language of a route's when.
	Expression string
	// Target is empty for every target.
	Target string
	// For is how long it lasts or, where that is 0, Until is its end.
	For     time.Duration
	Until   time.Time
	Comment string
}

// AddSilence begins a silence.
func (s *Service) AddSilence(ctx context.Context, by Actor, n Silence) (store.Silence, error) {
	if strings.TrimSpace(n.Expression) == "" {
		return store.Silence{}, invalid("give an expression over the event, such as event.source == \"sonarr\"; true is every event")
	}
	if _, err := route.Compile(n.Expression); err != nil {
		return store.Silence{}, invalid("expression: %s", err)
	}
	if n.Target != "" {
		if err := s.known(n.Target); err != nil {
			return store.Silence{}, err
		}
	}
	switch {
	case n.For == 0 && n.Until.IsZero(), n.For != 0 && !n.Until.IsZero():
		return store.Silence{}, invalid("say how long it lasts, or when it ends: one of them")
	case n.For < 0:
		return store.Silence{}, invalid("want how long it lasts, such as 2h")
	case n.For > maxSilence, time.Until(n.Until) > maxSilence:
		return store.Silence{}, invalid("it would last for more than a year: change the routes instead")
	}
	added := store.Silence{
		ID: event.NewID(), Expression: n.Expression, Target: n.Target, Who: by.Who, Via: by.Via, Comment: n.Comment, EndsAt: n.Until,
	}
	a := s.silenceAction(by, store.ActionSilence, store.ActionArgs{Silence: added.ID, When: n.Expression, Target: n.Target, Reason: n.Comment})
	err := s.o.Store.AddSilence(ctx, a, &added, n.For)
	switch {
	case errors.Is(err, store.ErrSilenceOver):
		return store.Silence{}, invalid("its end has passed already")
	case errors.Is(err, store.ErrTooManySilences):
		return store.Silence{}, invalid("%d silences are active: expire some first", store.MaxSilences)
	case err != nil:
		return store.Silence{}, err
	}
	s.silenced(ctx, a)
	return added, nil
}

// ExpireSilence ends a silence now. What waits and came while it was active stays silenced.
func (s *Service) ExpireSilence(ctx context.Context, by Actor, id uuid.UUID) (store.Silence, error) {
	a := s.silenceAction(by, store.ActionExpire, store.ActionArgs{})
	ended, err := s.o.Store.ExpireSilence(ctx, a, id)
	if errors.Is(err, store.ErrSilenceOver) {
		return store.Silence{}, invalid("silence %s is over already", id)
	}
	if err != nil {
		return store.Silence{}, err
	}
	s.silenced(ctx, a)
	return ended, nil
}

func (*Service) silenceAction(by Actor, what store.ActionKind, args store.ActionArgs) *store.Action {
	return &store.Action{ID: event.NewID(), What: what, Who: by.Who, Via: by.Via, State: store.ActionDone, Done: 1, Matched: 1, Args: args}
}

// silenced tells of an action on silences.
func (s *Service) silenced(ctx context.Context, a *store.Action) {
	if s.o.Silenced != nil {
		s.o.Silenced()
	}
	s.ended(ctx, a)
}
