// Package prowlarr decodes the webhooks of Prowlarr.
package prowlarr

import (
	"context"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

// Serve serves the plugin to the Hookarr that started this process. It does not return.
func Serve() { sdk.ServeSource(info(), newSource) }

func info() sdk.Info {
	return sdk.Info{
		Name: "prowlarr", Version: "0.1.0", Offline: true,
		Summary: "Decodes the webhooks of Prowlarr.",
		EventTypes: arr.EventTypes(
			arr.Made(sdk.TypeReleaseGrabbed, "Grab"),
		),
	}
}

func newSource(_ context.Context, _ sdk.Env, c arr.Config) (sdk.Source, error) {
	return decoder{applicationURL: c.ApplicationURL}, nil
}
