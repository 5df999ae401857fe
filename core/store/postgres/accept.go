package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// Accept commits an event, its deliveries and their jobs, or finds that it repeats
// another. A server that is away is waited for until ctx ends, if it has a deadline.
func (s *Store) Accept(ctx context.Context, a *store.Acceptance) (store.Accepted, error) {
	_, patient := ctx.Deadline()
	for {
		accepted, err := s.accepts.Do(ctx, a)
		if err == nil || !patient || ctx.Err() != nil || errors.Is(err, store.ErrClosed) || !isOutage(err) {
			if err != nil {
				err = fmt.Errorf("accept event: %w", err)
			}
			return accepted, err
		}
		select {
		case <-ctx.Done():
			return store.Accepted{}, fmt.Errorf("accept event: %w", err)
		case <-time.After(outagePause):
		}
	}
}

// acceptBatch accepts a batch in one transaction. It may be repeated when it is not
// known whether it was committed: rows that are there already stay.
func (s *Store) acceptBatch(ctx context.Context, items []*store.Acceptance) ([]store.Accepted, error) {
	var accepted []store.Accepted
	err := s.inTx(ctx, func(tx pgx.Tx) (err error) {
		accepted, err = s.accept(ctx, tx, items)
		return err
	})
	return accepted, err
}

// accept takes acceptances in, in their order.
func (s *Store) accept(ctx context.Context, tx pgx.Tx, items []*store.Acceptance) ([]store.Accepted, error) {
	accepted := make([]store.Accepted, 0, len(items))
	var jobs []river.InsertManyParams
	for len(items) > 0 {
		n := untilClear(items)
		f := foldBatch(items[:n])
		items = items[n:]
		held, err := take(ctx, tx, f)
		if err != nil {
			return nil, err
		}
		more, err := insertFresh(ctx, tx, f, held)
		if err != nil {
			return nil, err
		}
		if err := enrichTwins(ctx, tx, f); err != nil {
			return nil, err
		}
		jobs = append(jobs, more...)
		for i := range f.items {
			accepted = append(accepted, f.accepted(i))
		}
	}
	return accepted, s.insertJobs(ctx, tx, jobs)
}

// untilClear returns how many items come before the next one that frees keys: it must
// see those of its predecessors taken, and its successors see them free.
func untilClear(items []*store.Acceptance) int {
	for i := 1; i < len(items); i++ {
		if items[i].Clears != "" {
			return i
		}
	}
	return len(items)
}

func (s *Store) insertJobs(ctx context.Context, tx pgx.Tx, jobs []river.InsertManyParams) error {
	if len(jobs) == 0 {
		return nil
	}
	if _, err := s.jobs.InsertManyFastTx(ctx, tx, jobs); err != nil {
		return fmt.Errorf("insert jobs: %w", err)
	}
	return nil
}

const (
	clearSQL = `DELETE FROM dedup WHERE source = $1 AND story = $2`
	// lockHoldsSQL keeps holds from ending unseen until the transaction does.
	lockHoldsSQL = `SELECT target, reason FROM target_state WHERE target = ANY($1) ORDER BY target FOR SHARE`
	claimSQL     = `
INSERT INTO dedup (source, key, event_id, story, expires_at)
SELECT source, key, event_id, nullif(story, ''), now() + us * interval '1 microsecond'
FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::bigint[]) AS c (source, key, event_id, story, us)
ON CONFLICT (source, key) DO UPDATE
SET event_id = excluded.event_id, story = excluded.story, seen_at = now(), expires_at = excluded.expires_at
WHERE dedup.expires_at <= now()`
	ownersSQL = `
SELECT c.n, d.event_id
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS c (source, key, n)
JOIN dedup d ON d.source = c.source AND d.key = c.key`
	unclaimSQL = `
DELETE FROM dedup d USING unnest($1::text[], $2::text[]) AS c (source, key)
WHERE d.source = c.source AND d.key = c.key`
)

// take claims the keys of a batch, finds its repetitions of stored events, and returns
// the targets on hold, with the reasons.
func take(ctx context.Context, tx pgx.Tx, f *fold) (held map[string]string, err error) {
	held = make(map[string]string)
	var batch pgx.Batch
	if first := f.items[0]; first.Clears != "" {
		if story := store.Story("", string(first.Clears), first.Event.CorrelationKey); story != "" {
			batch.Queue(clearSQL, store.CleanText(first.Event.Source), story)
		}
	}
	if targets := targetsOf(f.items); len(targets) > 0 {
		batch.Queue(lockHoldsSQL, targets).Query(func(rows pgx.Rows) error {
			var target, reason string
			_, err := pgx.ForEachRow(rows, []any{&target, &reason}, func() error { held[target] = reason; return nil })
			return err
		})
	}
	c := columnsOf(f)
	won := int64(len(f.claims))
	if len(f.claims) > 0 {
		batch.Queue(claimSQL, c.sources, c.keys, uuids(c.owners), c.stories, c.windows).Exec(func(tag pgconn.CommandTag) error {
			won = tag.RowsAffected()
			return nil
		})
	}
	if batch.Len() > 0 {
		if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
			return nil, fmt.Errorf("take dedup keys: %w", err)
		}
	}
	if won < int64(len(f.claims)) {
		if err := f.findOwners(ctx, tx, c); err != nil {
			return nil, fmt.Errorf("find repeated events: %w", err)
		}
	}
	return held, nil
}

// claimColumns are the claims as the arrays of a statement.
type claimColumns struct {
	sources, keys, stories []string
	owners                 []uuid.UUID
	windows                []int64
}

func columnsOf(f *fold) claimColumns {
	n := len(f.claims)
	c := claimColumns{
		sources: make([]string, n), keys: make([]string, n), stories: make([]string, n),
		owners: make([]uuid.UUID, n), windows: make([]int64, n),
	}
	for i, claim := range f.claims {
		c.sources[i], c.keys[i], c.stories[i] = claim.source, claim.key, claim.story
		c.owners[i], c.windows[i] = f.items[claim.item].Event.ID, claim.window.Microseconds()
	}
	return c
}

// findOwners reads whose the claimed keys are. An item that repeats a stored event
// then gives up the keys that it won: else what repeats faster than one of its windows
// would renew the others for ever, and never be new again.
func (f *fold) findOwners(ctx context.Context, tx pgx.Tx, c claimColumns) error {
	rows, err := tx.Query(ctx, ownersSQL, c.sources, c.keys)
	if err != nil {
		return err
	}
	var n int
	var owner pgtype.UUID
	if _, err := pgx.ForEachRow(rows, []any{&n, &owner}, func() error {
		if owner.Bytes != c.owners[n-1] {
			f.lost(f.claims[n-1], owner.Bytes)
			c.owners[n-1] = owner.Bytes
		}
		return nil
	}); err != nil {
		return err
	}
	var sources, keys []string
	for i, claim := range f.claims {
		if own := f.items[claim.item].Event.ID; c.owners[i] == own && f.owner[claim.item] != own {
			sources, keys = append(sources, claim.source), append(keys, claim.key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	_, err = tx.Exec(ctx, unclaimSQL, sources, keys)
	return err
}

func targetsOf(items []*store.Acceptance) []string {
	var targets []string
	seen := make(map[string]bool)
	for _, a := range items {
		for _, d := range a.Deliveries {
			if !seen[d.Target] {
				seen[d.Target] = true
				targets = append(targets, d.Target)
			}
		}
	}
	return targets
}

const (
	insertEventsSQL = `
INSERT INTO events (id, received_at, crashes, source, state, origin, type, title, summary, fingerprint,
	correlation_key, reason, method, query, header, body, normalized)
SELECT id, coalesce(received_at, now()), crashes, source, state, origin, type, title, summary, fingerprint,
	correlation_key, reason, method, query, header, body, normalized
FROM unnest($1::uuid[], $2::timestamptz[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
	$9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bytea[], $17::bytea[])
	AS e (id, received_at, crashes, source, state, origin, type, title, summary, fingerprint,
	correlation_key, reason, method, query, header, body, normalized)
ON CONFLICT (id) DO NOTHING`
	insertDeliveriesSQL = `
INSERT INTO deliveries (id, event_id, target, route, state, reason)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[])
ON CONFLICT (id) DO NOTHING`
)

// insertFresh inserts the events of a batch that repeat none, with their deliveries,
// and returns the jobs that they need.
func insertFresh(ctx context.Context, tx pgx.Tx, f *fold, held map[string]string) ([]river.InsertManyParams, error) {
	var events eventColumns
	var deliveries deliveryColumns
	var jobs []river.InsertManyParams
	for i, a := range f.items {
		if !f.fresh(i) {
			continue
		}
		if err := events.add(&a.Event); err != nil {
			return nil, err
		}
		jobs = append(jobs, deliveries.add(a, held)...)
		if a.Event.State == event.Deferred {
			jobs = append(jobs, store.DecodeJob(a.Event.ID))
		}
	}
	if len(events.ids) == 0 {
		return nil, nil
	}
	var batch pgx.Batch
	batch.Queue(insertEventsSQL, events.args()...)
	deliveries.queue(&batch)
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return nil, fmt.Errorf("insert events: %w", err)
	}
	return jobs, nil
}

// eventColumns are events as the arrays of insertEventsSQL.
type eventColumns struct {
	ids        []uuid.UUID
	received   pgtype.FlatArray[pgtype.Timestamptz]
	crashes    []int32
	texts      [12][]string
	bodies     [][]byte
	normalized [][]byte
}

func (c *eventColumns) add(e *event.Event) error {
	texts, err := store.EventTexts(e)
	if err != nil {
		return err
	}
	for i, t := range texts {
		c.texts[i] = append(c.texts[i], t)
	}
	c.ids = append(c.ids, e.ID)
	c.received = append(c.received, pgtype.Timestamptz{Time: e.ReceivedAt, Valid: !e.ReceivedAt.IsZero()})
	c.crashes = append(c.crashes, int32(e.Crashes))
	body := e.Request.Body
	if body == nil {
		body = []byte{} // the column takes no null
	}
	c.bodies = append(c.bodies, body)
	c.normalized = append(c.normalized, e.Normalized)
	return nil
}

func (c *eventColumns) args() []any {
	args := []any{uuids(c.ids), c.received, c.crashes}
	for _, t := range c.texts {
		args = append(args, t)
	}
	return append(args, c.bodies, c.normalized)
}

// deliveryColumns are deliveries as the arrays of insertDeliveriesSQL.
type deliveryColumns struct {
	ids, events                      []uuid.UUID
	targets, routes, states, reasons []string
}

// add adds the deliveries of an acceptance and returns the jobs of those that wait for
// no hold.
func (c *deliveryColumns) add(a *store.Acceptance, held map[string]string) []river.InsertManyParams {
	var jobs []river.InsertManyParams
	pending := false
	for _, d := range a.Deliveries {
		state := event.Pending
		reason, onHold := held[d.Target]
		switch {
		case onHold:
			state = event.Held
		case a.Enrich:
			pending = true
		default:
			jobs = append(jobs, store.DeliverJob(d.ID, d.Target))
		}
		c.ids, c.events = append(c.ids, d.ID), append(c.events, a.Event.ID)
		c.targets, c.routes = append(c.targets, d.Target), append(c.routes, d.Route)
		c.states, c.reasons = append(c.states, string(state)), append(c.reasons, reason)
	}
	if pending {
		jobs = append(jobs, store.EnrichJob(a.Event.ID))
	}
	return jobs
}

func (c *deliveryColumns) queue(batch *pgx.Batch) {
	if len(c.ids) > 0 {
		batch.Queue(insertDeliveriesSQL, uuids(c.ids), uuids(c.events), c.targets, c.routes, c.states, c.reasons)
	}
}
