package operate

import (
	"context"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// SyncSource has what a source's application has read now, and returns the state and the
// number of the run that fulfils the wish. The caller has made sure that there is such a
// source.
func (s *Service) SyncSource(ctx context.Context, by Actor, source string, wish store.SnapshotWish) (store.Snapshot, int, error) {
	if wish.To != "" {
		if !wish.Full {
			return store.Snapshot{}, 0, invalid("one target alone can be told everything, and not what has changed: ask for full too")
		}
		if err := s.known(wish.To); err != nil {
			return store.Snapshot{}, 0, err
		}
	}
	a := &store.Action{
		ID: event.NewID(), What: store.ActionSync, Who: by.Who, Via: by.Via, State: store.ActionDone, Done: 1, Matched: 1,
		Args: store.ActionArgs{Source: source, Sync: &wish},
	}
	state, run, err := s.o.Store.AskSnapshot(ctx, a, source, wish)
	if err != nil {
		return store.Snapshot{}, 0, err
	}
	s.ended(ctx, a)
	return state, run, nil
}
