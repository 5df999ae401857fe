// Package plex has a Plex Media Server scan what was imported, renamed or
// deleted, and finds out whether it did.
package plex

import (
	"context"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

func info() sdk.Info {
	return sdk.Info{
		Name:     "plex",
		Version:  "0.1.0",
		Summary:  "Has Plex scan what was imported, renamed or deleted, and proves that it shows it.",
		Features: mediaserver.Features(),
		Defaults: mediaserver.Defaults(2),
	}
}

// Serve serves the plugin to the Hookarr that started this process. It does not return.
func Serve() { sdk.ServeTarget(info(), newTarget) }

func newTarget(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	return newPlex(env, c, mediaserver.Options{})
}

// newPlex lets tests have shorter pauses.
func newPlex(env sdk.Env, c config, o mediaserver.Options) (sdk.Target, error) {
	o.Kind, o.Name = "plex", "Plex"
	return mediaserver.New(env, &server{http: env.HTTP, base: c.Base(), token: c.Token, client: "hookarr-" + env.Instance}, o, c.Config)
}
