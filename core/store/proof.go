package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
)

// reading is what has become of a delivery since it was read for its settlement.
type reading int

const (
	// Zero is that the settlement does not say how it was.
	_ reading = iota
	// same is that it is owed as it was.
	same
	// over is that it is in a final state.
	over
	// overtaken is that it is in another live state, or waits for an answer to another
	// question.
	overtaken
)

// compare tells what has become of the deliveries of settlements that say how they were,
// and keeps them as they are.
func compare(ctx context.Context, tx Tx, items []*Settlement) (map[*Settlement]reading, error) {
	var ids []uuid.UUID
	for _, s := range items {
		if s.Read.ID != uuid.Nil {
			ids = append(ids, s.DeliveryID)
		}
	}
	if len(ids) == 0 {
		return nil, nil //nolint:nilnil // nothing was read
	}
	rows, err := tx.LockDeliveries(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("lock deliveries: %w", err)
	}
	readings := make(map[*Settlement]reading, len(ids))
	for _, s := range items {
		if s.Read.ID == uuid.Nil {
			continue
		}
		readings[s] = over
		for _, d := range rows {
			switch {
			case d.ID != s.DeliveryID || !d.State.Live():
			case d.State != s.Read.State, d.State == event.Verifying && !sameQuestion(d, s.Read):
				readings[s] = overtaken
			default:
				readings[s] = same
			}
		}
	}
	return readings, nil
}

// sameQuestion reports whether a proof has been asked for as often as it was. Of answers to
// questions of two workers, which came of a node that was taken for dead, one counts: the
// other would tell its events again, or end the delivery without them.
func sameQuestion(is, was event.Delivery) bool {
	return is.Attempts == was.Attempts && is.Proof.Asks == was.Proof.Asks
}

// prove saves what is known of proofs, and accepts what targets handed back. The groups that
// those events join are locked after the deliveries, against the order of who accepts an
// event that ends the wait of a deletion: Postgres undoes one of two transactions that wait
// for each other, and Write repeats it.
func prove(ctx context.Context, tx Tx, items []*Settlement, read map[*Settlement]reading, changed map[uuid.UUID]bool) error {
	var proofs []*Settlement
	var back []*Acceptance
	for _, s := range items {
		if !changed[s.DeliveryID] || read[s] == overtaken {
			continue
		}
		if s.Proof != nil {
			proofs = append(proofs, s)
		}
		if read[s] == same {
			back = append(back, s.Events...)
		}
	}
	if len(proofs) > 0 {
		if err := tx.SaveProofs(ctx, proofs); err != nil {
			return fmt.Errorf("save proofs: %w", err)
		}
	}
	for part := range slices.Chunk(back, maxBack) {
		if _, err := accept(ctx, tx, part); err != nil {
			return fmt.Errorf("accept events that were handed back: %w", err)
		}
	}
	return nil
}

// maxBack is how many events that were handed back are inserted at once.
const maxBack = 256
