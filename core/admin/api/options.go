package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

type optionsOf struct {
	ByName
	Key string `path:"key" maxLength:"256" doc:"Dotted path of the setting below the config of the source or target." example:"libraries"`
}

// options are asked of sources and of targets alike.
func (a *api) options() {
	for _, kind := range []host.Kind{host.KindSource, host.KindTarget} {
		one, many := string(kind), string(kind)+"s"
		register(a, view, huma.Operation{
			OperationID: "list-" + one + "-option-keys", Method: http.MethodGet, Path: "/" + many + "/{name}/options", Tags: []string{many},
			Summary: "List the settings of a " + one + " whose values its plugin can tell",
		}, func(ctx context.Context, in *ByName) (*body[items[host.OptionKey]], error) {
			keys, err := a.service.OptionKeys(ctx, kind, in.Name)
			return &body[items[host.OptionKey]]{items[host.OptionKey]{keys}}, err
		})
		register(a, view, huma.Operation{
			OperationID: "list-" + one + "-options", Method: http.MethodGet, Path: "/" + many + "/{name}/options/{key}", Tags: []string{many},
			Summary: "Ask the endpoint of a " + one + " which values a setting may have; nothing is changed",
		}, func(ctx context.Context, in *optionsOf) (*body[items[sdk.Option]], error) {
			options, err := a.service.Options(ctx, kind, in.Name, in.Key)
			return &body[items[sdk.Option]]{items[sdk.Option]{options}}, err
		})
	}
}
