// Package oidc asks an OpenID Connect provider who somebody is.
package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/excerpt"
	"github.com/hookarr/hookarr/core/store"
)

const (
	// timeout bounds all that is asked of the provider for one step.
	timeout = 10 * time.Second
	// restTime is how long a provider that did not answer is left alone: strangers can make
	// us ask.
	restTime = 5 * time.Second
	// maxAnswer bounds an answer of the provider, in bytes.
	maxAnswer = 1 << 20
	// maxName bounds the name of a person, and maxDetail what is logged of the provider's
	// words, in bytes.
	maxName   = 100
	maxDetail = 300
)

// Errors that say whose matter it is.
var (
	// ErrUnavailable is of a provider that does not answer, or not as it should.
	ErrUnavailable = errors.New("the provider does not answer as it should")
	// ErrRefused is of a sign-in that the provider does not vouch for.
	ErrRefused = errors.New("the provider does not vouch for this sign-in")
)

// Provider is a provider as the configuration has it. It is asked for nothing before
// somebody signs in.
type Provider struct {
	config config.OIDC
	client *http.Client

	mu    sync.Mutex
	found *oidc.Provider
	// failed is why it was not found lately, and at what time.
	failed   error
	failedAt time.Time
}

// New returns the provider of a configuration.
func New(c config.OIDC) *Provider {
	return &Provider{config: c, client: &http.Client{
		Timeout:   timeout,
		Transport: bounded{http.DefaultTransport.(*http.Transport).Clone()}, //nolint:forcetypeassert // it is one
		// The secret and the code are for the provider alone.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Name is what people know the provider by.
func (p *Provider) Name() string {
	u, err := url.Parse(p.config.Issuer)
	if err != nil {
		return "the provider"
	}
	return u.Hostname()
}

// Login is a sign-in under way. The browser keeps it.
type Login struct{ State, Nonce, Verifier string }

// Begin returns where the browser is sent to, and what it keeps meanwhile. The provider
// sends it back to back.
func (p *Provider) Begin(ctx context.Context, back string) (address string, l Login, err error) {
	ctx, cancel := p.within(ctx)
	defer cancel()
	c, _, err := p.settings(ctx, back)
	if err != nil {
		return "", Login{}, err
	}
	l = Login{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier()}
	return c.AuthCodeURL(l.State, oidc.Nonce(l.Nonce), oauth2.S256ChallengeOption(l.Verifier)), l, nil
}

// Person is who has signed in at the provider.
type Person struct {
	Subject, Name string
	// Email is empty unless the provider has verified it.
	Email  string
	Groups []string
}

// Finish returns who has signed in, by the code that the browser came back with.
func (p *Provider) Finish(ctx context.Context, back string, l Login, code string) (Person, error) {
	ctx, cancel := p.within(ctx)
	defer cancel()
	c, found, err := p.settings(ctx, back)
	if err != nil {
		return Person{}, err
	}
	tokens, err := c.Exchange(ctx, code, oauth2.VerifierOption(l.Verifier))
	if err != nil {
		return Person{}, explain(err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	if raw == "" {
		return Person{}, fmt.Errorf("%w: its answer has no id_token", ErrUnavailable)
	}
	id, err := found.VerifierContext(ctx, &oidc.Config{ClientID: c.ClientID}).Verify(ctx, raw)
	if err != nil {
		return Person{}, fmt.Errorf("%w: %s", ErrRefused, brief(err))
	}
	if id.Subject == "" {
		return Person{}, fmt.Errorf("%w: its token is of nobody", ErrRefused)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(l.Nonce)) != 1 {
		return Person{}, fmt.Errorf("%w: its token is of another sign-in", ErrRefused)
	}
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return Person{}, fmt.Errorf("%w: %s", ErrRefused, brief(err))
	}
	if err := p.complete(ctx, found, tokens, id.Subject, claims); err != nil {
		return Person{}, err
	}
	return p.person(id.Subject, claims), nil
}

// complete adds the claims that the provider tells only when it is asked.
func (p *Provider) complete(ctx context.Context, found *oidc.Provider, tokens *oauth2.Token, subject string, claims map[string]any) error {
	wanted := []string{p.config.UsernameClaim, p.config.GroupsClaim, "email", "email_verified"}
	if found.UserInfoEndpoint() == "" || !slices.ContainsFunc(wanted, func(name string) bool { return claims[name] == nil }) {
		return nil
	}
	info, err := found.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return fmt.Errorf("%w: userinfo: %s", ErrUnavailable, brief(err))
	}
	if info.Subject != subject {
		return fmt.Errorf("%w: its userinfo is of somebody else", ErrRefused)
	}
	var more map[string]any
	if err := info.Claims(&more); err != nil {
		return fmt.Errorf("%w: userinfo: %s", ErrUnavailable, brief(err))
	}
	// An address and whether it is verified belong together.
	if claims["email"] == nil || claims["email_verified"] == nil {
		claims["email"], claims["email_verified"] = more["email"], more["email_verified"]
	}
	for _, name := range wanted {
		if claims[name] == nil {
			claims[name] = more[name]
		}
	}
	return nil
}

func (p *Provider) person(subject string, claims map[string]any) Person {
	who := Person{Subject: subject, Groups: texts(claims[p.config.GroupsClaim])}
	if verified := claims["email_verified"]; verified == true || verified == "true" {
		who.Email, _ = claims["email"].(string)
	}
	name, _ := claims[p.config.UsernameClaim].(string)
	for _, other := range []string{who.Email, subject} {
		if name = strings.TrimSpace(name); name == "" {
			name = other
		}
	}
	who.Name = store.CleanText(excerpt.Of(name, maxName))
	return who
}

// texts are those of a claim that has one or a list.
func texts(claim any) []string {
	switch claim := claim.(type) {
	case string:
		return []string{claim}
	case []any:
		var list []string
		for _, item := range claim {
			if text, ok := item.(string); ok {
				list = append(list, text)
			}
		}
		return list
	default:
		return nil
	}
}

// Role returns what a person may do, and whether it is anything.
func Role(c config.OIDC, who Person) (role string, ok bool) {
	switch {
	case names(c.Operate, who):
		return config.RoleOperate, true
	case names(c.Allow, who):
		return config.RoleView, true
	default:
		return "", false
	}
}

func names(list config.People, who Person) bool {
	return slices.Contains(list.Subjects, who.Subject) ||
		who.Email != "" && slices.ContainsFunc(list.Emails, func(e string) bool { return strings.EqualFold(e, who.Email) }) ||
		slices.ContainsFunc(who.Groups, func(g string) bool { return slices.Contains(list.Groups, g) })
}

// within bounds what is asked of the provider, by the client that bounds its answers.
func (p *Provider) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(oidc.ClientContext(ctx, p.client), timeout)
}

// settings returns how the provider is asked, once it has told.
func (p *Provider) settings(ctx context.Context, back string) (*oauth2.Config, *oidc.Provider, error) {
	found, err := p.discover(ctx)
	if err != nil {
		return nil, nil, err
	}
	c := &oauth2.Config{
		ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret.Reveal(), Endpoint: found.Endpoint(),
		RedirectURL: back, Scopes: p.config.Scopes,
	}
	c.Endpoint.AuthStyle = p.style(found)
	return c, found, nil
}

// style is how the provider wants the client's secret: to find it out by trying would use a
// code up.
func (p *Provider) style(found *oidc.Provider) oauth2.AuthStyle {
	var about struct {
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	// Where nothing is told, it is basic.
	if err := found.Claims(&about); err != nil || len(about.Methods) == 0 {
		about.Methods = []string{"client_secret_basic"}
	}
	if p.config.ClientSecret == "" || !slices.Contains(about.Methods, "client_secret_basic") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

func (p *Provider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	if p.failed != nil && time.Since(p.failedAt) < restTime {
		return nil, p.failed
	}
	// Who goes away does not make the provider one that does not answer.
	ctx, cancel := p.within(context.WithoutCancel(ctx))
	defer cancel()
	found, err := oidc.NewProvider(ctx, p.config.Issuer)
	if err != nil {
		p.failed, p.failedAt = fmt.Errorf("%w: %s", ErrUnavailable, brief(err)), time.Now()
		return nil, p.failed
	}
	p.found, p.failed = found, nil
	return found, nil
}

// explain tells a refused code from a provider that is not well, without the words of its
// answer, which may repeat what it was sent.
func explain(err error) error {
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return fmt.Errorf("%w: %s", ErrUnavailable, brief(err))
	}
	kind := ErrUnavailable
	if answer.ErrorCode == "invalid_grant" {
		kind = ErrRefused
	}
	return fmt.Errorf("%w: %s %s", kind, answer.Response.Status, excerpt.Line(answer.ErrorCode, maxDetail))
}

// brief is the beginning of an error that may repeat what the provider has answered.
func brief(err error) string { return excerpt.Line(err.Error(), maxDetail) }

// bounded is a transport whose answers end at maxAnswer. What is refused is told by its
// status: errors repeat the words, which may be anything.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	most := int64(maxAnswer)
	if r.Method == http.MethodGet && resp.StatusCode >= http.StatusMultipleChoices {
		most = 0
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, most), resp.Body}
	return resp, nil
}
