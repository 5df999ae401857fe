// Package stash has Stash scan what was imported, and proves that it is
// there.
package stash

import (
	"context"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

func info() sdk.Info {
	return sdk.Info{
		Name:     "stash",
		Version:  "0.1.0",
		Summary:  "Has Stash scan what was imported, and proves that it is there.",
		Features: mediaserver.Features(),
		// Stash does one job after the other, and a delivery waits for those before it.
		Defaults: mediaserver.Defaults(4),
	}
}

// Serve serves the plugin to the Hookarr that started this process. It does not return.
func Serve() { sdk.ServeTarget(info(), newTarget) }

// options are what a Stash is like.
func options() mediaserver.Options {
	return mediaserver.Options{Kind: "stash", Name: "Stash", Keeps: true}
}

func newTarget(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	return build(env, c, options())
}

func build(env sdk.Env, c config, o mediaserver.Options) (sdk.Target, error) {
	return mediaserver.New(env, newServer(env, c), o, c.Config())
}
