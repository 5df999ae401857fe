// Package kodi has Kodi scan what was imported, and proves that it is there.
package kodi

import (
	"context"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

func info() sdk.Info {
	return sdk.Info{
		Name:     "kodi",
		Version:  "0.1.0",
		Summary:  "Has Kodi scan what was imported, and proves that it is there.",
		Features: mediaserver.Features(),
		// One scan at a time: it often is a small machine, and somebody watches on it.
		Defaults: mediaserver.Defaults(1),
	}
}

// Serve serves the plugin to the Hookarr that started this process. It does not return.
func Serve() { sdk.ServeTarget(info(), newTarget) }

// options are what a Kodi is like. Unless it is to be cleaned, it keeps what is gone.
func options(c config) mediaserver.Options {
	return mediaserver.Options{Kind: "kodi", Name: "Kodi", Pause: 10 * time.Second, Keeps: !c.Clean}
}

func newTarget(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	return build(env, c, options(c))
}

func build(env sdk.Env, c config, o mediaserver.Options) (sdk.Target, error) {
	return mediaserver.New(env, newServer(env, c), o, c.Config)
}
