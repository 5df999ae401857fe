// Package generic decodes the JSON webhooks of senders that have no plugin of
// their own: its configuration says where in the body to look.
package generic

import (
	"context"

	"github.com/hookarr/hookarr/sdk"
)

// Serve serves the plugin to the Hookarr that started this process. It does not return.
func Serve() { sdk.ServeSource(info(), newSource) }

func info() sdk.Info {
	return sdk.Info{Name: "generic", Version: "0.1.0", Offline: true, Summary: "Decodes any JSON by paths that its configuration names."}
}

func newSource(_ context.Context, _ sdk.Env, c config) (sdk.Source, error) { return decoder{c}, nil }
