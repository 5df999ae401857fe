package admin

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/store"
)

// Session is a browser that somebody has signed in with, as JSON.
type Session struct {
	ID        string    `json:"id"`
	Who       string    `json:"who"`
	Via       string    `json:"via" doc:"By which way: token, link or oidc."`
	Role      string    `json:"role"`
	Agent     string    `json:"agent" doc:"What the browser says of itself."`
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at" doc:"When it was used last, to the minute."`
	ExpiresAt time.Time `json:"expires_at" doc:"When it ends unless it is used before."`
	// Own is the one that asks.
	Own bool `json:"own,omitempty" doc:"It is the one that asks."`
}

// Link signs in once.
type Link struct {
	URL       string    `json:"url" doc:"What is behind # is a secret, which signs in once."`
	ExpiresAt time.Time `json:"expires_at"`
}

// Revoked is how many sessions were ended.
type Revoked struct {
	Revoked int `json:"revoked"`
}

// ListSessions returns the sessions of browsers, the one that was used last first.
func (s *Service) ListSessions(ctx context.Context, p Principal) ([]Session, error) {
	rows, err := s.Store.ListSessions(ctx)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	list := []Session{}
	for _, n := range rows {
		// What has left the configuration lets nobody in.
		if holds(s.Settings.Config().Admin, n) {
			list = append(list, viewSession(n, p))
		}
	}
	slices.SortFunc(list, func(a, b Session) int { return cmp.Or(b.SeenAt.Compare(a.SeenAt), cmp.Compare(a.ID, b.ID)) })
	return list, nil
}

func viewSession(n store.Session, p Principal) Session {
	id := hex.EncodeToString(n.ID[:])
	return Session{
		ID: id, Who: n.Who, Via: n.Via, Role: n.Role, Agent: n.Agent, CreatedAt: n.CreatedAt, SeenAt: n.SeenAt, ExpiresAt: n.ExpiresAt,
		Own: id == p.Session,
	}
}

// holds reports whether what a session began with is there still. Package session, which
// has the browser's secret, knows more.
func holds(a config.Admin, n store.Session) bool {
	switch n.Via {
	case ViaToken:
		return slices.ContainsFunc(a.Tokens, func(t config.AdminToken) bool { return t.Name == n.Who && t.Role == n.Role })
	case ViaOIDC:
		return a.OIDC != nil
	default:
		return true
	}
}

// RevokeSession ends a session, whose id may be short.
func (s *Service) RevokeSession(ctx context.Context, p Principal, text string) (Session, error) {
	text = strings.ToLower(text)
	rows, err := s.Store.ListSessions(ctx)
	if err != nil {
		return Session{}, fmt.Errorf("find session: %w", err)
	}
	var found []store.Session
	var candidates []string
	for _, n := range rows {
		if id := hex.EncodeToString(n.ID[:]); strings.HasPrefix(id, text) {
			found = append(found, n)
			candidates = append(candidates, fmt.Sprintf("%s  %s by %s, %s", id[:16], n.Who, n.Via, n.Agent))
		}
	}
	switch {
	case len(text) < minPrefix || len(found) == 0:
		return Session{}, notFound("there is no such session: list them for their ids")
	case len(found) > 1:
		problem := conflict("the id fits %d sessions: give more digits", len(found))
		problem.Candidates = candidates[:min(len(candidates), maxCandidates)]
		return Session{}, problem
	}
	n := found[0]
	err = s.Operate.RevokeSession(ctx, p.actor(), n.ID, fmt.Sprintf("session of %s by %s", n.Who, n.Via))
	if errors.Is(err, store.ErrNotFound) {
		return Session{}, notFound("the session has ended already")
	}
	if err != nil {
		return Session{}, fmt.Errorf("revoke session: %w", err)
	}
	return viewSession(n, p), nil
}

// RevokeSessions ends every session but the one that asks, and every link that was not used.
func (s *Service) RevokeSessions(ctx context.Context, p Principal) (Revoked, error) {
	var own store.SecretID
	if _, err := hex.Decode(own[:], []byte(p.Session)); err != nil {
		return Revoked{}, fmt.Errorf("revoke sessions: read id of the own one: %w", err)
	}
	n, err := s.Operate.RevokeOthers(ctx, p.actor(), own)
	if err != nil {
		return Revoked{}, fmt.Errorf("revoke sessions: %w", err)
	}
	return Revoked{n}, nil
}

// MakeLink makes a link that signs in once. It is for who has the server itself: a browser
// that is signed in is to make no other way in.
func (s *Service) MakeLink(ctx context.Context, p Principal) (Link, error) {
	if p.Via != ViaSocket {
		return Link{}, NewProblem(http.StatusForbidden, "a link is made on the server itself: run hookarr open there")
	}
	c := s.Settings.Config()
	if c.Admin.Listen == "" {
		return Link{}, conflict("there are no pages to open, as admin.listen is not set: set it, such as to 127.0.0.1:8485, and start hookarr serve anew")
	}
	secret, id := store.NewSecret()
	expires, err := s.Operate.AddLink(ctx, p.actor(), id)
	if err != nil {
		return Link{}, fmt.Errorf("make link: %w", err)
	}
	return Link{URL: s.pagesURL(c) + "/login#" + secret, ExpiresAt: expires}, nil
}

// pagesURL is where people open the pages, without a slash at its end.
func (s *Service) pagesURL(c *config.Config) string {
	a, scheme := c.Admin, "http://"
	if c.SharesListener() && c.TLS.Enabled() {
		scheme = "https://"
	}
	if origin := a.ExternalOrigin(); origin != "" {
		return origin + a.BasePath
	}
	listen := a.Listen
	if s.Listens != nil {
		listen = s.Listens()
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return scheme + listen + a.BasePath
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "localhost"
		if len(a.Hosts) > 0 {
			host = strings.Trim(a.Hosts[0], "[]")
		}
	}
	return scheme + net.JoinHostPort(host, port) + a.BasePath
}
