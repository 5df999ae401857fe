package admin

import (
	"context"

	"github.com/hookarr/hookarr/core/config"
)

// The ways to come in.
const (
	ViaSocket = "socket"
	ViaToken  = "token"
	ViaProxy  = "proxy"
	// ViaLink and ViaOIDC are of browsers that a link of hookarr open or an OpenID Connect
	// provider has signed in.
	ViaLink = "link"
	ViaOIDC = "oidc"
)

// Principal is who makes a request of the API.
type Principal struct {
	// Name is the token's, the person's or the system user's.
	Name string
	// Via is how it came in.
	Via string
	// Role is config.RoleView or config.RoleOperate.
	Role string
	// Session is the id of the browser's session; empty for requests without one.
	Session string
}

// May reports whether the principal has a role, or one that includes it.
func (p Principal) May(role string) bool {
	return p.Role == config.RoleOperate || p.Role == config.RoleView && role == config.RoleView
}

type principalKey struct{}

// WithPrincipal returns a context that knows who makes its request.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalOf returns who makes the request of a context; nobody, who may do nothing, if
// nothing has let it in.
func PrincipalOf(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}

type basePathKey struct{}

// WithBasePath returns a context that knows below which path the pages are.
func WithBasePath(ctx context.Context, base string) context.Context {
	return context.WithValue(ctx, basePathKey{}, base)
}

// BasePathOf returns the path that precedes those of all pages, such as /hookarr; it is
// empty where there is none.
func BasePathOf(ctx context.Context) string {
	base, _ := ctx.Value(basePathKey{}).(string)
	return base
}
