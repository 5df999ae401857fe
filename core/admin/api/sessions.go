package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hookarr/hookarr/core/admin"
)

// sessionID is the path of a session.
type sessionID struct {
	ID string `path:"id" minLength:"4" maxLength:"64" pattern:"^[0-9a-fA-F]+$" doc:"The id, or its first digits."`
}

func (a *api) sessions() {
	tags := []string{"sessions"}
	register(a, operate, huma.Operation{
		OperationID: "make-link", Method: http.MethodPost, Path: "/links", Tags: tags,
		Summary: "Make a link that signs in once, within 5 minutes; on the unix socket alone",
	}, func(ctx context.Context, _ *struct{}) (*body[admin.Link], error) {
		l, err := a.service.MakeLink(ctx, admin.PrincipalOf(ctx))
		return &body[admin.Link]{l}, err
	})
	register(a, operate, huma.Operation{
		OperationID: "list-sessions", Method: http.MethodGet, Path: "/sessions", Tags: tags,
		Summary: "List the browsers that are signed in",
	}, func(ctx context.Context, _ *struct{}) (*body[items[admin.Session]], error) {
		list, err := a.service.ListSessions(ctx, admin.PrincipalOf(ctx))
		return &body[items[admin.Session]]{items[admin.Session]{list}}, err
	})
	register(a, operate, huma.Operation{
		OperationID: "revoke-sessions", Method: http.MethodPost, Path: "/sessions/revoke", Tags: tags,
		Summary: "Sign every browser out but the one that asks, and end the links that were not used",
	}, func(ctx context.Context, _ *struct{}) (*body[admin.Revoked], error) {
		r, err := a.service.RevokeSessions(ctx, admin.PrincipalOf(ctx))
		return &body[admin.Revoked]{r}, err
	})
	register(a, operate, huma.Operation{
		OperationID: "revoke-session", Method: http.MethodPost, Path: "/sessions/{id}/revoke", Tags: tags,
		Summary: "Sign a browser out",
	}, func(ctx context.Context, in *sessionID) (*body[admin.Session], error) {
		n, err := a.service.RevokeSession(ctx, admin.PrincipalOf(ctx), in.ID)
		return &body[admin.Session]{n}, err
	})
}
