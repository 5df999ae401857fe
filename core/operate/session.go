package operate

import (
	"context"
	"time"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// AddLink makes a link that signs the actor in once, and returns when it expires.
func (s *Service) AddLink(ctx context.Context, by Actor, id store.SecretID) (expires time.Time, err error) {
	a := &store.Action{ID: event.NewID(), What: store.ActionLink, Who: by.Who, Via: by.Via, State: store.ActionDone, Done: 1, Matched: 1}
	if expires, err = s.o.Store.AddLink(ctx, a, id, by.Who); err != nil {
		return time.Time{}, err
	}
	s.ended(ctx, a)
	return expires, nil
}

// RevokeSession ends a session. Whose it is becomes part of the record.
func (s *Service) RevokeSession(ctx context.Context, by Actor, id store.SecretID, whose string) error {
	a := revocation(by, whose)
	if _, err := s.o.Store.RevokeSessions(ctx, a, []store.SecretID{id}); err != nil {
		return err
	}
	s.ended(ctx, a)
	return nil
}

// RevokeOthers ends every session but one, which may be none, and every link. It returns how
// many sessions there were.
func (s *Service) RevokeOthers(ctx context.Context, by Actor, but store.SecretID) (int, error) {
	a := revocation(by, "")
	n, err := s.o.Store.RevokeOthers(ctx, a, but)
	if err != nil {
		return 0, err
	}
	s.ended(ctx, a)
	return n, nil
}

func revocation(by Actor, whose string) *store.Action {
	return &store.Action{ID: event.NewID(), What: store.ActionRevoke, Who: by.Who, Via: by.Via, State: store.ActionDone, Args: store.ActionArgs{Reason: whose}}
}
