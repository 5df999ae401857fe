package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/paths"
)

// ByName is the path of a target or a source.
type ByName struct {
	Name string `path:"name" maxLength:"40" doc:"Its name."`
}

type pause struct {
	ByName
	Body *struct {
		Reason string `json:"reason,omitempty" maxLength:"500" doc:"What people see as the reason of the hold."`
	}
}

type rename struct {
	ByName
	Body struct {
		To string `json:"to" minLength:"1" maxLength:"40" doc:"The name of the configured target that its deliveries go to."`
	}
}

type preview struct {
	ByName
	Body admin.PreviewOf
}

type test struct {
	ByName
	Keyed
}

func (a *api) targets() {
	tags := []string{"targets"}
	register(a, view, huma.Operation{
		OperationID: "list-targets", Method: http.MethodGet, Path: "/targets", Tags: tags,
		Summary: "List targets, what holds them, and what waits for them",
	}, func(ctx context.Context, _ *struct{}) (*body[items[admin.Target]], error) {
		list, err := a.service.ListTargets(ctx)
		return &body[items[admin.Target]]{items[admin.Target]{list}}, err
	})
	register(a, view, huma.Operation{
		OperationID: "get-target", Method: http.MethodGet, Path: "/targets/{name}", Tags: tags, Summary: "Get a target",
	}, func(ctx context.Context, in *ByName) (*body[admin.Target], error) {
		t, err := a.service.FindTarget(ctx, in.Name)
		return &body[admin.Target]{t}, err
	})
	register(a, operate, huma.Operation{
		OperationID: "pause-target", Method: http.MethodPost, Path: "/targets/{name}/pause", Tags: tags,
		Summary: "Hold what goes to a target until it is resumed",
	}, func(ctx context.Context, in *pause) (*body[admin.Target], error) {
		reason := ""
		if in.Body != nil {
			reason = in.Body.Reason
		}
		t, err := a.service.Pause(ctx, admin.PrincipalOf(ctx), in.Name, reason)
		return &body[admin.Target]{t}, err
	})
	register(a, operate, huma.Operation{
		OperationID: "resume-target", Method: http.MethodPost, Path: "/targets/{name}/resume", Tags: tags,
		Summary: "End the hold of a target: what waits goes out, oldest first",
	}, func(ctx context.Context, in *ByName) (*body[admin.Target], error) {
		t, err := a.service.Resume(ctx, admin.PrincipalOf(ctx), in.Name)
		return &body[admin.Target]{t}, err
	})
	register(a, operate, huma.Operation{
		OperationID: "probe-target", Method: http.MethodPost, Path: "/targets/{name}/probe", Tags: tags,
		Summary: "Try a target on hold now with one of its deliveries",
	}, func(ctx context.Context, in *ByName) (*body[admin.Target], error) {
		t, err := a.service.Probe(ctx, admin.PrincipalOf(ctx), in.Name)
		return &body[admin.Target]{t}, err
	})
	register(a, operate, huma.Operation{
		OperationID: "rename-target", Method: http.MethodPost, Path: "/targets/{name}/rename", Tags: tags, DefaultStatus: http.StatusAccepted,
		Summary: "Give the deliveries of a target that left the configuration to another",
	}, func(ctx context.Context, in *rename) (*body[admin.Action], error) {
		action, err := a.service.Rename(ctx, admin.PrincipalOf(ctx), in.Name, in.Body.To)
		return &body[admin.Action]{action}, err
	})
	register(a, operate, huma.Operation{
		OperationID: "test-target", Method: http.MethodPost, Path: "/targets/{name}/test", Tags: tags,
		Summary: "Have a target send its test, which may be a message that people see",
	}, func(ctx context.Context, in *test) (*body[admin.Tested], error) {
		return makeOnce(ctx, a.once, "test-target", in.Key, in, func() (*body[admin.Tested], error) {
			t, err := a.service.TestTarget(ctx, in.Name)
			return &body[admin.Tested]{t}, err
		})
	})
	register(a, operate, huma.Operation{
		OperationID: "check-paths", Method: http.MethodPost, Path: "/targets/{name}/paths", Tags: tags,
		Summary: "Compare the folders of applications with the libraries of a target, and propose its path map; nothing is changed",
	}, func(ctx context.Context, in *ByName) (*body[paths.Report], error) {
		r, err := a.service.Paths(ctx, in.Name)
		return &body[paths.Report]{r}, err
	})
	register(a, operate, huma.Operation{
		OperationID: "preview-target", Method: http.MethodPost, Path: "/targets/{name}/preview", Tags: tags,
		Summary: "Show what a target would send of events; nothing is sent", MaxBodyBytes: maxSubject, BodyReadTimeout: subjectTimeout,
		Middlewares: huma.Middlewares{a.subjects},
	}, func(ctx context.Context, in *preview) (*body[admin.Preview], error) {
		p, err := a.service.Preview(ctx, in.Name, in.Body)
		return &body[admin.Preview]{p}, err
	})
}
