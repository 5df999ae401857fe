package admin

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// maxCandidates bounds what an ambiguous id is told to mean.
const maxCandidates = 5

// minPrefix is in hexadecimal digits: fewer are a mistake.
const minPrefix = 4

// FindEventID returns the id of the event whose id begins as text does.
func (s *Service) FindEventID(ctx context.Context, text string) (uuid.UUID, error) {
	return findID(ctx, "event", text, s.Store.FindEventsByPrefix)
}

// FindDeliveryID returns the id of the delivery whose id begins as text does.
func (s *Service) FindDeliveryID(ctx context.Context, text string) (uuid.UUID, error) {
	return findID(ctx, "delivery", text, s.Store.FindDeliveriesByPrefix)
}

// findActionID returns the id of the action whose id begins as text does: actions are few.
func (s *Service) findActionID(ctx context.Context, text string) (uuid.UUID, error) {
	return findID(ctx, "action", text, func(ctx context.Context, prefix string, limit int) ([]uuid.UUID, error) {
		first, last, _ := event.PrefixRange(prefix)
		actions, err := s.Store.ListActions(ctx, store.ActionFilter{Before: store.From(last), Limit: limit})
		var ids []uuid.UUID
		for _, a := range actions {
			if bytes.Compare(a.ID[:], first[:]) >= 0 {
				ids = append(ids, a.ID)
			}
		}
		return ids, err
	})
}

// findID looks a prefix up. A whole id is taken as it is.
func findID(ctx context.Context, what, text string, find func(ctx context.Context, prefix string, limit int) ([]uuid.UUID, error)) (uuid.UUID, error) {
	first, last, ok := event.PrefixRange(text)
	if !ok || len(strings.ReplaceAll(text, "-", "")) < minPrefix {
		return uuid.Nil, invalid("want the id of the %s, or its first digits, such as 0197a2c4-5b1e", what)
	}
	if first == last {
		return first, nil
	}
	ids, err := find(ctx, text, maxCandidates+1)
	if err != nil {
		return uuid.Nil, fmt.Errorf("look for %s: %w", what, err)
	}
	switch len(ids) {
	case 0:
		return uuid.Nil, notFound("there is no %s whose id begins so", what)
	case 1:
		return ids[0], nil
	}
	p := conflict("%d ids of %s begin so: give more digits", len(ids), plural(what))
	if len(ids) > maxCandidates {
		p = conflict("more than %d ids of %s begin so: give more digits", maxCandidates, plural(what))
		ids = ids[:maxCandidates]
	}
	for _, id := range ids {
		p.Candidates = append(p.Candidates, id.String())
	}
	return uuid.Nil, p
}

func plural(what string) string {
	if stem, ok := strings.CutSuffix(what, "y"); ok {
		return stem + "ies"
	}
	return what + "s"
}
