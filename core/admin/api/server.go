package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hookarr/hookarr/core/admin"
)

type reload struct {
	Body *struct {
		DryRun bool `json:"dry_run,omitempty" doc:"Only say what would change."`
	}
}

type logs struct {
	After uint64 `query:"after" doc:"Only what follows: next of the answer before. 0 is all that is kept, at most 2,000 lines."`
	Level string `query:"level" enum:"debug,info,warn,error" default:"debug" doc:"Only of this level or higher."`
	Wait  int    `query:"wait" minimum:"0" maximum:"25" doc:"Wait up to this many seconds for a line."`
}

// pluginName is the path of a plugin.
type pluginName struct {
	Name string `path:"name" maxLength:"80" doc:"Its kind and name, such as target-discord."`
}

type syncSource struct {
	ByName
	Keyed
	Body *admin.Sync
}

func (a *api) server() {
	register(a, view, huma.Operation{
		OperationID: "get-version", Method: http.MethodGet, Path: "/version", Tags: []string{"server"}, Summary: "Get the version of what answers",
	}, func(context.Context, *struct{}) (*body[admin.Version], error) {
		return &body[admin.Version]{a.service.Version()}, nil
	})
	register(a, view, huma.Operation{
		OperationID: "get-config", Method: http.MethodGet, Path: "/config", Tags: []string{"server"},
		Summary: "Get the settings in use as YAML, defaults included and secrets not", Responses: answers("application/yaml"),
	}, func(context.Context, *struct{}) (*bytesOf, error) {
		data, err := a.service.ConfigYAML()
		return &bytesOf{ContentType: "application/yaml", Body: data}, err
	})
	register(a, operate, huma.Operation{
		OperationID: "reload", Method: http.MethodPost, Path: "/reload", Tags: []string{"server"},
		Summary: "Take the configuration into use that is there now, or refuse it as a whole",
	}, func(ctx context.Context, in *reload) (*body[admin.Reload], error) {
		r, err := a.service.Reload(ctx, in.Body != nil && in.Body.DryRun)
		return &body[admin.Reload]{r}, err
	})
	register(a, operate, huma.Operation{
		OperationID: "read-logs", Method: http.MethodGet, Path: "/logs", Tags: []string{"server"},
		Summary: "Read the last lines that the server logged, or wait for more",
	}, func(ctx context.Context, in *logs) (*body[admin.LogLines], error) {
		var level slog.Level
		if err := level.UnmarshalText([]byte(in.Level)); err != nil {
			return nil, err
		}
		lines, err := a.service.ReadLogs(ctx, in.After, level, time.Duration(in.Wait)*time.Second)
		return &body[admin.LogLines]{lines}, err
	})
	register(a, view, huma.Operation{
		OperationID: "list-sources", Method: http.MethodGet, Path: "/sources", Tags: []string{"sources"},
		Summary: "List sources, what was last seen of them, and how far their histories were read",
	}, func(ctx context.Context, _ *struct{}) (*body[items[admin.Source]], error) {
		list, err := a.service.ListSources(ctx)
		return &body[items[admin.Source]]{items[admin.Source]{list}}, err
	})
	register(a, view, huma.Operation{
		OperationID: "get-source", Method: http.MethodGet, Path: "/sources/{name}", Tags: []string{"sources"}, Summary: "Get a source",
	}, func(ctx context.Context, in *ByName) (*body[admin.Source], error) {
		v, err := a.service.FindSource(ctx, in.Name)
		return &body[admin.Source]{v}, err
	})
	register(a, operate, huma.Operation{
		OperationID: "sync-source", Method: http.MethodPost, Path: "/sources/{name}/sync", Tags: []string{"sources"}, DefaultStatus: http.StatusAccepted,
		Summary: "Read everything that the application has, and tell what nothing told before",
	}, func(ctx context.Context, in *syncSource) (*body[admin.Synced], error) {
		return makeOnce(ctx, a.once, "sync-source", in.Key, in, func() (*body[admin.Synced], error) {
			var wish admin.Sync
			if in.Body != nil {
				wish = *in.Body
			}
			v, err := a.service.SyncSource(ctx, admin.PrincipalOf(ctx), in.Name, wish)
			return &body[admin.Synced]{v}, err
		})
	})
	register(a, view, huma.Operation{
		OperationID: "list-routes", Method: http.MethodGet, Path: "/routes", Tags: []string{"routes"}, Summary: "List the routes in use, in order",
	}, func(context.Context, *struct{}) (*body[items[admin.Route]], error) {
		return &body[items[admin.Route]]{items[admin.Route]{a.service.ListRoutes()}}, nil
	})
	register(a, view, huma.Operation{
		OperationID: "test-routes", Method: http.MethodPost, Path: "/routes/test", Tags: []string{"routes"},
		Summary: "Say where an event would go; it goes nowhere. To have a body decoded is for the role operate", MaxBodyBytes: maxSubject, BodyReadTimeout: subjectTimeout,
		Middlewares: huma.Middlewares{a.subjects},
	}, func(ctx context.Context, in *struct{ Body admin.Subject }) (*body[admin.Routing], error) {
		if in.Body.Body != "" && !admin.PrincipalOf(ctx).May(operate) {
			return nil, forbidden(operate)
		}
		r, err := a.service.TestRoutes(ctx, in.Body)
		return &body[admin.Routing]{r}, err
	})
	register(a, view, huma.Operation{
		OperationID: "list-plugins", Method: http.MethodGet, Path: "/plugins", Tags: []string{"plugins"}, Summary: "List the plugins in use",
	}, func(context.Context, *struct{}) (*body[items[admin.Plugin]], error) {
		list, err := a.service.ListPlugins()
		return &body[items[admin.Plugin]]{items[admin.Plugin]{list}}, err
	})
	register(a, view, huma.Operation{
		OperationID: "get-plugin", Method: http.MethodGet, Path: "/plugins/{name}", Tags: []string{"plugins"}, Summary: "Inspect a plugin",
	}, func(_ context.Context, in *pluginName) (*body[admin.Plugin], error) {
		p, err := a.service.FindPlugin(in.Name)
		return &body[admin.Plugin]{p}, err
	})
	register(a, operate, huma.Operation{
		OperationID: "reload-plugin", Method: http.MethodPost, Path: "/plugins/{name}/reload", Tags: []string{"plugins"},
		Summary: "Take a plugin's binary into use that is there now, if it is well",
	}, func(ctx context.Context, in *pluginName) (*body[admin.Plugin], error) {
		p, err := a.service.ReloadPlugin(ctx, in.Name)
		return &body[admin.Plugin]{p}, err
	})
}
