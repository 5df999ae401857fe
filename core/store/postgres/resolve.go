package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

const resolveSQL = `
UPDATE events SET state = $2, type = $3, title = $4, summary = $5, fingerprint = $6, correlation_key = $7,
	normalized = $8, reason = $9, crashes = $10
WHERE id = $1`

// Resolve gives a stored deferred event its decoded form, its deliveries and their
// jobs.
func (s *Store) Resolve(ctx context.Context, a *store.Acceptance) (store.Accepted, error) {
	accepted := store.Accepted{EventID: a.Event.ID}
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		var state event.State
		err := tx.QueryRow(ctx, `SELECT state FROM events WHERE id = $1 FOR UPDATE`, a.Event.ID).Scan(&state)
		if errors.Is(err, pgx.ErrNoRows) {
			return store.ErrNotFound
		}
		if err != nil || state != event.Deferred {
			return err
		}
		f := foldBatch([]*store.Acceptance{a})
		held, err := take(ctx, tx, f)
		if err != nil {
			return err
		}
		accepted = f.accepted(0)
		e := a.Event
		var deliveries deliveryColumns
		var jobs []river.InsertManyParams
		if accepted.Duplicate {
			e.State, e.Reason = event.Duplicate, "repeats "+accepted.EventID.String()
		} else {
			jobs = deliveries.add(a, held)
		}
		texts, err := store.EventTexts(&e)
		if err != nil {
			return err
		}
		var batch pgx.Batch
		batch.Queue(resolveSQL, e.ID, texts[1], texts[3], texts[4], texts[5], texts[6], texts[7], e.Normalized, texts[8], e.Crashes)
		deliveries.queue(&batch)
		if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
			return fmt.Errorf("update event: %w", err)
		}
		return s.insertJobs(ctx, tx, jobs)
	})
	if err != nil {
		return store.Accepted{}, fmt.Errorf("resolve event %s: %w", a.Event.ID, err)
	}
	return accepted, nil
}

// Enriched stores what was fetched and lets the deliveries go.
func (s *Store) Enriched(ctx context.Context, id uuid.UUID, normalized []byte) error {
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		if normalized != nil {
			if _, err := tx.Exec(ctx, `UPDATE events SET normalized = $2 WHERE id = $1`, id, normalized); err != nil {
				return fmt.Errorf("update event: %w", err)
			}
		}
		rows, err := tx.Query(ctx, `SELECT id, target FROM deliveries WHERE event_id = $1 AND state = 'pending'`, id)
		if err != nil {
			return fmt.Errorf("find deliveries: %w", err)
		}
		var jobs []river.InsertManyParams
		var delivery uuid.UUID
		var target string
		if _, err := pgx.ForEachRow(rows, []any{&delivery, &target}, func() error {
			jobs = append(jobs, store.DeliverJob(delivery, target))
			return nil
		}); err != nil {
			return fmt.Errorf("find deliveries: %w", err)
		}
		return s.insertJobs(ctx, tx, jobs)
	})
	if err != nil {
		return fmt.Errorf("enrich event %s: %w", id, err)
	}
	return nil
}
