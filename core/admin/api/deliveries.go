package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/store"
)

// changeOne names a delivery to change.
type changeOne struct {
	ByID
	Keyed
}

// changeMany is a bulk action over deliveries.
type changeMany struct {
	Keyed
	Body struct {
		Filter admin.DeliveryFilter `json:"filter"`
		Expect int                  `json:"expect_count" minimum:"0" doc:"What GET /deliveries/count?for= said: another number refuses the whole."`
	}
}

func (a *api) deliveries() {
	tags := []string{"deliveries"}
	register(a, view, huma.Operation{
		OperationID: "list-deliveries", Method: http.MethodGet, Path: "/deliveries", Tags: tags, Summary: "List deliveries, newest first",
	}, func(ctx context.Context, in *struct {
		admin.DeliveryFilter
		admin.Page
	},
	) (*body[admin.List[admin.Delivery]], error) {
		list, err := a.service.ListDeliveries(ctx, in.DeliveryFilter, in.Page)
		return &body[admin.List[admin.Delivery]]{list}, err
	})
	register(a, view, huma.Operation{
		OperationID: "count-deliveries", Method: http.MethodGet, Path: "/deliveries/count", Tags: tags, Summary: "Count deliveries",
	}, func(ctx context.Context, in *struct {
		admin.DeliveryFilter
		For store.ActionKind `query:"for" enum:"retry,cancel" doc:"Count those that a bulk action of this kind would change: without a state, dead letters for a retry and what is pending for a cancellation."`
	},
	) (*body[admin.Count], error) {
		n, err := a.service.CountDeliveries(ctx, in.DeliveryFilter, in.For)
		return &body[admin.Count]{n}, err
	})
	register(a, view, huma.Operation{
		OperationID: "get-delivery", Method: http.MethodGet, Path: "/deliveries/{id}", Tags: tags,
		Summary: "Get a delivery and its attempts; what they sent is for the role operate",
	}, func(ctx context.Context, in *ByID) (*body[admin.Delivery], error) {
		id, err := a.service.FindDeliveryID(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		d, err := a.service.FindDelivery(ctx, admin.PrincipalOf(ctx), id)
		return &body[admin.Delivery]{d}, err
	})
	for _, change := range []struct {
		verb, one, many string
		some            func(context.Context, admin.Principal, []string) (admin.Done, error)
		all             func(context.Context, admin.Principal, admin.DeliveryFilter, int) (admin.Action, error)
	}{
		{"retry", "Give a delivery more attempts", "Retry every delivery that a filter matches", a.service.Retry, a.service.RetryAll},
		{"cancel", "Give a delivery up", "Cancel every delivery that a filter matches", a.service.Cancel, a.service.CancelAll},
	} {
		one, many := change.verb+"-delivery", change.verb+"-deliveries"
		register(a, operate, huma.Operation{
			OperationID: one, Method: http.MethodPost, Path: "/deliveries/{id}/" + change.verb, Tags: tags, Summary: change.one,
		}, func(ctx context.Context, in *changeOne) (*body[admin.Done], error) {
			return makeOnce(ctx, a.once, one, in.Key, in, func() (*body[admin.Done], error) {
				done, err := change.some(ctx, admin.PrincipalOf(ctx), []string{in.ID})
				return &body[admin.Done]{done}, err
			})
		})
		register(a, operate, huma.Operation{
			OperationID: many, Method: http.MethodPost, Path: "/deliveries/" + change.verb, Tags: tags,
			Summary: change.many, DefaultStatus: http.StatusAccepted,
		}, func(ctx context.Context, in *changeMany) (*body[admin.Action], error) {
			return makeOnce(ctx, a.once, many, in.Key, in, func() (*body[admin.Action], error) {
				action, err := change.all(ctx, admin.PrincipalOf(ctx), in.Body.Filter, in.Body.Expect)
				return &body[admin.Action]{action}, err
			})
		})
	}
}

func (a *api) actions() {
	tags := []string{"actions"}
	register(a, view, huma.Operation{
		OperationID: "list-actions", Method: http.MethodGet, Path: "/actions", Tags: tags, Summary: "List what operators did, newest first",
	}, func(ctx context.Context, in *struct{ admin.Page }) (*body[admin.List[admin.Action]], error) {
		list, err := a.service.ListActions(ctx, in.Page)
		return &body[admin.List[admin.Action]]{list}, err
	})
	register(a, view, huma.Operation{
		OperationID: "get-action", Method: http.MethodGet, Path: "/actions/{id}", Tags: tags, Summary: "Get an action and how far it has come",
	}, func(ctx context.Context, in *ByID) (*body[admin.Action], error) {
		action, err := a.service.FindAction(ctx, in.ID)
		return &body[admin.Action]{action}, err
	})
	register(a, operate, huma.Operation{
		OperationID: "stop-action", Method: http.MethodPost, Path: "/actions/{id}/stop", Tags: tags,
		Summary: "Stop a bulk action; what it has done stays",
	}, func(ctx context.Context, in *ByID) (*body[admin.Action], error) {
		action, err := a.service.StopAction(ctx, admin.PrincipalOf(ctx), in.ID)
		return &body[admin.Action]{action}, err
	})
}
