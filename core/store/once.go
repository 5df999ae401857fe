package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Claim takes a key for an owner, unless another took it less than a window ago, and
// returns whose it is then. It is how a request is made once, whatever crashes between.
func (s *Store) Claim(ctx context.Context, key string, window time.Duration, owner uuid.UUID) (uuid.UUID, error) {
	var owners []uuid.UUID
	err := s.engine.Write(ctx, func(ctx context.Context, tx Tx) (err error) {
		owners, err = tx.ClaimKeys(ctx, []Claim{{Key: ShortKey(key), Window: window, Owner: owner}})
		return err
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("claim key: %w", err)
	}
	return owners[0], nil
}

// Unclaim gives back a key that was taken by Claim.
func (s *Store) Unclaim(ctx context.Context, key string) error {
	err := s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		return tx.DropKeys(ctx, "", []string{ShortKey(key)})
	})
	if err != nil {
		return fmt.Errorf("give key back: %w", err)
	}
	return nil
}
