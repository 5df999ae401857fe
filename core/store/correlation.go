package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/sdk"
)

// Correlation is the message that tells a story at a target. The zero value, but for its
// key, is a story of which nothing was told.
type Correlation struct {
	Target, Key string
	// Delivery is the last that the message shows; MessageID and Receipt are the endpoint's.
	// A message without an id cannot be edited.
	Delivery  uuid.UUID
	MessageID string
	Receipt   []byte
	// Type and Time are those of the latest event that it shows.
	Type     sdk.Type
	Time     time.Time
	PostedAt time.Time
	// LeasedBy is the delivery that has the message under way, until LeasedUntil at the
	// longest.
	LeasedBy    uuid.UUID
	LeasedUntil time.Time
}

// Lease is a message that a delivery may post or edit.
type Lease struct {
	Correlation
	// Told are the events that the message tells, as far as they are stored.
	Told []event.Event
	// Now is the database's time.
	Now time.Time
	// Busy is how long another delivery may have the message at the longest; zero says that
	// the lease is the caller's.
	Busy time.Duration
}

// errLeased ends the transaction of a lease that another has.
var errLeased = errors.New("leased")

// LeaseMessage takes the message of a story for a delivery, for a while or until it is
// settled. The same delivery may take it again.
func (s *Store) LeaseMessage(ctx context.Context, target, key string, delivery uuid.UUID, d time.Duration) (l Lease, err error) {
	var told []uuid.UUID
	err = s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		l = Lease{}
		l.Correlation, l.Now, err = tx.LockCorrelation(ctx, target, ShortKey(key))
		if err != nil {
			return err
		}
		if l.LeasedBy != uuid.Nil && l.LeasedBy != delivery && l.Now.Before(l.LeasedUntil) {
			l.Busy = l.LeasedUntil.Sub(l.Now)
			return errLeased
		}
		l.LeasedBy, l.LeasedUntil = delivery, l.Now.Add(d)
		if err := tx.SaveCorrelation(ctx, &l.Correlation); err != nil {
			return err
		}
		told, err = tx.CorrelationEvents(ctx, target, l.Key)
		return err
	})
	if err != nil && !errors.Is(err, errLeased) {
		return Lease{}, fmt.Errorf("lease message of target %s: %w", target, err)
	}
	if l.Busy > 0 || len(told) == 0 {
		return l, nil
	}
	if l.Told, err = s.engine.LoadEvents(ctx, told, mostOfDelivery); err != nil {
		return Lease{}, fmt.Errorf("load events of a message of target %s: %w", target, err)
	}
	return l, nil
}

// Shown is what a settlement says of the message of its delivery's story. Its lease ends.
type Shown struct {
	Key string
	// Events are those that the message tells, if the delivery is delivered; Type and Time
	// are of the latest.
	Events []uuid.UUID
	Type   sdk.Type
	Time   time.Time
	// Anew says that it is another message than before.
	Anew bool
}

// show records what messages show and gives their leases back. One whose lease has ended
// and was taken by another delivery is that one's.
func show(ctx context.Context, tx Tx, s *Settlement) error {
	c, now, err := tx.LockCorrelation(ctx, s.Target, ShortKey(s.Shown.Key))
	if err != nil || c.LeasedBy != s.DeliveryID {
		return err
	}
	c.LeasedBy, c.LeasedUntil = uuid.Nil, time.Time{}
	if s.State == event.Delivered || s.State == event.Verifying {
		if s.Shown.Anew || c.MessageID != s.MessageID {
			c.PostedAt = now
			if err := tx.ForgetCorrelationEvents(ctx, c.Target, c.Key); err != nil {
				return err
			}
		}
		c.Delivery, c.MessageID, c.Receipt = s.DeliveryID, CleanText(s.MessageID), s.Receipt
		c.Type, c.Time = s.Shown.Type, s.Shown.Time
		if err := tx.AddCorrelationEvents(ctx, c.Target, c.Key, s.Shown.Events); err != nil {
			return err
		}
	}
	return tx.SaveCorrelation(ctx, &c)
}
