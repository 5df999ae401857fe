// Package audiobookshelf has Audiobookshelf scan its libraries for what was
// imported, and proves that it is there.
package audiobookshelf

import (
	"context"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

func info() sdk.Info {
	// A scan is of a whole library, which is worth waiting for more to come.
	defaults := mediaserver.Defaults(2)
	defaults.Group.By, defaults.Group.Wait, defaults.Group.MaxWait = "title", time.Minute, 10*time.Minute
	return sdk.Info{
		Name:     "audiobookshelf",
		Version:  "0.1.0",
		Summary:  "Has Audiobookshelf scan its libraries for what was imported, and proves that it is there.",
		Features: mediaserver.Features(),
		Defaults: defaults,
	}
}

// Serve serves the plugin to the Hookarr that started this process. It does not return.
func Serve() { sdk.ServeTarget(info(), newTarget) }

// options are what an Audiobookshelf is like: it begins a scan after it has answered.
func options() mediaserver.Options {
	return mediaserver.Options{Kind: "audiobookshelf", Name: "Audiobookshelf", Pause: 10 * time.Second}
}

func newTarget(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	return build(env, c, options())
}

func build(env sdk.Env, c config, o mediaserver.Options) (sdk.Target, error) {
	return mediaserver.New(env, newServer(env, c), o, c.Config)
}
