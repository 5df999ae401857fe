package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hookarr/hookarr/core/store"
)

const sessionCols = `id, who, via, role, agent, proof, created_at, seen_at, expires_at`

// scanSession scans a session, and more columns behind it.
func scanSession(row pgx.Row, more ...any) (n store.Session, err error) {
	var id []byte
	dest := []any{&id, &n.Who, &n.Via, &n.Role, &n.Agent, &n.Proof, &n.CreatedAt, &n.SeenAt, &n.ExpiresAt}
	err = row.Scan(append(dest, more...)...)
	copy(n.ID[:], id)
	n.CreatedAt, n.SeenAt, n.ExpiresAt = n.CreatedAt.UTC(), n.SeenAt.UTC(), n.ExpiresAt.UTC()
	return n, err
}

const (
	findSessionSQL   = `SELECT ` + sessionCols + `, now() FROM sessions WHERE id = $1 AND expires_at > now()`
	listSessionsSQL  = `SELECT ` + sessionCols + ` FROM sessions WHERE expires_at > now() ORDER BY expires_at DESC, id DESC LIMIT $1`
	insertSessionSQL = `
INSERT INTO sessions (id, who, via, role, agent, proof, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, now() + $7::bigint * interval '1 microsecond') RETURNING created_at, seen_at, expires_at`
	touchSessionSQL = `
UPDATE sessions SET seen_at = now(),
	expires_at = least(now() + $2::bigint * interval '1 microsecond', created_at + $3::bigint * interval '1 microsecond')
WHERE id = $1 AND expires_at > now() AND seen_at < now()`
	dropSessionsSQL = `DELETE FROM sessions WHERE id = ANY($1) AND expires_at > now()`
	dropOthersSQL   = `DELETE FROM sessions WHERE id <> $1 AND expires_at > now()`
	insertLinkSQL   = `
INSERT INTO sign_in_links (id, who, expires_at) VALUES ($1, $2, now() + $3::bigint * interval '1 microsecond') RETURNING expires_at`
	findLinkSQL  = `SELECT who FROM sign_in_links WHERE id = $1 AND expires_at > now()`
	takeLinkSQL  = `DELETE FROM sign_in_links WHERE id = $1 AND expires_at > now() RETURNING who`
	dropLinksSQL = `DELETE FROM sign_in_links`

	purgeSessionsSQL = `
DELETE FROM sessions WHERE id = ANY(ARRAY(
	SELECT id FROM sessions WHERE expires_at <= now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED))`
	purgeLinksSQL = `
DELETE FROM sign_in_links WHERE id = ANY(ARRAY(
	SELECT id FROM sign_in_links WHERE expires_at <= now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED))`
)

// FindSession returns a session that has not expired, and the database's time.
func (e *Engine) FindSession(ctx context.Context, id store.SecretID) (n store.Session, now time.Time, err error) {
	if n, err = scanSession(e.pool.QueryRow(ctx, findSessionSQL, id[:]), &now); err != nil {
		return store.Session{}, time.Time{}, fmt.Errorf("find session: %w", oneLine(notFound(err)))
	}
	return n, now.UTC(), nil
}

// ListSessions returns the sessions that have not expired.
func (e *Engine) ListSessions(ctx context.Context) ([]store.Session, error) {
	rows, err := e.pool.Query(ctx, listSessionsSQL, store.MaxSessions)
	list, err := collect(rows, err, func(rows pgx.Rows) (store.Session, error) { return scanSession(rows) })
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", oneLine(err))
	}
	return list, nil
}

// FindLink returns whose a link is that has not expired.
func (e *Engine) FindLink(ctx context.Context, id store.SecretID) (who string, err error) {
	if err = e.pool.QueryRow(ctx, findLinkSQL, id[:]).Scan(&who); err != nil {
		return "", fmt.Errorf("find link: %w", oneLine(notFound(err)))
	}
	return who, nil
}

func (t *tx) InsertSession(ctx context.Context, n *store.Session) error {
	err := t.QueryRow(ctx, insertSessionSQL, n.ID[:], store.CleanText(n.Who), n.Via, n.Role, store.CleanText(n.Agent), n.Proof,
		store.SessionIdle.Microseconds()).Scan(&n.CreatedAt, &n.SeenAt, &n.ExpiresAt)
	n.CreatedAt, n.SeenAt, n.ExpiresAt = n.CreatedAt.UTC(), n.SeenAt.UTC(), n.ExpiresAt.UTC()
	return err
}

func (t *tx) TouchSession(ctx context.Context, id store.SecretID) error {
	_, err := t.Exec(ctx, touchSessionSQL, id[:], store.SessionIdle.Microseconds(), store.SessionAge.Microseconds())
	return err
}

func (t *tx) DropSessions(ctx context.Context, ids []store.SecretID) (int, error) {
	raw := make([][]byte, len(ids))
	for i, id := range ids {
		raw[i] = id[:]
	}
	return affected(t.Exec(ctx, dropSessionsSQL, raw))
}

func (t *tx) DropOtherSessions(ctx context.Context, but store.SecretID) (int, error) {
	n, err := affected(t.Exec(ctx, dropOthersSQL, but[:]))
	if err != nil {
		return 0, err
	}
	_, err = t.Exec(ctx, dropLinksSQL)
	return n, err
}

func (t *tx) InsertLink(ctx context.Context, id store.SecretID, who string) (expires time.Time, err error) {
	err = t.QueryRow(ctx, insertLinkSQL, id[:], store.CleanText(who), store.LinkAge.Microseconds()).Scan(&expires)
	return expires.UTC(), err
}

func (t *tx) TakeLink(ctx context.Context, id store.SecretID) (who string, err error) {
	err = t.QueryRow(ctx, takeLinkSQL, id[:]).Scan(&who)
	return who, notFound(err)
}

func (t *tx) PurgeSessions(ctx context.Context, limit int) (int, error) {
	n, err := affected(t.Exec(ctx, purgeSessionsSQL, limit))
	if err != nil {
		return 0, err
	}
	links, err := affected(t.Exec(ctx, purgeLinksSQL, limit))
	return max(n, links), err
}
