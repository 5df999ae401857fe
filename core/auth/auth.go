// Package auth decides who may post to a source, and keeps credentials out of what
// is stored and logged.
package auth

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/sdk/signature"
)

var (
	// ErrUnauthorized says that no credential of the request lets it in.
	ErrUnauthorized = errors.New("unauthorized")
	// ErrForbidden says that the request comes from an address that is not allowed, or
	// from a browser that was made to send it.
	ErrForbidden = errors.New("forbidden")
)

// Reason says for metrics why a request was refused.
type Reason string

// The reasons.
const (
	// ReasonMissing: the request carries none of the credentials asked for.
	ReasonMissing Reason = "missing"
	// ReasonMalformed: a credential cannot be read.
	ReasonMalformed Reason = "malformed"
	// ReasonMismatch: a credential is wrong.
	ReasonMismatch Reason = "mismatch"
	// ReasonStale: a signature is genuine and its time outside the tolerance.
	ReasonStale Reason = "stale"
	// ReasonOrigin: a browser sent it for a page of another site.
	ReasonOrigin Reason = "origin"
	// ReasonHost: it was sent to a name that is not this server's.
	ReasonHost Reason = "host"
	// ReasonAddress: the client's address is not allowed.
	ReasonAddress Reason = "address"
)

// Error is a refusal. It matches ErrForbidden for ReasonAddress, ReasonOrigin and
// ReasonHost, and ErrUnauthorized for the others. Its text is for the operator's log, not for the client, and has no
// secrets in it.
type Error struct {
	Reason Reason
	detail string
}

func refuse(reason Reason, format string, args ...any) *Error {
	return &Error{Reason: reason, detail: fmt.Sprintf(format, args...)}
}

// Error returns what was wrong.
func (e *Error) Error() string { return e.detail }

// Is reports whether target is the sentinel of e's reason.
func (e *Error) Is(target error) bool {
	switch e.Reason {
	case ReasonAddress, ReasonOrigin, ReasonHost:
		return target == ErrForbidden
	default:
		return target == ErrUnauthorized
	}
}

// rank orders reasons by how close they came to letting the request in, which is how
// much they tell the operator.
func (r Reason) rank() int {
	return slices.Index([]Reason{ReasonMissing, ReasonMalformed, ReasonMismatch, ReasonStale, ReasonOrigin, ReasonHost}, r)
}

// Identity says how a request was let in.
type Identity struct {
	// SignedID is the same for every sending of one message, and empty for schemes
	// that have no such id.
	SignedID string
	// IDSigned: the signature covers the id, so that it alone tells what is a repetition.
	IDSigned bool
	// Message is the same for every copy of what was signed with a time, and empty for
	// schemes that sign none or sign an id.
	Message string
	// Window is for how long a copy may be let in, and zero where no time is signed.
	Window time.Duration
	// Scheme is github, standard-webhooks, hmac, basic, header, token or none.
	Scheme string
}

// method is one way in.
type method interface {
	// check judges the request by its head, before the body is read. A method whose
	// credential does not depend on the body decides here.
	check(r *http.Request) *Error
	// verify judges the whole request.
	verify(r *http.Request, body []byte, now time.Time) (Identity, *Error)
	// sign adds the credential to an outgoing request.
	sign(r *http.Request, body []byte, id string, now time.Time) error
	// takes says what it wants, for the operator.
	takes() string
	// credentials names the headers and query parameters that hold secrets.
	credentials() (headers, params []string)
}

// Gate guards one source. It may be used concurrently.
type Gate struct {
	methods []method
	allow   []netip.Prefix
	trusted []netip.Prefix
	headers []string
	params  []string
	secrets *words
}

// New returns the gate of a source. The proxies in trusted are believed about whom
// they speak for. Hosts are names of this server by which a source that asks for no
// credential may be reached, besides those that only a private network has. The error joins everything that is wrong, each with its key below
// the source's.
func New(c config.Source, trusted []netip.Prefix, hosts ...string) (*Gate, error) {
	g := &Gate{allow: unmapPrefixes(c.AllowFrom), trusted: unmapPrefixes(trusted), secrets: secretsOf(c)}
	g.headers, g.params = wellKnown()
	var problems []error
	if len(c.Auth) == 0 {
		problems = append(problems, errors.New("auth: is empty: say how senders identify themselves, or auth: [{none: {}}] to let everybody in"))
	}
	for i, a := range c.Auth {
		m, wrong := newMethod(a, hosts)
		if a.None != nil && len(c.Auth) > 1 {
			wrong = append(wrong, errors.New(".none: lets everybody in, so that the other entries mean nothing: remove it or them"))
		}
		for _, problem := range wrong {
			problems = append(problems, fmt.Errorf("auth[%d]%w", i, problem))
		}
		if len(wrong) > 0 {
			continue
		}
		headers, params := m.credentials()
		g.headers, g.params = append(g.headers, headers...), append(g.params, params...)
		g.methods = append(g.methods, m)
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return g, nil
}

// newMethod returns problems that begin with the rest of their key.
func newMethod(a config.Auth, hosts []string) (method, []error) {
	var found []method
	var problems []error
	add := func(m method, wrong []error) {
		found, problems = append(found, m), append(problems, wrong...)
	}
	if a.HMAC != nil {
		add(newHMAC(*a.HMAC))
	}
	if a.Basic != nil {
		add(newBasic(*a.Basic))
	}
	if a.Header != nil {
		add(newHeader(*a.Header))
	}
	if a.Token != nil {
		add(newToken(*a.Token))
	}
	if a.None != nil {
		add(none{hosts: hosts}, nil)
	}
	if len(found) != 1 {
		return nil, []error{errors.New(": set exactly one of hmac, basic, header, token and none")}
	}
	return found[0], problems
}

// Precheck refuses, before the body is read, an address that is not allowed and a
// request that carries no credential worth reading the body for. The error is an
// [*Error].
func (g *Gate) Precheck(r *http.Request) error {
	if err := g.checkAddress(r); err != nil {
		return err
	}
	return g.try(func(m method) *Error { return m.check(r) })
}

// Verify lets a request in when any method does. The body is what was read of the
// request; the error is an [*Error].
func (g *Gate) Verify(r *http.Request, body []byte, now time.Time) (Identity, error) {
	if err := g.checkAddress(r); err != nil {
		return Identity{}, err
	}
	var identity Identity
	err := g.try(func(m method) (err *Error) {
		identity, err = m.verify(r, body, now)
		return err
	})
	if err != nil {
		return Identity{}, err
	}
	return identity, nil
}

// try returns nil when a method does, else the refusal that tells most.
func (g *Gate) try(one func(method) *Error) error {
	refusal := &Error{detail: "no way in is configured"}
	for _, m := range g.methods {
		err := one(m)
		if err == nil {
			return nil
		}
		if err.Reason.rank() > refusal.Reason.rank() {
			refusal = err
		}
	}
	if refusal.Reason == ReasonMissing && len(g.methods) > 1 {
		return refuse(ReasonMissing, "no credentials: the source takes %s", g.takes())
	}
	return refusal
}

// takes lists what lets a request in.
func (g *Gate) takes() string {
	all := make([]string, 0, len(g.methods))
	for _, m := range g.methods {
		all = append(all, m.takes())
	}
	last := len(all) - 1
	return strings.Join(all[:last], ", ") + " or " + all[last]
}

// HasSecret reports whether a text is a secret of the source or has one in it.
func (g *Gate) HasSecret(text string) bool { return g.secrets.in(text) }

// Sign adds to an outgoing request what the source's first method asks for. The id
// names the message; methods that sign none leave it out.
func (g *Gate) Sign(r *http.Request, body []byte, id string, now time.Time) error {
	return g.methods[0].sign(r, body, id, now)
}

// Challenge returns the WWW-Authenticate header of a 401, or "" when no method is
// basic.
func (g *Gate) Challenge() string {
	for _, m := range g.methods {
		if _, ok := m.(*basic); ok {
			return `Basic realm="hookarr", charset="UTF-8"`
		}
	}
	return ""
}

// fromSignature translates the errors of package signature, which hold no secrets.
func fromSignature(err error) *Error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, signature.ErrMissing):
		return refuse(ReasonMissing, "%s", err)
	case errors.Is(err, signature.ErrMalformed):
		return refuse(ReasonMalformed, "%s", err)
	case errors.Is(err, signature.ErrStale):
		return refuse(ReasonStale, "%s", err)
	default:
		return refuse(ReasonMismatch, "%s", err)
	}
}
