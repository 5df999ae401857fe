package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hookarr/hookarr/core/store"
)

const sessionCols = `id, who, via, role, agent, proof, created_at, seen_at, expires_at`

func scanSession(row scanner) (n store.Session, err error) {
	var id []byte
	var created, seen, expires int64
	err = row.Scan(&id, &n.Who, &n.Via, &n.Role, &n.Agent, &n.Proof, &created, &seen, &expires)
	copy(n.ID[:], id)
	n.CreatedAt, n.SeenAt, n.ExpiresAt = fromMicros(created), fromMicros(seen), fromMicros(expires)
	return n, err
}

const (
	findSessionSQL   = `SELECT ` + sessionCols + ` FROM sessions WHERE id = ? AND expires_at > ?`
	listSessionsSQL  = `SELECT ` + sessionCols + ` FROM sessions WHERE expires_at > ? ORDER BY expires_at DESC, id DESC LIMIT ?`
	insertSessionSQL = `
INSERT INTO sessions (id, who, via, role, agent, proof, created_at, seen_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)`
	touchSessionSQL = `
UPDATE sessions SET seen_at = ?2, expires_at = min(?2 + ?3, created_at + ?4) WHERE id = ?1 AND expires_at > ?2 AND seen_at < ?2`
	dropSessionSQL = `DELETE FROM sessions WHERE id = ? AND expires_at > ?`
	dropOthersSQL  = `DELETE FROM sessions WHERE id <> ? AND expires_at > ?`
	insertLinkSQL  = `INSERT INTO sign_in_links (id, who, expires_at) VALUES (?, ?, ?)`
	findLinkSQL    = `SELECT who FROM sign_in_links WHERE id = ? AND expires_at > ?`
	takeLinkSQL    = `DELETE FROM sign_in_links WHERE id = ? AND expires_at > ? RETURNING who`
	dropLinksSQL   = `DELETE FROM sign_in_links`

	purgeSessionsSQL = `
DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`
	purgeLinksSQL = `
DELETE FROM sign_in_links WHERE id IN (SELECT id FROM sign_in_links WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`
)

// FindSession returns a session that has not expired, and the time.
func (e *Engine) FindSession(ctx context.Context, id store.SecretID) (store.Session, time.Time, error) {
	now := micros(time.Now())
	n, err := scanSession(e.read.QueryRowContext(ctx, findSessionSQL, id[:], now))
	if err != nil {
		return store.Session{}, time.Time{}, fmt.Errorf("find session: %w", notFound(err))
	}
	return n, fromMicros(now), nil
}

// ListSessions returns the sessions that have not expired.
func (e *Engine) ListSessions(ctx context.Context) ([]store.Session, error) {
	list, err := collect(ctx, e.read, scanSession, listSessionsSQL, micros(time.Now()), store.MaxSessions)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return list, nil
}

// FindLink returns whose a link is that has not expired.
func (e *Engine) FindLink(ctx context.Context, id store.SecretID) (who string, err error) {
	if err = e.read.QueryRowContext(ctx, findLinkSQL, id[:], micros(time.Now())).Scan(&who); err != nil {
		return "", fmt.Errorf("find link: %w", notFound(err))
	}
	return who, nil
}

func (t *tx) InsertSession(ctx context.Context, n *store.Session) error {
	expires := t.now + store.SessionIdle.Microseconds()
	n.CreatedAt, n.SeenAt, n.ExpiresAt = fromMicros(t.now), fromMicros(t.now), fromMicros(expires)
	return t.exec(ctx, insertSessionSQL, n.ID[:], store.CleanText(n.Who), n.Via, n.Role, store.CleanText(n.Agent), n.Proof, t.now, expires)
}

func (t *tx) TouchSession(ctx context.Context, id store.SecretID) error {
	return t.exec(ctx, touchSessionSQL, id[:], t.now, store.SessionIdle.Microseconds(), store.SessionAge.Microseconds())
}

func (t *tx) DropSessions(ctx context.Context, ids []store.SecretID) (dropped int, err error) {
	for _, id := range ids {
		n, err := t.changed(ctx, dropSessionSQL, id[:], t.now)
		if err != nil {
			return 0, err
		}
		dropped += n
	}
	return dropped, nil
}

func (t *tx) DropOtherSessions(ctx context.Context, but store.SecretID) (int, error) {
	n, err := t.changed(ctx, dropOthersSQL, but[:], t.now)
	return n, errors.Join(err, t.exec(ctx, dropLinksSQL))
}

func (t *tx) InsertLink(ctx context.Context, id store.SecretID, who string) (time.Time, error) {
	expires := t.now + store.LinkAge.Microseconds()
	return fromMicros(expires), t.exec(ctx, insertLinkSQL, id[:], store.CleanText(who), expires)
}

func (t *tx) TakeLink(ctx context.Context, id store.SecretID) (who string, err error) {
	err = t.QueryRowContext(ctx, takeLinkSQL, id[:], t.now).Scan(&who)
	return who, notFound(err)
}

func (t *tx) PurgeSessions(ctx context.Context, limit int) (int, error) {
	n, err := t.changed(ctx, purgeSessionsSQL, t.now, limit)
	if err != nil {
		return 0, err
	}
	links, err := t.changed(ctx, purgeLinksSQL, t.now, limit)
	return max(n, links), err
}
