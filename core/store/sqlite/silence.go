package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/store"
)

const silenceCols = `id, expression, target, who, via, comment, starts_at, ends_at, silenced`

func scanSilence(row scanner) (n store.Silence, err error) {
	var starts, ends int64
	err = row.Scan(&n.ID, &n.Expression, &n.Target, &n.Who, &n.Via, &n.Comment, &starts, &ends, &n.Silenced)
	n.StartsAt, n.EndsAt = fromMicros(starts), fromMicros(ends)
	return n, err
}

const (
	listSilencesSQL = `
SELECT ` + silenceCols + ` FROM silences WHERE ends_at > ? ORDER BY ends_at DESC, id DESC LIMIT ?`
	findSilenceSQL   = `SELECT ` + silenceCols + ` FROM silences WHERE id = ?`
	insertSilenceSQL = `
INSERT INTO silences (id, expression, target, who, via, comment, starts_at, ends_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	countActiveSQL   = `SELECT count(*) FROM silences WHERE ends_at > ?`
	expireSilenceSQL = `UPDATE silences SET ends_at = ? WHERE id = ?`
	countSilencedSQL = `UPDATE silences SET silenced = silenced + ? WHERE id = ?`
	purgeSilencesSQL = `
DELETE FROM silences WHERE id IN (SELECT id FROM silences WHERE ends_at < ? ORDER BY ends_at LIMIT ?)`
)

// ListSilences returns the silences that are active or ended lately.
func (e *Engine) ListSilences(ctx context.Context, past time.Duration) ([]store.Silence, time.Time, error) {
	now := micros(time.Now())
	list, err := collect(ctx, e.read, scanSilence, listSilencesSQL, now-past.Microseconds(), store.MaxSilences)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("list silences: %w", err)
	}
	return list, fromMicros(now), nil
}

func (t *tx) InsertSilence(ctx context.Context, n *store.Silence, length time.Duration) (active int, err error) {
	ends := micros(n.EndsAt)
	if length > 0 {
		ends = t.now + length.Microseconds()
	}
	n.StartsAt, n.EndsAt = fromMicros(t.now), fromMicros(ends)
	err = t.exec(ctx, insertSilenceSQL, n.ID[:], store.CleanText(n.Expression), store.CleanText(n.Target), store.CleanText(n.Who),
		store.CleanText(n.Via), store.CleanText(n.Comment), t.now, ends)
	if err != nil {
		return 0, err
	}
	err = t.QueryRowContext(ctx, countActiveSQL, t.now).Scan(&active)
	return active, err
}

func (t *tx) ExpireSilence(ctx context.Context, id uuid.UUID) (store.Silence, bool, error) {
	n, err := scanSilence(t.QueryRowContext(ctx, findSilenceSQL, id[:]))
	now := fromMicros(t.now)
	if err != nil || !n.EndsAt.After(now) {
		return n, false, notFound(err)
	}
	n.EndsAt = now
	return n, true, t.exec(ctx, expireSilenceSQL, t.now, id[:])
}

func (t *tx) CountSilenced(ctx context.Context, counts map[uuid.UUID]int) error {
	for id, n := range counts {
		if err := t.exec(ctx, countSilencedSQL, n, id[:]); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) PurgeSilences(ctx context.Context, olderThan time.Duration, limit int) (int, error) {
	return t.changed(ctx, purgeSilencesSQL, t.now-olderThan.Microseconds(), limit)
}
