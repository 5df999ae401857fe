package admin

import (
	"context"

	"github.com/hookarr/hookarr/core/config"
)

// Principal is who makes a request of the API.
type Principal struct {
	// Name is the token's, the person's or the system user's.
	Name string
	// Via is how it came in: socket, token or proxy.
	Via string
	// Role is config.RoleView or config.RoleOperate.
	Role string
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
// no door has let it in.
func PrincipalOf(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}
