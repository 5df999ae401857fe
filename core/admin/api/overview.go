package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/sdk"
)

type activityOf struct {
	Target  string `query:"target" maxLength:"40" doc:"Only of this target; absent is over all."`
	Over    string `query:"over" maxLength:"40" default:"1h" doc:"The time that ends now, such as 1h: at most 3h over all targets, and 7d of one." example:"24h"`
	Buckets int    `query:"buckets" minimum:"1" maximum:"180" default:"60" doc:"Into how many parts the time is divided."`
}

func (a *api) overview() {
	register(a, view, huma.Operation{
		OperationID: "get-overview", Method: http.MethodGet, Path: "/overview", Tags: []string{"server"},
		Summary: "Get what needs an operator now: what waits, what is held, silent or broken",
	}, func(ctx context.Context, _ *struct{}) (*body[admin.Overview], error) {
		v, err := a.service.Overview(ctx)
		return &body[admin.Overview]{v}, err
	})
	register(a, view, huma.Operation{
		OperationID: "get-activity", Method: http.MethodGet, Path: "/activity", Tags: []string{"server"},
		Summary: "Count events and outcomes by the minute, or those of a target with how long its attempts take",
	}, func(ctx context.Context, in *activityOf) (*body[admin.Activity], error) {
		over, err := sdk.ParseDuration(in.Over)
		if err != nil || over < time.Second {
			return nil, admin.NewProblem(http.StatusUnprocessableEntity, "over: want how long before now, such as 1h or 7d")
		}
		v, err := a.service.Activity(ctx, admin.ActivityOf{Target: in.Target, Over: over, Buckets: in.Buckets})
		return &body[admin.Activity]{v}, err
	})
}
