package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// Accept commits an event, its deliveries and their jobs, or finds that it repeats
// another.
func (s *Store) Accept(ctx context.Context, a *store.Acceptance) (store.Accepted, error) {
	accepted, err := s.accepts.Do(ctx, a)
	if err != nil {
		return store.Accepted{}, fmt.Errorf("accept event: %w", err)
	}
	return accepted, nil
}

func (s *Store) acceptBatch(ctx context.Context, items []*store.Acceptance) ([]store.Accepted, error) {
	accepted := make([]store.Accepted, len(items))
	err := s.inTx(ctx, func(t *tx) error {
		for i, a := range items {
			var err error
			if accepted[i], err = t.accept(a); err != nil {
				return err
			}
		}
		return nil
	})
	return accepted, err
}

const (
	clearSQL = `DELETE FROM dedup WHERE source = ? AND story = ?`
	claimSQL = `
INSERT INTO dedup (source, key, event_id, story, seen_at, expires_at) VALUES (?1, ?2, ?3, nullif(?4, ''), ?5, ?6)
ON CONFLICT (source, key) DO UPDATE
SET event_id = excluded.event_id, story = excluded.story, seen_at = excluded.seen_at, expires_at = excluded.expires_at
WHERE dedup.expires_at <= excluded.seen_at`
	ownerSQL       = `SELECT event_id FROM dedup WHERE source = ? AND key = ?`
	unclaimSQL     = `DELETE FROM dedup WHERE source = ? AND key = ?`
	insertEventSQL = `
INSERT INTO events (id, received_at, crashes, source, state, origin, type, title, summary, fingerprint,
	correlation_key, reason, method, query, header, body, normalized)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING`
	holdReasonSQL     = `SELECT reason FROM target_state WHERE target = ?`
	insertDeliverySQL = `
INSERT INTO deliveries (id, event_id, target, route, state, reason, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)
ON CONFLICT (id) DO NOTHING`
)

func (t *tx) accept(a *store.Acceptance) (store.Accepted, error) {
	owner, err := t.take(a)
	if err != nil {
		return store.Accepted{}, err
	}
	if owner != a.Event.ID {
		return store.Accepted{EventID: owner, Duplicate: true}, t.enrichTwin(owner, a)
	}
	e := &a.Event
	texts, err := store.EventTexts(e)
	if err != nil {
		return store.Accepted{}, err
	}
	received := t.now
	if !e.ReceivedAt.IsZero() {
		received = micros(e.ReceivedAt)
	}
	args := []any{e.ID[:], received, e.Crashes}
	for _, text := range texts {
		args = append(args, text)
	}
	body := e.Request.Body
	if body == nil {
		body = []byte{} // the column takes no null
	}
	if _, err := t.exec(insertEventSQL, append(args, body, e.Normalized)...); err != nil {
		return store.Accepted{}, fmt.Errorf("insert event: %w", err)
	}
	if e.State == event.Deferred {
		t.jobs = append(t.jobs, store.DecodeJob(e.ID))
	}
	return store.Accepted{EventID: e.ID}, t.insertDeliveries(a)
}

// take claims the keys of an event and returns the event that it repeats, or its own
// id. A repetition gives up the keys that it won: else what repeats faster than one of
// its windows would renew the others for ever, and never be new again.
func (t *tx) take(a *store.Acceptance) (uuid.UUID, error) {
	source := store.CleanText(a.Event.Source)
	if a.Clears != "" {
		if story := store.Story("", string(a.Clears), a.Event.CorrelationKey); story != "" {
			if _, err := t.exec(clearSQL, source, story); err != nil {
				return uuid.Nil, fmt.Errorf("free dedup keys: %w", err)
			}
		}
	}
	owner := a.Event.ID
	var won []string
	for _, k := range a.Keys {
		key := store.ShortKey(k.Key)
		story := store.Story(key, string(a.Event.Type), a.Event.CorrelationKey)
		n, err := t.changed(claimSQL, source, key, a.Event.ID[:], story, t.now, t.now+k.Window.Microseconds())
		if err != nil {
			return uuid.Nil, fmt.Errorf("take dedup key: %w", err)
		}
		if n > 0 {
			won = append(won, key)
			continue
		}
		if owner != a.Event.ID {
			continue
		}
		if err := t.row(ownerSQL, []any{source, key}, &owner); err != nil {
			return uuid.Nil, fmt.Errorf("find repeated event: %w", err)
		}
	}
	if owner == a.Event.ID {
		return owner, nil
	}
	for _, key := range won {
		if _, err := t.exec(unclaimSQL, source, key); err != nil {
			return uuid.Nil, fmt.Errorf("give up dedup key: %w", err)
		}
	}
	return owner, nil
}

// insertDeliveries inserts deliveries: held when their target is on hold, else with
// jobs.
func (t *tx) insertDeliveries(a *store.Acceptance) error {
	pending := false
	for _, d := range a.Deliveries {
		state, reason := event.Held, ""
		err := t.row(holdReasonSQL, []any{d.Target}, &reason)
		if errors.Is(err, sql.ErrNoRows) {
			state, pending = event.Pending, true
			if !a.Enrich {
				t.jobs = append(t.jobs, store.DeliverJob(d.ID, d.Target))
			}
		} else if err != nil {
			return fmt.Errorf("read hold: %w", err)
		}
		if _, err := t.exec(insertDeliverySQL, d.ID[:], a.Event.ID[:], d.Target, d.Route, string(state), reason, t.now); err != nil {
			return fmt.Errorf("insert delivery: %w", err)
		}
	}
	if a.Enrich && pending {
		t.jobs = append(t.jobs, store.EnrichJob(a.Event.ID))
	}
	return nil
}

const resolveSQL = `
UPDATE events SET state = ?, type = ?, title = ?, summary = ?, fingerprint = ?, correlation_key = ?, reason = ?,
	normalized = ?, crashes = ?
WHERE id = ?`

// Resolve gives a stored deferred event its decoded form, its deliveries and their
// jobs.
func (s *Store) Resolve(ctx context.Context, a *store.Acceptance) (store.Accepted, error) {
	accepted := store.Accepted{EventID: a.Event.ID}
	err := s.inTx(ctx, func(t *tx) error {
		var state event.State
		err := t.row(`SELECT state FROM events WHERE id = ?`, []any{a.Event.ID[:]}, &state)
		if errors.Is(err, sql.ErrNoRows) {
			return store.ErrNotFound
		}
		if err != nil || state != event.Deferred {
			return err
		}
		if accepted.EventID, err = t.take(a); err != nil {
			return err
		}
		e := a.Event
		if accepted.EventID != e.ID {
			accepted.Duplicate = true
			e.State, e.Reason = event.Duplicate, "repeats "+accepted.EventID.String()
		} else if err := t.insertDeliveries(a); err != nil {
			return err
		}
		texts, err := store.EventTexts(&e)
		if err != nil {
			return err
		}
		_, err = t.exec(resolveSQL, texts[1], texts[3], texts[4], texts[5], texts[6], texts[7], texts[8], e.Normalized, e.Crashes, e.ID[:])
		return err
	})
	if err != nil {
		return store.Accepted{}, fmt.Errorf("resolve event %s: %w", a.Event.ID, err)
	}
	return accepted, nil
}

// Enriched stores what was fetched and lets the deliveries go.
func (s *Store) Enriched(ctx context.Context, id uuid.UUID, normalized []byte) error {
	err := s.inTx(ctx, func(t *tx) error {
		if normalized != nil {
			if _, err := t.exec(`UPDATE events SET normalized = ? WHERE id = ?`, normalized, id[:]); err != nil {
				return fmt.Errorf("update event: %w", err)
			}
		}
		waiting, err := collect(ctx, t.Tx, scanJob, `SELECT id, target FROM deliveries WHERE event_id = ? AND state = 'pending'`, id[:])
		if err != nil {
			return fmt.Errorf("find deliveries: %w", err)
		}
		t.jobs = append(t.jobs, waiting...)
		return nil
	})
	if err != nil {
		return fmt.Errorf("enrich event %s: %w", id, err)
	}
	return nil
}

func scanJob(row scanner) (river.InsertManyParams, error) {
	var id uuid.UUID
	var target string
	err := row.Scan(&id, &target)
	return store.DeliverJob(id, target), err
}
