// Package emby has Emby look for what was imported, renamed or deleted, and
// finds out whether it did.
package emby

import (
	"context"

	"github.com/hookarr/hookarr/plugins/internal/mediabrowser"
	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

func info() sdk.Info {
	return sdk.Info{
		Name:     "emby",
		Version:  "0.1.0",
		Summary:  "Has Emby look for what was imported, renamed or deleted, and proves that it shows it.",
		Features: mediaserver.Features(),
		Defaults: mediaserver.Defaults(2),
	}
}

// Serve serves the plugin to the Hookarr that started this process. It does not return.
func Serve() { sdk.ServeTarget(info(), newTarget) }

func newTarget(_ context.Context, env sdk.Env, c mediabrowser.Config) (sdk.Target, error) {
	return mediabrowser.New(env, mediabrowser.Emby(), c, mediaserver.Options{})
}
