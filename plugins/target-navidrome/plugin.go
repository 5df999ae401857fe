// Package navidrome has Navidrome scan what was imported, and proves that it
// is there.
package navidrome

import (
	"context"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

func info() sdk.Info {
	return sdk.Info{
		Name:     "navidrome",
		Version:  "0.1.0",
		Summary:  "Has Navidrome scan what was imported, and proves that it is there.",
		Features: mediaserver.Features(),
		Defaults: mediaserver.Defaults(2),
	}
}

// Serve serves the plugin to the Hookarr that started this process. It does not return.
func Serve() { sdk.ServeTarget(info(), newTarget) }

// options are what a Navidrome is like.
func options() mediaserver.Options {
	return mediaserver.Options{Kind: "navidrome", Name: "Navidrome"}
}

func newTarget(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	return build(env, c, options())
}

func build(env sdk.Env, c config, o mediaserver.Options) (sdk.Target, error) {
	return mediaserver.New(env, newServer(env, c), o, c.Config())
}
