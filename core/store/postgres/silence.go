package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/hookarr/hookarr/core/store"
)

const silenceCols = `s.id, s.expression, s.target, s.who, s.via, s.comment, s.starts_at, s.ends_at, s.silenced`

// scanSilence scans a silence, and more columns behind it.
func scanSilence(row pgx.Row, more ...any) (n store.Silence, err error) {
	dest := []any{
		(*[16]byte)(&n.ID), &n.Expression, &n.Target, &n.Who, &n.Via, &n.Comment, &n.StartsAt, &n.EndsAt, &n.Silenced,
	}
	err = row.Scan(append(dest, more...)...)
	n.StartsAt, n.EndsAt = n.StartsAt.UTC(), n.EndsAt.UTC()
	return n, err
}

const (
	listSilencesSQL = `
SELECT ` + silenceCols + ` FROM silences s WHERE s.ends_at > now() - $1::bigint * interval '1 microsecond'
ORDER BY s.ends_at DESC, s.id DESC LIMIT $2`
	insertSilenceSQL = `
INSERT INTO silences (id, expression, target, who, via, comment, ends_at)
VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $7::bigint > 0 THEN now() + $7::bigint * interval '1 microsecond' ELSE $8 END)
RETURNING starts_at, ends_at`
	countActiveSQL   = `SELECT count(*) FROM silences WHERE ends_at > now()`
	lockSilenceSQL   = `SELECT ` + silenceCols + `, s.ends_at > now() FROM silences s WHERE s.id = $1 FOR UPDATE`
	expireSilenceSQL = `UPDATE silences SET ends_at = now() WHERE id = $1 RETURNING ends_at`
	countSilencedSQL = `
UPDATE silences s SET silenced = s.silenced + c.n FROM unnest($1::uuid[], $2::bigint[]) AS c (id, n)
WHERE s.id = c.id AND s.id = ANY(ARRAY(SELECT id FROM silences WHERE id = ANY($1) ORDER BY id FOR UPDATE))`
	purgeSilencesSQL = `
DELETE FROM silences WHERE id = ANY(ARRAY(
	SELECT id FROM silences WHERE ends_at < now() - $1::bigint * interval '1 microsecond' ORDER BY ends_at LIMIT $2 FOR UPDATE SKIP LOCKED))`
)

// ListSilences returns the silences that are active or ended lately.
func (e *Engine) ListSilences(ctx context.Context, past time.Duration) (list []store.Silence, now time.Time, err error) {
	var batch pgx.Batch
	batch.Queue(`SELECT now()`)
	batch.Queue(listSilencesSQL, past.Microseconds(), store.MaxSilences)
	results := e.pool.SendBatch(ctx, &batch)
	defer func() {
		if closed := results.Close(); err == nil {
			err = closed
		}
		if err != nil {
			err = fmt.Errorf("list silences: %w", oneLine(err))
		}
	}()
	if err = results.QueryRow().Scan(&now); err != nil {
		return nil, now, err
	}
	rows, err := results.Query()
	list, err = collect(rows, err, func(rows pgx.Rows) (store.Silence, error) { return scanSilence(rows) })
	return list, now.UTC(), err
}

func (t *tx) InsertSilence(ctx context.Context, n *store.Silence, length time.Duration) (active int, err error) {
	err = t.QueryRow(ctx, insertSilenceSQL, n.ID, store.CleanText(n.Expression), store.CleanText(n.Target), store.CleanText(n.Who),
		store.CleanText(n.Via), store.CleanText(n.Comment), length.Microseconds(), n.EndsAt).Scan(&n.StartsAt, &n.EndsAt)
	if err != nil {
		return 0, err
	}
	n.StartsAt, n.EndsAt = n.StartsAt.UTC(), n.EndsAt.UTC()
	err = t.QueryRow(ctx, countActiveSQL).Scan(&active)
	return active, err
}

func (t *tx) ExpireSilence(ctx context.Context, id uuid.UUID) (n store.Silence, was bool, err error) {
	if n, err = scanSilence(t.QueryRow(ctx, lockSilenceSQL, id), &was); err != nil || !was {
		return n, false, notFound(err)
	}
	err = t.QueryRow(ctx, expireSilenceSQL, id).Scan(&n.EndsAt)
	n.EndsAt = n.EndsAt.UTC()
	return n, true, err
}

func (t *tx) CountSilenced(ctx context.Context, counts map[uuid.UUID]int) error {
	ids, more := make([]uuid.UUID, 0, len(counts)), make([]int64, 0, len(counts))
	for id, n := range counts {
		ids, more = append(ids, id), append(more, int64(n))
	}
	_, err := t.Exec(ctx, countSilencedSQL, uuids(ids), more)
	return err
}

func (t *tx) PurgeSilences(ctx context.Context, olderThan time.Duration, limit int) (int, error) {
	return affected(t.Exec(ctx, purgeSilencesSQL, olderThan.Microseconds(), limit))
}
