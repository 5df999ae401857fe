package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hookarr/hookarr/core/admin"
)

// ByID is the path of one thing. Like other parts of requests it has to be exported to be
// seen.
type ByID struct {
	ID string `path:"id" minLength:"4" maxLength:"36" doc:"Its id, or the first digits of it."`
}

// Keyed is the header of what is made once.
type Keyed struct {
	Key string `header:"Idempotency-Key" maxLength:"255" doc:"For 24 hours, a request with the same key is answered as the first and not made again."`
}

type eventBody struct {
	ByID
	Form string `query:"form" enum:"raw,normalized" default:"raw" doc:"raw is for the role operate."`
}

type bytesOf struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

type replayOne struct {
	ByID
	Keyed
	Body *admin.Replay
}

// replayMany is a bulk action over events.
type replayMany struct {
	Keyed
	Body struct {
		Filter admin.EventFilter `json:"filter"`
		admin.Replay
		Expect int `json:"expect_count" minimum:"0" doc:"What GET /events/count said: another number refuses the whole."`
	}
}

func (a *api) events() {
	tags := []string{"events"}
	register(a, view, huma.Operation{
		OperationID: "list-events", Method: http.MethodGet, Path: "/events", Tags: tags, Summary: "List events, newest first",
	}, func(ctx context.Context, in *struct {
		admin.EventFilter
		admin.Page
	},
	) (*body[admin.List[admin.Event]], error) {
		list, err := a.service.ListEvents(ctx, admin.PrincipalOf(ctx), in.EventFilter, in.Page)
		return &body[admin.List[admin.Event]]{list}, err
	})
	register(a, view, huma.Operation{
		OperationID: "count-events", Method: http.MethodGet, Path: "/events/count", Tags: tags, Summary: "Count events",
	}, func(ctx context.Context, in *struct{ admin.EventFilter }) (*body[admin.Count], error) {
		n, err := a.service.CountEvents(ctx, admin.PrincipalOf(ctx), in.EventFilter)
		return &body[admin.Count]{n}, err
	})
	register(a, view, huma.Operation{
		OperationID: "get-event", Method: http.MethodGet, Path: "/events/{id}", Tags: tags,
		Summary: "Get an event, its deliveries and their attempts",
	}, func(ctx context.Context, in *ByID) (*body[admin.Event], error) {
		id, err := a.service.FindEventID(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		e, err := a.service.FindEvent(ctx, admin.PrincipalOf(ctx), id)
		return &body[admin.Event]{e}, err
	})
	register(a, view, huma.Operation{
		OperationID: "get-event-story", Method: http.MethodGet, Path: "/events/{id}/story", Tags: tags,
		Summary: "Tell what became of an event, and why",
	}, func(ctx context.Context, in *ByID) (*body[admin.Story], error) {
		id, err := a.service.FindEventID(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		story, err := a.service.Tell(ctx, admin.PrincipalOf(ctx), id)
		return &body[admin.Story]{story}, err
	})
	register(a, view, huma.Operation{
		OperationID: "get-event-body", Method: http.MethodGet, Path: "/events/{id}/body", Tags: tags,
		Summary: "Get what was received, or the normalised event", Responses: answers("application/octet-stream", "application/json"),
	}, a.eventBody)
	register(a, operate, huma.Operation{
		OperationID: "replay-event", Method: http.MethodPost, Path: "/events/{id}/replay", Tags: tags,
		Summary: "Make new deliveries of an event, routed anew or to targets",
	}, func(ctx context.Context, in *replayOne) (*body[admin.Done], error) {
		return makeOnce(ctx, a.once, "replay-event", in.Key, in, func() (*body[admin.Done], error) {
			var replay admin.Replay
			if in.Body != nil {
				replay = *in.Body
			}
			done, err := a.service.Replay(ctx, admin.PrincipalOf(ctx), []string{in.ID}, replay)
			return &body[admin.Done]{done}, err
		})
	})
	register(a, operate, huma.Operation{
		OperationID: "replay-events", Method: http.MethodPost, Path: "/events/replay", Tags: tags, DefaultStatus: http.StatusAccepted,
		Summary: "Replay every event that a filter matches",
	}, func(ctx context.Context, in *replayMany) (*body[admin.Action], error) {
		return makeOnce(ctx, a.once, "replay-events", in.Key, in, func() (*body[admin.Action], error) {
			action, err := a.service.ReplayAll(ctx, admin.PrincipalOf(ctx), in.Body.Filter, in.Body.Replay, in.Body.Expect)
			return &body[admin.Action]{action}, err
		})
	})
}

func (a *api) eventBody(ctx context.Context, in *eventBody) (*bytesOf, error) {
	normalized := in.Form == "normalized"
	if !normalized && !admin.PrincipalOf(ctx).May(operate) {
		return nil, forbidden(operate)
	}
	id, err := a.service.FindEventID(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	data, contentType, err := a.service.Body(ctx, id, normalized)
	return &bytesOf{ContentType: contentType, Disposition: "attachment", Body: data}, err
}
