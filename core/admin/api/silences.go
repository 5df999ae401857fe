package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hookarr/hookarr/core/admin"
)

type newSilence struct {
	Keyed
	Body admin.NewSilence
}

func (a *api) silences() {
	tags := []string{"silences"}
	register(a, view, huma.Operation{
		OperationID: "list-silences", Method: http.MethodGet, Path: "/silences", Tags: tags,
		Summary: "List the silences that are active, and those that ended within a week",
	}, func(ctx context.Context, _ *struct{}) (*body[items[admin.Silence]], error) {
		list, err := a.service.ListSilences(ctx)
		return &body[items[admin.Silence]]{items[admin.Silence]{list}}, err
	})
	register(a, operate, huma.Operation{
		OperationID: "add-silence", Method: http.MethodPost, Path: "/silences", Tags: tags,
		Summary: "Cancel the deliveries of events that meet an expression, from now to an end",
	}, func(ctx context.Context, in *newSilence) (*body[admin.Silence], error) {
		return makeOnce(ctx, a.once, "add-silence", in.Key, in, func() (*body[admin.Silence], error) {
			n, err := a.service.AddSilence(ctx, admin.PrincipalOf(ctx), in.Body)
			return &body[admin.Silence]{n}, err
		})
	})
	register(a, operate, huma.Operation{
		OperationID: "expire-silence", Method: http.MethodPost, Path: "/silences/{id}/expire", Tags: tags,
		Summary: "End a silence now",
	}, func(ctx context.Context, in *ByID) (*body[admin.Silence], error) {
		n, err := a.service.ExpireSilence(ctx, admin.PrincipalOf(ctx), in.ID)
		return &body[admin.Silence]{n}, err
	})
}
