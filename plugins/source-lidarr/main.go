// Command source-lidarr decodes the webhooks of Lidarr, and manages and completes them
// through its API.
package main

import (
	"context"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/sdk"
)

func main() { sdk.ServeSource(info(), newSource) }

func info() sdk.Info {
	return sdk.Info{
		Name: "lidarr", Version: "0.1.0", Features: api.Features(),
		Summary: "Decodes the webhooks of Lidarr, registers them, catches up on missed ones and adds details.",
	}
}

// source decodes without the API, and does the rest with it.
type source struct {
	decoder
	*api.Powers
}

func newSource(_ context.Context, env sdk.Env, c api.Config) (sdk.Source, error) {
	app := api.App{Name: arr.Lidarr, API: "v1", Reader: newReader}
	return source{decoder{applicationURL: c.ApplicationURL}, api.New(env, c, app)}, nil
}
