package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"
)

const (
	// SessionIdle is how long a session lasts that is not used.
	SessionIdle = 24 * time.Hour
	// SessionAge is how long any session lasts.
	SessionAge = 30 * 24 * time.Hour
	// SessionTick is how far SeenAt may lag behind the last use.
	SessionTick = time.Minute
	// LinkAge is how long a link signs in.
	LinkAge = 5 * time.Minute
	// MaxSessions is how many ListSessions returns.
	MaxSessions = 1000
)

// SecretID is what a secret is known by: its SHA-256. A guess of the secret cannot be
// found out by how long a look-up takes.
type SecretID [sha256.Size]byte

// secretBytes is how many random bytes a secret has.
const secretBytes = 32

// NewSecret returns a secret for a cookie or a link, and what it is known by.
func NewSecret() (secret string, id SecretID) {
	var raw [secretBytes]byte
	_, _ = rand.Read(raw[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(raw[:]), sha256.Sum256(raw[:])
}

// IDOf returns what a secret is known by, if it may be one that NewSecret has made.
func IDOf(secret string) (id SecretID, ok bool) {
	if len(secret) != base64.RawURLEncoding.EncodedLen(secretBytes) {
		return SecretID{}, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(secret)
	if err != nil || len(raw) != secretBytes {
		return SecretID{}, false
	}
	return sha256.Sum256(raw), true
}

// IsZero reports whether it is that of no secret.
func (id SecretID) IsZero() bool { return id == SecretID{} }

// Session is a browser that somebody has signed in with.
type Session struct {
	// ID is that of what its cookie holds.
	ID SecretID
	// Who signed in, by which way, and as what.
	Who, Via, Role string
	// Agent is what the browser said of itself.
	Agent string
	// Proof tells the settings that have let it in from others.
	Proof     []byte
	CreatedAt time.Time
	// SeenAt is when it was used last, to the minute.
	SeenAt    time.Time
	ExpiresAt time.Time
}

// AddSession stores a session that begins now, in the place of a former one.
func (s *Store) AddSession(ctx context.Context, n *Session, former SecretID) error {
	added := *n
	err := s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		added = *n
		return addSession(ctx, tx, &added, former)
	})
	if err != nil {
		return fmt.Errorf("add session: %w", err)
	}
	*n = added
	return nil
}

func addSession(ctx context.Context, tx Tx, n *Session, former SecretID) error {
	if !former.IsZero() {
		if _, err := tx.DropSessions(ctx, []SecretID{former}); err != nil {
			return err
		}
	}
	return tx.InsertSession(ctx, n)
}

// TouchSession notes that a session is used now.
func (s *Store) TouchSession(ctx context.Context, id SecretID) error {
	err := s.engine.Write(ctx, func(ctx context.Context, tx Tx) error { return tx.TouchSession(ctx, id) })
	if err != nil {
		return fmt.Errorf("note use of session: %w", err)
	}
	return nil
}

// EndSession ends a session, if it is there.
func (s *Store) EndSession(ctx context.Context, id SecretID) error {
	err := s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.DropSessions(ctx, []SecretID{id})
		return err
	})
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// RevokeSessions ends sessions, with the record of who did, and returns how many there
// were. ErrNotFound is none, of which there is no record.
func (s *Store) RevokeSessions(ctx context.Context, a *Action, ids []SecretID) (int, error) {
	return s.revoke(ctx, a, func(ctx context.Context, tx Tx) (int, error) {
		n, err := tx.DropSessions(ctx, ids)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return n, err
	})
}

// RevokeOthers ends every session but one, which may be none, and every link, with the
// record of who did. It returns how many sessions there were.
func (s *Store) RevokeOthers(ctx context.Context, a *Action, but SecretID) (int, error) {
	return s.revoke(ctx, a, func(ctx context.Context, tx Tx) (int, error) { return tx.DropOtherSessions(ctx, but) })
}

func (s *Store) revoke(ctx context.Context, a *Action, drop func(context.Context, Tx) (int, error)) (n int, err error) {
	var record Action
	err = s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		record = *a
		if n, err = drop(ctx, tx); err != nil {
			return err
		}
		record.Matched, record.Done = n, n
		return tx.InsertAction(ctx, &record)
	})
	if err != nil {
		return 0, fmt.Errorf("revoke sessions: %w", err)
	}
	*a = record
	return n, nil
}

// AddLink stores a link that signs somebody in once, with the record of who made it, and
// returns when it expires.
func (s *Store) AddLink(ctx context.Context, a *Action, id SecretID, who string) (expires time.Time, err error) {
	var record Action
	err = s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		record = *a
		if expires, err = tx.InsertLink(ctx, id, who); err != nil {
			return fmt.Errorf("insert link: %w", err)
		}
		record.Args.Until = expires
		return tx.InsertAction(ctx, &record)
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("add link: %w", err)
	}
	*a = record
	return expires, nil
}

// RedeemLink stores the session of a link, which is used up: of two that redeem one, one
// does. ErrNotFound is a link that is not there or has expired.
func (s *Store) RedeemLink(ctx context.Context, link SecretID, n *Session, former SecretID) error {
	added := *n
	err := s.engine.Write(ctx, func(ctx context.Context, tx Tx) (err error) {
		added = *n
		if added.Who, err = tx.TakeLink(ctx, link); err != nil {
			return err
		}
		return addSession(ctx, tx, &added, former)
	})
	if err != nil {
		return fmt.Errorf("redeem link: %w", err)
	}
	*n = added
	return nil
}
