// Package session keeps the browsers that operators have signed in with. A session is a
// row that any node knows and can end; the browser has a secret for it in a cookie.
package session

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/excerpt"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// maxAgent bounds what is kept of a browser's own words, in bytes.
const maxAgent = 200

// ErrLinkOver is returned by Redeem for a link that was used, has expired or never was.
var ErrLinkOver = errors.New("the link was used already, or is older than 5 minutes")

// Store keeps sessions. store.Store is one.
type Store interface {
	AddSession(ctx context.Context, n *store.Session, former store.SecretID) error
	FindSession(ctx context.Context, id store.SecretID) (store.Session, time.Time, error)
	TouchSession(ctx context.Context, id store.SecretID) error
	EndSession(ctx context.Context, id store.SecretID) error
	FindLink(ctx context.Context, id store.SecretID) (who string, err error)
	RedeemLink(ctx context.Context, link store.SecretID, n *store.Session, former store.SecretID) error
}

// Sessions are those of a database.
type Sessions struct {
	Store Store
	Log   *slog.Logger
}

// Browser is where somebody signs in.
type Browser struct {
	// Agent is what it says of itself.
	Agent string
	// Former is the secret that it had, whose session ends: a secret that others may know
	// signs nobody in.
	Former string
}

// Begin signs in who a token or a provider vouches for, and returns the secret for the
// cookie.
func (s *Sessions) Begin(ctx context.Context, c *config.Config, p admin.Principal, b Browser) (string, error) {
	secret, n, ok := begin(c, p, b)
	if !ok {
		return "", fmt.Errorf("begin session of %s: the configuration lets nobody in by this way", p.Via)
	}
	former, _ := store.IDOf(b.Former)
	if err := s.Store.AddSession(ctx, &n, former); err != nil {
		return "", err
	}
	return secret, nil
}

// Redeem signs in whom a link is for, once.
func (s *Sessions) Redeem(ctx context.Context, c *config.Config, link string, b Browser) (secret string, p admin.Principal, err error) {
	id, ok := store.IDOf(link)
	if !ok {
		return "", admin.Principal{}, ErrLinkOver
	}
	former, _ := store.IDOf(b.Former)
	var n store.Session
	who, err := s.Store.FindLink(ctx, id)
	if err == nil {
		secret, n, _ = begin(c, admin.Principal{Name: who, Via: admin.ViaLink, Role: config.RoleOperate}, b)
		err = s.Store.RedeemLink(ctx, id, &n, former)
	}
	if errors.Is(err, store.ErrNotFound) {
		return "", admin.Principal{}, ErrLinkOver
	}
	if err != nil {
		return "", admin.Principal{}, err
	}
	return secret, principal(n), nil
}

func begin(c *config.Config, p admin.Principal, b Browser) (secret string, n store.Session, ok bool) {
	secret, id := store.NewSecret()
	n = store.Session{ID: id, Who: p.Name, Via: p.Via, Role: p.Role, Agent: excerpt.Of(b.Agent, maxAgent)}
	n.Proof, ok = proof(c, secret, n)
	return secret, n, ok
}

// Find returns who a secret signs in. A session that began by settings that do not hold
// any more is over.
func (s *Sessions) Find(ctx context.Context, c *config.Config, secret string) (admin.Principal, bool, error) {
	id, ok := store.IDOf(secret)
	if !ok {
		return admin.Principal{}, false, nil
	}
	n, now, err := s.Store.FindSession(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return admin.Principal{}, false, nil
	}
	if err != nil {
		return admin.Principal{}, false, err
	}
	if want, ok := proof(c, secret, n); !ok || !hmac.Equal(want, n.Proof) {
		s.Log.InfoContext(ctx, "session ended, as what let it in has left the configuration", slog.String("who", n.Who), slog.String("via", n.Via))
		if err := s.Store.EndSession(ctx, id); err != nil {
			s.Log.WarnContext(ctx, "session cannot be deleted, and lets nobody in", slog.Any("error", err))
		}
		return admin.Principal{}, false, nil
	}
	if now.Sub(n.SeenAt) >= store.SessionTick {
		if err := s.Store.TouchSession(ctx, id); err != nil {
			s.Log.WarnContext(ctx, "use of a session cannot be noted, which may end it early", slog.Any("error", err))
		}
	}
	return principal(n), true, nil
}

// End signs a browser out.
func (s *Sessions) End(ctx context.Context, secret string) error {
	id, ok := store.IDOf(secret)
	if !ok {
		return nil
	}
	return s.Store.EndSession(ctx, id)
}

func principal(n store.Session) admin.Principal {
	return admin.Principal{Name: n.Who, Via: n.Via, Role: n.Role, Session: hex.EncodeToString(n.ID[:])}
}

// proof tells the settings that let a session in from all others. Who reads the row learns
// nothing of a token from it, as its key is in the browser alone.
func proof(c *config.Config, secret string, n store.Session) ([]byte, bool) {
	settings, ok := settingsOf(c, n)
	if !ok {
		return nil, false
	}
	sum := hmac.New(sha256.New, []byte(secret))
	_ = json.NewEncoder(sum).Encode(append([]any{n.Who, n.Via, n.Role}, settings...)) // never fails
	return sum.Sum(nil), true
}

func settingsOf(c *config.Config, n store.Session) (settings []any, ok bool) {
	switch n.Via {
	case admin.ViaLink:
		return nil, true
	case admin.ViaToken:
		i := slices.IndexFunc(c.Admin.Tokens, func(t config.AdminToken) bool { return t.Name == n.Who && t.Role == n.Role })
		if i < 0 {
			return nil, false
		}
		return []any{c.Admin.Tokens[i].Token.Reveal()}, true
	case admin.ViaOIDC:
		if c.Admin.OIDC == nil {
			return nil, false
		}
		o := *c.Admin.OIDC
		o.ClientSecret = sdk.Secret("") // may be changed without anybody losing a right
		return []any{o}, true
	default:
		return nil, false
	}
}
